import Glibc

/// The part of a stream that may still be read again. The first 256 MiB of it are held in memory,
/// what comes beyond in a temporary file that has no name, so that a long generation (or a hostile
/// input) cannot exhaust memory.
final class StreamWindow {
    private static let chunkSize = 1 << 20
    private static let chunkLimit = 256

    private var chunks: [UnsafeMutableRawPointer?] = []
    /// Index, in chunks from the start of the stream, of `chunks[0]`.
    private var firstChunk = 0
    private var heldChunks = 0
    private var spool: Int32 = -1
    private(set) var end: UInt64 = 0
    private var spare: UnsafeMutableRawPointer?

    /// Reads one more piece of the stream.
    /// - Returns: how many bytes; 0 at the end of the stream.
    func append(from stream: any ByteStream) throws(TraceError) -> Int {
        let chunk = Int(end / UInt64(Self.chunkSize))
        let used = Int(end % UInt64(Self.chunkSize))
        while firstChunk + chunks.count <= chunk { chunks.append(nil) }
        if chunks[chunk - firstChunk] == nil {
            if heldChunks >= Self.chunkLimit { try spoolOut(upTo: chunk) }
            chunks[chunk - firstChunk] =
                spare ?? UnsafeMutableRawPointer.allocate(byteCount: Self.chunkSize, alignment: 16)
            spare = nil
            heldChunks += 1
        }
        let target = UnsafeMutableRawBufferPointer(
            start: chunks[chunk - firstChunk]! + used, count: Self.chunkSize - used)
        let count = try stream.read(into: target)
        end += UInt64(count)
        return count
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, path: String) throws(TraceError) -> Int {
        guard offset < end else { return 0 }
        precondition(offset >= UInt64(firstChunk) * UInt64(Self.chunkSize), "reading what was discarded")
        let total = Int(min(UInt64(buffer.count), end - offset))
        var done = 0
        while done < total {
            let position = offset + UInt64(done)
            let chunk = Int(position / UInt64(Self.chunkSize))
            let within = Int(position % UInt64(Self.chunkSize))
            let count = min(total - done, Self.chunkSize - within)
            if let held = chunks[chunk - firstChunk] {
                (buffer.baseAddress! + done).copyMemory(from: held + within, byteCount: count)
            } else {
                let read = pread(spool, buffer.baseAddress! + done, count, off_t(position))
                guard read == count else {
                    throw TraceError(
                        .unreadable, file: path, byteOffset: position, context: ["in the temporary file"],
                        expected: "\(count) bytes", found: read < 0 ? systemErrorText() : "\(read)")
                }
            }
            done += count
        }
        return total
    }

    func discard(before offset: UInt64) {
        let keep = min(Int(min(offset, end) / UInt64(Self.chunkSize)), firstChunk + chunks.count)
        while firstChunk < keep {
            if let chunk = chunks.removeFirst() {
                heldChunks -= 1
                if spare == nil { spare = chunk } else { chunk.deallocate() }
            }
            firstChunk += 1
        }
    }

    /// Moves everything that is held, except the chunk being filled, to the temporary file.
    private func spoolOut(upTo current: Int) throws(TraceError) {
        if spool < 0 { spool = try Self.openSpool() }
        for index in chunks.indices where firstChunk + index < current {
            guard let chunk = chunks[index] else { continue }
            let offset = off_t(firstChunk + index) * off_t(Self.chunkSize)
            guard pwrite(spool, chunk, Self.chunkSize, offset) == Self.chunkSize else {
                throw TraceError(
                    .outputFailed, context: ["temporary file for a piped input"], expected: "room to write",
                    found: systemErrorText())
            }
            chunk.deallocate()
            chunks[index] = nil
            heldChunks -= 1
        }
    }

    /// A temporary file that has no name any more.
    static func openSpool() throws(TraceError) -> Int32 {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(directory)/vestige-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw TraceError(
                .outputFailed, context: ["temporary file in \(directory)"], expected: "a place to write",
                found: systemErrorText())
        }
        unlink(template)
        return descriptor
    }

    deinit {
        for chunk in chunks { chunk?.deallocate() }
        spare?.deallocate()
        if spool >= 0 { Glibc.close(spool) }
    }
}
