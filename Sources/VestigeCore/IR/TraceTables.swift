/// A near-simultaneous reading of several clocks, from a generation of a Go ≥ 1.25 trace.
public struct ClockSnapshot: Equatable, Sendable {
    public var traceNanoseconds: Int64
    public var monotonicNanoseconds: UInt64
    public var wallUnixNanoseconds: Int64

    public init(traceNanoseconds: Int64, monotonicNanoseconds: UInt64, wallUnixNanoseconds: Int64) {
        self.traceNanoseconds = traceNanoseconds
        self.monotonicNanoseconds = monotonicNanoseconds
        self.wallUnixNanoseconds = wallUnixNanoseconds
    }
}

/// What a source knows of the clock its times are on.
public enum ClockKind: String, Sendable {
    /// The monotonic clock of one boot of a machine: comparable among its traces.
    case monotonic
    /// Nanoseconds since the recording began; comparable with nothing.
    case relative
    /// Nanoseconds of Unix time.
    case wall
    case unknown
}

/// Name and argument names of an experimental event; values are in the event's arguments.
public struct ExperimentalShape: Hashable, Sendable {
    public var name: StringID
    public var experiment: StringID
    public var argumentNames: [StringID]

    public init(name: StringID, experiment: StringID, argumentNames: [StringID]) {
        self.name = name
        self.experiment = experiment
        self.argumentNames = argumentNames
    }
}

/// How a moment of one input was found on the clock of another.
public struct SourceAlignment: Equatable, Sendable {
    public enum Method: String, Sendable {
        /// The user said so.
        case manual
        /// The recording stops the world there in order to write a dump.
        case stopTheWorld = "stop-the-world"
        /// The recording is silent there, since a debugger held the process.
        case silence
        /// The recording ends there, and so did the process.
        case end
        /// The recording has the births and deaths of goroutines that a debugger's log tells of.
        case lifecycle
        /// Nothing but the states of the goroutines points there.
        case states
        /// Both read the machine's monotonic clock.
        case monotonicClock = "monotonic clock"
        /// Both know what a moment of theirs is on the wall clock.
        case wallClock = "wall clock"
    }

    public var method: Method
    /// The moment, on the clock of the output.
    public var timeNanoseconds: Int64
    /// Goroutines that both know and that agree in state and reason; those that do not; and goroutines
    /// of the program that only the recording has.
    public var agreeing: UInt64 = 0
    public var differing: UInt64 = 0
    public var unseen: UInt64 = 0
    /// Other places that fit as well, and the moment of one of them.
    public var rivals: UInt64 = 0
    public var rivalNanoseconds: Int64?

    public init(method: Method, timeNanoseconds: Int64) {
        self.method = method
        self.timeNanoseconds = timeNanoseconds
    }
}

/// One input of a run, and what its reader has found out about it. Fields fill as it is read.
public struct SourceInfo: Sendable {
    /// The path as given, or `-`.
    public var path: String
    /// The name of the process that it is of; nil if all sources are of one process, which needs none.
    public var process: String?
    /// Name of the input format, e.g. `gotrace-v2`.
    public var format: String
    /// The format's version as the file states it, e.g. `go 1.26 trace`.
    public var formatVersion: String?
    /// The Go toolchains that write this version, e.g. `1.26–1.27`, or the exact one where it is known.
    public var goVersion: String?
    public var clock: ClockKind = .unknown
    /// Timestamp units per second, as the file states them.
    public var ticksPerSecond: UInt64?
    /// Generations delivered, in whole or in part; nil where the format has none.
    public var generationCount: Int?
    /// Where it, or each of the snapshots in it, stands in time, and how that was found; empty where it
    /// sets the time itself.
    public var alignments: [SourceAlignment] = []
    /// Size in bytes of the input as read (after decompression), once it is known.
    public var byteCount: UInt64?

    public init(path: String, format: String) {
        self.path = path
        self.format = format
    }
}

/// What the ids in events refer to; one for a whole run, shared by readers, stages and writers, which may be on
/// several threads.
public final class TraceTables {
    public let strings = StringTable()
    public let stacks = StackTable()
    public let observations = ObservationTable()
    private let lock = Lock()
    private var allSources: [SourceInfo] = []
    private var allClockSnapshots: [ClockSnapshot] = []
    private var allExperimentalShapes: [ExperimentalShape] = []

    public init() {}

    public var sources: [SourceInfo] {
        get { lock.withLock { allSources } }
        _modify {
            lock.lock()
            defer { lock.unlock() }
            yield &allSources
        }
    }

    /// The names of processes, in the order of the sources; empty if there is one, without a name. A source without
    /// one beside others is of a process that is called "".
    public var processNames: [String] {
        let sources = sources
        guard sources.contains(where: { $0.process != nil }) else { return [] }
        return sources.reduce(into: []) { names, source in
            if !names.contains(source.process ?? "") { names.append(source.process ?? "") }
        }
    }

    public var clockSnapshots: [ClockSnapshot] { lock.withLock { allClockSnapshots } }
    public var experimentalShapes: [ExperimentalShape] { lock.withLock { allExperimentalShapes } }

    /// Adds a snapshot and returns the value of a sync event's `argument1`.
    public func add(_ snapshot: ClockSnapshot) -> UInt64 {
        lock.withLock {
            allClockSnapshots.append(snapshot)
            return UInt64(allClockSnapshots.count)
        }
    }

    /// The index of a shape, or nil when the table is full: an event has 6 bits for it.
    public func intern(_ shape: ExperimentalShape) -> Int? {
        lock.withLock {
            if let index = allExperimentalShapes.firstIndex(of: shape) { return index }
            guard allExperimentalShapes.count < 64 else { return nil }
            allExperimentalShapes.append(shape)
            return allExperimentalShapes.count - 1
        }
    }
}
