import VestigeCore

/// Reads what Delve's command line client prints: listings of goroutines, stacks, threads, stops and
/// tracepoints, alone or in the record of a session. Lines between them are passed over and counted.
final class DelveTextReader: TraceReader {
    private let lines: LineReader
    private let state: DelveState
    private var session: DelveTextSession
    private var failure: TraceError?
    private var isFinished = false

    init(_ source: ByteSource, context: ReaderContext) throws(TraceError) {
        state = DelveState(context, path: source.path)
        session = DelveTextSession(state)
        lines = LineReader(source)
        session.begin(at: try Self.firstTime(source))
    }

    var bytesConsumed: UInt64 { lines.source.bytesConsumed }

    /// The first time shown in the first 64 KiB: what stands before it was no later.
    private static func firstTime(_ source: ByteSource) throws(TraceError) -> Int64? {
        for line in try source.prefix(64 << 10).split(separator: 0x0a) {
            if let time = DelveTextLine(line).body.prefixText(upTo: 0x20).flatMap({ RFC3339.nanoseconds($0) }) {
                return time
            }
        }
        return nil
    }

    func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        while batch.room > 0 {
            state.deliver(into: &batch)
            guard state.isQueueEmpty else { return true }
            if isFinished {
                guard let failure else { return false }
                if !batch.isEmpty { return true }
                self.failure = nil
                throw failure
            }
            advance()
        }
        return true
    }

    private func advance() {
        do throws(TraceError) {
            if let line = try lines.next() {
                session.take(DelveTextLine(line), number: lines.number, offset: lines.offset)
                return
            }
            session.finish()
            failure = session.totalFailure
        } catch {
            session.finish()
            failure = error
        }
        isFinished = true
        state.updateSource { $0.byteCount = $0.byteCount ?? lines.source.size }
    }
}
