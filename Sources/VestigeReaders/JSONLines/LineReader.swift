import Glibc
import VestigeCore

/// Cuts an input into lines: ended by LF or CRLF, the last one possibly by nothing. Blank lines are
/// passed over, and so is a byte order mark at the front.
final class LineReader {
    /// Longer lines are refused, so that a file without line breaks cannot exhaust memory.
    static let defaultLengthLimit = 64 << 20
    private static let chunkSize = 256 << 10

    let source: ByteSource
    /// Of the line returned last: its number, from 1, its offset in the input, and whether it ended
    /// with a line break.
    private(set) var number: UInt64 = 0
    private(set) var offset: UInt64 = 0
    private(set) var isTerminated = false

    private let lengthLimit: Int
    private var buffer: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// What is in the buffer and not yet used: `start..<end`, at `bufferOffset + start` in the input.
    private var start = 0
    private var end = 0
    private var bufferOffset: UInt64 = 0
    private var hasEnded = false

    init(_ source: ByteSource, lengthLimit: Int = LineReader.defaultLengthLimit) {
        self.source = source
        self.lengthLimit = lengthLimit
        capacity = Self.chunkSize * 2
        buffer = .allocate(capacity: capacity)
    }

    deinit { buffer.deallocate() }

    /// The next line that is not blank, without its end; valid until the next call. Nil at the end.
    /// - Throws: what the input throws, and `damaged` for a line that is too long.
    func next() throws(TraceError) -> UnsafeBufferPointer<UInt8>? {
        while let line = try nextWithBlank() {
            if line.contains(where: { $0 != 0x20 && $0 != 0x09 }) { return line }
        }
        return nil
    }

    /// The next line, blank or not, as `next` returns it.
    func nextWithBlank() throws(TraceError) -> UnsafeBufferPointer<UInt8>? {
        var searched = 0
        while true {
            if let found = memchr(buffer + start + searched, 0x0a, end - start - searched) {
                let length = found - UnsafeMutableRawPointer(buffer + start)
                try checkLength(length)
                return take(length, terminator: 1)
            }
            searched = end - start
            try checkLength(searched)
            if hasEnded { return searched == 0 ? nil : take(searched, terminator: 0) }
            try fill()
        }
    }

    private func take(_ length: Int, terminator: Int) -> UnsafeBufferPointer<UInt8> {
        number += 1
        offset = bufferOffset + UInt64(start)
        isTerminated = terminator > 0
        var line = UnsafeBufferPointer(start: buffer + start, count: length)
        start += length + terminator
        if number == 1, line.starts(with: JSONLines.byteOrderMark) {
            line = UnsafeBufferPointer(rebasing: line.dropFirst(3))
        }
        return line.last == 0x0d ? UnsafeBufferPointer(rebasing: line.dropLast()) : line
    }

    private func checkLength(_ length: Int) throws(TraceError) {
        guard length > lengthLimit else { return }
        throw source.error(
            .damaged, at: bufferOffset + UInt64(start), context: ["line \(number + 1)"],
            expected: "a line of at most \(lengthLimit) bytes", found: "a longer one")
    }

    /// Moves what is left to the front of the buffer and reads on behind it.
    private func fill() throws(TraceError) {
        if start > 0 {
            memmove(buffer, buffer + start, end - start)
            bufferOffset += UInt64(start)
            end -= start
            start = 0
            source.discard(before: bufferOffset)
        }
        if capacity - end < Self.chunkSize { grow() }
        let target = UnsafeMutableRawBufferPointer(start: buffer + end, count: capacity - end)
        let count = try source.read(at: bufferOffset + UInt64(end), into: target)
        end += count
        hasEnded = count == 0
    }

    private func grow() {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
        larger.update(from: buffer, count: end)
        buffer.deallocate()
        buffer = larger
        capacity *= 2
    }
}
