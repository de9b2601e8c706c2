import VestigeCore

/// Not too many regions or tasks are open at one time.
final class OpenCountRule: RuleEvaluator {
    private let spanKind: LifelineKind
    private let beginKind: EventKind
    private let exampleLimit: Int
    private var names: NameMasks
    private var watch: LevelWatch
    private var finding: CheckFinding
    /// The last ones that began, in a ring.
    private var latest: [Event] = []
    private var beginCount = 0

    private static let shownCount = 8

    init(_ rule: CheckRule, _ subject: CheckSubject, _ limit: CheckLimit, _ lasting: Int64, _ exampleLimit: Int) {
        (spanKind, beginKind) = subject == .task ? (.task, .taskBegin) : (.region, .regionBegin)
        self.exampleLimit = exampleLimit
        names = NameMasks(rule.names)
        watch = LevelWatch(limit, lasting: lasting)
        finding = CheckFinding(rule)
    }

    private func isNamed(_ name: StringID, _ tables: TraceTables) -> Bool {
        names.isEmpty || names.mask(of: name, tables) != 0
    }

    /// Begins are events and ends are spans, both in order of time. What ends at a time makes room for what begins.
    func process(_ batch: CheckBatch) {
        var position = 0
        func endAll(through time: Int64) {
            while position < batch.spans.count, batch.spans[position].endNanoseconds <= time {
                end(batch.spans[position], batch.tables)
                position += 1
            }
        }
        for event in batch.events where event.kind == beginKind && isNamed(event.name, batch.tables) {
            endAll(through: event.timeNanoseconds)
            begin(event)
        }
        endAll(through: .max)
    }

    private func begin(_ event: Event) {
        if latest.count < Self.shownCount {
            latest.append(event)
        } else {
            latest[beginCount % Self.shownCount] = event
        }
        beginCount &+= 1
        finding.lookedAt &+= 1
        step(1, at: event.timeNanoseconds)
    }

    private func end(_ span: LifelineSpan, _ tables: TraceTables) {
        guard span.kind == spanKind, isNamed(span.name, tables) else { return }
        // Its begin is not in the recording.
        if span.flags.contains(.beganBefore), span.sinceNanoseconds == nil { return }
        step(-1, at: span.endNanoseconds)
    }

    private func step(_ step: Int64, at time: Int64) {
        if watch.isBroken(at: time) { note(at: time) }
        watch.change(by: step, at: time)
        if watch.isBroken(at: time) { note(at: time) }
    }

    private func note(at time: Int64) {
        finding.add(watch.level, limit: exampleLimit) {
            let events = latest.sorted { $0.timeNanoseconds < $1.timeNanoseconds }.suffix(Int(clamping: watch.level))
            let start = min(watch.beyondSince ?? time, events.first?.timeNanoseconds ?? time)
            var example = CounterExample(
                from: start, to: time, value: watch.level, goroutines: events.map(\.goroutine),
                events.map { CheckEvidence(.begins, $0) })
            example.unshownCount = UInt64(clamping: watch.level - Int64(events.count))
            return example
        }
    }

    func finish(_ batch: CheckBatch) -> CheckFinding {
        // What is open at the end does not end there.
        if watch.isBroken(at: batch.lastNanoseconds) { note(at: batch.lastNanoseconds) }
        if finding.lookedAt > 0 { finding.value = watch.highest }
        return finding
    }
}
