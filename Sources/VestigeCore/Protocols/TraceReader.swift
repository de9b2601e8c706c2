/// Reads one input format and turns it into events in order of time.
public protocol TraceReader: AnyObject {
    /// Fills the rest of the batch with the next events.
    ///
    /// All good events are delivered before an error is thrown: a reader that meets a defect with
    /// events pending returns them, and throws on the next call. Defects that can be survived are
    /// counted in the diagnostics and not thrown.
    ///
    /// - Returns: false when there are no more events; the batch may still hold the last ones.
    /// - Throws: `TraceError` for what ends the reading; later calls return false.
    func read(into batch: inout EventBatch) throws(TraceError) -> Bool

    /// Bytes of the input that have been used so far, for progress.
    var bytesConsumed: UInt64 { get }
}

/// What is known of a recording's clock when it begins.
public struct TraceStart: Sendable {
    /// Time of the first event.
    public let firstNanoseconds: Int64
    /// Unix time less the recording's own; nil if it does not know the wall clock.
    public let wallOffsetNanoseconds: Int64?

    public init(firstNanoseconds: Int64, wallOffsetNanoseconds: Int64?) {
        self.firstNanoseconds = firstNanoseconds
        self.wallOffsetNanoseconds = wallOffsetNanoseconds
    }
}

/// A reader that can pass over much of what comes before a moment.
public protocol SkippingReader: TraceReader {
    /// Passes over what comes before a moment, if that can be done without loss. Then the first events are those
    /// that still matter: the recording's first, creations of goroutines that live and where they wait, begins of
    /// open regions and tasks, last values of metrics. Called before anything is read.
    ///
    /// - Parameter moment: chooses it; nil for the beginning.
    /// - Returns: how many generations were passed over.
    /// - Throws: what `moment` throws, and what the system refuses.
    @discardableResult
    func skip(to moment: (TraceStart) throws(TraceError) -> Int64?) throws(TraceError) -> Int
}

/// What every reader is given: where strings, stacks and losses go.
public struct ReaderContext {
    public let tables: TraceTables
    public let diagnostics: Diagnostics
    /// Index of this input in `tables.sources`.
    public let source: UInt8
    /// The Go version of the recorded program, as the user knows it, e.g. `1.24`; for inputs that do not say.
    public var goVersion: String?
    /// Where the reader may count events instead of delivering them; nil if all are wanted.
    public var tally: EventTally?

    public init(tables: TraceTables, diagnostics: Diagnostics, source: UInt8, goVersion: String? = nil) {
        self.goVersion = goVersion
        self.tables = tables
        self.diagnostics = diagnostics
        self.source = source
    }
}
