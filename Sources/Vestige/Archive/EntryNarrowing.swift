import VestigeArchive
import VestigeCore
import VestigeReaders
import VestigeStages

/// What a query needs of an archive's entry, by what the index says of each generation: whoever reads only this selects
/// the same as from the whole.
///
/// Every generation names all goroutines that are alive in it, so that those of a goroutine are its life. Those after a
/// window's end are not needed, nor those before the first that names a region or task and after the last that names a
/// region. What a window or region needs of the time before it (who is alive, what is open) the carries of the generations
/// say that a reader would skim (`SkippingReader`).
struct EntryNarrowing {
    private let content: EntryContent
    private let part: NarrowedContent
    private let path: String
    /// Where the generations begin that are passed over at the beginning, since nothing of them is needed.
    private let skippedNanoseconds: [Int64]
    /// How many generations are there for what they carry alone.
    private let carryCount: Int
    /// Up to when a reader may pass over the beginning without being told; nil if that is for the query to say.
    private let beginNanoseconds: Int64?
    /// The recording's last moment, if that is not read: a nanosecond after its last event, as its reader has it.
    private let lastNanoseconds: Int64?
    private let generationCount: Int

    var format: InputFormat { GoTraceV2Format.format }

    /// - Parameter stage: the query, made ready; nil for the pass that makes it so.
    /// - Returns: nil where everything is needed.
    /// - Throws: `usage` for a window that cannot be; what reading an index throws.
    init?(_ path: String, _ query: Query, _ stage: QueryStage?) throws(TraceError) {
        guard !query.isEmpty, let (archive, name) = try InputPath.archiveAndOnlyEntry(path) else { return nil }
        let content = try InputPath.content(of: name, in: archive)
        guard let generations = EntryGenerations(content.entry) else { return nil }
        var needed = generations.all
        if Self.isGoroutineEnough(query) { needed = generations.range(mentioning: query.goroutines) }
        var skimmedCount = 0
        let regional = try Self.regional(query, isSurvey: stage == nil, content, generations)
        if let regional {
            needed = 0..<regional.upperBound
            skimmedCount = max(0, regional.lowerBound - 1)
        }
        if let stage, let span = try stage.span(of: generations.start) {
            needed =
                needed
                .lowerBound..<max(
                    needed.lowerBound + 1, min(needed.upperBound, generations.last(from: span.upperBound) + 1))
            // The reader wants the generation before that of the moment, too.
            let before = max(0, generations.last(from: span.lowerBound) - 1)
            if span.lowerBound > generations.start.firstNanoseconds { skimmedCount = min(skimmedCount, before) }
            let kept = query.canSkip ? before : 0
            if kept > needed.lowerBound { (skimmedCount, needed) = (kept, 0..<needed.upperBound) }
        }
        // A window may end before the regions begin.
        if skimmedCount >= needed.upperBound { skimmedCount = 0 }
        beginNanoseconds = skimmedCount > 0 ? regional.map { _ in generations.firstNanoseconds(skimmedCount + 1) } : nil
        guard needed != generations.all || skimmedCount > 0 else { return nil }
        self.content = content
        self.path = path
        generationCount = generations.all.count
        part = NarrowedContent(
            content, generations, carried: 0..<skimmedCount,
            whole: max(skimmedCount, needed.lowerBound)..<needed.upperBound)
        carryCount = part.carryCount > 0 ? skimmedCount : 0
        skippedNanoseconds = generations.starts(before: needed.lowerBound)
        let isCut = needed.upperBound < generations.all.upperBound
        lastNanoseconds = isCut ? generations.lastNanoseconds &+ 1 : nil
    }

    /// Whether all that is asked is which goroutine, and when.
    private static func isGoroutineEnough(_ query: Query) -> Bool {
        !query.goroutines.isEmpty && !QuerySurvey.isNeeded(for: query) && !ClosureSurvey.isNeeded(for: query)
            && query.conditions.isEmpty && query.labels.isEmpty
    }

    /// The generations that name the regions and tasks of a query, as far as nothing of the others is selected or known
    /// by it: no region began before the recording, or is still open where the last of them ends.
    private static func regional(
        _ query: Query, isSurvey: Bool, _ content: EntryContent, _ generations: EntryGenerations
    ) throws(TraceError) -> Range<Int>? {
        // The windows that regions make hold for all events, once they are known.
        let patterns = query.regions + query.tasks + (isSurvey ? query.around : [])
        let isPlain =
            query.functions.isEmpty && query.labels.isEmpty && query.conditions.isEmpty
            && !ClosureSurvey.isNeeded(for: query)
            && (query.minDurationNanoseconds == 0 || query.states.isEmpty && query.reasons.isEmpty)
            && ![query.from, query.to].contains { if case .beforeEnd? = $0 { true } else { false } }
        guard isPlain, !patterns.isEmpty, query.around.isEmpty || query.regions.isEmpty && query.tasks.isEmpty,
            !patterns.contains(where: { $0.matches("") }),
            let naming = generations.range(namingEach: patterns)
        else { return nil }
        let mentioning = NarrowedContent(content, generations, carried: naming, whole: nil)
        let source = ByteSource(content: mentioning, path: content.entry.name)
        guard let regions = try GenerationCarry.regions(source) else { return nil }
        let isAsked = { (name: String) in patterns.contains { $0.matches(name) } }
        if regions.endedEarly.contains(where: isAsked) { return nil }
        // A task's end and its regions do not name it.
        let isOpen = !query.tasks.isEmpty || regions.open.contains(where: isAsked)
        return naming.lowerBound..<(isOpen ? generations.all.upperBound : naming.upperBound)
    }

    /// The source that holds what is needed.
    func source() -> ByteSource { ByteSource(content: part, path: path) }

    /// A reader of what is needed.
    func reader(_ source: ByteSource, _ context: ReaderContext) throws(TraceError) -> any TraceReader {
        let inner =
            skippedNanoseconds.isEmpty
            ? try format.open(source, context)
            : try GoTraceV2Format.part(from: UInt64(GoTraceHeader.length), behind: skippedNanoseconds.count)
                .open(source, context)
        return NarrowedReader(inner, self, context)
    }

    /// Reads a part of a recording, and says besides when the whole ends and the generations before begin.
    private final class NarrowedReader: SkippingReader {
        private var inner: any TraceReader
        private let narrowing: EntryNarrowing
        private let context: ReaderContext
        private var hasBegun = false
        private var last: Int64?

        init(_ inner: any TraceReader, _ narrowing: EntryNarrowing, _ context: ReaderContext) {
            (self.inner, self.narrowing, self.context) = (inner, narrowing, context)
            last = narrowing.lastNanoseconds
        }

        var bytesConsumed: UInt64 { inner.bytesConsumed }

        func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
            if !hasBegun {
                hasBegun = true
                if let begin = narrowing.beginNanoseconds { _ = try skip { _ in begin } }
                for (number, time) in narrowing.skippedNanoseconds.prefix(batch.room).enumerated() {
                    batch.append(
                        Event(
                            kind: .sync, timeNanoseconds: time, argument0: UInt64(number + 1), source: context.source))
                }
                return true
            }
            if try inner.read(into: &batch) { return true }
            guard batch.room > 0 else { return true }
            let place = Int(context.source)
            context.tables.sources[place].generationCount = narrowing.generationCount
            context.tables.sources[place].byteCount = narrowing.content.size
            if let time = last.take() {
                batch.append(Event(kind: .sync, timeNanoseconds: time, source: context.source))
            }
            return false
        }

        func skip(to moment: (TraceStart) throws(TraceError) -> Int64?) throws(TraceError) -> Int {
            // From the middle on there is nothing to pass over.
            guard narrowing.skippedNanoseconds.isEmpty, let first = inner as? any SkippingReader else { return 0 }
            let count = try first.skip(to: moment)
            if count >= narrowing.carryCount { return count }
            // A carry says no more than what it leaves: whoever does not pass over it must not read it.
            inner = try narrowing.format.open(narrowing.content.source(), context)
            last = nil
            return try (inner as? any SkippingReader)?.skip(to: moment) ?? 0
        }
    }
}

/// What the index knows of the generations of an entry: all of them, or nothing is known.
private struct EntryGenerations {
    private let contents: [ChunkContent]
    /// The first chunk of each generation, and the end. Those of one that is larger than a block are about the same.
    private(set) var firstChunks: [Int] = []

    init?(_ entry: ArchiveEntry) {
        let known = entry.chunks.compactMap(\.content)
        guard entry.format == GoTraceV2Format.format.name, known.count == entry.chunks.count, !known.isEmpty else {
            return nil
        }
        for (number, content) in known.enumerated()
        where number == 0 || content.firstNanoseconds != known[number - 1].firstNanoseconds {
            firstChunks.append(number)
        }
        contents = firstChunks.map { known[$0] }
        firstChunks.append(known.count)
    }

    var all: Range<Int> { 0..<contents.count }

    /// Of the recording.
    var start: TraceStart {
        TraceStart(
            firstNanoseconds: contents[0].firstNanoseconds, wallOffsetNanoseconds: contents[0].wallOffsetNanoseconds)
    }

    var lastNanoseconds: Int64 { contents.reduce(.min) { max($0, $1.lastNanoseconds) } }

    func starts(before generation: Int) -> [Int64] { contents[..<generation].map(\.firstNanoseconds) }

    /// The last generation that has begun at a time; the first if none has.
    func last(from time: Int64) -> Int { contents.lastIndex { $0.firstNanoseconds <= time } ?? 0 }

    func firstNanoseconds(_ generation: Int) -> Int64 { contents[generation].firstNanoseconds }

    /// From the first to the last generation that names a region or task of these patterns; nil if one of them fits none.
    func range(namingEach patterns: [Glob]) -> Range<Int>? {
        var range: Range<Int>?
        for pattern in patterns {
            let naming = contents.indices.filter { contents[$0].regions.contains { pattern.matches($0) } }
            guard let first = naming.first, let last = naming.last else { return nil }
            range = min(range?.lowerBound ?? first, first)..<max(range?.upperBound ?? 0, last + 1)
        }
        return range
    }

    /// From the first to the last generation that mentions one of these goroutines; any, if none does, since it shows
    /// that nothing is selected.
    func range(mentioning ids: [ClosedRange<Int64>]) -> Range<Int> {
        let mentioning = contents.indices.filter { contents[$0].mentions(anyOf: ids) }
        return (mentioning.first ?? 0)..<(mentioning.last ?? 0) + 1
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

/// The generations of an entry that are needed, behind the trace's header: the first ones as what they carry, as far as
/// there is a carry.
private final class NarrowedContent: RandomAccessContent {
    /// Bytes in memory, or a stretch of the entry.
    private enum Piece {
        case carry([UInt8])
        case stretch(Range<UInt64>)

        var size: UInt64 {
            switch self {
            case .carry(let bytes): UInt64(bytes.count)
            case .stretch(let range): UInt64(range.count)
            }
        }
    }

    private let content: EntryContent
    private var pieces: [(piece: Piece, start: UInt64)] = []
    private(set) var size: UInt64 = 0
    private(set) var carryCount = 0

    /// - Parameters:
    ///   - carried: generations of which only what they carry is needed.
    ///   - whole: those that follow.
    init(_ content: EntryContent, _ generations: EntryGenerations, carried: Range<Int>, whole: Range<Int>?) {
        self.content = content
        let offset = { (generation: Int) in content.offset(ofChunk: generations.firstChunks[generation]) }
        let header = UInt64(GoTraceHeader.length)
        append(.stretch(0..<header))
        for generation in carried {
            if let carry = content.carry(ofChunk: generations.firstChunks[generation]) {
                append(.carry(carry))
                carryCount += 1
            } else {
                append(.stretch(max(header, offset(generation))..<offset(generation + 1)))
            }
        }
        if let whole { append(.stretch(max(header, offset(whole.lowerBound))..<offset(whole.upperBound))) }
    }

    private func append(_ piece: Piece) {
        pieces.append((piece, size))
        size += piece.size
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        let total = Int(min(UInt64(buffer.count), size - min(offset, size)))
        var done = 0
        while done < total {
            let (piece, start) = pieces[self.piece(at: offset + UInt64(done))]
            let within = offset + UInt64(done) - start
            let count = Int(min(UInt64(total - done), piece.size - within))
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            switch piece {
            case .carry(let bytes): target.copyBytes(from: bytes[Int(within)..<Int(within) + count])
            case .stretch(let range):
                let read = try content.read(at: range.lowerBound + within, into: target)
                guard read == count else { return done + read }
            }
            done += count
        }
        return total
    }

    func wholeOffset(of offset: UInt64) -> UInt64 {
        let (piece, start) = pieces[piece(at: offset)]
        return switch piece {
        case .carry: offset
        case .stretch(let range): range.lowerBound + (offset - start)
        }
    }

    /// The last piece that begins at or before `offset`.
    private func piece(at offset: UInt64) -> Int {
        var (low, high) = (0, pieces.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if pieces[middle].start <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
