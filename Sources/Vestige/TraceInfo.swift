import VestigeCore

/// What is in an input, in numbers: what `vestige info` shows.
///
/// Everything is counted while it is read once; memory follows the goroutines alive at one time.
public struct TraceInfo {
    public let path: String
    /// Size of the file in bytes, as it lies on disk; nil for a pipe.
    public let fileSize: UInt64?
    /// The format that the file is in.
    public let format: String
    /// What the recording is, also where the file is only another form of it (JSON lines).
    public let source: SourceInfo
    public let diagnostics: Diagnostics
    /// What ended the reading before the input's end.
    public let failure: TraceError?
    public let counts: TraceCounts
    /// Unix time of the first event in nanoseconds, where the input knows the wall clock.
    public let startUnixNanoseconds: Int64?

    /// True if the query selected nothing.
    public private(set) var isSelectionEmpty = false

    /// Reads an input and counts, in parts at the same time where the format can be divided.
    /// - Throws: `unreadable`, `damaged` or `truncated` if nothing could be read.
    public init(
        _ path: String, query: Query = Query(), goVersion: String? = nil, onProgress: ((Progress) -> Void)? = nil
    ) throws(TraceError) {
        guard query.isEmpty else {
            try self.init(path, selecting: query, goVersion, onProgress)
            return
        }
        if let whole = try PartedCount.count(path, onProgress: onProgress) {
            self.init(path: path, input: whole.input, counts: whole.counts, failure: nil)
            return
        }
        let input = try TraceInput(path, goVersion: goVersion)
        var counter = TraceCounter()
        let failure = try input.readAll(onProgress: onProgress) { events throws(TraceError) in
            try input.tables.refuseProcesses(of: path)
            counter.process(events, tables: input.tables)
        }
        try input.refuseTotalLoss()
        self.init(path: path, input: input, counts: counter.finish(tables: input.tables), failure: failure)
    }

    /// Counts what a query selects.
    private init(
        _ path: String, selecting query: Query, _ goVersion: String?, _ onProgress: ((Progress) -> Void)?
    ) throws(TraceError) {
        let inputs = try InputSet([path], query: query, goVersion: goVersion, onProgress: onProgress)
        var counter = TraceCounter()
        try inputs.readAll(onProgress: onProgress) { events throws(TraceError) in
            counter.process(events, tables: inputs.tables)
        }
        try inputs.refuseTotalLoss()
        let counts = counter.finish(tables: inputs.tables)
        self.init(path: path, input: inputs.first, counts: counts, failure: inputs.failure)
        isSelectionEmpty = inputs.isSelectionEmpty
    }

    private init(path: String, input: TraceInput, counts: TraceCounts, failure: TraceError?) {
        self.path = path
        self.failure = failure
        self.counts = counts
        fileSize = input.fileSize
        format = input.format.name
        source = input.tables.sources[0]
        diagnostics = input.diagnostics
        let snapshotStart = input.tables.clockSnapshots.first.map { snapshot in
            snapshot.wallUnixNanoseconds &- (snapshot.traceNanoseconds &- counts.firstNanoseconds)
        }
        startUnixNanoseconds = snapshotStart ?? (source.clock == .wall ? counts.firstNanoseconds : nil)
    }

    /// Time from the first to the last event.
    public var durationNanoseconds: Int64 { counts.lastNanoseconds &- counts.firstNanoseconds }

    /// True if the input held no event but generation boundaries.
    public var isEmpty: Bool { counts.eventCount == counts.number(of: .sync) }

    public var hasLoss: Bool { failure != nil || diagnostics.hasLoss }
}

/// Numbers of one input.
public struct TraceCounts: Equatable, Sendable {
    /// Times of the first and of the last event on the source's clock.
    public var firstNanoseconds: Int64 = 0
    public var lastNanoseconds: Int64 = 0
    public var eventCount: UInt64 = 0
    /// Events by the raw value of their kind.
    public var eventsByKind = [UInt64](repeating: 0, count: EventKind.allCases.count)
    /// Lives of goroutines: an id that is used again counts again.
    public var goroutineCount: UInt64 = 0
    /// Goroutines whose creation is in the recording.
    public var goroutinesCreated: UInt64 = 0
    /// Goroutines whose end is in the recording.
    public var goroutinesEnded: UInt64 = 0
    /// Goroutines at the end of the recording, by the raw value of their state.
    public var goroutinesAtEnd = [UInt64](repeating: 0, count: GoroutineState.allCases.count)
    /// The most goroutines that were alive at one time.
    public var goroutinesAtMost = 0
    public var procCount = 0
    public var threadCount = 0
    public var tasksBegun: UInt64 = 0
    public var tasksEnded: UInt64 = 0
    public var regionsBegun: UInt64 = 0
    public var regionsEnded: UInt64 = 0
    public var logCount: UInt64 = 0
    public var observed = ObservedCounts()
    public var stackSampleCount: UInt64 = 0
    public var stringCount = 0
    /// Distinct stacks, as nodes of one tree.
    public var stackNodeCount = 0

    public func number(of kind: EventKind) -> UInt64 { eventsByKind[Int(kind.rawValue)] }

    public var goroutinesAlive: UInt64 { goroutinesAtEnd.reduce(0, +) }
}

/// Goroutines that observers outside the program saw: dumps, debuggers. One that was seen twice counts twice.
public struct ObservedCounts: Equatable, Sendable {
    /// By the raw value of their state.
    public private(set) var byState = [UInt64](repeating: 0, count: GoroutineState.allCases.count)
    /// Of these, how many are proved to wait for ever.
    public private(set) var leaked: UInt64 = 0
    /// Groups of alike goroutines, which have no numbers.
    public private(set) var groups: UInt64 = 0

    public var total: UInt64 { byState.reduce(0) { Self.sum($0, $1) } }

    mutating func add(_ event: Event, _ tables: TraceTables) {
        let index = Int(event.toGoroutineState.rawValue)
        byState[index] = Self.sum(byState[index], event.observedCount)
        if event.goroutine == .absent { groups += 1 }
        guard event.observationDetail != 0 else { return }
        if tables.observations.detail(event.observationDetail).flags.contains(.leaked) {
            leaked = Self.sum(leaked, event.observedCount)
        }
    }

    mutating func add(_ other: ObservedCounts) {
        for index in byState.indices { byState[index] = Self.sum(byState[index], other.byState[index]) }
        leaked = Self.sum(leaked, other.leaked)
        groups += other.groups
    }

    /// Stays at what 64 bits hold: a count may be what a file claims.
    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, isTooLarge) = a.addingReportingOverflow(b)
        return isTooLarge ? .max : sum
    }
}
