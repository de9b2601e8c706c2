import CZlib

/// Decompresses gzip, also of several members. Damage ends the stream: what was decompressed before
/// is delivered first.
public final class ZlibStream: ByteStream {
    private let input: any ByteStream
    private let path: String
    private var state = z_stream()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var inputEnded = false
    private var memberEnded = false
    private var produced: UInt64 = 0
    private var pendingError: TraceError?

    public init(_ input: any ByteStream, path: String) {
        self.input = input
        self.path = path
        // 15 bits of window, + 16: gzip only.
        inflateInit2_(&state, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    }

    deinit {
        inflateEnd(&state)
        buffer.deallocate()
    }

    public var bytesConsumed: UInt64 { input.bytesConsumed }

    public func read(into output: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        if let error = pendingError { throw error }
        state.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.avail_out = UInt32(output.count)
        while state.avail_out > 0 {
            if state.avail_in == 0, !inputEnded { try refill() }
            if state.avail_in == 0, inputEnded {
                if !memberEnded { fail(.truncated, "the rest of the gzip data", "the end of the file") }
                break
            }
            if memberEnded {
                inflateReset(&state)
                memberEnded = false
            }
            let result = inflate(&state, Z_NO_FLUSH)
            if result == Z_STREAM_END {
                memberEnded = true
            } else if result != Z_OK {
                fail(.damaged, "gzip data", state.msg.map { String(cString: $0) } ?? "damage")
                break
            }
        }
        let count = output.count - Int(state.avail_out)
        produced += UInt64(count)
        if count == 0, let error = pendingError { throw error }
        return count
    }

    private func refill() throws(TraceError) {
        let count = try input.read(into: buffer)
        inputEnded = count == 0
        state.next_in = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.avail_in = UInt32(count)
    }

    private func fail(_ code: TraceError.Code, _ expected: String, _ found: String) {
        pendingError = TraceError(
            code, file: path, byteOffset: input.bytesConsumed - UInt64(state.avail_in),
            context: ["in the compressed file"], expected: expected, found: found)
    }
}
