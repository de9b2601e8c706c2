/// One event: a trivial record of 64 bytes. Times are nanoseconds on the source's own clock.
///
/// `goroutine`, `proc` and `thread` are the context the event happened in, as it was before the
/// event took effect. `name` and the three arguments mean what the kind says; the computed
/// properties below give them their names. Strings and stacks are ids into `TraceTables`.
@frozen public struct Event: BitwiseCopyable, Sendable {
    public var timeNanoseconds: Int64
    public var goroutine: GoroutineID
    public var thread: ThreadID
    public var argument0: UInt64
    public var argument1: UInt64
    public var argument2: UInt64
    public var proc: ProcID
    /// The stack of the context, innermost frame first.
    public var stack: StackID
    /// Reason, range name, task or region type, log category, metric or label name, by kind.
    public var name: StringID
    public var kind: EventKind
    /// Index into `TraceTables.sources`.
    public var source: UInt8
    /// Packed small fields; see `Detail`.
    public var detail: UInt16

    /// Layout of `detail`: bits 0–3 from-state or scope, bits 4–7 to-state,
    /// bits 8–13 count of attributes or experimental shape, bit 15 synthetic.
    @usableFromInline enum Detail {
        @usableFromInline static let synthetic: UInt16 = 0x8000
    }

    @inlinable public init(
        kind: EventKind, timeNanoseconds: Int64, goroutine: GoroutineID = .absent, proc: ProcID = .absent,
        thread: ThreadID = .absent, stack: StackID = .absent, name: StringID = .empty,
        argument0: UInt64 = 0, argument1: UInt64 = 0, argument2: UInt64 = 0, source: UInt8 = 0, detail: UInt16 = 0
    ) {
        self.timeNanoseconds = timeNanoseconds
        self.goroutine = goroutine
        self.thread = thread
        self.argument0 = argument0
        self.argument1 = argument1
        self.argument2 = argument2
        self.proc = proc
        self.stack = stack
        self.name = name
        self.kind = kind
        self.source = source
        self.detail = detail
    }

    /// True if no input said this: a stage derived it, to establish a state at a window's start.
    @inlinable public var isSynthetic: Bool {
        get { detail & Detail.synthetic != 0 }
        set { detail = newValue ? detail | Detail.synthetic : detail & ~Detail.synthetic }
    }

    /// True if it is a synthetic event that says since when what it establishes has lasted.
    @inlinable public var hasSince: Bool {
        guard isSynthetic else { return false }
        switch kind {
        case .sync, .metric, .rangeActive, .taskBegin, .regionBegin, .goroutineTransition, .procTransition: return true
        default: return false
        }
    }

    /// Since when what a synthetic event establishes has lasted, on the clock of its time. In the place of
    /// `argument2`, which these kinds do not use; of other events, their time.
    @inlinable public var sinceNanoseconds: Int64 {
        get { hasSince ? Int64(bitPattern: argument2) : timeNanoseconds }
        set { argument2 = UInt64(bitPattern: newValue) }
    }

    @inlinable public static func pack(_ from: GoroutineState, _ to: GoroutineState) -> UInt16 {
        UInt16(from.rawValue) | UInt16(to.rawValue) << 4
    }

    @inlinable public static func pack(_ from: ProcState, _ to: ProcState) -> UInt16 {
        UInt16(from.rawValue) | UInt16(to.rawValue) << 4
    }

    @inlinable public static func pack(_ scope: Scope, attributes: Int = 0) -> UInt16 {
        UInt16(scope.rawValue) | UInt16(truncatingIfNeeded: attributes & 0x3f) << 8
    }

    @inlinable public static func pack(shape: Int) -> UInt16 { UInt16(truncatingIfNeeded: shape & 0x3f) << 8 }
}

// MARK: - What the arguments mean, by kind

extension Event {
    // goroutineTransition, procTransition. `name` is the reason in the runtime's own words.

    /// The goroutine that changes state (which need not be the one in whose context it happens).
    @inlinable public var subjectGoroutine: GoroutineID { GoroutineID(Int64(bitPattern: argument0)) }
    @inlinable public var subjectProc: ProcID { ProcID(Int32(truncatingIfNeeded: argument0)) }
    /// The stack of the goroutine that changes state; `stack` is that of whoever caused it.
    @inlinable public var transitionStack: StackID { StackID(UInt32(truncatingIfNeeded: argument1)) }
    @inlinable public var fromGoroutineState: GoroutineState {
        GoroutineState(rawValue: UInt8(truncatingIfNeeded: detail & 15)) ?? .undetermined
    }
    @inlinable public var toGoroutineState: GoroutineState {
        GoroutineState(rawValue: UInt8(truncatingIfNeeded: detail >> 4 & 15)) ?? .undetermined
    }
    @inlinable public var fromProcState: ProcState {
        ProcState(rawValue: UInt8(truncatingIfNeeded: detail & 15)) ?? .undetermined
    }
    @inlinable public var toProcState: ProcState {
        ProcState(rawValue: UInt8(truncatingIfNeeded: detail >> 4 & 15)) ?? .undetermined
    }

    // rangeBegin, rangeActive, rangeEnd, label.

    @inlinable public var scope: Scope { Scope(rawValue: UInt8(truncatingIfNeeded: detail & 15)) ?? .global }
    /// Goroutine or proc number; -1 for the global scope.
    @inlinable public var scopeID: Int64 { Int64(bitPattern: argument0) }
    /// How many of `argument1` and `argument2` hold attributes: at the end of a sweep
    /// the bytes swept and the bytes reclaimed, elsewhere none.
    @inlinable public var attributeCount: Int { Int(detail >> 8 & 0x3f) }
    @inlinable public var bytesSwept: UInt64 { argument1 }
    @inlinable public var bytesReclaimed: UInt64 { argument2 }

    // taskBegin, taskEnd, regionBegin, regionEnd, log.

    @inlinable public var task: TaskID { TaskID(argument0) }
    /// Of taskBegin and taskEnd; `absent` where the task has none.
    @inlinable public var parentTask: TaskID { TaskID(argument1) }
    /// Of log.
    @inlinable public var message: StringID { StringID(UInt32(truncatingIfNeeded: argument1)) }

    // metric.

    @inlinable public var value: UInt64 { argument0 }

    // sync.

    /// Number of this sync event in the source, from 1.
    @inlinable public var syncNumber: Int64 { Int64(bitPattern: argument0) }
    /// Index into `TraceTables.clockSnapshots`, or nil where the generation has none.
    @inlinable public var clockSnapshotIndex: Int? { argument1 == 0 ? nil : Int(truncatingIfNeeded: argument1) - 1 }

    // experimental, experimentalBatch. `name` of a batch is the experiment.

    /// Index into `TraceTables.experimentalShapes`.
    @inlinable public var experimentalShapeIndex: Int { Int(detail >> 8 & 0x3f) }
    /// The payload of an experimental batch, as bytes in the string table.
    @inlinable public var payload: StringID { StringID(UInt32(truncatingIfNeeded: argument0)) }

    // observed. `goroutine` is the one observed, `absent` for a group without numbers; `stack` is its
    // stack, `name` the observer's word for what it does, `toGoroutineState` what that means.

    /// The goroutine has waited at least so long; 0 where nothing is known.
    @inlinable public var leastWaitNanoseconds: UInt64 { argument0 }
    /// Number of the `ObservationDetail` in `TraceTables.observations`; 0 if there is no more to say.
    @inlinable public var observationDetail: UInt64 { argument1 }
    /// How many goroutines the event stands for; 1 where `goroutine` is one.
    @inlinable public var observedCount: UInt64 { argument2 }

    @inlinable public static func pack(observed state: GoroutineState) -> UInt16 { UInt16(state.rawValue) << 4 }

    // breakpoint. `name` is that of the breakpoint.

    /// Arguments of the function and variables that the breakpoint shows.
    @inlinable public var breakpointAttributes: AttributeListID {
        AttributeListID(UInt32(truncatingIfNeeded: argument1))
    }
}
