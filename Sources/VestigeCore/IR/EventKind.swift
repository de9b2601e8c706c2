/// What an event says. `Schemas/event-ir.md` documents every kind, its arguments and units.
@frozen public enum EventKind: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// A generation boundary, with its clock snapshot where there is one.
    case sync = 0
    case metric = 1
    case label = 2
    /// A CPU profile sample.
    case stackSample = 3
    case rangeBegin = 4
    /// A range that had begun before the recording, or goes on in a new generation.
    case rangeActive = 5
    case rangeEnd = 6
    case taskBegin = 7
    case taskEnd = 8
    case regionBegin = 9
    case regionEnd = 10
    case log = 11
    case goroutineTransition = 12
    case procTransition = 13
    /// An event of a runtime experiment, with up to three typed arguments.
    case experimental = 14
    /// The undecoded payload of an experiment's batch.
    case experimentalBatch = 15
    /// One goroutine (or a group of alike ones) as an observer outside the program saw it at one
    /// instant: a goroutine dump or a debugger.
    case observed = 16
    /// A debugger's breakpoint or tracepoint was hit.
    case breakpoint = 17

    /// The `kind` of a JSON line.
    public var name: StaticString {
        switch self {
        case .sync: "Sync"
        case .metric: "Metric"
        case .label: "Label"
        case .stackSample: "StackSample"
        case .rangeBegin: "RangeBegin"
        case .rangeActive: "RangeActive"
        case .rangeEnd: "RangeEnd"
        case .taskBegin: "TaskBegin"
        case .taskEnd: "TaskEnd"
        case .regionBegin: "RegionBegin"
        case .regionEnd: "RegionEnd"
        case .log: "Log"
        case .goroutineTransition, .procTransition: "StateTransition"
        case .experimental: "Experimental"
        case .experimentalBatch: "ExperimentalBatch"
        case .observed: "Observed"
        case .breakpoint: "Breakpoint"
        }
    }
}
