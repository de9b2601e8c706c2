import Glibc
import VestigeCore

/// Writes archives: new ones, and more into those that exist.
///
/// Blocks are written behind everything that counts, then an index, then the slot of the header that makes it
/// count. Whatever dies in between leaves the archive as it was.
public struct ArchiveWriter {
    public var level = ArchiveLevel.default
    /// Finds a file's format; nil if it is in none that is known.
    public var detect: (ByteSource) -> InputFormat? = { _ in nil }
    public var onProgress: ((_ bytesDone: UInt64, _ byteCount: UInt64) -> Void)?

    public init() {}

    /// What a change has made of an archive.
    public struct Outcome: Sendable {
        /// Entries that were added or removed, and their size in bytes.
        public var entryCount = 0
        public var byteCount: UInt64 = 0
        /// Size of the archive before and after.
        public var sizeBefore: UInt64 = 0
        public var sizeAfter: UInt64 = 0
    }

    /// Makes a new archive, which appears under its name when it is complete.
    /// - Throws: `usage` if the name is taken or names of inputs collide; `unreadable` for an input;
    ///   `outputFailed`.
    public func create(_ path: String, _ inputs: [ArchiveInput], overwrites: Bool) throws(TraceError) -> Outcome {
        try Self.checkNames(inputs, existing: [])
        if [".gz", ".zst"].contains(where: path.lowercased().hasSuffix) {
            throw TraceError(
                .usage, file: path, expected: "a name without a suffix for compression: archives are compressed",
                found: "one with it")
        }
        let file = try OutputFile(path, overwrites: overwrites)
        guard file.isReplaceable else {
            throw TraceError(.usage, file: path, expected: "a file for the archive", found: "a pipe or device")
        }
        var store = ArchiveStore(descriptor: file.descriptor, path: path)
        var header = ByteColumn()
        defer { header.free() }
        ArchiveHeader.appendEmpty(to: &header)
        try store.append(header.bytes)
        var index = ArchiveIndex()
        let outcome = try append(inputs, to: &store, &index)
        try store.commit(index, number: 1)
        try file.commit()
        return Outcome(
            entryCount: inputs.count, byteCount: outcome, sizeBefore: 0, sizeAfter: store.position)
    }

    /// Adds files to an archive.
    /// - Parameter overwrites: whether an entry of the same name may be replaced.
    public func add(_ path: String, _ inputs: [ArchiveInput], overwrites: Bool) throws(TraceError) -> Outcome {
        let held = try LockedArchive(path)
        try Self.checkNames(inputs, existing: overwrites ? [] : held.file.entries.map(\.name))
        var index = held.file.index
        let names = Set(inputs.map(\.name))
        index.entries.removeAll { names.contains($0.name) }
        var store = try held.store()
        do throws(TraceError) {
            let byteCount = try append(inputs, to: &store, &index)
            try store.commit(index, number: held.slot.number + 1)
            return Outcome(
                entryCount: inputs.count, byteCount: byteCount, sizeBefore: held.slot.end, sizeAfter: store.position)
        } catch {
            // What is behind the end counts for nothing, but takes room.
            ftruncate(held.file.descriptor, off_t(held.slot.end))
            throw error
        }
    }

    /// Removes entries from the index; their blocks stay until the archive is compacted.
    public func remove(_ path: String, _ isRemoved: (ArchiveEntry) -> Bool) throws(TraceError) -> Outcome {
        let held = try LockedArchive(path)
        var index = held.file.index
        let removed = index.entries.filter(isRemoved)
        index.entries.removeAll(where: isRemoved)
        var store = try held.store()
        try store.commit(index, number: held.slot.number + 1)
        return Outcome(
            entryCount: removed.count, byteCount: removed.reduce(0) { $0 + $1.size }, sizeBefore: held.slot.end,
            sizeAfter: store.position)
    }

    private static func checkNames(_ inputs: [ArchiveInput], existing: [String]) throws(TraceError) {
        var known: [String: String] = [:]
        for name in existing { known[name] = "an entry of the archive (or -f to replace it)" }
        for input in inputs {
            if let defect = EntryName.defect(input.name) {
                throw TraceError(.usage, file: input.path, expected: "a name that can be an entry's", found: defect)
            }
            if let other = known.updateValue(input.path, forKey: input.name) {
                throw TraceError(
                    .usage, file: input.path, expected: "names that differ",
                    found: "\(input.name), which is also \(other)")
            }
        }
    }

    // MARK: - Entries

    /// Appends files as entries.
    /// - Returns: how many bytes they have.
    private func append(
        _ inputs: [ArchiveInput], to store: inout ArchiveStore, _ index: inout ArchiveIndex
    ) throws(TraceError) -> UInt64 {
        var pieces: [Piece] = []
        var entries: [ArchiveEntry] = []
        for (place, input) in inputs.enumerated() {
            let survey = try EntrySurvey(input, number: index.nextEntry, index: place, detect: detect)
            index.nextEntry += 1
            pieces += survey.pieces
            entries.append(survey.entry)
        }
        let jobs = BlockJob.jobs(for: pieces)
        let total = pieces.reduce(UInt64(0)) { $0 + UInt64($1.length) }
        var assembly = EntryAssembly(entries: entries)
        var carries = EntryCarries(level: level)
        try OrderedWork.run(jobs.count) {
            BlockEncoder(level: level)
        } work: { encoder, job throws(TraceError) in
            try encoder.encode(jobs[job])
        } deliver: { encoder, job, results throws(TraceError) in
            let segments = assembly.take(jobs[job], results, encoder.content, block: index.blocks.count)
            index.blocks.append(try store.append(segments, encoder))
            for (number, result) in results.enumerated() {
                guard let carry = result.carry else { continue }
                carries.add(carry, of: segments[number], entry: jobs[job].pieces[number].entry)
            }
            if carries.isFull { try carries.write(to: &store, &index.blocks) }
            onProgress?(assembly.byteCount, total)
        }
        try carries.write(to: &store, &index.blocks)
        index.entries += carries.attached(to: assembly.finish())
        return total
    }
}

/// Puts entries together from the pieces that are done, in their order.
private struct EntryAssembly {
    private var entries: [ArchiveEntry]
    private var offsets: [UInt64]
    private let sum = SHA256Sum()
    private(set) var byteCount: UInt64 = 0

    init(entries: [ArchiveEntry]) {
        self.entries = entries
        offsets = entries.map { _ in 0 }
    }

    mutating func take(
        _ job: BlockJob, _ results: [EncodedPiece],
        _ content: UnsafeRawBufferPointer, block: Int
    ) -> [BlockHeader.Segment] {
        var position = 0
        var segments: [BlockHeader.Segment] = []
        for (piece, result) in zip(job.pieces, results) {
            let place = piece.entry
            segments.append(
                BlockHeader.Segment(
                    entry: entries[place].number, name: entries[place].name, entrySize: entries[place].size,
                    offset: offsets[place], length: piece.length, method: result.method))
            entries[place].chunks.append(
                ArchiveChunk(
                    place: SegmentPlace(block: block, segment: segments.count - 1, length: piece.length),
                    content: result.content))
            let bytes = UnsafeRawBufferPointer(rebasing: content[position..<position + piece.length])
            sum.update(bytes)
            // All parts of a generation are about the same.
            if let large = piece.large, let whole = large.take(result.facts, bytes, at: piece.offset) {
                for chunk in entries[place].chunks.indices.suffix(large.pieceCount) {
                    entries[place].chunks[chunk].content = whole
                }
            }
            position += piece.length
            offsets[place] += UInt64(piece.length)
            byteCount += UInt64(piece.length)
            if offsets[place] == entries[place].size { entries[place].sha256 = sum.finish() }
        }
        return segments
    }

    /// The entries; those without bytes have had no piece.
    mutating func finish() -> [ArchiveEntry] {
        for place in entries.indices where entries[place].sha256 == nil { entries[place].sha256 = sum.finish() }
        return entries
    }
}
