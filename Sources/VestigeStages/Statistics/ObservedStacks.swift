import VestigeCore

/// Goroutines that dumps and debuggers saw, by their stack, state and reason. Memory follows how many of these there
/// are.
public struct ObservedStacks: ~Copyable {
    public struct Row: Sendable {
        public let stack: StackID
        public let state: GoroutineState
        /// In the observer's own words.
        public let reason: StringID
        /// How many goroutines; one that was seen twice counts twice.
        public fileprivate(set) var count: UInt64 = 0
        /// Nanoseconds for which one of them had waited at least; 0 where nothing is known.
        public fileprivate(set) var longestWaitNanoseconds: UInt64 = 0
        /// Whether they are the runtime's own.
        public let isSystem: Bool
    }

    private struct Key: Hashable {
        var stack: StackID
        var state: GoroutineState
        var reason: StringID
        var isSystem: Bool
    }

    /// In the order in which the input first has them.
    public private(set) var rows: [Row] = []
    private var indices: [Key: Int] = [:]

    public init() {}

    public mutating func add(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) {
        for event in events where event.kind == .observed && event.observedCount > 0 { add(event, tables) }
    }

    private mutating func add(_ event: Event, _ tables: TraceTables) {
        let key = Key(
            stack: event.stack, state: event.toGoroutineState, reason: event.name,
            isSystem: tables.isObservedSystemGoroutine(event))
        let index = indices[key] ?? rows.count
        if index == rows.count {
            indices[key] = index
            rows.append(Row(stack: key.stack, state: key.state, reason: key.reason, isSystem: key.isSystem))
        }
        let (sum, isTooLarge) = rows[index].count.addingReportingOverflow(event.observedCount)
        rows[index].count = isTooLarge ? .max : sum
        rows[index].longestWaitNanoseconds = max(rows[index].longestWaitNanoseconds, event.leastWaitNanoseconds)
    }
}

extension TraceTables {
    /// Whether a goroutine that was seen is the runtime's own: the observer says so, or its stack does.
    /// - Parameter event: of kind `observed`.
    public func isObservedSystemGoroutine(_ event: Event) -> Bool {
        observations.detail(event.observationDetail).flags.contains(.system)
            || isSystemFunction(startFunction(of: event.stack))
    }
}
