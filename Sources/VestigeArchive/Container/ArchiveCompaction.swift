import VestigeCore

extension ArchiveWriter {
    /// Writes an archive anew without what no entry needs. Blocks of which all is needed are taken over as they
    /// are, others are made anew.
    public func compact(_ path: String) throws(TraceError) -> Outcome {
        let held = try LockedArchive(path)
        let output = try OutputFile(path, overwrites: true)
        var store = ArchiveStore(descriptor: output.descriptor, path: path)
        var header = ByteColumn()
        defer { header.free() }
        ArchiveHeader.appendEmpty(to: &header)
        try store.append(header.bytes)
        var index = held.file.index
        let needed = Self.segments(of: index)
        var places: [BlockPlace] = []
        let (decoder, encoder) = (BlockDecoder(), BlockEncoder(level: level))
        for (block, chunks) in needed.enumerated() where !chunks.isEmpty {
            let header = try held.file.decode(block: block, with: decoder)
            let kept = chunks.sorted { $0.place.segment < $1.place.segment }
            for (number, chunk) in kept.enumerated() {
                let moved = SegmentPlace(block: places.count, segment: number, length: chunk.place.length)
                if chunk.isCarry {
                    index.entries[chunk.entry].chunks[chunk.chunk].carry = moved
                } else {
                    index.entries[chunk.entry].chunks[chunk.chunk].place = moved
                }
            }
            places.append(
                try Self.append(header, kept.map(\.place.segment), decoder, encoder, held.file, block, to: &store))
        }
        index.blocks = places
        try store.commit(index, number: 1)
        try output.commit()
        return Outcome(sizeBefore: held.file.fileSize, sizeAfter: store.position)
    }

    private static func append(
        _ header: BlockHeader, _ segments: [Int], _ decoder: BlockDecoder, _ encoder: BlockEncoder,
        _ file: ArchiveFile, _ block: Int, to store: inout ArchiveStore
    ) throws(TraceError) -> BlockPlace {
        if segments.count < header.segments.count {
            return try store.append(encoder.encode(header, segments, decoder.content), encoder)
        }
        let place = file.index.blocks[block]
        let payload = try ArchiveFile.read(
            file.descriptor, file.path, at: place.offset + UInt64(place.headerSize), count: place.payloadSize)
        var (header, bytes) = (header, ByteColumn())
        defer { bytes.free() }
        payload.withUnsafeBytes { bytes.append($0) }
        return try store.append(&header, payload: bytes.bytes)
    }

    /// A segment that is needed: of a chunk, or of its carry.
    private struct Needed {
        var entry: Int
        var chunk: Int
        var place: SegmentPlace
        var isCarry = false
    }

    /// The segments that are needed of each block.
    private static func segments(of index: ArchiveIndex) -> [[Needed]] {
        var result = [[Needed]](repeating: [], count: index.blocks.count)
        for (entry, content) in index.entries.enumerated() {
            for (number, chunk) in content.chunks.enumerated() {
                result[chunk.block].append(Needed(entry: entry, chunk: number, place: chunk.place))
                guard let carry = chunk.carry else { continue }
                result[carry.block].append(Needed(entry: entry, chunk: number, place: carry, isCarry: true))
            }
        }
        return result
    }
}
