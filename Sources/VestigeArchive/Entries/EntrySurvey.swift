import Glibc
import VestigeCore
import VestigeReaders

/// A file that is to become an entry.
public struct ArchiveInput: Sendable {
    public var path: String
    public var name: String

    public init(path: String, name: String) {
        self.path = path
        self.name = name
    }
}

/// A run of a file's bytes that becomes one segment.
struct Piece {
    /// The entry, among those being written.
    var entry: Int
    var path: String
    var offset: UInt64
    var length: Int
    /// True if the model may know it.
    var isTrace = false
    /// Set if it is one whole generation.
    var generation: GenerationPlace?
    /// Set if it is a part of one that is larger than a block.
    var large: LargeGeneration?
    /// Where the generation is, in its file, that begins with the piece and of which a carry is wanted.
    var carried: Range<UInt64>?
}

/// Where a generation has what names and times need, as offsets in its piece.
struct GenerationPlace {
    struct Batch {
        var payload: Int
        var size: Int
        var ticks: UInt64
    }

    var strings: [Batch]
    var sync: [Batch]
    var eventBatchCount: Int
    /// Start of its earliest batch of any kind.
    var minimumTicks: UInt64
}

/// Looks at a file before it is taken up: what it is, and how it falls into pieces.
struct EntrySurvey {
    /// What is not divided by generations is divided into pieces of this size.
    static let pieceSize = BlockHeader.mostRaw

    var entry: ArchiveEntry
    var pieces: [Piece] = []

    /// - Throws: `unreadable` for what is no file that can be read.
    init(_ input: ArchiveInput, number: UInt64, index: Int, detect: (ByteSource) -> InputFormat?) throws(TraceError) {
        var status = stat()
        guard stat(input.path, &status) == 0 else {
            throw TraceError(
                .unreadable, file: input.path, expected: "a file that can be read", found: systemErrorText())
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TraceError(.unreadable, file: input.path, expected: "a file", found: "something else")
        }
        let source = try ByteSource.openPlain(input.path)
        let size = UInt64(status.st_size)
        entry = ArchiveEntry(
            number: number, name: input.name, size: size, sha256: nil, mode: status.st_mode & 0o777,
            modifiedNanoseconds: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec),
            format: size > 0 ? detect(source)?.name ?? "" : "", formatVersion: "", chunks: [])
        let prefix = try source.prefix(GoTraceHeader.length)
        let version = prefix.withUnsafeBytes(GoTraceHeader.version)
        if let version { entry.formatVersion = "go 1.\(version) trace" }
        guard let version, version >= 22 else {
            appendPieces(0..<size, input, index, isTrace: false)
            return
        }
        entry.prefix = prefix
        try appendGenerations(source, size, version, input, index)
    }

    private mutating func appendGenerations(
        _ source: ByteSource, _ size: UInt64, _ version: Int, _ input: ArchiveInput, _ index: Int
    ) throws(TraceError) {
        let first = UInt64(GoTraceHeader.length)
        var scanner = GenerationScanner(
            source: source, diagnostics: Diagnostics(), version: version, range: first..<UInt64.max)
        // The header goes with the first generation.
        var start: UInt64 = 0
        var generations: [(piece: Int, range: Range<UInt64>)] = []
        while start < size {
            let item = try scanner.next()
            guard case .generation(let generation) = item, scanner.offset > start, scanner.offset <= size else {
                if case .newTrace = item { continue }
                break
            }
            let end = scanner.offset
            generations.append((pieces.count, start..<end))
            if end - start <= UInt64(BlockHeader.mostRaw) {
                pieces.append(
                    Piece(
                        entry: index, path: input.path, offset: start, length: Int(end - start), isTrace: true,
                        generation: GenerationPlace(generation, from: start)))
            } else {
                appendLarge(generation, start..<end, input, index)
            }
            start = end
        }
        appendPieces(start..<size, input, index, isTrace: true)
        // Who begins in the middle reads the generation before as well, and all of the one that begins there.
        for (piece, range) in generations.dropLast(2) { pieces[piece].carried = range }
    }

    /// Divides a generation between its batches, so that the model knows all of them.
    private mutating func appendLarge(
        _ generation: Generation, _ range: Range<UInt64>, _ input: ArchiveInput, _ index: Int
    ) {
        var starts = [range.lowerBound]
        var last = range.lowerBound
        for offset in generation.batchOffsets + [range.upperBound] where offset > last && offset <= range.upperBound {
            if offset - starts[starts.count - 1] > UInt64(Self.pieceSize), last > starts[starts.count - 1] {
                starts.append(last)
            }
            last = offset
        }
        let ends = starts.dropFirst() + [range.upperBound]
        guard zip(starts, ends).allSatisfy({ $1 - $0 <= UInt64(Self.pieceSize) }) else {
            return appendPieces(range, input, index, isTrace: true)
        }
        let large = LargeGeneration(
            GenerationPlace(generation, from: range.lowerBound), start: range.lowerBound, pieceCount: starts.count)
        for (start, end) in zip(starts, ends) {
            pieces.append(
                Piece(
                    entry: index, path: input.path, offset: start, length: Int(end - start), isTrace: true,
                    large: large))
        }
    }

    private mutating func appendPieces(
        _ range: Range<UInt64>, _ input: ArchiveInput, _ index: Int, isTrace: Bool
    ) {
        var start = range.lowerBound
        while start < range.upperBound {
            let length = min(range.upperBound - start, UInt64(Self.pieceSize))
            pieces.append(
                Piece(entry: index, path: input.path, offset: start, length: Int(length), isTrace: isTrace))
            start += length
        }
    }
}

extension GenerationPlace {
    fileprivate init(_ generation: Generation, from start: UInt64) {
        func places(_ batches: [BatchHeader]) -> [Batch] {
            batches.map { Batch(payload: Int($0.payloadOffset - start), size: $0.size, ticks: $0.ticks) }
        }
        strings = places(generation.stringBatches)
        sync = places(generation.syncBatches)
        minimumTicks = generation.minimumTicks
        eventBatchCount = generation.threads.reduce(0) { $0 + $1.batches.filter { $0.size > 0 }.count }
    }
}
