import VestigeCore

/// The index as it is written. See `Schemas/archive-format.md`, "Index".
extension ArchiveIndex {
    static let version: UInt64 = 2
    /// That of archives without carries.
    private static let oldVersion: UInt64 = 1
    private static let mostTextBytes = 1 << 16

    func append(to output: inout ByteColumn) {
        output.appendVarint(Self.version)
        output.appendVarint(nextEntry)
        output.appendVarint(UInt64(blocks.count))
        var end: UInt64 = 0
        for block in blocks {
            output.appendVarint(zigzag(block.offset &- end))
            output.appendVarint(UInt64(block.headerSize))
            output.appendVarint(UInt64(block.payloadSize))
            output.appendVarint(UInt64(block.rawSize))
            end = block.end
        }
        output.appendVarint(UInt64(entries.count))
        for entry in entries { Self.append(entry, to: &output) }
    }

    private static func append(_ entry: ArchiveEntry, to output: inout ByteColumn) {
        output.appendVarint(entry.number)
        output.append(string: entry.name)
        output.appendVarint(entry.size)
        (entry.sha256 ?? []).withUnsafeBytes {
            output.appendVarint(UInt64($0.count))
            output.append($0)
        }
        output.appendVarint(UInt64(entry.mode))
        output.appendVarint(zigzag(UInt64(bitPattern: entry.modifiedNanoseconds)))
        output.append(string: entry.format)
        output.append(string: entry.formatVersion)
        output.appendVarint(UInt64(entry.prefix.count))
        entry.prefix.withUnsafeBytes { output.append($0) }
        output.appendVarint(UInt64(entry.chunks.count))
        var block = 0
        for chunk in entry.chunks {
            output.appendVarint(zigzag(UInt64(bitPattern: Int64(chunk.block - block))))
            output.appendVarint(UInt64(chunk.segment))
            output.appendVarint(UInt64(chunk.length))
            append(chunk.content, to: &output)
            append(chunk.carry, of: chunk, to: &output)
            block = chunk.block
        }
    }

    private static func append(_ carry: SegmentPlace?, of chunk: ArchiveChunk, to output: inout ByteColumn) {
        guard let carry else { return output.appendVarint(0) }
        output.appendVarint(UInt64(carry.length))
        output.appendVarint(zigzag(UInt64(bitPattern: Int64(carry.block - chunk.block))))
        output.appendVarint(UInt64(carry.segment))
    }

    private static func append(_ content: ChunkContent?, to output: inout ByteColumn) {
        guard let content else { return output.appendVarint(0) }
        output.appendVarint(content.wallOffsetNanoseconds == nil ? 1 : 2)
        output.appendVarint(zigzag(UInt64(bitPattern: content.firstNanoseconds)))
        output.appendVarint(zigzag(UInt64(bitPattern: content.lastNanoseconds &- content.firstNanoseconds)))
        if let offset = content.wallOffsetNanoseconds { output.appendVarint(zigzag(UInt64(bitPattern: offset))) }
        output.appendVarint(UInt64(content.goroutines.count))
        var next: UInt64 = 0
        for range in content.goroutines {
            output.appendVarint(range.lowerBound &- next)
            output.appendVarint(range.upperBound &- range.lowerBound)
            next = range.upperBound &+ 1
        }
        output.appendVarint(UInt64(content.regions.count))
        for region in content.regions { output.append(string: region) }
    }

    /// - Returns: nil if it is damaged, or contradicts itself.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var input = ByteColumn(reading: bytes)
        guard let version = input.nextVarint(), (Self.oldVersion...Self.version).contains(version),
            let nextEntry = input.nextVarint(), let blockCount = input.nextVarint(), blockCount <= UInt64(bytes.count)
        else { return nil }
        self.nextEntry = nextEntry
        var end: UInt64 = 0
        for _ in 0..<blockCount {
            guard let step = input.nextVarint(), let headerSize = input.nextVarint(),
                let payloadSize = input.nextVarint(), let rawSize = input.nextVarint(),
                headerSize <= UInt64(BlockHeader.mostLength), payloadSize <= BlockHeader.mostPayload,
                rawSize <= UInt64(BlockHeader.mostRaw)
            else { return nil }
            let offset = end &+ unzigzag(step)
            guard offset < 1 << 62 else { return nil }
            let block = BlockPlace(
                offset: offset, headerSize: Int(headerSize), payloadSize: Int(payloadSize), rawSize: Int(rawSize))
            blocks.append(block)
            end = block.end
        }
        guard let entryCount = input.nextVarint(), entryCount <= UInt64(bytes.count) else { return nil }
        for _ in 0..<entryCount {
            guard let entry = readEntry(&input, hasCarries: version > Self.oldVersion) else { return nil }
            entries.append(entry)
        }
        guard input.isRead else { return nil }
    }

    private func readEntry(_ input: inout ByteColumn, hasCarries: Bool) -> ArchiveEntry? {
        guard let number = input.nextVarint(), let name = input.nextString(limit: EntryName.mostBytes),
            let size = input.nextVarint(), let sumLength = input.nextVarint(),
            sumLength == 0 || sumLength == UInt64(SHA256Sum.length), let sum = input.next(Int(sumLength)),
            let mode = input.nextVarint(), let modified = input.nextVarint(),
            let format = input.nextString(limit: Self.mostTextBytes),
            let version = input.nextString(limit: Self.mostTextBytes), let prefixLength = input.nextVarint(),
            prefixLength <= 16, let prefix = input.next(Int(prefixLength)), let chunkCount = input.nextVarint(),
            chunkCount <= UInt64(input.count)
        else { return nil }
        var entry = ArchiveEntry(
            number: number, name: name, size: size, sha256: sumLength == 0 ? nil : Array(sum),
            mode: UInt32(mode & 0o7777), modifiedNanoseconds: Int64(bitPattern: unzigzag(modified)), format: format,
            formatVersion: version, chunks: [], prefix: Array(prefix))
        var (block, sum64): (Int, UInt64) = (0, 0)
        for _ in 0..<chunkCount {
            guard let step = input.nextVarint(), let segment = input.nextVarint(), let length = input.nextVarint(),
                let place = place(step, from: block, segment, length), let content = Self.readContent(&input)
            else { return nil }
            block = place.block
            sum64 &+= length
            var chunk = ArchiveChunk(place: place, content: content)
            if hasCarries {
                guard let carry = readCarry(&input, of: place) else { return nil }
                chunk.carry = carry
            }
            entry.chunks.append(chunk)
        }
        guard sum64 == size else { return nil }
        return entry
    }

    /// - Returns: nil if it is damaged; `.some(nil)` if there is none.
    private func readCarry(_ input: inout ByteColumn, of place: SegmentPlace) -> SegmentPlace?? {
        guard let length = input.nextVarint() else { return .none }
        if length == 0 { return .some(nil) }
        guard let step = input.nextVarint(), let segment = input.nextVarint(),
            let carry = self.place(step, from: place.block, segment, length)
        else { return .none }
        return .some(carry)
    }

    private func place(_ step: UInt64, from block: Int, _ segment: UInt64, _ length: UInt64) -> SegmentPlace? {
        let next = Int64(block) &+ Int64(bitPattern: unzigzag(step))
        guard next >= 0, next < Int64(blocks.count), length <= UInt64(BlockHeader.mostRaw), segment < 1 << 32 else {
            return nil
        }
        return SegmentPlace(block: Int(next), segment: Int(segment), length: Int(length))
    }

    /// - Returns: nil if it is damaged; `.some(nil)` if nothing is known.
    private static func readContent(_ input: inout ByteColumn) -> ChunkContent?? {
        guard let kind = input.nextVarint(), kind <= 2 else { return .none }
        if kind == 0 { return .some(nil) }
        guard let first = input.nextVarint(), let length = input.nextVarint() else { return .none }
        let start = Int64(bitPattern: unzigzag(first))
        var content = ChunkContent(
            firstNanoseconds: start, lastNanoseconds: start &+ Int64(bitPattern: unzigzag(length)), goroutines: [],
            regions: [])
        if kind == 2 {
            guard let offset = input.nextVarint() else { return .none }
            content.wallOffsetNanoseconds = Int64(bitPattern: unzigzag(offset))
        }
        guard let rangeCount = input.nextVarint(), rangeCount <= UInt64(input.count) else { return .none }
        var next: UInt64 = 0
        for _ in 0..<rangeCount {
            guard let gap = input.nextVarint(), let length = input.nextVarint() else { return .none }
            let (start, overflowsAtStart) = next.addingReportingOverflow(gap)
            let (end, overflowsAtEnd) = start.addingReportingOverflow(length)
            guard !overflowsAtStart, !overflowsAtEnd else { return .none }
            content.goroutines.append(start...end)
            next = end &+ 1
        }
        guard let regionCount = input.nextVarint(), regionCount <= UInt64(input.count) else { return .none }
        for _ in 0..<regionCount {
            guard let region = input.nextString(limit: mostTextBytes) else { return .none }
            content.regions.append(region)
        }
        return .some(content)
    }
}
