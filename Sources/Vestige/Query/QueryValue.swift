import VestigeCore
import VestigeStages

/// Values as people write them in queries. Errors name the option or field and, where there is one, what was meant.
public enum QueryValue {
    /// `120ms` from the first event, `-1s` from the end, or a wall clock time.
    public static func time(_ text: String, of name: String) throws(TraceError) -> TimeBound {
        if let offset = TimeText.nanoseconds(text) {
            return text.hasPrefix("-") ? .beforeEnd(0 &- offset) : .sinceStart(offset)
        }
        if let wall = WallTime.nanoseconds(text) { return .wall(wall) }
        throw TraceError(
            .usage,
            expected: "a time for \(name): 120ms from the first event, -1s from the end, or 2026-11-24T10:00:00.5Z",
            found: "\"\(text)\"\(unitHint(text))")
    }

    /// A length of time, not negative.
    public static func duration(_ text: String, of name: String) throws(TraceError) -> Int64 {
        if let duration = TimeText.nanoseconds(text), duration >= 0 { return duration }
        throw TraceError(
            .usage, expected: "a duration for \(name), e.g. 10ms or 1.5s", found: "\"\(text)\"\(unitHint(text))")
    }

    private static func unitHint(_ text: String) -> String {
        !text.isEmpty && text.allSatisfy { $0.isNumber || $0 == "." } ? "; did you mean \(text)ms?" : ""
    }

    /// `18,20-25`.
    public static func goroutines(_ text: String, of name: String) throws(TraceError) -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let numbers = ends.map { end in end.allSatisfy(\.isWholeNumber) ? Int64(end) : nil }
            guard let first = numbers[0], let last = numbers.count == 1 ? first : numbers[1], first <= last else {
                let swapped = numbers.count == 2 && numbers[0] != nil && numbers[1] != nil
                let hint = swapped ? "; did you mean \(ends[1])-\(ends[0])?" : ""
                throw TraceError(
                    .usage, expected: "goroutine numbers for \(name), e.g. 18,20-25", found: "\"\(part)\"\(hint)")
            }
            ranges.append(first...last)
        }
        return ranges
    }

    /// `waiting,syscall`.
    public static func states(_ text: String, of name: String) throws(TraceError) -> [GoroutineState] {
        var states: [GoroutineState] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let state = selectableStates.first(where: { $0.observedName.description == part.lowercased() }) else {
                throw Suggestion.unknown(
                    String(part), kind: "state for \(name)", among: selectableStates.map { "\($0.observedName)" })
            }
            states.append(state)
        }
        return states
    }

    private static let selectableStates: [GoroutineState] = [.runnable, .running, .waiting, .syscall]

    /// `Log,RegionBegin`, in capitals or not.
    public static func kinds(_ text: String, of name: String) throws(TraceError) -> Set<EventKind> {
        var kinds = Set<EventKind>()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            // Two kinds share a name.
            let named = EventKind.allCases.filter { $0.name.description.lowercased() == part.lowercased() }
            if named.isEmpty {
                var names: [String] = []
                for kind in EventKind.allCases where names.last != "\(kind.name)" { names.append("\(kind.name)") }
                throw Suggestion.unknown(String(part), kind: "kind for \(name)", among: names)
            }
            kinds.formUnion(named)
        }
        return kinds
    }

    /// A number of steps.
    public static func count(_ text: String, of name: String) throws(TraceError) -> Int {
        if let count = Int(text), (1...1000).contains(count) { return count }
        throw TraceError(.usage, expected: "a number from 1 to 1000 for \(name)", found: "\"\(text)\"")
    }
}
