import VestigeCore

/// The carries of entries that are being written: in blocks of their own, so that all that come before a moment are
/// read with few others.
struct EntryCarries {
    /// A carry is at most a small part of its generation, but for small ones; where more is left, reading the generation
    /// costs little more.
    static func mostBytes(ofGeneration count: Int) -> Int { min(max(count / 16, 4096), count, blockBytes) }
    private static let blockBytes = 4 << 20

    private var waiting: [(bytes: [UInt8], segment: BlockHeader.Segment, entry: Int)] = []
    private var waitingBytes = 0
    /// By entry, and the offset in it at which the generation begins.
    private var places: [Int: [UInt64: SegmentPlace]] = [:]
    private let encoder: BlockEncoder

    init(level: ArchiveLevel) { encoder = BlockEncoder(level: level) }

    /// True if there is enough for a block. So many names, however long, have room in its header.
    var isFull: Bool { waitingBytes >= Self.blockBytes || waiting.count >= BlockJob.togetherCount }

    /// - Parameter segment: the one that the generation begins with.
    mutating func add(_ carry: [UInt8], of segment: BlockHeader.Segment, entry: Int) {
        var own = segment
        (own.length, own.isCarry) = (carry.count, true)
        waiting.append((carry, own, entry))
        waitingBytes += carry.count
    }

    /// Writes what waits as blocks.
    mutating func write(to store: inout ArchiveStore, _ blocks: inout [BlockPlace]) throws(TraceError) {
        while !waiting.isEmpty {
            let now = waiting.prefix(BlockJob.togetherCount)
            waiting.removeFirst(now.count)
            let results = encoder.encode(now.map(\.bytes))
            var segments: [BlockHeader.Segment] = []
            for (carry, result) in zip(now, results) {
                var segment = carry.segment
                segment.method = result.method
                places[carry.entry, default: [:]][segment.offset] = SegmentPlace(
                    block: blocks.count, segment: segments.count, length: segment.length)
                segments.append(segment)
            }
            blocks.append(try store.append(segments, encoder))
        }
        waitingBytes = 0
    }

    /// The entries with their carries.
    func attached(to entries: [ArchiveEntry]) -> [ArchiveEntry] {
        var entries = entries
        for (entry, carries) in places {
            var offset: UInt64 = 0
            for chunk in entries[entry].chunks.indices {
                entries[entry].chunks[chunk].carry = carries[offset]
                offset += UInt64(entries[entry].chunks[chunk].length)
            }
        }
        return entries
    }
}
