import CZstd
import VestigeCore

/// How hard an archive's writer tries.
public enum ArchiveLevel: String, CaseIterable, Sendable {
    case fast, `default`, small

    /// zstd's level for columns, whose order is all that it can use.
    var columns: Int32 {
        switch self {
        case .fast: 1
        case .default: 3
        case .small: 19
        }
    }

    /// zstd's level for what is stored as it is.
    var stored: Int32 {
        switch self {
        case .fast: 3
        case .default: 12
        case .small: 19
        }
    }
}

/// Compresses into single zstd frames.
final class ZstdCompressor {
    private let context = ZSTD_createCCtx()!
    /// From here on a frame looks for repetitions far back.
    private static let longFrom = 1 << 20

    deinit { ZSTD_freeCCtx(context) }

    func append(_ bytes: UnsafeRawBufferPointer, level: Int32, to output: inout ByteColumn) {
        ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)
        if bytes.count >= Self.longFrom, level > ArchiveLevel.default.columns {
            ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1)
            ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, ZstdDecompressor.windowLog)
        }
        let target = output.extend(ZSTD_compressBound(bytes.count))
        let count = ZSTD_compress2(context, target.baseAddress, target.count, bytes.baseAddress, bytes.count)
        precondition(ZSTD_isError(count) == 0, "zstd refuses memory for a frame of \(bytes.count) bytes")
        output.shrink(by: target.count - count)
    }
}

/// Decompresses single zstd frames.
final class ZstdDecompressor {
    /// Frames may look back so far, and no farther: a block's largest size.
    static let windowLog: Int32 = 25
    private let context = ZSTD_createDCtx()!

    init() { ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLog) }

    deinit { ZSTD_freeDCtx(context) }

    /// - Returns: false unless the frame holds exactly as many bytes as there is room for.
    func decompress(_ frame: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        let count = ZSTD_decompressDCtx(context, output.baseAddress, output.count, frame.baseAddress, frame.count)
        return ZSTD_isError(count) == 0 && count == output.count
    }
}
