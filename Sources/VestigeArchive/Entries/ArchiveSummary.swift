import VestigeCore

/// What an archive comes to.
public struct ArchiveSummary: Sendable {
    public let blockCount: Int
    /// Bytes of all entries.
    public let rawBytes: UInt64
    /// Bytes of blocks and leftovers that no entry needs.
    public let unneededBytes: UInt64
}

extension ArchiveFile {
    public var summary: ArchiveSummary {
        var isNeeded = [Bool](repeating: false, count: index.blocks.count)
        for chunk in entries.lazy.flatMap(\.chunks) {
            isNeeded[chunk.block] = true
            if let carry = chunk.carry { isNeeded[carry.block] = true }
        }
        let needed = zip(index.blocks, isNeeded).reduce(UInt64(0)) { $0 + ($1.1 ? $1.0.size : 0) }
        let fixed = UInt64(ArchiveHeader.length + ArchiveHeader.slotLength) + (slot?.indexSize ?? 0)
        return ArchiveSummary(
            blockCount: index.blocks.count, rawBytes: entries.reduce(0) { $0 + $1.size },
            unneededBytes: fileSize - min(fileSize, needed + fixed))
    }
}

extension ChunkContent {
    /// How many goroutines are mentioned.
    public var goroutineCount: UInt64 {
        goroutines.reduce(0) { $0 &+ ($1.upperBound &- $1.lowerBound) &+ 1 }
    }
}

extension EntryContent {
    /// Writes what the entry begins with and some stretches of it.
    /// - Returns: how many bytes.
    public func write(_ stretches: [Range<UInt64>], to sink: any ByteSink) throws(TraceError) -> UInt64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var total: UInt64 = 0
        for stretch in [0..<UInt64(entry.prefix.count)] + stretches {
            var offset = stretch.lowerBound
            while offset < stretch.upperBound {
                let room = Int(min(UInt64(buffer.count), stretch.upperBound - offset))
                let count = try read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
                guard count > 0 else { break }
                try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                offset += UInt64(count)
                total += UInt64(count)
            }
        }
        return total
    }
}
