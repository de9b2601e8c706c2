import VestigeCore

/// Reads a Go execution trace v2: finds the batches of a generation, decodes its tables, and hands its
/// events out in order, one generation after the other. Memory holds the tables of one generation and
/// one batch a thread.
///
/// Format: `internal/trace/tracev2`; algorithm: the comment in `internal/trace/reader.go`, `ReadEvent`.
final class GoTraceV2Reader: TraceReader {
    let source: ByteSource
    let context: ReaderContext
    var version: Int
    private var scanner: GenerationScanner
    private var tables: GenerationTables
    private let ordering: UnsafeMutablePointer<Ordering>
    /// Generations of the trace so far, and of all traces in the file.
    private var ordinal: UInt64 = 0
    private var generationCount = 0
    /// Generations that were passed over.
    private var passedCount = 0
    private var syncCount: UInt64 = 0
    private var phase = Phase.betweenGenerations
    private var pendingExperimental: [BatchHeader] = []
    /// What stands for the generations that were passed over.
    private var pendingEvents: ArraySlice<Event> = []

    private enum Phase {
        case betweenGenerations
        case inGeneration
        case finished(TraceError?)
    }

    /// True for the part of a trace that has its end, where a sync event closes it.
    private let hasEnd: Bool

    /// Reads the generations that begin within `range`.
    /// - Throws: `unreadable` if there is no header of a v2 trace.
    init(
        _ source: ByteSource, _ context: ReaderContext,
        range: Range<UInt64> = UInt64(GoTraceHeader.length)..<UInt64.max
    ) throws(TraceError) {
        let header = try source.prefix(GoTraceHeader.length)
        guard let version = header.withUnsafeBytes(GoTraceHeader.version), version >= 22 else {
            throw source.error(
                .unreadable, at: 0, expected: "the header of a Go 1.22 or newer trace", found: "other bytes")
        }
        self.source = source
        self.context = context
        self.version = version
        hasEnd = range.upperBound == .max
        scanner = GenerationScanner(
            source: source, diagnostics: context.diagnostics, version: version, range: range)
        tables = GenerationTables(source: source, context: context, version: version)
        ordering = .allocate(capacity: 1)
        ordering.initialize(
            to: Ordering(
                source: source, context: context, tables: tables,
                stopsAtUnknownEvents: !GoTraceV2Format.knownVersions.contains(version)))
        describe()
    }

    deinit {
        ordering.deinitialize(count: 1)
        ordering.deallocate()
    }

    /// A generation's headers are all read before its events, so of a file the batches count that were
    /// taken up; of a stream, what it has given.
    var bytesConsumed: UInt64 { source.isSeekable ? ordering.pointee.bytesLoaded : source.bytesConsumed }

    func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        while batch.room >= Ordering.eventsPerWireEvent {
            if let event = pendingEvents.popFirst() {
                batch.append(event)
                continue
            }
            switch phase {
            case .finished(let error):
                guard let error else { return false }
                guard batch.isEmpty else { return true }
                phase = .finished(nil)
                throw error
            case .betweenGenerations:
                try beginGeneration(&batch)
            case .inGeneration:
                if try appendExperimental(&batch) { continue }
                try batch.fill { (room) throws(TraceError) in try ordering.pointee.fill(room) }
                try endGenerationIfDone()
                if context.tally != nil { return true }
            }
        }
        return true
    }

    // MARK: - Beginning in the middle

    /// True if nothing has been read yet.
    var isUnread: Bool { generationCount == 0 && ordinal == 0 }

    /// Goes on at a generation that is not the first.
    ///
    /// - Parameters:
    ///   - count: how many generations are before it.
    ///   - events: what stands for them.
    ///   - openTasks: begins of the tasks that are open there, whose ends do not repeat their names.
    func begin(at offset: UInt64, behind count: Int, _ events: [Event], openTasks: [Event]) {
        scanner = GenerationScanner(
            source: source, diagnostics: context.diagnostics, version: version, range: offset..<UInt64.max)
        countGenerations(from: count)
        pendingEvents = events[...]
        // A generation's last events can be later than the next one's first: these wait, as in reading in full.
        ordering.pointee.lastTime = events.last?.timeNanoseconds ?? 0
        for task in openTasks {
            let id = Int64(bitPattern: task.argument0)
            guard id != .min, ordering.pointee.activeTasks.find(id) == nil else { continue }
            ordering.pointee.activeTasks.insert(id, TaskRecord(id: id, parent: task.parentTask, name: task.name))
        }
    }

    /// Says how many generations are before what is read.
    func countGenerations(from count: Int) { (passedCount, syncCount) = (count, UInt64(count)) }

    // MARK: - Generations

    private func beginGeneration(_ batch: inout EventBatch) throws(TraceError) {
        switch try scanner.next() {
        case .end:
            finish(&batch, scanner.truncation)
        case .newTrace(let version):
            beginTrace(version, &batch)
        case .generation(let generation):
            try tables.load(generation)
            if tables.nanosecondsPerTick == 0 { assumeFrequency() }
            if ordinal == 0, generationCount > 0, isTooEarly(generation) {
                return finish(&batch, outOfOrder(generation))
            }
            try ordering.pointee.begin(generation, ordinal: ordinal)
            ordinal += 1
            generationCount += 1
            context.tables.sources[Int(context.source)].generationCount = passedCount + generationCount
            context.tables.sources[Int(context.source)].ticksPerSecond = tables.ticksPerSecond
            appendSync(&batch, time: tables.nanoseconds(generation.minimumTicks), clockIndex: tables.clockIndex)
            pendingExperimental = generation.experimentalBatches.reversed()
            phase = .inGeneration
        }
    }

    private func endGenerationIfDone() throws(TraceError) {
        if let type = ordering.pointee.unknownEvent, ordering.pointee.stopsAtUnknownEvents {
            phase = .finished(
                source.error(
                    .damaged, at: nil, context: ["go 1.\(version) trace, which is newer than this reader"],
                    expected: "an event that it knows", found: "event type \(type)"))
        } else if ordering.pointee.isExhausted {
            phase = .betweenGenerations
        }
    }

    private func finish(_ batch: inout EventBatch, _ error: TraceError?) {
        if hasEnd { appendSync(&batch, time: ordering.pointee.lastTime, clockIndex: 0) }
        tellFinalStates()
        phase = .finished(error)
        context.tables.sources[Int(context.source)].byteCount = source.size
    }

    /// A generation that was cut before Go 1.25 lacks its frequency. Without any, 64 ns a tick is what
    /// the runtime uses on Linux (`runtime/tracetime.go`).
    private func assumeFrequency() {
        tables.assumeFrequency(15_625_000)
        context.diagnostics.count(.frequencyAssumed)
    }

    // MARK: - Concatenated traces

    /// What the first trace knew of goroutines and procs does not hold for the next one.
    private func beginTrace(_ version: Int, _ batch: inout EventBatch) {
        guard version >= 22 else {
            let error = source.error(
                .damaged, at: scanner.offset, expected: "more of a Go 1.22 or newer trace",
                found: "the header of a go 1.\(version) trace; cut the file here")
            loseRest()
            return finish(&batch, error)
        }
        self.version = version
        tellFinalStates()
        ordinal = 0
        tables = GenerationTables(source: source, context: context, version: version)
        let time = ordering.pointee.lastTime
        ordering.pointee = Ordering(
            source: source, context: context, tables: tables,
            stopsAtUnknownEvents: !GoTraceV2Format.knownVersions.contains(version))
        ordering.pointee.lastTime = time
    }

    /// True if a trace that follows another one in the file is the older one.
    private func isTooEarly(_ generation: Generation) -> Bool {
        tables.nanoseconds(generation.minimumTicks) < ordering.pointee.lastTime
    }

    private func outOfOrder(_ generation: Generation) -> TraceError {
        let offset = generation.firstOffset
        loseRest(from: offset)
        return source.error(
            .damaged, at: offset, expected: "a trace that is later than the one before it in the file",
            found: "an earlier one; cut the file before this trace's header and read it by itself")
    }

    private func loseRest(from offset: UInt64? = nil) {
        let start = offset ?? scanner.offset
        guard let end = try? source.endOffset() else { return }
        context.diagnostics.count(.bytesLost, end - min(start, end))
    }

    // MARK: - Events that stand for a generation

    /// Where events are counted, the states between were left out (`EventTally`).
    private func tellFinalStates() {
        if context.tally != nil { pendingEvents = ordering.pointee.finalStates()[...] }
    }

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
