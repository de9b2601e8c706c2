import CZlib
import CZstd

/// Compresses with zstd, level 3, with a checksum.
public final class ZstdSink: ByteSink {
    private let inner: any ByteSink
    private let context = ZSTD_createCStream()!
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)

    public init(_ inner: any ByteSink) {
        self.inner = inner
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 3)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCStream(context)
        buffer.deallocate()
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        try compress(bytes, ZSTD_e_continue)
    }

    public func finish() throws(TraceError) {
        try compress(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end)
        try inner.finish()
    }

    private func compress(_ bytes: UnsafeRawBufferPointer, _ mode: ZSTD_EndDirective) throws(TraceError) {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while true {
            var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let left = ZSTD_compressStream2(context, &output, &input, mode)
            guard ZSTD_isError(left) == 0 else {
                throw TraceError(
                    .outputFailed, expected: "zstd to compress", found: String(cString: ZSTD_getErrorName(left)))
            }
            try inner.write(UnsafeRawBufferPointer(rebasing: buffer[0..<output.pos]))
            if mode == ZSTD_e_end ? left == 0 : input.pos == input.size { return }
        }
    }
}

/// Compresses with gzip, level 6.
public final class GzipSink: ByteSink {
    private let inner: any ByteSink
    private var state = z_stream()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)

    public init(_ inner: any ByteSink) {
        self.inner = inner
        deflateInit2_(
            &state, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    }

    deinit {
        deflateEnd(&state)
        buffer.deallocate()
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        state.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.avail_in = UInt32(bytes.count)
        while state.avail_in > 0 { _ = try step(Z_NO_FLUSH) }
    }

    public func finish() throws(TraceError) {
        while try step(Z_FINISH) != Z_STREAM_END {}
        try inner.finish()
    }

    private func step(_ flush: Int32) throws(TraceError) -> Int32 {
        state.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.avail_out = UInt32(buffer.count)
        let result = deflate(&state, flush)
        try inner.write(UnsafeRawBufferPointer(rebasing: buffer[0..<buffer.count - Int(state.avail_out)]))
        return result
    }
}
