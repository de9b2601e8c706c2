import FoundationEssentials
import VestigeCore

/// Reads what a headless Delve answers over JSON-RPC: single answers, results without what is around them,
/// logs of requests and answers one after another (with times or without), and the server's own log.
final class DelveJSONReader: DelveReading {
    private let input: any DelveMessageSource
    let state: DelveState
    var end: DelveEnd?
    private var session: DelveSession

    init(_ input: any DelveMessageSource, context: ReaderContext) {
        self.input = input
        state = DelveState(context, path: input.source.path)
        session = DelveSession(state)
    }

    var source: ByteSource { input.source }

    func advance() {
        do throws(TraceError) {
            if let next = try input.next() {
                try take(next)
                if let truncation = next.truncation { throw truncation }
                return
            }
            session.finish()
            end(session.totalFailure(source))
        } catch {
            session.finish()
            end(error)
        }
    }

    private func take(_ value: DelveInputValue) throws(TraceError) {
        for message in value.messages {
            do {
                try session.take(message)
            } catch let error as PieceDefect {
                if value.truncation != nil { continue }
                let lines = value.bytes[..<error.piece.startIndex].count { $0 == 0x0a }
                throw input.source.error(
                    .damaged, at: value.offset + UInt64(error.piece.startIndex - value.bytes.startIndex),
                    context: ["line \(value.line + UInt64(lines))"], expected: error.defect.expected,
                    found: error.defect.found)
            } catch {
                throw input.source.error(
                    .damaged, at: value.offset, context: ["line \(value.line)"], expected: "an answer of Delve",
                    found: "\(error)")
            }
        }
    }
}

/// One value of an input, and what is in it.
struct DelveInputValue {
    var messages: [DelveMessage]
    var bytes: ArraySlice<UInt8>
    var offset: UInt64
    var line: UInt64
    /// Set if the input ends within it.
    var truncation: TraceError?
}

/// Where messages come from.
protocol DelveMessageSource: AnyObject {
    var source: ByteSource { get }
    func next() throws(TraceError) -> DelveInputValue?
}

/// JSON values one after another.
final class DelveValueSource: DelveMessageSource {
    private let values: JSONValueStream

    init(_ source: ByteSource, sizeLimit: Int = JSONValueStream.defaultSizeLimit) {
        values = JSONValueStream(source, sizeLimit: sizeLimit)
    }

    var source: ByteSource { values.source }

    func next() throws(TraceError) -> DelveInputValue? {
        guard let bytes = try values.next() else { return nil }
        let piece = JSONOutline.Piece(bytes: bytes, isComplete: values.truncation == nil)
        return DelveInputValue(
            messages: DelveMessage.messages(in: piece), bytes: bytes, offset: values.offset, line: values.line,
            truncation: values.truncation)
    }
}

/// A piece of an answer that is not what it should be.
struct PieceDefect: Error {
    var piece: ArraySlice<UInt8>
    var defect: LineDefect
}
