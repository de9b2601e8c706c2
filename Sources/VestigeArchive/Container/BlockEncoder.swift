import VestigeCore
import VestigeReaders

/// What becomes one block.
struct BlockJob {
    var pieces: [Piece] = []
    var rawSize = 0

    /// Pieces from here on make a block of their own.
    private static let largePiece = 1 << 20
    /// Small pieces are put together up to this size: they share columns and repetitions.
    private static let togetherSize = 8 << 20
    /// So many that their names, however long, have room in a header.
    static let togetherCount = 1000

    /// Puts pieces into blocks, in their order.
    static func jobs(for pieces: [Piece]) -> [BlockJob] {
        var jobs: [BlockJob] = []
        var open = BlockJob()
        func close() {
            if !open.pieces.isEmpty { jobs.append(open) }
            open = BlockJob()
        }
        for piece in pieces {
            if piece.length >= largePiece { close() }
            if open.rawSize + piece.length > togetherSize || open.pieces.count == togetherCount { close() }
            open.pieces.append(piece)
            open.rawSize += piece.length
            if piece.length >= largePiece { close() }
        }
        close()
        return jobs
    }
}

/// How a piece was encoded, and what is known of it.
struct EncodedPiece {
    var method: BlockHeader.Segment.Method
    var content: ChunkContent?
    /// Of a part of a generation.
    var facts: SegmentFacts?
    /// Of the generation that begins with the piece.
    var carry: [UInt8]?
}

/// Makes blocks. Each worker has one.
final class BlockEncoder {
    private let columns = ColumnSet()
    private let compressor = ZstdCompressor()
    private var encoder: SegmentEncoder
    private let level: ArchiveLevel
    private var raw = ByteColumn()
    private(set) var payload = ByteColumn()
    private var source: ByteSource?

    init(level: ArchiveLevel) {
        self.level = level
        encoder = SegmentEncoder(columns: columns)
    }

    deinit {
        raw.free()
        payload.free()
    }

    /// The bytes of the job's pieces, one after the other.
    var content: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: raw.bytes[..<rawSize]) }
    private var rawSize = 0

    /// Reads a job's pieces and encodes them; `content` and `payload` hold the result.
    /// - Returns: how each piece was encoded, and what it is about.
    /// - Throws: `unreadable` if a file is shorter than it was.
    func encode(_ job: BlockJob) throws(TraceError) -> [EncodedPiece] {
        rawSize = job.rawSize
        let target = raw.resize(job.rawSize + ModelEvent.longestEvent)
        var position = 0
        for piece in job.pieces {
            try read(piece, into: UnsafeMutableRawBufferPointer(rebasing: target[position..<position + piece.length]))
            position += piece.length
        }
        var results = encodeContent(job)
        for (number, piece) in job.pieces.enumerated() {
            if let range = piece.carried { results[number].carry = try carry(of: range, in: piece) }
        }
        return results
    }

    /// A carry that is worth its room.
    private func carry(of range: Range<UInt64>, in piece: Piece) throws(TraceError) -> [UInt8]? {
        let carry = try GenerationCarry.make(source(of: piece), range)
        guard let carry, carry.count <= EntryCarries.mostBytes(ofGeneration: range.count) else { return nil }
        return carry
    }

    /// Encodes generations that are in memory.
    func encode(_ generations: [[UInt8]]) -> [EncodedPiece] {
        encodeAll(generations.map { ($0, true) })
    }

    /// Encodes some segments of another block anew.
    /// - Parameter content: of that block.
    /// - Returns: the segments as they are now.
    func encode(
        _ header: BlockHeader, _ numbers: [Int], _ other: UnsafeRawBufferPointer
    ) -> [BlockHeader.Segment] {
        let contents = numbers.map { number in
            let segment = header.segments[number]
            let start = header.segments[..<number].reduce(0) { $0 + $1.length }
            return (Array(other[start..<start + segment.length]), segment.method == .model)
        }
        return zip(numbers, encodeAll(contents)).map { number, result in
            var segment = header.segments[number]
            segment.method = result.method
            return segment
        }
    }

    private func encodeAll(_ contents: [(bytes: [UInt8], isTrace: Bool)]) -> [EncodedPiece] {
        var job = BlockJob()
        raw.removeAll()
        for (bytes, isTrace) in contents {
            bytes.withUnsafeBytes { raw.append($0) }
            job.pieces.append(Piece(entry: 0, path: "", offset: 0, length: bytes.count, isTrace: isTrace))
            job.rawSize += bytes.count
        }
        _ = raw.extend(ModelEvent.longestEvent)
        rawSize = job.rawSize
        return encodeContent(job)
    }

    private func encodeContent(_ job: BlockJob) -> [EncodedPiece] {
        let result = fillColumns(job, isModelled: true) ?? fillColumns(job, isModelled: false)!
        payload.removeAll()
        BlockPayload.append(columns, level: level, compressor, to: &payload)
        return result
    }

    /// - Returns: nil if the model refuses, which it does for nothing that a runtime writes.
    private func fillColumns(
        _ job: BlockJob, isModelled: Bool
    ) -> [EncodedPiece]? {
        columns.removeAll()
        var results: [EncodedPiece] = []
        var position = 0
        for piece in job.pieces {
            let bytes = UnsafeMutableBufferPointer(start: raw.base.map { $0 + position }, count: piece.length)
            position += piece.length
            guard piece.isTrace, isModelled else {
                columns.columns[ColumnID.stored].append(UnsafeRawBufferPointer(bytes))
                results.append(EncodedPiece(method: .stored))
                continue
            }
            guard encoder.append(bytes) else { return nil }
            let content = piece.generation.flatMap {
                GenerationContent(UnsafeRawBufferPointer(bytes), $0).content(encoder.facts)
            }
            let facts = piece.large == nil ? nil : encoder.facts
            results.append(EncodedPiece(method: .model, content: content, facts: facts))
        }
        if isModelled, columns.byteCount > BlockPayload.mostColumnBytes(rawSize: job.rawSize) { return nil }
        return results
    }

    private func source(of piece: Piece) throws(TraceError) -> ByteSource {
        if let source, source.path == piece.path { return source }
        let opened = try ByteSource.openPlain(piece.path)
        source = opened
        return opened
    }

    private func read(_ piece: Piece, into target: UnsafeMutableRawBufferPointer) throws(TraceError) {
        let count = try source(of: piece).read(at: piece.offset, into: target)
        guard count == piece.length else {
            throw TraceError(
                .unreadable, file: piece.path, byteOffset: piece.offset + UInt64(count),
                expected: "a file that does not shrink while it is read", found: "the end of the file")
        }
    }
}
