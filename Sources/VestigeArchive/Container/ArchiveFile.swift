import Glibc
import Synchronization
import VestigeCore

/// An archive that is open for reading.
///
/// Reads with `pread` only, so that several threads can use it at once. What the file says of sizes is held
/// against the size of the file before memory is taken for it.
public final class ArchiveFile: @unchecked Sendable {
    public let path: String
    let descriptor: Int32
    public let fileSize: UInt64
    let index: ArchiveIndex
    /// The commit that this is the state of; nil if it was found again without an index.
    let slot: ArchiveHeader.Slot?

    /// The last block of several small entries that was decoded: its neighbours are asked for next.
    private let heldBlock = Mutex<HeldBlock?>(nil)

    private struct HeldBlock {
        var number: Int
        var header: BlockHeader
        var content: [UInt8]
    }

    private let readBlocks = Mutex<Set<Int>>([])
    /// How many blocks have been read, each counted once, and how many bytes they have in the file.
    public var blocksRead: Int { readBlocks.withLock { $0.count } }
    public var blockBytesRead: UInt64 { readBlocks.withLock { $0.reduce(0) { $0 + index.blocks[$1].size } } }

    /// True if no index could be read, and entries were found again by their blocks: some may be incomplete,
    /// and some may have been removed.
    public var isRecovered: Bool { slot == nil }
    public var entries: [ArchiveEntry] { index.entries }

    /// - Throws: `unreadable` if this is no archive or not a file.
    public convenience init(_ path: String) throws(TraceError) {
        try self.init(path, descriptor: Self.open(path, O_RDONLY))
    }

    /// Takes over a descriptor.
    init(_ path: String, descriptor: Int32) throws(TraceError) {
        self.path = path
        self.descriptor = descriptor
        var status = stat()
        fstat(descriptor, &status)
        fileSize = UInt64(max(0, status.st_size))
        let bytes = try Self.read(descriptor, path, at: 0, count: min(ArchiveHeader.length, Int(fileSize)))
        guard status.st_mode & S_IFMT == S_IFREG, let header = bytes.withUnsafeBytes({ ArchiveHeader($0) }) else {
            close(descriptor)
            throw TraceError(.unreadable, file: path, expected: "an archive", found: "something else")
        }
        var found: (ArchiveHeader.Slot, ArchiveIndex)?
        for slot in header.candidates(copy: try Self.slotCopy(descriptor, path, fileSize)) where found == nil {
            if let index = try Self.readIndex(descriptor, path, slot, fileSize) { found = (slot, index) }
        }
        slot = found?.0
        if let found { index = found.1 } else { index = try ArchiveRecovery.index(descriptor, path, fileSize) }
    }

    deinit { close(descriptor) }

    /// Whether a file's first bytes are an archive's.
    public static func isArchive(_ prefix: UnsafeRawBufferPointer) -> Bool {
        ArchiveHeader(prefix) != nil || ArchiveHeader.isBeginning(prefix)
    }

    static func open(_ path: String, _ flags: Int32) throws(TraceError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TraceError(.unreadable, file: path, expected: "an archive that can be read", found: systemErrorText())
        }
        return descriptor
    }

    /// The copy of a slot that the file ends with, if it does.
    private static func slotCopy(
        _ descriptor: Int32, _ path: String, _ fileSize: UInt64
    ) throws(TraceError) -> ArchiveHeader.Slot? {
        let length = UInt64(ArchiveHeader.slotLength)
        let bytes = try read(descriptor, path, at: fileSize - length, count: Int(length))
        guard let slot = bytes.withUnsafeBytes({ ArchiveHeader.slot($0) }), slot.end == fileSize else { return nil }
        return slot
    }

    private static func readIndex(
        _ descriptor: Int32, _ path: String, _ slot: ArchiveHeader.Slot, _ fileSize: UInt64
    ) throws(TraceError) -> ArchiveIndex? {
        // zstd makes at best a thousandth or so of what an index holds.
        guard slot.end - UInt64(ArchiveHeader.slotLength) <= fileSize, slot.indexRawSize <= slot.indexSize &* 4096,
            slot.indexRawSize < 1 << 31
        else {
            return nil
        }
        let packed = try read(descriptor, path, at: slot.indexOffset, count: Int(slot.indexSize))
        guard packed.withUnsafeBytes({ XXHash.sum($0) }) == slot.indexSum else { return nil }
        var raw = ByteColumn()
        defer { raw.free() }
        let target = raw.resize(Int(slot.indexRawSize))
        guard packed.withUnsafeBytes({ ZstdDecompressor().decompress($0, into: target) }),
            let index = ArchiveIndex(raw.bytes), index.isSound(end: slot.indexOffset)
        else { return nil }
        return index
    }

    /// Reads exactly so many bytes.
    static func read(
        _ descriptor: Int32, _ path: String, at offset: UInt64, count: Int
    ) throws(TraceError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        var failure: TraceError?
        bytes.withUnsafeMutableBytes { buffer in
            while done < count, failure == nil {
                let step = pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset) + off_t(done))
                if step > 0 {
                    done += step
                } else if step == 0 || errno != EINTR {
                    let found = step == 0 ? "the end of the file" : systemErrorText()
                    failure = TraceError(
                        step == 0 ? .truncated : .unreadable, file: path, byteOffset: offset + UInt64(done),
                        expected: "\(count - done) more bytes", found: found)
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads a block and decodes it.
    /// - Returns: its header; the decoder has its content.
    /// - Throws: `damaged` or `truncated`, naming the block.
    func decode(block number: Int, with decoder: BlockDecoder) throws(TraceError) -> BlockHeader {
        let place = index.blocks[number]
        let context = "block \(number + 1) of \(index.blocks.count)"
        guard place.end <= fileSize else {
            throw TraceError(
                .truncated, file: path, byteOffset: place.offset, context: [context],
                expected: "\(place.size) bytes", found: "\(fileSize - min(fileSize, place.offset))")
        }
        let bytes = try Self.read(descriptor, path, at: place.offset, count: Int(place.size))
        readBlocks.withLock { _ = $0.insert(number) }
        let result: Result<BlockHeader, Defect> = bytes.withUnsafeBytes { bytes in
            let headerBytes = UnsafeRawBufferPointer(rebasing: bytes[..<place.headerSize])
            guard let header = BlockHeader(headerBytes, at: place.offset), header.rawSize == place.rawSize else {
                return .failure(Defect(text: "a header with another checksum"))
            }
            let payload = UnsafeRawBufferPointer(rebasing: bytes[place.headerSize...])
            if let defect = decoder.decode(header, payload: payload) { return .failure(Defect(text: defect)) }
            return .success(header)
        }
        switch result {
        case .success(let header): return header
        case .failure(let defect):
            throw TraceError(
                .damaged, file: path, byteOffset: place.offset, context: [context], expected: "a sound block",
                found: defect.text)
        }
    }

    private struct Defect: Error { var text: String }

    /// Keeps a block of several segments.
    func hold(_ header: BlockHeader, _ content: UnsafeRawBufferPointer, block: Int) {
        guard header.segments.count > 1 else { return }
        let held = HeldBlock(number: block, header: header, content: Array(content))
        heldBlock.withLock { $0 = held }
    }

    /// The bytes of a segment whose block is kept; nil if it is another.
    func heldBytes(
        of place: SegmentPlace, _ entry: ArchiveEntry, isCarry: Bool
    ) throws(TraceError) -> [UInt8]? {
        guard let held = heldBlock.withLock({ $0?.number == place.block ? $0 : nil }) else { return nil }
        let range = try range(of: place, entry, held.header, isCarry)
        return Array(held.content[range])
    }

    /// The bytes of a segment in a block that was decoded.
    /// - Parameter isCarry: whether that is what the index says of it.
    /// - Throws: `damaged` if the block is about something else than the index says.
    func bytes(
        of place: SegmentPlace, _ entry: ArchiveEntry, _ header: BlockHeader, _ decoder: BlockDecoder,
        isCarry: Bool = false
    ) throws(TraceError) -> UnsafeRawBufferPointer {
        try UnsafeRawBufferPointer(rebasing: decoder.content[range(of: place, entry, header, isCarry)])
    }

    private func range(
        of place: SegmentPlace, _ entry: ArchiveEntry, _ header: BlockHeader, _ isCarry: Bool
    ) throws(TraceError) -> Range<Int> {
        guard header.segments.indices.contains(place.segment), header.segments[place.segment].length == place.length,
            header.segments[place.segment].entry == entry.number, header.segments[place.segment].isCarry == isCarry
        else {
            throw TraceError(
                .damaged, file: path, context: [entry.name, "block \(place.block + 1)"],
                expected: "what the index says", found: "other segments")
        }
        let start = header.segments[..<place.segment].reduce(0) { $0 + $1.length }
        return start..<start + place.length
    }
}

extension ArchiveIndex {
    /// Whether blocks follow each other without overlap, entries are told apart by name, and no segment is
    /// in two of them: so that nothing can be extracted that takes more room than blocks hold.
    func isSound(end: UInt64) -> Bool {
        var last = UInt64(ArchiveHeader.length)
        for block in blocks {
            guard block.offset >= last, block.end <= end else { return false }
            last = block.end
        }
        var (names, segments): (Set<String>, Set<UInt64>) = ([], [])
        for entry in entries {
            guard names.insert(entry.name).inserted else { return false }
            for place in entry.chunks.lazy.flatMap({ [$0.place, $0.carry] }).compactMap({ $0 }) {
                guard place.length <= blocks[place.block].rawSize,
                    segments.insert(UInt64(place.block) << 32 | UInt64(place.segment)).inserted
                else { return false }
            }
        }
        return true
    }
}
