import VestigeCore

/// Takes blocks apart. Each worker has one.
final class BlockDecoder {
    private let columns = ColumnSet()
    private let decompressor = ZstdDecompressor()
    private var decoder: SegmentDecoder
    private var raw = ByteColumn()
    private var rawSize = 0

    init() { decoder = SegmentDecoder(columns: columns) }

    deinit { raw.free() }

    /// The bytes of all segments of the last block.
    var content: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: raw.bytes[..<rawSize]) }

    /// Decodes a block into `content`.
    /// - Returns: what is wrong with it; nil if it is proved by its checksums.
    func decode(_ header: BlockHeader, payload: UnsafeRawBufferPointer) -> String? {
        rawSize = 0
        guard UInt64(payload.count) == header.payloadSize, XXHash.sum(payload) == header.payloadSum else {
            return "a payload with another checksum"
        }
        guard BlockPayload.read(payload, rawSize: header.rawSize, into: columns, decompressor) else {
            return "columns that cannot be unpacked"
        }
        _ = raw.resize(header.rawSize + ModelEvent.longestEvent)
        var position = 0
        for segment in header.segments {
            guard decode(segment, at: position) else { return "a segment that cannot be decoded" }
            position += segment.length
        }
        guard columns.isRead else { return "columns with more than the segments need" }
        rawSize = header.rawSize
        guard XXHash.sum(content) == header.contentSum else {
            rawSize = 0
            return "content with another checksum"
        }
        return nil
    }

    private func decode(_ segment: BlockHeader.Segment, at position: Int) -> Bool {
        let target = UnsafeMutableBufferPointer(start: raw.base.map { $0 + position }, count: segment.length)
        switch segment.method {
        case .model: return decoder.decode(into: target)
        case .stored:
            guard let stored = columns.columns[ColumnID.stored].next(segment.length) else { return false }
            if let start = stored.baseAddress {
                UnsafeMutableRawBufferPointer(target).copyMemory(
                    from: UnsafeRawBufferPointer(start: start, count: stored.count))
            }
            return true
        }
    }
}
