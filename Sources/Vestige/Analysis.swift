import VestigeCore
import VestigeStages

/// Reads inputs once, for whoever counts and adds up instead of writing a format.
public struct Analysis {
    /// What was read and what ended, batch by batch.
    public struct Batch {
        /// Valid only during the call; empty for the last batch, which brings what was open at the end.
        public let events: UnsafeBufferPointer<Event>
        /// The spans that ended, valid only during the call, and the goroutines.
        public let spans: UnsafeBufferPointer<LifelineSpan>
        public let lives: [GoroutineLife]
        public let tables: TraceTables
        /// Time of the first event.
        public let firstNanoseconds: Int64
    }

    /// The paths of the inputs, which are of one process; `-` for standard input.
    public var inputs: [String]
    /// What the user says of when inputs were taken.
    public var times: [ManualTime] = []
    /// Which part of the inputs counts.
    public var query = Query()
    /// That of the recorded program, for inputs that do not say it.
    public var goVersion: String?
    /// Called at most ten times a second.
    public var onProgress: ((Progress) -> Void)?

    public init(inputs: [String]) { self.inputs = inputs }

    /// Reads everything and hands it to `body`. What can be read of a damaged input counts.
    /// - Throws: `unreadable`, `damaged` or `truncated` if nothing could be read; `usage` if the inputs do not
    ///   belong together; what `body` throws.
    public func run(_ body: (Batch) throws(TraceError) -> Void) throws(TraceError) -> AnalysisResult {
        let input = try InputSet(inputs, times: times, query: query, goVersion: goVersion, onProgress: onProgress)
        let stage = LifelineStage()
        try input.readAll(onProgress: onProgress, readsAhead: true) { events throws(TraceError) in
            stage.process(events, tables: input.tables)
            try body(Self.batch(events, stage, input.tables))
        }
        try input.refuseTotalLoss()
        stage.finish(tables: input.tables)
        try body(Self.batch(UnsafeBufferPointer(start: nil, count: 0), stage, input.tables))
        return AnalysisResult(input, from: stage.firstNanoseconds, to: stage.lastNanoseconds)
    }

    private static func batch(
        _ events: UnsafeBufferPointer<Event>, _ stage: LifelineStage, _ tables: TraceTables
    ) -> Batch {
        Batch(
            events: events, spans: stage.spans, lives: stage.lives, tables: tables,
            firstNanoseconds: stage.firstNanoseconds)
    }
}

/// What is known when inputs have been read.
public struct AnalysisResult {
    /// The inputs as messages name them.
    public let name: String
    public let tables: TraceTables
    public let diagnostics: Diagnostics
    /// What ended the reading before the input's end.
    public let failure: TraceError?
    /// True if the input held no event but generation boundaries.
    public let isInputEmpty: Bool
    /// True if it held some, and the query selected none.
    public let isSelectionEmpty: Bool
    /// Times of the first and of the last event.
    public let firstNanoseconds: Int64
    public let lastNanoseconds: Int64

    /// - Parameter input: has been read.
    init(_ input: InputSet, from firstNanoseconds: Int64, to lastNanoseconds: Int64) {
        name = input.name
        tables = input.tables
        diagnostics = input.diagnostics
        failure = input.failure
        isInputEmpty = !input.hasEvents
        isSelectionEmpty = input.isSelectionEmpty
        self.firstNanoseconds = firstNanoseconds
        self.lastNanoseconds = lastNanoseconds
    }

    public var durationNanoseconds: Int64 { max(0, lastNanoseconds &- firstNanoseconds) }
    public var hasLoss: Bool { failure != nil || diagnostics.hasLoss }
}
