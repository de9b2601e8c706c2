import VestigeCore

/// How far the reading of an input has come.
public struct Progress: Sendable {
    /// Bytes of the file (as it lies on disk) used so far.
    public var bytesConsumed: UInt64
    /// Size of the file in bytes; nil for a pipe.
    public var byteCount: UInt64?
    /// Since reading began.
    public var elapsed: Duration
}

/// An input that is open: its format is known and its reader is ready.
public final class TraceInput {
    public let format: InputFormat
    public let tables: TraceTables
    public let diagnostics: Diagnostics
    /// True once an event other than a generation boundary has been delivered.
    public private(set) var hasEvents = false
    private let source: ByteSource
    private let reader: any TraceReader

    /// Opens a path (`-`: standard input), peels off compression, and detects the format.
    /// - Throws: `unreadable` for what cannot be opened or is in no known format.
    public init(
        _ path: String, tables: TraceTables = TraceTables(), diagnostics: Diagnostics = Diagnostics(),
        goVersion: String? = nil
    ) throws(TraceError) {
        self.tables = tables
        self.diagnostics = diagnostics
        source = try ByteSource.open(path)
        format = try Formats.detect(source)
        reader = try Self.makeReader(format.open, source, format, tables, diagnostics, goVersion)
    }

    /// Opens a part of a path whose format is known.
    init(_ path: String, format: InputFormat, part: InputPart) throws(TraceError) {
        self.format = format
        tables = TraceTables()
        diagnostics = Diagnostics()
        source = try ByteSource.open(path)
        reader = try Self.makeReader(part.open, source, format, tables, diagnostics)
    }

    private static func makeReader(
        _ open: (ByteSource, ReaderContext) throws(TraceError) -> any TraceReader, _ source: ByteSource,
        _ format: InputFormat, _ tables: TraceTables, _ diagnostics: Diagnostics, _ goVersion: String? = nil
    ) throws(TraceError) -> any TraceReader {
        let context = ReaderContext(
            tables: tables, diagnostics: diagnostics, source: UInt8(truncatingIfNeeded: tables.sources.count),
            goVersion: goVersion)
        tables.sources.append(SourceInfo(path: source.path, format: format.name))
        do throws(TraceError) {
            return try open(source, context)
        } catch {
            throw error.adding(file: source.path)
        }
    }

    public var path: String { source.path }
    /// Size of the file in bytes, as it lies on disk; nil for a pipe.
    public var fileSize: UInt64? { source.fileSize }

    /// Reads everything and hands it to `body`, batch by batch.
    ///
    /// - Returns: the error that ended the reading before its end; everything that could be read
    ///   has been handed over before.
    /// - Throws: what `body` throws, and errors that are not the input's.
    public func readAll(
        onProgress: ((Progress) -> Void)? = nil,
        _ body: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) throws(TraceError) -> TraceError? {
        var batch = EventBatch()
        var failure: TraceError?
        var isMore = true
        var ticker = Ticker()
        while isMore {
            batch.removeAll()
            do throws(TraceError) {
                isMore = try reader.read(into: &batch)
            } catch {
                failure = error.adding(file: path)
                isMore = false
            }
            if !batch.isEmpty {
                hasEvents = hasEvents || batch.events.contains { $0.kind != .sync }
                try body(batch.events)
            }
            if let onProgress, let elapsed = ticker.tick() {
                onProgress(Progress(bytesConsumed: reader.bytesConsumed, byteCount: fileSize, elapsed: elapsed))
            }
        }
        if let failure, failure.code == .outputFailed || failure.code == .usage { throw failure }
        return withDamage(failure)
    }

    /// What ended the source, if it did not end by itself, beside what ended the reader: the end of a
    /// file that is found too early is then no news.
    private func withDamage(_ failure: TraceError?) -> TraceError? {
        guard let damage = source.damage?.adding(file: path) else { return failure }
        if let failure, failure.code != .truncated { diagnostics.record(failure) }
        return damage
    }

    /// Throws if damage has cost all events. An input that holds none is read all the same, also one
    /// that is merely cut: Go leaves such a file when a process is killed before its first events
    /// reach it.
    func refuseTotalLoss(_ failure: TraceError?) throws(TraceError) {
        if hasEvents { return }
        if let failure {
            let isCut = failure.code == .truncated && diagnostics.errors.allSatisfy { $0.code == .truncated }
            if !isCut { throw failure }
        } else if diagnostics.hasLoss {
            let losses = diagnostics.nonZero.map { "; \($0.count) \($0.counter.meaning(of: $0.count))" }.joined()
            throw TraceError(.unreadable, file: path, expected: "events", found: "none\(losses)")
        }
    }
}

/// Says when it is time to report progress: at most ten times a second. Asked once a batch.
private struct Ticker {
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now

    mutating func tick() -> Duration? {
        let now = ContinuousClock.now
        guard now - last >= .milliseconds(100) else { return nil }
        last = now
        return now - start
    }
}
