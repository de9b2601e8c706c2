import VestigeCore

/// Whatever begins ends, in time.
final class EndsRule: RuleEvaluator {
    private let subject: CheckSubject
    private let kind: LifelineKind
    private let within: Int64?
    private let exampleLimit: Int
    private var filter: RuleFilter
    private var finding: CheckFinding

    init(_ rule: CheckRule, _ subject: CheckSubject, _ within: Int64?, _ exampleLimit: Int, _ isSelected: Bool) {
        self.subject = subject
        self.within = within
        self.exampleLimit = exampleLimit
        kind = subject == .task ? .task : .region
        filter = RuleFilter(rule, subject, isSelected: isSelected)
        finding = CheckFinding(rule)
    }

    func process(_ batch: CheckBatch) { process(batch, isEnd: false) }

    private func process(_ batch: CheckBatch, isEnd: Bool) {
        if subject == .goroutine {
            for life in batch.lives where life.isCreationKnown { take(life, batch.tables) }
            return
        }
        let wanted = SpanClass(kind, .undetermined)
        guard batch.classes.contains(wanted) else { return }
        let left = isEnd ? [] : leftOpen(batch)
        for index in 0..<batch.classes.count where batch.classes[index] == wanted {
            let span = batch.spans.baseAddress! + index
            if span.pointee.flags.contains(.isOpen), left.contains(Left(span.pointee)) { continue }
            take(span, isEnd: isEnd, batch.tables)
        }
    }

    private func take(_ span: UnsafePointer<LifelineSpan>, isEnd: Bool, _ tables: TraceTables) {
        let duration = span.pointee.durationNanoseconds
        guard filter.accepts(span, lasting: duration, tables) else { return }
        finding.lookedAt &+= 1
        let isOpen = span.pointee.flags.contains(.isOpen)
        guard isBroken(duration, isOpen: isOpen, isEnd: isEnd) else { return }
        finding.add(duration, limit: exampleLimit) { CounterExample(span.pointee, subject, value: duration) }
    }

    private func take(_ life: GoroutineLife, _ tables: TraceTables) {
        let duration = life.lastNanoseconds.subtractingClamped(life.firstSeenNanoseconds)
        guard filter.accepts(life, lasting: duration, tables) else { return }
        finding.lookedAt &+= 1
        // What has left the selection may have ended.
        let isLost = !life.hasEnded && life.finalState == .undetermined
        guard !isLost, isBroken(duration, isOpen: !life.hasEnded, isEnd: true) else { return }
        finding.add(duration, limit: exampleLimit) { CounterExample(life, value: duration) }
    }

    /// - Parameter isEnd: the recording has ended, so that what is open may still end in time.
    private func isBroken(_ duration: Int64, isOpen: Bool, isEnd: Bool) -> Bool {
        guard let within else { return isOpen }
        return duration > within || isOpen && !isEnd
    }

    /// What a selection has left: it need not be open.
    private struct Left: Hashable {
        var goroutine: Int64
        var task: UInt64
        var name: StringID
        var time: Int64

        init(_ span: LifelineSpan) {
            (task, name, time) = (span.identifier, span.name, span.endNanoseconds)
            // Of tasks the number is enough.
            goroutine = span.kind == .task ? 0 : span.goroutine.rawValue
        }

        init(_ event: Event) {
            (task, name, time) = (event.task.rawValue, event.name, event.timeNanoseconds)
            goroutine = event.kind == .taskEnd ? 0 : event.goroutine.rawValue
        }
    }

    private func leftOpen(_ batch: CheckBatch) -> Set<Left> {
        var left = Set<Left>()
        let end: EventKind = kind == .task ? .taskEnd : .regionEnd
        for event in batch.events where event.kind == end && event.isSynthetic { left.insert(Left(event)) }
        return left
    }

    func finish(_ batch: CheckBatch) -> CheckFinding {
        process(batch, isEnd: true)
        return finding
    }
}
