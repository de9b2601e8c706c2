import VestigeCore

/// Reads recordings a second time, with the tables that they have already filled. What it finds out
/// about them is forgotten: the first reading tells.
struct SecondReading {
    private let stream: MergedStream
    private let tables: TraceTables
    private let sources: [SourceInfo]

    init(of recordings: [InputStream], tables: TraceTables) throws(TraceError) {
        self.tables = tables
        sources = tables.sources
        var streams: [InputStream] = []
        for recording in recordings {
            guard recording.input.fileSize != nil else {
                throw TraceError(
                    .usage, file: recording.input.path,
                    expected: "a file, since the recording is read twice (or --at for every dump)", found: "a pipe")
            }
            let input = try TraceInput(recording.input.path, tables: tables, place: recording.input.place)
            let stream = try InputStream(input)
            stream.shiftNanoseconds = recording.shiftNanoseconds
            stream.isPlacedByHand = recording.isPlacedByHand
            streams.append(stream)
        }
        stream = MergedStream(streams, observations: [], tables: tables)
    }

    func readAll(
        onProgress: ((Progress) -> Void)? = nil, _ body: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) throws(TraceError) {
        defer { tables.sources = sources }
        try stream.readAll(byteCount: nil, onProgress: onProgress, body)
    }
}
