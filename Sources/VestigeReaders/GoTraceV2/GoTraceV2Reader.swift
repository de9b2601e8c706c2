import VestigeCore

/// Reads a Go execution trace v2: finds the batches of a generation, decodes its tables, and hands its
/// events out in order, one generation after the other. Memory holds the tables of one generation and
/// one batch a thread.
///
/// Format: `internal/trace/tracev2`; algorithm: the comment in `internal/trace/reader.go`, `ReadEvent`.
final class GoTraceV2Reader: TraceReader {
    private let source: ByteSource
    private let context: ReaderContext
    private let version: Int
    private var scanner: BatchScanner
    private let tables: GenerationTables
    private let ordering: UnsafeMutablePointer<Ordering>
    /// A batch read ahead: before Go 1.26 the next generation is noticed by its first batch.
    private var lookahead: BatchHeader?
    private var ordinal: UInt64 = 0
    private var syncCount: UInt64 = 0
    private var pendingError: TraceError?
    private var phase = Phase.betweenGenerations
    private var pendingExperimental: [BatchHeader] = []

    private enum Phase {
        case betweenGenerations
        case inGeneration
        case finished
    }

    /// - Throws: `unreadable` if there is no header of a v2 trace.
    init(_ source: ByteSource, _ context: ReaderContext) throws(TraceError) {
        let header = try source.prefix(GoTraceHeader.length)
        guard let version = header.withUnsafeBytes(GoTraceHeader.version), version >= 22 else {
            throw source.error(
                .unreadable, at: 0, expected: "the header of a Go 1.22 or newer trace", found: "other bytes")
        }
        self.source = source
        self.context = context
        self.version = version
        scanner = BatchScanner(source: source, offset: UInt64(GoTraceHeader.length))
        tables = GenerationTables(source: source, context: context)
        ordering = .allocate(capacity: 1)
        ordering.initialize(to: Ordering(source: source, context: context, tables: tables))
        describe()
    }

    deinit {
        ordering.deinitialize(count: 1)
        ordering.deallocate()
    }

    var bytesConsumed: UInt64 { source.bytesConsumed }

    func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        while batch.room >= Ordering.eventsPerWireEvent {
            switch phase {
            case .finished:
                if let error = pendingError, batch.isEmpty {
                    pendingError = nil
                    throw error
                }
                return pendingError != nil
            case .betweenGenerations:
                try beginGeneration(&batch)
            case .inGeneration:
                if try appendExperimental(&batch) { continue }
                try batch.fill { (room) throws(TraceError) in try ordering.pointee.fill(room) }
                if ordering.pointee.isExhausted { phase = .betweenGenerations }
            }
        }
        return true
    }

    // MARK: - Generations

    private func beginGeneration(_ batch: inout EventBatch) throws(TraceError) {
        guard let generation = nextGeneration() else {
            appendSync(&batch, time: ordering.pointee.lastTime, clockIndex: 0)
            phase = .finished
            context.tables.sources[Int(context.source)].byteCount = source.size
            return
        }
        try tables.load(generation)
        assumeFrequency()
        try ordering.pointee.begin(generation, ordinal: ordinal)
        ordinal += 1
        context.tables.sources[Int(context.source)].generationCount = Int(ordinal)
        context.tables.sources[Int(context.source)].ticksPerSecond = tables.ticksPerSecond
        appendSync(&batch, time: tables.nanoseconds(generation.minimumTicks), clockIndex: tables.clockIndex)
        pendingExperimental = generation.experimentalBatches.reversed()
        phase = .inGeneration
    }

    /// Finds the batches of the next generation. Damage ends the trace: what was found of the
    /// generation before is still delivered, and the error is thrown in the end.
    /// - Returns: nil at the end of the trace.
    private func nextGeneration() -> Generation? {
        guard pendingError == nil else { return nil }
        var generation: Generation?
        if let first = lookahead {
            generation = Generation(number: first.generation)
            generation!.add(first, version: version)
            source.discard(before: first.offset)
        } else {
            source.discard(before: scanner.offset)
        }
        lookahead = nil
        do throws(TraceError) {
            while true {
                switch try scanner.next() {
                case .end:
                    guard generation != nil, version >= 26 else { return generation }
                    // A program that is killed early leaves the clocks of a generation and no events:
                    // nothing is lost.
                    if generation!.threads.isEmpty { return nil }
                    noteTruncation(&generation!)
                    return generation
                case .endOfGeneration:
                    if generation != nil { return generation }
                case .header:
                    throw source.error(
                        .damaged, at: scanner.offset - UInt64(GoTraceHeader.length), expected: "a batch",
                        found: "the header of another trace; split the file here")
                case .batch(let batch):
                    if generation == nil { generation = Generation(number: batch.generation) }
                    guard batch.generation == generation!.number else {
                        lookahead = batch
                        if version >= 26 { generation!.isComplete = false }
                        return generation
                    }
                    generation!.add(batch, version: version)
                }
            }
        } catch {
            noteDamage(error, &generation)
            return generation
        }
    }

    /// Since Go 1.26 a byte ends every generation, so a file without it was cut.
    private func noteTruncation(_ generation: inout Generation) {
        generation.isComplete = false
        context.diagnostics.count(.generationsIncomplete)
        pendingError = source.error(
            .truncated, at: source.size, context: ["generation \(generation.number)"],
            expected: "the end of the generation", found: "the end of the file")
    }

    private func noteDamage(_ error: TraceError, _ generation: inout Generation?) {
        let rest = source.size.map { $0 - min($0, scanner.offset) } ?? 0
        context.diagnostics.count(.bytesLost, rest)
        if let number = generation?.number {
            generation?.isComplete = false
            context.diagnostics.count(.generationsIncomplete)
            pendingError = error.adding(context: "generation \(number)")
        } else {
            pendingError = error
        }
    }

    /// A generation that was cut before Go 1.25 lacks its frequency. Without any, 64 ns a tick is what
    /// the runtime uses on Linux (`runtime/tracetime.go`).
    private func assumeFrequency() {
        guard tables.nanosecondsPerTick == 0 else { return }
        tables.assumeFrequency(15_625_000)
        context.diagnostics.count(.frequencyAssumed)
    }

    // MARK: - Events that stand for a generation

    private func appendSync(_ batch: inout EventBatch, time: Int64, clockIndex: UInt64) {
        syncCount += 1
        batch.append(
            Event(
                kind: .sync, timeNanoseconds: ordering.pointee.stamp(time), argument0: syncCount,
                argument1: clockIndex, source: context.source))
    }

    /// The payloads of an experiment follow the sync event of their generation, at its time.
    /// - Returns: true if one was appended.
    private func appendExperimental(_ batch: inout EventBatch) throws(TraceError) -> Bool {
        guard let header = pendingExperimental.popLast() else { return false }
        let name = WireSpec.experiments[header.experiment] ?? "experiment \(header.experiment)"
        batch.append(
            Event(
                kind: .experimentalBatch, timeNanoseconds: ordering.pointee.lastTime, thread: header.thread,
                name: context.tables.strings.intern(name), argument0: UInt64(try tables.payload(header).rawValue),
                source: context.source))
        return true
    }

    private func describe() {
        let index = Int(context.source)
        context.tables.sources[index].formatVersion = "go 1.\(version) trace"
        context.tables.sources[index].goVersion = GoTraceHeader.toolchains(version)
        context.tables.sources[index].clock = .monotonic
        context.tables.sources[index].generationCount = 0
        if !GoTraceV2Format.knownVersions.contains(version) { context.diagnostics.count(.unknownVersion) }
    }
}
