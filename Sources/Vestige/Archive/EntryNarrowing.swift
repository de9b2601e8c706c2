import VestigeArchive
import VestigeCore
import VestigeReaders
import VestigeStages

/// The generations of an archive's entry that a query needs, by what the index says of each: whoever reads only these
/// selects the same as from the whole.
///
/// Every generation names all goroutines that are alive in it, so that those of a goroutine are its life, and those
/// after a window's end are not needed. What a window needs of the time before it (who is alive, what is open) only
/// reading tells.
struct EntryNarrowing {
    private let content: NarrowedContent
    /// Where the first generation that is needed begins.
    private let start: UInt64
    private let path: String
    /// Where the generations begin that are passed over at the beginning.
    private let skippedNanoseconds: [Int64]
    /// The recording's last moment, if that is not read: a nanosecond after its last event, as its reader has it.
    private let lastNanoseconds: Int64?
    private let generationCount: Int
    private let byteCount: UInt64

    var format: InputFormat { GoTraceV2Format.format }

    /// Whether reading begins in the middle.
    private var skipsBeginning: Bool { !skippedNanoseconds.isEmpty }

    /// - Returns: nil where everything is needed.
    init?(_ path: String, _ query: Query) throws(TraceError) {
        guard let (archive, name) = try InputPath.archiveAndEntry(path) else { return nil }
        let content = try InputPath.content(of: name, in: archive)
        let chunks = content.entry.chunks.compactMap(\.content)
        guard content.entry.format == GoTraceV2Format.format.name, chunks.count == content.entry.chunks.count,
            let first = chunks.first?.firstNanoseconds, let last = chunks.map(\.lastNanoseconds).max(),
            let needed = Self.needed(chunks, query, first), needed.count < chunks.count
        else { return nil }
        self.path = path
        (generationCount, byteCount) = (Self.generations(chunks[...]).count, content.size)
        let stretches = needed.map { content.offset(ofChunk: $0) }
        start = max(UInt64(GoTraceHeader.length), stretches[0])
        self.content = NarrowedContent(content, size: content.offset(ofChunk: needed.upperBound))
        skippedNanoseconds = Self.generations(chunks[..<needed.lowerBound])
        lastNanoseconds = needed.upperBound < chunks.count ? last &+ 1 : nil
    }

    /// Where generations begin in time. Parts of one that is larger than a block are about the same.
    private static func generations(_ chunks: ArraySlice<ChunkContent>) -> [Int64] {
        var starts: [Int64] = []
        for chunk in chunks where starts.last != chunk.firstNanoseconds { starts.append(chunk.firstNanoseconds) }
        return starts
    }

    /// - Returns: nil where that depends on more than the index knows.
    private static func needed(_ chunks: [ChunkContent], _ query: Query, _ first: Int64) -> Range<Int>? {
        guard !QuerySurvey.isNeeded(for: query), !ClosureSurvey.isNeeded(for: query), query.conditions.isEmpty,
            query.labels.isEmpty, ![query.from, query.to].contains(where: Self.isWall)
        else { return nil }
        var needed = 0..<chunks.count
        if !query.goroutines.isEmpty {
            let mentioning = chunks.indices.filter { chunks[$0].mentions(anyOf: query.goroutines) }
            // Nothing is selected then, and any generation shows that.
            needed = (mentioning.first ?? 0)..<(mentioning.last ?? 0) + 1
        }
        if case .sinceStart(let time)? = query.to {
            let end = first &+ time
            let beginning = chunks.indices.last { chunks[$0].firstNanoseconds <= end } ?? 0
            needed = needed.lowerBound..<max(needed.lowerBound, min(needed.upperBound - 1, beginning)) + 1
        }
        return needed
    }

    private static func isWall(_ bound: TimeBound?) -> Bool {
        if case .wall? = bound { true } else { false }
    }

    /// The source that ends where nothing is needed any more.
    func source() -> ByteSource { ByteSource(content: content, path: path) }

    /// A reader of what is needed.
    func reader(_ source: ByteSource, _ context: ReaderContext) throws(TraceError) -> any TraceReader {
        let inner =
            skipsBeginning
            ? try GoTraceV2Format.part(from: start, behind: skippedNanoseconds.count).open(source, context)
            : try GoTraceV2Format.format.open(source, context)
        return NarrowedReader(inner, skipped: skippedNanoseconds, last: lastNanoseconds, context.source) {
            let place = Int(context.source)
            context.tables.sources[place].generationCount = generationCount
            context.tables.sources[place].byteCount = byteCount
        }
    }
}

extension InputPath {
    /// Whether an entry can hold anything of what a query selects, by what the index says of regions, tasks and
    /// goroutines.
    public static func mayHold(_ path: String, _ query: Query) throws(TraceError) -> Bool {
        guard let (archive, name) = try archiveAndEntry(path) else { return true }
        let entry = try content(of: name, in: archive).entry
        let chunks = entry.chunks.compactMap(\.content)
        guard entry.format == GoTraceV2Format.format.name, chunks.count == entry.chunks.count else { return true }
        if !query.goroutines.isEmpty, !chunks.contains(where: { $0.mentions(anyOf: query.goroutines) }) {
            return false
        }
        return [query.regions, query.tasks, query.around].allSatisfy { globs in
            globs.isEmpty || chunks.contains { $0.regions.contains { name in globs.contains { $0.matches(name) } } }
        }
    }
}

extension ChunkContent {
    fileprivate func mentions(anyOf ids: [ClosedRange<Int64>]) -> Bool {
        ids.contains { ids in
            ids.upperBound >= 0
                && goroutines.contains { $0.overlaps(UInt64(max(0, ids.lowerBound))...UInt64(ids.upperBound)) }
        }
    }
}

/// The first bytes of an entry.
private final class NarrowedContent: RandomAccessContent {
    let size: UInt64
    private let content: EntryContent

    init(_ content: EntryContent, size: UInt64) {
        self.content = content
        self.size = size
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        let count = Int(min(UInt64(buffer.count), size - min(offset, size)))
        return try content.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
    }
}

/// Reads a part of a recording, and says besides when the whole ends and the generations before begin.
private final class NarrowedReader: SkippingReader {
    private let inner: any TraceReader
    private let skipped: [Int64]
    private var hasBegun = false
    private var last: Int64?
    private let source: UInt8
    private let onEnd: () -> Void

    init(
        _ inner: any TraceReader, skipped: [Int64], last: Int64?, _ source: UInt8, onEnd: @escaping () -> Void
    ) {
        (self.inner, self.skipped, self.last, self.source, self.onEnd) = (inner, skipped, last, source, onEnd)
    }

    var bytesConsumed: UInt64 { inner.bytesConsumed }

    func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        if !hasBegun {
            hasBegun = true
            for (number, time) in skipped.prefix(batch.room).enumerated() {
                batch.append(
                    Event(kind: .sync, timeNanoseconds: time, argument0: UInt64(number + 1), source: source))
            }
            return true
        }
        if try inner.read(into: &batch) { return true }
        guard batch.room > 0 else { return true }
        onEnd()
        if let time = last.take() { batch.append(Event(kind: .sync, timeNanoseconds: time, source: source)) }
        return false
    }

    func skip(to moment: (TraceStart) throws(TraceError) -> Int64?) throws(TraceError) {
        // From the middle on there is nothing to pass over.
        if skipped.isEmpty { try (inner as? any SkippingReader)?.skip(to: moment) }
    }
}
