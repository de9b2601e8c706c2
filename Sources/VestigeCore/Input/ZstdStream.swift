import CZstd

/// Decompresses zstd, also of several frames. Damage ends the stream: what was decompressed before
/// is delivered first.
public final class ZstdStream: ByteStream {
    private let input: any ByteStream
    private let path: String
    private let context: OpaquePointer
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
    private var pending: ZSTD_inBuffer
    private var inputEnded = false
    private var frameIncomplete = false
    private var pendingError: TraceError?

    public init(_ input: any ByteStream, path: String) {
        self.input = input
        self.path = path
        context = ZSTD_createDStream()!
        // Frames may ask for 128 MiB of window (`zstd --long=27`), but not for more.
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
        pending = ZSTD_inBuffer(src: buffer.baseAddress, size: 0, pos: 0)
    }

    deinit {
        ZSTD_freeDStream(context)
        buffer.deallocate()
    }

    public var bytesConsumed: UInt64 { input.bytesConsumed }

    public func read(into output: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        if let error = pendingError { throw error }
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        while target.pos < target.size {
            if pending.pos == pending.size, !inputEnded {
                let count = try input.read(into: buffer)
                inputEnded = count == 0
                pending = ZSTD_inBuffer(src: buffer.baseAddress, size: count, pos: 0)
            }
            let (before, beforeInput) = (target.pos, pending.pos)
            let result = ZSTD_decompressStream(context, &target, &pending)
            if ZSTD_isError(result) != 0 {
                fail(.damaged, "zstd data", String(cString: ZSTD_getErrorName(result)))
                break
            }
            // Asked without input after the end of a frame, it wants the header of a next one.
            if target.pos != before || pending.pos != beforeInput { frameIncomplete = result != 0 }
            if inputEnded, pending.pos == pending.size, target.pos == before {
                if frameIncomplete { fail(.truncated, "the rest of the zstd frame", "the end of the file") }
                break
            }
        }
        if target.pos == 0, let error = pendingError { throw error }
        return target.pos
    }

    private func fail(_ code: TraceError.Code, _ expected: String, _ found: String) {
        pendingError = TraceError(
            code, file: path, byteOffset: input.bytesConsumed - UInt64(pending.size - pending.pos),
            context: ["in the compressed file"], expected: expected, found: found)
    }
}
