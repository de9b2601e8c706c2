import VestigeCore

/// A place in time, as a query names it.
public enum TimeBound: Equatable, Sendable {
    /// Nanoseconds since the first event.
    case sinceStart(Int64)
    /// Nanoseconds before the last event.
    case beforeEnd(Int64)
    /// Unix time in nanoseconds, for recordings that know the wall clock.
    case wall(Int64)
    /// On the clock of the events, for callers that have seen them.
    case clock(Int64)
}

/// Which part of a recording is wanted. Everything given must hold together (AND); of several values of
/// one thing one is enough (OR). `docs/query.md` says exactly what each selects.
public struct Query: Sendable {
    /// Half-open: events from `from` on, and before `to`.
    public var from: TimeBound?
    public var to: TimeBound?
    /// The time of these regions, all instances together, and `marginNanoseconds` on either side.
    public var around: [Glob] = []
    public var marginNanoseconds: Int64 = 0

    public var goroutines: [ClosedRange<Int64>] = []
    /// Start functions.
    public var functions: [Glob] = []
    public var regions: [Glob] = []
    public var tasks: [Glob] = []
    public var labels: [Glob] = []
    public var states: [GoroutineState] = []
    public var reasons: [Glob] = []
    public var kinds: Set<EventKind> = []
    /// How long the regions, tasks and spans last that the other parts select.
    public var minDurationNanoseconds: Int64 = 0

    /// Also the goroutines that the selected ones created, and those that these did.
    public var includesDescendants = false
    /// Also the goroutines that woke the selected ones or were woken by them, over so many steps.
    public var relatedHops = 0

    /// Further conditions, all of which must hold.
    public var conditions: [QueryExpression] = []

    public init() {}

    /// True if it asks for everything.
    public var isEmpty: Bool {
        from == nil && to == nil && around.isEmpty && goroutines.isEmpty && functions.isEmpty && regions.isEmpty
            && tasks.isEmpty && labels.isEmpty && states.isEmpty && reasons.isEmpty && kinds.isEmpty
            && minDurationNanoseconds == 0 && !includesDescendants && relatedHops == 0 && conditions.isEmpty
    }
}
