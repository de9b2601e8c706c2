import VestigeCore

/// Reads goroutine dumps as text: debug=1 and debug=2 of net/http/pprof, what a program writes when it panics
/// or gets SIGQUIT, and either of these within a log.
public final class GoroutineDumpReader: TraceReader {
    /// After so many bytes without an event the caller gets to show progress.
    private static let stride: UInt64 = 4 << 20

    private let lines: LineReader
    private let parser: DumpParser
    private let context: ReaderContext
    /// How many of the parser's events have been handed on.
    private var deliveredCount = 0
    /// The beginning of the first line, for the message that there is no dump.
    private var firstLine = ""
    private var failure: TraceError?
    private var hasEnded = false
    private var isFinished = false

    public init(_ source: ByteSource, context: ReaderContext) {
        lines = LineReader(source)
        parser = DumpParser(context)
        self.context = context
    }

    public var bytesConsumed: UInt64 { lines.source.bytesConsumed }

    public func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        guard !isFinished else { return false }
        let start = lines.offset
        repeat {
            if !hasEnded { takeLine() }
            deliver(to: &batch)
        } while !hasEnded && batch.room > 0 && lines.offset - start < Self.stride
        guard hasEnded, parser.events.isEmpty else { return true }
        if let failure, batch.isEmpty {
            isFinished = true
            throw failure
        }
        isFinished = failure == nil
        return !isFinished
    }

    private func takeLine() {
        do throws(TraceError) {
            if let line = try lines.nextWithBlank() {
                if firstLine.isEmpty { firstLine = String(decoding: line.prefix(48), as: UTF8.self) }
                parser.take(line, isWhole: lines.isTerminated)
                if !lines.isTerminated { end(lastLine: line) }
                return
            }
            end(lastLine: nil)
        } catch {
            failure = error
            end(lastLine: nil)
        }
    }

    private func end(lastLine: DumpBytes?) {
        hasEnded = true
        parser.finish(lastLine: lastLine)
        context.tables.sources[Int(context.source)].byteCount = lines.source.size
        guard parser.goroutineCount == 0, parser.logCount == 0, failure == nil else { return }
        let count = "\(lines.number) \(lines.number == 1 ? "line" : "lines")"
        failure = TraceError(
            .unreadable, file: lines.source.path,
            expected: "a goroutine dump (a line `goroutine 1 [running]:` or `goroutine profile: total 9`) "
                + "or another format of `vestige formats`",
            found: "text beginning with \"\(firstLine)\" without a goroutine dump in its \(count)")
    }

    private func deliver(to batch: inout EventBatch) {
        guard parser.hasEvents else { return }
        let events = parser.events
        let count = min(batch.room, events.count - deliveredCount)
        for event in events[deliveredCount..<deliveredCount + count] { batch.append(event) }
        deliveredCount += count
        if deliveredCount == events.count {
            parser.removeEvents()
            deliveredCount = 0
        }
    }
}
