import Glibc
import VestigeCore

/// The end of an archive that is written to.
struct ArchiveStore {
    let descriptor: Int32
    let path: String
    /// Where the next byte goes.
    private(set) var position: UInt64 = 0

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        try write(bytes, at: position)
        position += UInt64(bytes.count)
    }

    /// Appends a block whose payload an encoder has.
    mutating func append(
        _ segments: [BlockHeader.Segment], _ encoder: BlockEncoder
    ) throws(TraceError) -> BlockPlace {
        var header = BlockHeader(
            segments: segments, payload: encoder.payload.bytes, contentSum: XXHash.sum(encoder.content))
        return try append(&header, payload: encoder.payload.bytes)
    }

    mutating func append(
        _ header: inout BlockHeader, payload: UnsafeRawBufferPointer
    ) throws(TraceError) -> BlockPlace {
        var bytes = ByteColumn()
        defer { bytes.free() }
        header.append(to: &bytes, at: position)
        let place = BlockPlace(
            offset: position, headerSize: bytes.count, payloadSize: payload.count, rawSize: header.rawSize)
        try append(bytes.bytes)
        try append(payload)
        return place
    }

    /// Appends the index, and makes it count: not before everything is on disk.
    mutating func commit(_ index: ArchiveIndex, number: UInt64) throws(TraceError) {
        var (raw, packed) = (ByteColumn(), ByteColumn())
        defer { for column in [raw, packed] { column.free() } }
        index.append(to: &raw)
        ZstdCompressor().append(raw.bytes, level: ArchiveLevel.default.stored, to: &packed)
        let slot = ArchiveHeader.Slot(
            number: number, indexOffset: position, indexSize: UInt64(packed.count), indexRawSize: UInt64(raw.count),
            indexSum: XXHash.sum(packed.bytes))
        try append(packed.bytes)
        var slotBytes = ByteColumn()
        defer { slotBytes.free() }
        ArchiveHeader.append(slot, to: &slotBytes)
        try append(slotBytes.bytes)
        try synchronize()
        try write(slotBytes.bytes, at: UInt64(ArchiveHeader.slotOffset(number)))
        try synchronize()
    }

    /// Continues behind an end.
    mutating func move(to end: UInt64) throws(TraceError) {
        guard ftruncate(descriptor, off_t(end)) == 0 else { throw failure() }
        position = end
    }

    private func synchronize() throws(TraceError) {
        guard fsync(descriptor) == 0 else { throw failure() }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(TraceError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw failure()
            }
        }
    }

    private func failure() -> TraceError {
        TraceError(.outputFailed, file: path, expected: "room and permission to write", found: systemErrorText())
    }
}

/// An archive that nobody else may change meanwhile.
struct LockedArchive {
    let file: ArchiveFile
    let slot: ArchiveHeader.Slot

    /// - Throws: `usage` if somebody else is changing it; `unreadable` if its index is lost.
    init(_ path: String) throws(TraceError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code: TraceError.Code = errno == ENOENT ? .unreadable : .outputFailed
            throw TraceError(code, file: path, expected: "an archive that can be changed", found: systemErrorText())
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.isStill(path, descriptor) else {
            close(descriptor)
            throw TraceError(.usage, file: path, expected: "an archive that nobody is changing", found: "one in use")
        }
        file = try ArchiveFile(path, descriptor: descriptor)
        guard let slot = file.slot else {
            throw TraceError(
                .damaged, file: path, expected: "an archive with an index",
                found: "none; extract what is left (vestige archive extract) and make a new one")
        }
        self.slot = slot
    }

    /// The archive may have been replaced between opening and locking.
    private static func isStill(_ path: String, _ descriptor: Int32) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev
            && opened.st_ino == named.st_ino
    }

    /// Its end, without what a writer left that died.
    func store() throws(TraceError) -> ArchiveStore {
        var store = ArchiveStore(descriptor: file.descriptor, path: file.path)
        try store.move(to: slot.end)
        return store
    }
}
