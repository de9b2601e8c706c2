import VestigeCore

/// Reads what Delve's command line client prints: listings of goroutines, stacks, threads, stops and
/// tracepoints, alone or in the record of a session. Lines between them are passed over and counted.
final class DelveTextReader: DelveReading {
    private let lines: LineReader
    let state: DelveState
    var end: DelveEnd?
    private var session: DelveTextSession

    init(_ source: ByteSource, context: ReaderContext) throws(TraceError) {
        state = DelveState(context, path: source.path)
        session = DelveTextSession(state)
        lines = LineReader(source)
        session.begin(at: try Self.firstTime(source))
    }

    var source: ByteSource { lines.source }

    /// The first time shown in the first 64 KiB: what stands before it was no later.
    private static func firstTime(_ source: ByteSource) throws(TraceError) -> Int64? {
        for line in try source.prefix(64 << 10).split(separator: 0x0a) {
            if let time = DelveTextLine(line).body.prefixText(upTo: 0x20).flatMap({ RFC3339.nanoseconds($0) }) {
                return time
            }
        }
        return nil
    }

    func advance() {
        do throws(TraceError) {
            if let line = try lines.next() {
                session.take(DelveTextLine(line), number: lines.number, offset: lines.offset)
                return
            }
            session.finish()
            end(session.totalFailure)
        } catch {
            session.finish()
            end(error)
        }
    }
}
