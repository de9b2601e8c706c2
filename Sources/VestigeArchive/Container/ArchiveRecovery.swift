import VestigeCore

/// Finds entries again by their blocks when no index can be read.
enum ArchiveRecovery {
    private static let windowSize = 1 << 20

    static func index(_ descriptor: Int32, _ path: String, _ fileSize: UInt64) throws(TraceError) -> ArchiveIndex {
        var index = ArchiveIndex()
        var found: [UInt64: Int] = [:]
        var sizes: [UInt64: UInt64] = [:]
        var offset = UInt64(ArchiveHeader.length)
        while let next = try nextBlock(descriptor, path, from: offset, fileSize) {
            let (header, place) = next
            offset = place.end
            index.blocks.append(place)
            for (number, segment) in header.segments.enumerated() where !segment.isCarry {
                sizes[segment.entry] = segment.entrySize
                let entry = found[segment.entry] ?? index.entries.count
                if entry == index.entries.count {
                    found[segment.entry] = entry
                    index.entries.append(Self.entry(for: segment))
                }
                index.entries[entry].add(
                    segment,
                    ArchiveChunk(
                        place: SegmentPlace(
                            block: index.blocks.count - 1, segment: number, length: segment.length)))
            }
        }
        for place in index.entries.indices where index.entries[place].size != sizes[index.entries[place].number] {
            index.entries[place].isIncomplete = true
        }
        keepLatest(&index)
        return index
    }

    private static func entry(for segment: BlockHeader.Segment) -> ArchiveEntry {
        ArchiveEntry(
            number: segment.entry, name: segment.name, size: 0, sha256: nil, mode: 0o644, modifiedNanoseconds: 0,
            format: "", formatVersion: "", chunks: [])
    }

    /// Of entries with the same name the one that was added last counts.
    private static func keepLatest(_ index: inout ArchiveIndex) {
        var latest: [String: UInt64] = [:]
        for entry in index.entries { latest[entry.name] = max(latest[entry.name] ?? 0, entry.number) }
        index.entries.removeAll { latest[$0.name] != $0.number }
    }

    /// The next block whose header is sound and whose payload is there.
    private static func nextBlock(
        _ descriptor: Int32, _ path: String, from start: UInt64, _ fileSize: UInt64
    ) throws(TraceError) -> (BlockHeader, BlockPlace)? {
        var offset = start
        while offset + UInt64(BlockHeader.fixedLength) <= fileSize {
            let count = Int(min(UInt64(windowSize), fileSize - offset))
            let window = try ArchiveFile.read(descriptor, path, at: offset, count: count)
            var position = 0
            while position + BlockHeader.fixedLength <= count {
                if window[position] == BlockHeader.magic[0],
                    let block = try block(descriptor, path, at: offset + UInt64(position), fileSize, window, position)
                {
                    return block
                }
                position += 1
            }
            offset += UInt64(position)
        }
        return nil
    }

    private static func block(
        _ descriptor: Int32, _ path: String, at offset: UInt64, _ fileSize: UInt64, _ window: [UInt8], _ position: Int
    ) throws(TraceError) -> (BlockHeader, BlockPlace)? {
        let length = window.withUnsafeBytes {
            BlockHeader.claimedLength(UnsafeRawBufferPointer(rebasing: $0[position...]))
        }
        guard let length, UInt64(length) <= fileSize - offset else { return nil }
        let bytes = try ArchiveFile.read(descriptor, path, at: offset, count: length)
        guard let header = bytes.withUnsafeBytes({ BlockHeader($0, at: offset) }),
            header.payloadSize <= fileSize - offset - UInt64(length)
        else { return nil }
        let place = BlockPlace(
            offset: offset, headerSize: length, payloadSize: Int(header.payloadSize), rawSize: header.rawSize)
        return (header, place)
    }
}

extension ArchiveEntry {
    /// Adds what a block has of this entry; what should come before it and does not is missing.
    fileprivate mutating func add(_ segment: BlockHeader.Segment, _ chunk: ArchiveChunk) {
        if segment.offset != size { isIncomplete = true }
        chunks.append(chunk)
        size += UInt64(segment.length)
    }
}
