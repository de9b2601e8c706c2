import VestigeCore

/// Cuts an input into JSON values that follow one another, with or without line breaks between them.
///
/// Finds where each value ends and no more: what is in it is for a decoder. One value is in memory at a time.
final class JSONValueStream {
    /// Larger values are refused. 100,000 goroutines in one answer are about 130 MB.
    static let defaultSizeLimit = 512 << 20
    private static let chunkSize = 256 << 10

    let source: ByteSource
    private let sizeLimit: Int
    private var buffer: [UInt8] = []
    /// What is in the buffer and not yet used begins here, at `bufferOffset` + `start` in the input.
    private var start = 0
    private var bufferOffset: UInt64 = 0
    private var hasEnded = false
    /// Of the value returned last: where it stands.
    private(set) var offset: UInt64 = 0
    private(set) var line: UInt64 = 1
    private var lineAfter: UInt64 = 1
    /// Set when the input ended within the value returned last.
    private(set) var truncation: TraceError?

    init(_ source: ByteSource, sizeLimit: Int = JSONValueStream.defaultSizeLimit) {
        self.source = source
        self.sizeLimit = sizeLimit
    }

    /// The next object or array; the last one may be cut, see `truncation`. Nil at the end.
    /// - Throws: `damaged` for what is neither, and for a value that is too large.
    func next() throws(TraceError) -> ArraySlice<UInt8>? {
        guard truncation == nil, try skipSpace() else { return nil }
        offset = bufferOffset + UInt64(start)
        line = lineAfter
        guard buffer[start] == UInt8(ascii: "{") || buffer[start] == UInt8(ascii: "[") else {
            let text = String(decoding: buffer[start...].prefix(40).prefix { $0 != 0x0a }, as: UTF8.self)
            throw source.error(
                .damaged, at: offset, context: ["line \(line)"], expected: "a JSON object", found: "\"\(text)\"")
        }
        var scanner = JSONEndScanner()
        var position = start
        while true {
            if let end = scanner.findEnd(buffer, from: &position) {
                let value = buffer[start..<end]
                start = end
                lineAfter += scanner.lineBreaks
                return value
            }
            guard position - start <= sizeLimit else {
                throw source.error(
                    .damaged, at: offset, context: ["line \(line)"],
                    expected: "a JSON value of at most \(sizeLimit) bytes", found: "a larger one")
            }
            let unread = position - start
            if try !fill() {
                truncation = source.error(
                    .truncated, at: bufferOffset + UInt64(buffer.count),
                    context: ["line \(lineAfter + scanner.lineBreaks)"],
                    expected: "the rest of a JSON object", found: "the end of the file")
                defer { start = buffer.count }
                return buffer[start...]
            }
            position = start + unread
        }
    }

    /// - Returns: false at the end of the input.
    private func skipSpace() throws(TraceError) -> Bool {
        if bufferOffset == 0, start == 0, try fill(), buffer.starts(with: JSONLines.byteOrderMark) { start = 3 }
        while true {
            while start < buffer.count, [0x20, 0x09, 0x0d, 0x0a].contains(buffer[start]) {
                if buffer[start] == 0x0a { lineAfter += 1 }
                start += 1
            }
            if start < buffer.count { return true }
            if try !fill() { return false }
        }
    }

    /// Moves what is left to the front and reads on behind it.
    private func fill() throws(TraceError) -> Bool {
        if hasEnded { return false }
        if start > 0 {
            buffer.removeSubrange(..<start)
            bufferOffset += UInt64(start)
            start = 0
            source.discard(before: bufferOffset)
        }
        let end = buffer.count
        // Larger steps for larger values, so that moving and growing stay cheap.
        let step = max(Self.chunkSize, min(end, 16 << 20))
        var failure: TraceError?
        let piece = [UInt8](unsafeUninitializedCapacity: step) { bytes, count in
            do throws(TraceError) {
                count = try source.read(at: bufferOffset + UInt64(end), into: UnsafeMutableRawBufferPointer(bytes))
            } catch { failure = error }
        }
        if let failure { throw failure }
        buffer += piece
        hasEnded = piece.isEmpty
        return !hasEnded
    }
}

/// Finds the end of a JSON object or array, step by step as its bytes arrive.
public struct JSONEndScanner {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    public private(set) var lineBreaks: UInt64 = 0

    public init() {}

    /// Goes on at `position`.
    /// - Returns: the index behind the value, or nil if the bytes do not suffice; then `position` is their end.
    public mutating func findEnd(_ bytes: [UInt8], from position: inout Int) -> Int? {
        bytes.withUnsafeBufferPointer { bytes in
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                if byte == 0x0a { lineBreaks += 1 }
                if isInString {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isInString = false
                    }
                } else if byte == UInt8(ascii: "\"") {
                    isInString = true
                } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                    depth += 1
                } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                    depth -= 1
                    if depth <= 0 { return position }
                }
            }
            return nil
        }
    }
}
