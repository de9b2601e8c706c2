import VestigeCore

/// What a span is a span of.
@frozen public enum LifelineKind: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// A goroutine in one state.
    case goroutineState
    /// A proc in one state.
    case procState
    /// A user region on a goroutine.
    case region
    /// A user task.
    case task
    /// GC, sweep, mark assist, stop-the-world.
    case range
}

/// A stretch of time in which something stayed the same: a trivial record of fixed size.
///
/// Times are nanoseconds on the source's clock, half-open. Fields that a kind does not name are absent.
@frozen public struct LifelineSpan: BitwiseCopyable, Sendable {
    @frozen public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// It began before the recording (or the part of it that is at hand), or its begin is lost:
        /// `startNanoseconds` is where that begins (of a region: where its goroutine was created, if that is later).
        @inlinable public static var beganBefore: Flags { Flags(rawValue: 1) }
        /// It had not ended when the recording did: `endNanoseconds` is the time of the last event (of a
        /// region: where its goroutine ended, if that is earlier).
        @inlinable public static var isOpen: Flags { Flags(rawValue: 2) }
        /// The transition that ended it did not come from this state: something between is missing.
        @inlinable public static var isBroken: Flags { Flags(rawValue: 4) }
    }

    public var startNanoseconds: Int64 = 0
    public var endNanoseconds: Int64 = 0
    /// When it really began, where a synthetic event says so: before `startNanoseconds`. Else nil.
    public var sinceNanoseconds: Int64? { began == .min ? nil : began }
    var began = Int64.min
    /// The goroutine the span belongs to. Of a task: the one that began it. Of a range: the one it is
    /// bound to, else the one in whose context it began.
    public var goroutine: GoroutineID = .absent
    /// The goroutine that ended the span from outside: who woke it or made it runnable; of a task, who ended it.
    /// Absent if it ended itself, or if no goroutine ended it (a timer, the network, the scheduler).
    public var endedBy: GoroutineID = .absent
    /// The thread it ran on (running, syscall); of a running proc: the one that started it.
    public var thread: ThreadID = .absent
    /// Task of a region, id of a task, scope id of a range (bit pattern of Int64).
    public var identifier: UInt64 = 0
    /// Of a task.
    public var parentTask: TaskID = .absent
    /// Of a sweep that has ended: bytes swept and bytes reclaimed.
    public var attribute0: UInt64 = 0
    public var attribute1: UInt64 = 0
    /// Stack at the start; of a waiting goroutine: where it blocks.
    public var startStack: StackID = .absent
    /// Stack of the goroutine itself at the end, where the input gives one.
    public var endStack: StackID = .absent
    /// Stack of `endedBy` when it ended the span.
    public var endedByStack: StackID = .absent
    /// Reason of the transition into the state, or the name of the region, task or range.
    public var name: StringID = .empty
    /// Of a goroutine's states and regions: its start function, as far as it is known when they end.
    public var startFunction: StringID = .empty
    /// The proc it ran on (running), or whose span it is (procState).
    public var proc: ProcID = .absent
    /// How many regions enclose a region on its goroutine.
    public var depth: UInt32 = 0
    public var kind: LifelineKind = .goroutineState
    /// Of goroutineState.
    public var state: GoroutineState = .undetermined
    /// Of procState.
    public var procState: ProcState = .undetermined
    /// Of range.
    public var scope: Scope = .global
    public var flags: Flags = []
    /// Of range: it was reported as already active.
    public var wasActive = false
    public var source: UInt8 = 0

    public init() {}

    /// Never negative: a span ends at or after its start. Stays in range for hostile times.
    @inlinable public var durationNanoseconds: Int64 {
        let (duration, isTooLong) = endNanoseconds.subtractingReportingOverflow(startNanoseconds)
        return isTooLong ? .max : duration
    }
}
