import VestigeCore

/// An entry's bytes, read anywhere: a block is decoded when something of it is asked for.
///
/// A block with damage fails when it is asked for.
public final class EntryContent: RandomAccessContent {
    public let entry: ArchiveEntry
    public var size: UInt64 { entry.size }

    private let archive: ArchiveFile
    private let decoder = BlockDecoder()
    /// Where each chunk begins.
    private let starts: [UInt64]
    /// The last chunks that were decoded, the latest last.
    private var held: [(chunk: Int, bytes: [UInt8])] = []
    private static let heldBytes = 4 * BlockHeader.mostRaw

    public init(_ archive: ArchiveFile, _ entry: ArchiveEntry) {
        self.archive = archive
        self.entry = entry
        var starts: [UInt64] = []
        var end: UInt64 = 0
        for chunk in entry.chunks {
            starts.append(end)
            end += UInt64(chunk.length)
        }
        self.starts = starts
    }

    /// Where a chunk begins in the entry; behind the last one, where the entry ends.
    public func offset(ofChunk number: Int) -> UInt64 { number < starts.count ? starts[number] : size }

    /// A source whose content this is.
    public func source() -> ByteSource { ByteSource(content: self, path: "\(archive.path)/\(entry.name)") }

    public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        let total = Int(min(UInt64(buffer.count), size - min(offset, size)))
        // What a trace begins with is known without its first block.
        if offset + UInt64(total) <= UInt64(entry.prefix.count) {
            buffer.copyBytes(from: entry.prefix[Int(offset)..<Int(offset) + total])
            return total
        }
        var done = 0
        while done < total {
            let position = offset + UInt64(done)
            let chunk = self.chunk(at: position)
            let within = Int(position - starts[chunk])
            let count = min(total - done, entry.chunks[chunk].length - within)
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            try withBytes(of: chunk) {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[within..<within + count]))
            }
            done += count
        }
        return total
    }

    /// The last chunk that begins at or before `offset`; empty ones are passed over.
    private func chunk(at offset: UInt64) -> Int {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }

    private func withBytes(of chunk: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws(TraceError) {
        if held.last?.chunk != chunk {
            if let place = held.firstIndex(where: { $0.chunk == chunk }) {
                held.append(held.remove(at: place))
            } else {
                try decode(chunk)
            }
        }
        held[held.count - 1].bytes.withUnsafeBytes(body)
    }

    private func decode(_ number: Int) throws(TraceError) {
        let chunk = entry.chunks[number]
        let bytes = try Self.bytes(of: chunk.place, entry, archive, decoder)
        var sum = held.reduce(chunk.length) { $0 + $1.bytes.count }
        while sum > Self.heldBytes, !held.isEmpty { sum -= held.removeFirst().bytes.count }
        held.append((number, bytes))
    }

    /// The bytes of a segment, whose block is decoded if it is not the last one that was.
    static func bytes(
        of place: SegmentPlace, _ entry: ArchiveEntry, _ archive: ArchiveFile, _ decoder: BlockDecoder,
        isCarry: Bool = false
    ) throws(TraceError) -> [UInt8] {
        if let known = try archive.heldBytes(of: place, entry, isCarry: isCarry) { return known }
        let header = try archive.decode(block: place.block, with: decoder)
        let bytes = try Array(archive.bytes(of: place, entry, header, decoder, isCarry: isCarry))
        archive.hold(header, decoder.content, block: place.block)
        return bytes
    }

    /// The carry of the generation that begins with a chunk; nil if there is none that can be read, which costs no
    /// more than reading the generation.
    public func carry(ofChunk number: Int) -> [UInt8]? {
        guard let carry = entry.chunks[number].carry else { return nil }
        return try? Self.bytes(of: carry, entry, archive, decoder, isCarry: true)
    }

    // MARK: - Parts

    /// What is asked of an entry; nil for anything.
    public struct Question: Sendable {
        /// Times in nanoseconds of the trace.
        public var nanoseconds: ClosedRange<Int64>?
        public var goroutines: Set<UInt64>?
        /// Whether a region of a name that begins in a part makes that part wanted.
        public var isRegionWanted: (@Sendable (String) -> Bool)?

        public init() {}
    }

    /// The stretches of the entry, whole generations, that can have what is asked for by what the index says.
    /// Neighbouring ones are one.
    public func stretches(for question: Question) -> [Range<UInt64>] {
        var result: [Range<UInt64>] = []
        for (number, chunk) in entry.chunks.enumerated() where Self.isWanted(chunk, question) {
            let end = starts[number] + UInt64(chunk.length)
            // The first generation begins behind the header.
            let start = number == 0 ? UInt64(entry.prefix.count) : starts[number]
            if result.last?.upperBound == start {
                result[result.count - 1] = result[result.count - 1].lowerBound..<end
            } else if start < end {
                result.append(start..<end)
            }
        }
        return result
    }

    private static func isWanted(_ chunk: ArchiveChunk, _ question: Question) -> Bool {
        guard let content = chunk.content else { return true }
        if let times = question.nanoseconds,
            times.lowerBound > content.lastNanoseconds &+ ChunkContent.orderSlackNanoseconds
                || times.upperBound < content.firstNanoseconds
        {
            return false
        }
        if let goroutines = question.goroutines, !content.mentions(anyOf: goroutines) { return false }
        if let isRegionWanted = question.isRegionWanted, !content.regions.contains(where: isRegionWanted) {
            return false
        }
        return true
    }
}

extension ChunkContent {
    /// A reader makes times strictly increasing, so that events may come out somewhat later than they say.
    public static let orderSlackNanoseconds: Int64 = 1_000_000

    /// Whether a goroutine is mentioned.
    public func mentions(_ goroutine: UInt64) -> Bool {
        var (low, high) = (0, goroutines.count)
        while low < high {
            let middle = (low + high) / 2
            if goroutines[middle].upperBound < goroutine { low = middle + 1 } else { high = middle }
        }
        return low < goroutines.count && goroutines[low].contains(goroutine)
    }

    func mentions(anyOf ids: Set<UInt64>) -> Bool { ids.contains(where: mentions) }
}
