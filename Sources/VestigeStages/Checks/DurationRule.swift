import VestigeCore

/// Every one, or a part of all, keeps to a limit of time.
final class DurationRule: RuleEvaluator {
    private let subject: CheckSubject
    private let spanClass: SpanClass
    private let limit: CheckLimit
    /// In thousandths of a per cent; nil for every one.
    private let percent: UInt64?
    private let exampleLimit: Int
    private var filter: RuleFilter
    private var finding: CheckFinding
    private var durations = Distribution()
    private var longest: Int64?
    private var stretches: BusyStretches?

    init(
        _ rule: CheckRule, _ subject: CheckSubject, _ limit: CheckLimit, percent: UInt64?, _ exampleLimit: Int,
        _ isSelected: Bool
    ) {
        self.subject = subject
        self.limit = limit
        self.percent = percent
        self.exampleLimit = exampleLimit
        let kind: LifelineKind =
            switch subject {
            case .region: .region
            case .task: .task
            case .range: .range
            default: .goroutineState
            }
        spanClass = SpanClass(kind, subject.states.first ?? .undetermined)
        filter = RuleFilter(rule, subject, isSelected: isSelected)
        finding = CheckFinding(rule)
        if subject == .busy { stretches = BusyStretches() }
    }

    func process(_ batch: CheckBatch) {
        switch subject {
        case .goroutine:
            for life in batch.lives { take(life, batch.tables) }
        case .busy:
            stretches?.process(batch) { span, duration in take(span, lasting: duration, batch.tables) }
        default: takeSpans(batch)
        }
    }

    private func takeSpans(_ batch: CheckBatch) {
        guard let spans = batch.spans.baseAddress else { return }
        let wanted = spanClass
        for index in 0..<batch.classes.count where batch.classes[index] == wanted {
            take(spans + index, lasting: spans[index].durationNanoseconds, batch.tables)
        }
    }

    @inline(__always)
    private func take(_ span: UnsafePointer<LifelineSpan>, lasting duration: Int64, _ tables: TraceTables) {
        guard filter.accepts(span, lasting: duration, tables) else { return }
        let isCut = !span.pointee.flags.isDisjoint(with: [.beganBefore, .isOpen])
        if note(duration, isCut: isCut) {
            finding.add(duration, limit: exampleLimit) { CounterExample(span.pointee, subject, value: duration) }
        }
    }

    private func take(_ life: GoroutineLife, _ tables: TraceTables) {
        let (duration, isTooLong) = life.lastNanoseconds.subtractingReportingOverflow(life.firstSeenNanoseconds)
        guard !isTooLong, filter.accepts(life, lasting: duration, tables) else { return }
        if note(duration, isCut: !life.isCreationKnown || !life.hasEnded) {
            finding.add(duration, limit: exampleLimit) { CounterExample(life, value: duration) }
        }
    }

    /// - Returns: true if it is beyond the limit. What is cut off lasts longer than is seen, which tells nothing of it
    ///   as long as it is within.
    @inline(__always) private func note(_ duration: Int64, isCut: Bool) -> Bool {
        let isBroken = limit.isBroken(by: duration)
        if percent == nil {
            longest = max(longest ?? 0, duration)
        } else {
            if isCut, !isBroken { return false }
            durations.add(duration)
        }
        finding.lookedAt &+= 1
        return isBroken
    }

    func finish(_ batch: CheckBatch) -> CheckFinding {
        process(batch)
        stretches?.finish { span, duration in take(span, lasting: duration, batch.tables) }
        guard let percent else {
            finding.value = longest
            return finding
        }
        if finding.lookedAt > 0 { finding.value = durations.percentile(Double(percent) / 1000) }
        // Exact, unlike the percentile itself where there are many: so many must keep to the limit.
        let (product, isTooLarge) = finding.lookedAt.multipliedReportingOverflow(by: percent)
        let rank = isTooLarge ? finding.lookedAt : (product &+ 99_999) / 100_000
        finding.isBroken = finding.lookedAt &- finding.brokenCount < max(rank, min(1, finding.lookedAt))
        if !finding.isBroken { finding.examples = [] }
        return finding
    }
}
