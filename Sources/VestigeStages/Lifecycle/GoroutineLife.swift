import VestigeCore

/// The summary of one goroutine's life, known when it ends or the recording does. An id that is used
/// again (goroutines that serve callbacks from C threads) has one record a life.
@frozen public struct GoroutineLife: BitwiseCopyable, Sendable {
    public var goroutine: GoroutineID = .absent
    public var source: UInt8 = 0
    /// Time of its first transition.
    public var firstSeenNanoseconds: Int64 = 0
    public var firstState: GoroutineState = .undetermined
    /// True if its creation is in the recording; then it was at `firstSeenNanoseconds`.
    public var isCreationKnown = false
    /// Who created it; absent if not by a goroutine or not known.
    public var creator: GoroutineID = .absent
    /// The creator's stack at the `go` statement.
    public var creationStack: StackID = .absent
    /// The outermost function of its stack: from its creation, else of the first stack seen.
    public var startFunction: StringID = .empty
    /// True if it ended in the recording, at `lastNanoseconds`.
    public var hasEnded = false
    /// Its end, or the time of the last event.
    public var lastNanoseconds: Int64 = 0
    /// State when the recording (or its life) ended, and the reason and stack of the transition into it.
    public var finalState: GoroutineState = .undetermined
    public var finalReason: StringID = .empty
    public var finalStack: StackID = .absent
    /// Nanoseconds by state.
    public var undeterminedNanoseconds: Int64 = 0
    public var runnableNanoseconds: Int64 = 0
    public var runningNanoseconds: Int64 = 0
    public var waitingNanoseconds: Int64 = 0
    public var syscallNanoseconds: Int64 = 0
    /// Transitions to another state, status events not counted.
    public var transitionCount: UInt32 = 0
    public var stackSampleCount: UInt32 = 0

    public init() {}

    /// True if it belongs to the Go runtime, by the rule of Go's own tools: its start function is unknown, or of
    /// package runtime and not `runtime.main`.
    public func isSystem(_ tables: TraceTables) -> Bool {
        let function = tables.strings.bytes(startFunction)
        return function.isEmpty
            || function.starts(with: "runtime.".utf8) && !function.elementsEqual("runtime.main".utf8)
    }
}
