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
        let needed = Self.chunks(of: index)
        var places: [BlockPlace] = []
        let (decoder, encoder) = (BlockDecoder(), BlockEncoder(level: level))
        for (block, chunks) in needed.enumerated() where !chunks.isEmpty {
            let header = try held.file.decode(block: block, with: decoder)
            let kept = chunks.sorted { $0.segment < $1.segment }
            for (number, chunk) in kept.enumerated() {
                index.entries[chunk.entry].chunks[chunk.chunk].block = places.count
                index.entries[chunk.entry].chunks[chunk.chunk].segment = number
            }
            places.append(try Self.append(header, kept.map(\.segment), decoder, encoder, held.file, block, to: &store))
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

    /// The chunks that are in each block.
    private static func chunks(of index: ArchiveIndex) -> [[(entry: Int, chunk: Int, segment: Int)]] {
        var result = [[(entry: Int, chunk: Int, segment: Int)]](repeating: [], count: index.blocks.count)
        for (entry, content) in index.entries.enumerated() {
            for (number, chunk) in content.chunks.enumerated() {
                result[chunk.block].append((entry, number, chunk.segment))
            }
        }
        return result
    }
}
