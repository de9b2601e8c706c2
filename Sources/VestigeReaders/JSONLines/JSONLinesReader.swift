import FoundationEssentials
import VestigeCore

/// Reads the event IR back from JSON lines (`Schemas/event-ir.md`).
///
/// Takes what `JSONLinesWriter` writes without loss, and bare listings of events. Fields it does not
/// know are ignored. Lines of a kind it does not know are passed over and counted. A line that is
/// not JSON, or whose known fields make no sense, ends the reading.
public final class JSONLinesReader: TraceReader {
    private let lines: LineReader
    private let state: JSONLinesState
    private let decoder = JSONDecoder()
    private var trailer: JSONTrailer?
    /// Thrown by the next call, since events were pending when it was met.
    private var failure: TraceError?
    private var isFinished = false

    public convenience init(_ source: ByteSource, context: ReaderContext) {
        self.init(source, context: context, lineLengthLimit: LineReader.defaultLengthLimit)
    }

    init(_ source: ByteSource, context: ReaderContext, lineLengthLimit: Int) {
        lines = LineReader(source, lengthLimit: lineLengthLimit)
        state = JSONLinesState(context: context, path: source.path)
    }

    public var bytesConsumed: UInt64 { lines.source.bytesConsumed }

    public func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        guard !isFinished else { return false }
        let countBefore = batch.count
        do throws(TraceError) {
            if let failure { throw failure }
            let hasMore = try fill(&batch, from: countBefore)
            isFinished = !hasMore
            return hasMore
        } catch {
            if batch.count > countBefore {
                failure = error
                return true
            }
            isFinished = true
            throw error
        }
    }

    /// Reads lines until the batch is full.
    ///
    /// What the trailer says of the sources takes effect only in the call after the last event, so
    /// that whoever writes the first batch meanwhile sees the sources as the header has them.
    private func fill(_ batch: inout EventBatch, from countBefore: Int) throws(TraceError) -> Bool {
        while trailer == nil, batch.room > 0 {
            guard let line = try lines.next() else {
                try state.checkEnd(lines)
                return false
            }
            switch try decode(line) {
            case .event(let event): batch.append(event)
            case .trailer(let found): trailer = found
            case .nothing: break
            }
        }
        guard let trailer, batch.count == countBefore, batch.room > 0 else { return true }
        state.apply(trailer)
        while let line = try lines.next() { state.diagnostics.count(.trailingBytes, UInt64(line.count)) }
        return false
    }

    private func decode(_ line: UnsafeBufferPointer<UInt8>) throws(TraceError) -> JSONLine.Content {
        let data = Data(line)
        state.line = data
        do {
            return try decoder.decode(JSONLine.self, from: data, configuration: state).content
        } catch {
            let defect = LineDefect(error)
            let isCut = defect.isMalformedJSON && !lines.isTerminated
            throw lines.source.error(
                isCut ? .truncated : .damaged, at: lines.offset, context: ["line \(lines.number)"],
                expected: isCut ? "the rest of the line" : defect.expected,
                found: isCut ? "the end of the file" : defect.found)
        }
    }
}

/// What is wrong with a line.
struct LineDefect: Error {
    var expected: String
    var found: String
    var isMalformedJSON = false

    init(expected: String, found: String) {
        self.expected = expected
        self.found = found
    }

    /// What went wrong with the value of a field. For a number out of range the decoder tells no place,
    /// and in the end gives the same error as for what is no JSON at all.
    init(_ error: any Error, expected: String, inField field: String) {
        self.init(error)
        if isMalformedJSON || !(error is DecodingError || error is LineDefect) {
            self.init(expected: "\(expected) in field \(field)", found: "a value that it cannot hold")
        }
    }

    /// A defect of ours as it is, one that the JSON decoder found in our words.
    init(_ error: any Error) {
        switch error {
        case let defect as LineDefect: self = defect
        case DecodingError.keyNotFound(let key, let context):
            self.init(expected: "field \(Self.path(context, key))", found: "none")
        case DecodingError.valueNotFound(let type, let context):
            self.init(expected: "\(type) in field \(Self.path(context))", found: "null")
        case DecodingError.typeMismatch(let type, let context):
            self.init(expected: "\(type) in field \(Self.path(context))", found: Self.found(context))
        case DecodingError.dataCorrupted(let context):
            let reason = context.underlyingError.map { "\($0)" } ?? context.debugDescription
            self.init(expected: "a JSON object", found: reason)
            isMalformedJSON = true
        default: self.init(expected: "a JSON object", found: "\(error)")
        }
    }

    /// What there is instead, out of `Expected to decode Int64 but found a string instead.`
    private static func found(_ context: DecodingError.Context) -> String {
        let text = context.debugDescription
        guard let begin = text.firstRange(of: "but found ")?.upperBound else { return text }
        return String(text[begin...].replacing(" instead.", with: ""))
    }

    private static func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
        (context.codingPath.map(\.stringValue) + (last.map { [$0.stringValue] } ?? [])).joined(separator: ".")
    }
}
