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

    /// Reads an input and counts, in parts at the same time where the format can be divided.
    /// - Throws: `unreadable`, `damaged` or `truncated` if nothing could be read.
    public init(_ path: String, onProgress: ((Progress) -> Void)? = nil) throws(TraceError) {
        if let whole = try PartedCount.count(path, onProgress: onProgress) {
            self.init(path: path, input: whole.input, counts: whole.counts, failure: nil)
            return
        }
        let input = try TraceInput(path)
        var counter = TraceCounter()
        let failure = try input.readAll(onProgress: onProgress) { events throws(TraceError) in
            counter.process(events)
        }
        try input.refuseTotalLoss()
        self.init(path: path, input: input, counts: counter.finish(tables: input.tables), failure: failure)
    }

    private init(path: String, input: TraceInput, counts: TraceCounts, failure: TraceError?) {
        self.path = path
        self.failure = failure
        self.counts = counts
        fileSize = input.fileSize
        format = input.format.name
        source = input.tables.sources[0]
        diagnostics = input.diagnostics
        startUnixNanoseconds = input.tables.clockSnapshots.first.map { snapshot in
            snapshot.wallUnixNanoseconds &- (snapshot.traceNanoseconds &- counts.firstNanoseconds)
        }
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
    public var stackSampleCount: UInt64 = 0
    public var stringCount = 0
    /// Distinct stacks, as nodes of one tree.
    public var stackNodeCount = 0

    public func number(of kind: EventKind) -> UInt64 { eventsByKind[Int(kind.rawValue)] }

    public var goroutinesAlive: UInt64 { goroutinesAtEnd.reduce(0, +) }
}
