import VestigeCore

/// How far the reading of an input has come.
public struct Progress: Sendable {
    /// Bytes of the file (as it lies on disk) used so far.
    public var bytesConsumed: UInt64
    /// Size of the file in bytes; nil for a pipe.
    public var byteCount: UInt64?
    /// Since reading began.
    public var elapsed: Duration

    public init(bytesConsumed: UInt64, byteCount: UInt64?, elapsed: Duration) {
        self.bytesConsumed = bytesConsumed
        self.byteCount = byteCount
        self.elapsed = elapsed
    }
}

/// An input that is open: its format is known and its reader is ready.
public final class TraceInput {
    public let format: InputFormat
    public let tables: TraceTables
    public let diagnostics: Diagnostics
    /// True once an event other than a generation boundary has been delivered.
    public private(set) var hasEvents = false
    /// Index in `tables.sources`.
    public let place: UInt8
    /// What ended the reading before the input's end; everything before was delivered.
    public private(set) var failure: TraceError?
    private let source: ByteSource
    private let reader: any TraceReader

    /// Opens a path (`-`: standard input), peels off compression, and detects the format.
    ///
    /// - Parameters:
    ///   - source: the open input, where it is not to be opened by its path.
    ///   - place: index in `tables.sources` of an input that is read again; nil for a new one.
    /// - Throws: `unreadable` for what cannot be opened or is in no known format.
    public convenience init(
        _ path: String, source opened: ByteSource? = nil, tables: TraceTables = TraceTables(),
        diagnostics: Diagnostics = Diagnostics(), place: UInt8? = nil, goVersion: String? = nil
    ) throws(TraceError) {
        try self.init(path, source: opened, tables: tables, diagnostics: diagnostics, place: place, goVersion, nil)
    }

    /// - Parameters:
    ///   - narrowing: what of an archive's entry is needed; nil for everything.
    ///   - process: the name of the process that it is of; nil if there is only one.
    init(
        _ path: String, source opened: ByteSource?, tables: TraceTables, diagnostics: Diagnostics, place: UInt8?,
        _ goVersion: String?, _ narrowing: EntryNarrowing?, process: String? = nil
    ) throws(TraceError) {
        self.tables = tables
        self.diagnostics = diagnostics
        if let source = narrowing?.source() ?? opened {
            self.source = source
        } else {
            source = try InputPath.open(path)
        }
        // What is narrowed is known; detection would read its first block.
        if let narrowing { format = narrowing.format } else { format = try Formats.detect(source) }
        if let place { self.place = place } else { self.place = try Self.addSource(source, format, to: tables) }
        if let process { tables.sources[Int(self.place)].process = process }
        let context = ReaderContext(
            tables: tables, diagnostics: diagnostics, source: self.place,
            goVersion: goVersion)
        if let narrowing {
            reader = try Self.makeReader(narrowing.reader, source, context)
        } else {
            reader = try Self.makeReader(format.open, source, context)
        }
    }

    /// Opens a part of a path whose format is known, to be counted.
    init(_ path: String, format: InputFormat, part: InputPart, tally: EventTally) throws(TraceError) {
        self.format = format
        tables = TraceTables()
        diagnostics = Diagnostics()
        source = try InputPath.open(path)
        place = try Self.addSource(source, format, to: tables)
        var context = ReaderContext(tables: tables, diagnostics: diagnostics, source: place)
        context.tally = tally
        reader = try Self.makeReader(part.open, source, context)
    }

    private static func addSource(
        _ source: ByteSource, _ format: InputFormat, to tables: TraceTables
    ) throws(TraceError) -> UInt8 {
        guard let place = UInt8(exactly: tables.sources.count) else {
            throw TraceError(.usage, file: source.path, expected: "at most 256 inputs", found: "one more")
        }
        tables.sources.append(SourceInfo(path: source.path, format: format.name))
        return place
    }

    private static func makeReader(
        _ open: (ByteSource, ReaderContext) throws(TraceError) -> any TraceReader, _ source: ByteSource,
        _ context: ReaderContext
    ) throws(TraceError) -> any TraceReader {
        do throws(TraceError) {
            return try open(source, context)
        } catch {
            throw error.adding(file: source.path)
        }
    }

    public var path: String { source.path }

    /// Passes over what comes before a moment, where the format allows it; see `SkippingReader`.
    func skip(to moment: (TraceStart) throws(TraceError) -> Int64?) throws(TraceError) {
        try (reader as? any SkippingReader)?.skip(to: moment)
    }

    /// Size of the file in bytes, as it lies on disk; nil for a pipe.
    public var fileSize: UInt64? { source.fileSize }

    /// Bytes of the file that have been used so far, for progress.
    public var bytesConsumed: UInt64 { reader.bytesConsumed }

    /// Fills the rest of the batch with the next events.
    ///
    /// - Returns: false when there are no more, whatever ended them; `failure` tells. The batch may still
    ///   hold the last ones.
    /// - Throws: errors that are not the input's.
    public func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        let countBefore = batch.count
        var isMore = false
        var failure: TraceError?
        do throws(TraceError) {
            isMore = try reader.read(into: &batch)
        } catch {
            if error.code == .outputFailed || error.code == .usage { throw error }
            failure = error.adding(file: path)
        }
        if !hasEvents { hasEvents = batch.events.dropFirst(countBefore).contains { $0.kind != .sync } }
        if !isMore { self.failure = withDamage(failure) }
        return isMore
    }

    /// Reads everything, as long as `isWanted` says so, and hands it to `body`, batch by batch.
    ///
    /// - Parameter readsAhead: see `EventLoop`.
    /// - Returns: the error that ended the reading before its end; everything that could be read
    ///   has been handed over before.
    /// - Throws: what `body` throws, and errors that are not the input's.
    public func readAll(
        onProgress: ((Progress) -> Void)? = nil, readsAhead: Bool = false,
        while isWanted: () -> Bool = { true },
        _ body: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) throws(TraceError) -> TraceError? {
        try EventLoop(onProgress: onProgress, byteCount: fileSize, readsAhead: readsAhead).run(
            read: { batch throws(TraceError) in try read(into: &batch) }, bytesConsumed: { bytesConsumed },
            while: isWanted, body)
        return failure
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
    func refuseTotalLoss() throws(TraceError) {
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
