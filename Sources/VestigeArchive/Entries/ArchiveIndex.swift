import VestigeCore

/// A segment of a block.
struct SegmentPlace: Sendable {
    /// The block, in the order of the index, and the segment within it.
    var block: Int
    var segment: Int
    var length: Int
}

/// A piece of an entry: a segment of a block, and what is known of it without decoding.
public struct ArchiveChunk: Sendable {
    var place: SegmentPlace
    /// What the chunk is about; nil if it must be read to know.
    public internal(set) var content: ChunkContent?
    /// Where the carry of the generation is that begins with this chunk: what those that begin to read behind it read
    /// in its place. See `GenerationCarry`.
    var carry: SegmentPlace?

    /// Length in bytes of the entry.
    public var length: Int { place.length }
    var block: Int { place.block }
    var segment: Int { place.segment }
}

/// What a chunk that is a generation of a Go trace is about.
public struct ChunkContent: Equatable, Sendable {
    /// Times of its batches and events, in nanoseconds of the trace.
    public var firstNanoseconds: Int64
    public var lastNanoseconds: Int64
    /// Unix time in nanoseconds less trace time, where the generation has a clock snapshot.
    public var wallOffsetNanoseconds: Int64?
    /// Ids of the goroutines that are mentioned, as ascending ranges.
    public var goroutines: [ClosedRange<UInt64>]
    /// Names of the regions and tasks that begin in it.
    public var regions: [String]
}

/// A file in an archive.
public struct ArchiveEntry: Sendable {
    /// Counts entries of all times, from 1.
    public let number: UInt64
    public internal(set) var name: String
    /// Size in bytes.
    public internal(set) var size: UInt64
    /// Of all its bytes; nil if the archive's end is lost, so that only blocks can be proved.
    public internal(set) var sha256: [UInt8]?
    /// Permission bits of the file.
    public internal(set) var mode: UInt32
    /// When the file was changed last, in nanoseconds of Unix time.
    public internal(set) var modifiedNanoseconds: Int64
    /// Name of the format, as `vestige formats` has it; empty if it is none of them.
    public internal(set) var format: String
    /// What the file says of itself, e.g. `go 1.26 trace`.
    public internal(set) var formatVersion: String
    public internal(set) var chunks: [ArchiveChunk]
    /// The first bytes of a trace, which its parts need.
    var prefix: [UInt8] = []
    /// True if chunks are known to be missing.
    public internal(set) var isIncomplete = false

    /// Times of the first and last event, in nanoseconds of the trace, as far as they are known.
    public var timeRange: ClosedRange<Int64>? {
        let contents = chunks.compactMap(\.content)
        guard let first = contents.map(\.firstNanoseconds).min(), let last = contents.map(\.lastNanoseconds).max()
        else { return nil }
        return first...max(first, last)
    }
}

/// Where a block is in the file.
struct BlockPlace: Equatable, Sendable {
    var offset: UInt64
    var headerSize: Int
    var payloadSize: Int
    var rawSize: Int

    var end: UInt64 { offset + UInt64(headerSize) + UInt64(payloadSize) }
    var size: UInt64 { UInt64(headerSize) + UInt64(payloadSize) }
}

/// What an archive holds.
struct ArchiveIndex: Sendable {
    var entries: [ArchiveEntry] = []
    var blocks: [BlockPlace] = []
    /// The number of the next entry.
    var nextEntry: UInt64 = 1
}
