import VestigeCore

/// Resolves the times of a query on the clock of a recording.
struct QueryClock {
    let firstNanoseconds: Int64
    /// Nil until a pass over the recording has found it.
    let lastNanoseconds: Int64?
    /// Unix time less the recording's own; nil if it does not know the wall clock.
    let wallOffsetNanoseconds: Int64?

    init(first event: Event, facts: QueryFacts?, tables: TraceTables) {
        firstNanoseconds = event.timeNanoseconds
        lastNanoseconds = facts?.lastNanoseconds
        if let snapshot = tables.clockSnapshots.first {
            wallOffsetNanoseconds = snapshot.wallUnixNanoseconds &- snapshot.traceNanoseconds
        } else {
            let index = Int(event.source)
            let knowsWall = tables.sources.indices.contains(index) && tables.sources[index].clock == .wall
            wallOffsetNanoseconds = knowsWall ? 0 : nil
        }
    }

    init(_ start: TraceStart, facts: QueryFacts?) {
        firstNanoseconds = start.firstNanoseconds
        lastNanoseconds = facts?.lastNanoseconds
        wallOffsetNanoseconds = start.wallOffsetNanoseconds
    }

    func nanoseconds(_ bound: TimeBound) throws(TraceError) -> Int64 {
        switch bound {
        case .sinceStart(let offset): return firstNanoseconds.addingClamped(offset)
        case .beforeEnd(let offset):
            guard let lastNanoseconds else { preconditionFailure("the survey was left out") }
            return lastNanoseconds.subtractingClamped(offset)
        case .clock(let time): return time
        case .wall(let time):
            guard let wallOffsetNanoseconds else {
                throw TraceError(
                    .usage,
                    expected: "times from the recording's start (120ms) or end (-1s), since it does not know "
                        + "the wall clock (traces of Go 1.25 and newer do)", found: "a wall clock time")
            }
            return time.subtractingClamped(wallOffsetNanoseconds)
        }
    }

    /// The times that satisfy a comparison, half-open.
    func range(_ comparison: QueryCondition.Comparison, _ bound: TimeBound) throws(TraceError) -> Range<Int64> {
        let time = try nanoseconds(bound)
        return switch comparison {
        case .less: Int64.min..<time
        case .lessOrEqual: Int64.min..<time.addingClamped(1)
        case .greater: min(time.addingClamped(1), .max)..<Int64.max
        case .greaterOrEqual: time..<Int64.max
        case .equal: time..<time.addingClamped(1)
        }
    }

    /// The stretches of time that a query looks at.
    /// - Throws: `usage` if there can be none.
    func windows(of query: Query, facts: QueryFacts?) throws(TraceError) -> [Range<Int64>] {
        var (start, end) = (Int64.min, Int64.max)
        if let from = query.from { start = try nanoseconds(from) }
        if let to = query.to { end = try nanoseconds(to) }
        for case .condition(.time(let comparison, let bound)) in query.conditions.flatMap(\.conjuncts) {
            let range = try range(comparison, bound)
            (start, end) = (max(start, range.lowerBound), min(end, range.upperBound))
        }
        try check(start, end)
        let all = query.around.isEmpty ? [Int64.min..<Int64.max] : facts?.windows ?? []
        return all.compactMap { window in
            let (lower, upper) = (max(window.lowerBound, start), min(window.upperBound, end))
            return lower < upper ? lower..<upper : nil
        }
    }

    private func check(_ start: Int64, _ end: Int64) throws(TraceError) {
        if start >= end {
            throw TraceError(
                .usage, expected: "a time window that ends after it begins",
                found: "one from \(text(start)) to \(text(end)); did you mean from \(text(end)) to \(text(start))?")
        }
        if end <= firstNanoseconds {
            throw TraceError(
                .usage, expected: "a time window that ends after the recording's first event",
                found: "one to \(text(end)); did you mean \(text(firstNanoseconds &* 2 &- end))?")
        }
        if let lastNanoseconds { try check(start, endingAt: lastNanoseconds) }
    }

    /// Refuses a window that begins after the end of the recording.
    func check(_ start: Int64, endingAt last: Int64) throws(TraceError) {
        guard start > last else { return }
        throw TraceError(
            .usage, expected: "a time window that begins before the recording ends, at \(text(last))",
            found: "one from \(text(start))")
    }

    /// A time as seconds from the first event.
    private func text(_ time: Int64) -> String {
        let offset = time.subtractingClamped(firstNanoseconds)
        let magnitude = offset.magnitude
        let digits = String(magnitude % 1_000_000_000)
        var fraction = String(repeating: "0", count: 9 - digits.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(offset < 0 ? "-" : "")\(magnitude / 1_000_000_000)\(fraction.isEmpty ? "" : ".\(fraction)")s"
    }
}

extension QueryExpression {
    /// The parts that must all hold.
    var conjuncts: [QueryExpression] {
        if case .all(let parts) = self { return parts.flatMap(\.conjuncts) }
        return [self]
    }

    /// True for a comparison of time, which together with others makes the window where it must hold.
    var isTime: Bool {
        if case .condition(.time) = self { return true }
        return false
    }
}

extension Query {
    /// True if what is selected in a window does not depend on anything before it but the states there.
    public var canSkip: Bool {
        expression.conditions.allSatisfy { condition in
            switch condition {
            case .kind, .goroutine, .function, .added, .time: true
            case .state, .reason: condition.leastDuration == 0
            case .region, .task, .label: false
            }
        }
    }

    /// All times that it names.
    var timeBounds: [TimeBound] {
        let named = conditions.flatMap(\.conditions).compactMap { condition in
            if case .time(_, let bound) = condition { bound } else { nil }
        }
        return [from, to].compactMap { $0 } + named
    }
}
