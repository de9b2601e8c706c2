import VestigeCore

/// Not too many events come in any window of time.
final class RateRule: RuleEvaluator {
    private let window: Int64
    private let exampleLimit: Int
    private var matcher: EventMatcher
    private var finding: CheckFinding
    /// As many of the last ones, in a ring, as are too many within a window.
    private var ring: [Event] = []
    private let ringSize: Int
    private var next = 0

    /// A limit must not be larger than this, since as many events are kept.
    static let largestLimit: Int64 = 100_000
    private static let shownCount = 8

    init(
        _ rule: CheckRule, _ pattern: EventPattern, _ limit: CheckLimit, _ window: Int64, _ exampleLimit: Int,
        _ tables: TraceTables
    ) {
        self.window = window
        self.exampleLimit = exampleLimit
        matcher = EventMatcher([pattern])
        finding = CheckFinding(rule)
        ringSize = Int(max(1, min(Self.largestLimit, limit.value) + (limit.isInclusive ? 1 : 0)))
    }

    func process(_ batch: CheckBatch) {
        for index in 0..<batch.events.count {
            let event = batch.events.baseAddress! + index
            if matcher.mask(of: event, batch.tables) != 0 { take(event.pointee) }
        }
    }

    private func take(_ event: Event) {
        finding.lookedAt &+= 1
        if ring.count < ringSize { ring.append(event) } else { ring[next] = event }
        next = (next + 1) % ringSize
        guard ring.count == ringSize else { return }
        let first = ring[next % ring.count]
        guard event.timeNanoseconds.subtractingClamped(first.timeNanoseconds) < window else { return }
        finding.value = Int64(ringSize)
        finding.add(Int64(ringSize), limit: exampleLimit) { example() }
        // Each is too many only once.
        ring.removeAll(keepingCapacity: true)
        next = 0
    }

    private func example() -> CounterExample {
        let events = Array(ring[next...] + ring[..<next])
        var example = CounterExample(
            from: events[0].timeNanoseconds, to: events[events.count - 1].timeNanoseconds, value: Int64(ringSize),
            goroutines: events.map { $0.kind == .goroutineTransition ? $0.subjectGoroutine : $0.goroutine },
            events.suffix(Self.shownCount).map { CheckEvidence(.happens, $0) })
        example.unshownCount = UInt64(max(0, events.count - Self.shownCount))
        return example
    }

    func finish(_ batch: CheckBatch) -> CheckFinding { finding }
}
