import VestigeCore

/// Puts the events of a generation in order and turns them into IR events.
///
/// Only the batches of one thread are in order. Threads are merged by time, and an event waits until
/// the scheduler's state allows it: sequence numbers order what happens to a goroutine or proc across
/// threads. Times choose only among what is possible, since they may be wrong (Go's reader does the
/// same: `internal/trace/order.go`, `reader.go`). An event that cannot be placed yet is no error; when
/// nothing can be placed, something is missing, and the event with the least time is forced.
///
/// Everything hot is behind one pointer (the reader holds this struct in allocated memory), and an
/// event's arguments are decoded where they are used, straight into the output.
struct Ordering: ~Copyable {
    enum Outcome {
        case placed
        /// It was placed, and was its thread's last.
        case ended
        /// Something that must come before it has not come yet.
        case blocked
        /// It contradicts the state of the scheduler, whatever else may come.
        case impossible
        /// Its bytes are not an event.
        case malformed
    }

    // The scheduler's state, which goes on from generation to generation.
    var goroutines = PagedTable<GoroutineRecord>()
    /// What a thread has that has not had any yet.
    private let noGoroutine = UnsafeMutablePointer<GoroutineRecord>.allocate(capacity: 1)
    var procs = PagedTable<ProcRecord>()
    var threads: [Int64: UnsafeMutablePointer<ThreadRecord>] = [:]
    var activeTasks = PagedTable<TaskRecord>()
    var gcSequence: UInt64 = 0
    var gcState = GCState.undetermined
    var lastTime: Int64 = 0

    // The generation.
    let tables: GenerationTables
    let context: ReaderContext
    let source: ByteSource
    var generation = Generation(number: 0)
    var isInitialGeneration = true
    /// Bits above the sequence number in `expected`, so that numbers of another generation never match.
    var generationTag: UInt64 = 0
    var heap = CursorHeap()
    var nextSample = 0
    private var sampleTime = Int64.max
    /// Of a version that is newer than the wire table: what follows an unknown event is not to be trusted.
    let stopsAtUnknownEvents: Bool
    /// The first event type that the wire table does not have.
    var unknownEvent: UInt8?
    /// How many threads may still be asked for an event that can go first when the earliest cannot.
    private var searchBudget = Ordering.searchesAhead
    /// Set while an event is placed against the rules.
    var isForcing = false

    /// Bytes of batches read so far, for progress.
    var bytesLoaded: UInt64 = 0

    // Copies of what the generation's tables hold, at hand.
    var stringMap: UnsafeMutablePointer<UInt32>
    var stringMapCount = 0
    var stackMap: UnsafeMutablePointer<UInt32>
    var stackMapCount = 0
    /// Of the ids below, none is missing.
    var knownStringCount = 0
    var knownStackCount = 0
    var nanosecondsPerTick: Double = 0
    /// Products of small deltas, exactly as the multiplication gives them.
    let deltaTable = UnsafeMutablePointer<Int64>.allocate(capacity: Ordering.deltaTableCount)
    let names: Names
    var experimentalEvents = ExperimentalEvents()
    /// Counts by kind, where events are counted (`EventTally`).
    let tally: UnsafeMutablePointer<UInt64>?

    static var deltaTableCount: Int { 1024 }
    /// Room that one wire event may need in the output.
    static var eventsPerWireEvent: Int { 4 }
    static var sequenceLimit: UInt64 { 1 << 44 }
    /// Threads that may be asked in vain, to begin with and for each event that was placed. Sound traces stay far
    /// below it; without it, damaged ones of very many threads would take the square of their number.
    private static var searchesAhead: Int { 1 << 20 }
    private static var searchesPerEvent: Int { 64 }
    /// Bytes of batches between two looks at the progress where events are counted, and fill no output.
    private static var talliedBytes: UInt64 { 4 << 20 }

    enum GCState { case undetermined, notRunning, running }

    init(source: ByteSource, context: ReaderContext, tables: GenerationTables, stopsAtUnknownEvents: Bool) {
        self.stopsAtUnknownEvents = stopsAtUnknownEvents
        self.source = source
        self.context = context
        self.tables = tables
        names = Names(context.tables)
        tally = context.tally?.counts
        stringMap = tables.strings.dense
        stackMap = tables.stacks.dense
        noGoroutine.initialize(to: .vacant)
        deltaTable.initialize(repeating: 0, count: Self.deltaTableCount)
    }

    deinit {
        for thread in threads.values { thread.deallocate() }
        deltaTable.deallocate()
        noGoroutine.deallocate()
    }

    private var talliedCount: Int { Int(truncatingIfNeeded: context.tally?.total ?? 0) }

    var isExhausted: Bool { heap.isEmpty && sampleTime == .max }

    // MARK: - Generations

    /// Takes up a generation whose tables are loaded.
    mutating func begin(_ generation: Generation, ordinal: UInt64) throws(TraceError) {
        self.generation = generation
        isInitialGeneration = ordinal == 0
        // 20 bits: a number can only match one of a generation a million generations ago.
        generationTag = (ordinal & 0xfffff) << 44
        nextSample = 0
        updateSampleTime()
        nanosecondsPerTick = tables.nanosecondsPerTick
        for delta in 0..<Self.deltaTableCount { deltaTable[delta] = tables.nanoseconds(UInt64(delta)) }
        (knownStringCount, knownStackCount) = (0, 0)
        refreshMaps()
        heap.recycleAll()
        for index in generation.threads.indices {
            let cursor = heap.makeCursor(
                thread: thread(generation.threads[index].thread), threadIndex: Int32(index))
            if try loadBatch(cursor) { heap.insert(cursor) } else { heap.recycle(cursor) }
        }
    }

    func thread(known id: ThreadID) -> UnsafeMutablePointer<ThreadRecord>? { threads[id.rawValue] }

    mutating func thread(_ id: ThreadID) -> UnsafeMutablePointer<ThreadRecord> {
        if let thread = threads[id.rawValue] { return thread }
        let thread = UnsafeMutablePointer<ThreadRecord>.allocate(capacity: 1)
        thread.initialize(to: ThreadRecord(id: id, goroutineRecord: noGoroutine))
        threads[id.rawValue] = thread
        return thread
    }

    // MARK: - The loop

    /// Writes the next events to `out`, as many as are left in the generation and have room.
    mutating func fill(_ out: UnsafeMutableBufferPointer<Event>) throws(TraceError) -> Int {
        guard let start = out.baseAddress else { return 0 }
        var position = start
        let talliedBefore = talliedCount
        let limit = start + (out.count - Self.eventsPerWireEvent)
        let bytesAtMost = tally == nil ? UInt64.max : bytesLoaded + Self.talliedBytes
        while position <= limit, bytesLoaded < bytesAtMost {
            guard let head = heap.first else {
                if !takeSample(before: .max, &position) { break }
                continue
            }
            if takeSample(before: head.pointee.time, &position) { continue }
            // Stay on this thread while no other thread and no sample has an earlier event.
            let outcome = try run(head, through: min(heap.secondTime, sampleTime), limit, &position)
            switch outcome {
            case .placed: heap.siftDown(0)
            case .ended: heap.remove(at: 0)
            case .blocked, .impossible, .malformed: try resolve(outcome, limit, &position)
            }
        }
        let placedCount = (position - start) + (talliedCount - talliedBefore)
        searchBudget = min(Self.searchesAhead, searchBudget + placedCount * Self.searchesPerEvent)
        return position - start
    }

    /// The head of the heap could not be placed: tries the others in order of time, and forces
    /// the head when none can, or when too many were asked already.
    @inline(never) private mutating func resolve(
        _ outcome: Outcome, _ limit: Output, _ position: inout Output
    ) throws(TraceError) {
        heap.siftDown(0)
        if outcome == .blocked, searchBudget >= heap.count {
            searchBudget -= heap.count
            heap.sort()
            for index in 1..<heap.count {
                let other = try run(heap[index], through: .min, limit, &position)
                if other == .blocked { continue }
                return try settle(index, other, limit, &position)
            }
        }
        try settle(0, outcome, limit, &position)
    }

    /// Goes on behind an event that was placed, or that nothing else can be waited for.
    private mutating func settle(
        _ index: Int, _ outcome: Outcome, _ limit: Output, _ position: inout Output
    ) throws(TraceError) {
        let cursor = heap[index]
        var isLoaded = true
        switch outcome {
        case .placed: break
        case .ended: isLoaded = false
        case .malformed: isLoaded = try abandonBatch(cursor, expected: "an event")
        case .blocked, .impossible: isLoaded = try force(cursor, outcome, limit, &position)
        }
        if isLoaded { heap.update(at: index) } else { heap.remove(at: index) }
        if stopsAtUnknownEvents, unknownEvent != nil {
            heap.recycleAll()
            sampleTime = .max
        }
    }

    /// Places an event against the rules.
    /// - Returns: false at the end of the thread's batches.
    private mutating func force(
        _ cursor: Cursor, _ outcome: Outcome, _ limit: Output, _ position: inout Output
    ) throws(TraceError) -> Bool {
        context.diagnostics.count(outcome == .blocked ? .transitionsForced : .transitionsImpossible)
        isForcing = true
        defer { isForcing = false }
        switch try run(cursor, through: .min, limit, &position) {
        case .placed: return true
        case .ended: return false
        case .malformed: return try abandonBatch(cursor, expected: "an event")
        case .blocked, .impossible:
            // It lacks the goroutine or proc it is about: its bytes are passed over and counted.
            context.diagnostics.count(.eventsLost)
            return try passOver(cursor)
        }
    }

    // MARK: - CPU samples

    /// Time of the next sample, Int64.max where there is none.
    private mutating func updateSampleTime() {
        sampleTime = nextSample < tables.samples.count ? tables.samples[nextSample].time : .max
    }

    /// Samples come before the first event that is not earlier.
    private mutating func takeSample(
        before time: Int64, _ position: inout UnsafeMutablePointer<Event>
    ) -> Bool {
        guard sampleTime < time else { return false }
        let sample = tables.samples[nextSample]
        nextSample += 1
        updateSampleTime()
        position.initialize(
            to: Event(
                kind: .stackSample, timeNanoseconds: stamp(sample.time), goroutine: sample.goroutine,
                proc: sample.proc, thread: sample.thread, stack: stack(sample.stack), source: context.source))
        position += 1
        return true
    }

    // MARK: - Shared by the steps

    /// No two events have the same time, and time never goes back (as in Go's reader).
    @inline(__always) mutating func stamp(_ time: Int64) -> Int64 {
        lastTime = time > lastTime ? time : lastTime &+ 1
        return lastTime
    }

    /// Whether a sequence number is the one that a record expects in this generation.
    @inline(__always) mutating func matches(_ expected: UInt64, _ sequence: UInt64) -> Bool {
        expected ^ generationTag == sequence
    }

    /// A sequence number of this generation; absurd ones are cut.
    func tagged(_ sequence: UInt64) -> UInt64 { generationTag | min(sequence, Self.sequenceLimit - 2) }

    /// Writes an event in a thread's context, or counts it.
    /// - Parameter isNews: that it is written in any case.
    @inline(__always) mutating func emit<How>(
        _ turn: inout Turn<How>, _ kind: EventKind, _ thread: ThreadID, _ proc: ProcID, _ goroutine: GoroutineID,
        stack: StackID = .absent, name: StringID = .empty, argument0: UInt64 = 0, argument1: UInt64 = 0,
        argument2: UInt64 = 0, detail: UInt16 = 0, isNews: Bool = false
    ) {
        if How.isTallying, !isNews, let tally {
            _ = turn.stamp()
            tally[Int(kind.rawValue)] &+= 1
            return
        }
        let output = turn.output
        turn.output = output + 1
        output.initialize(
            to: Event(
                kind: kind, timeNanoseconds: turn.stamp(), goroutine: goroutine, proc: proc,
                thread: thread, stack: stack, name: name, argument0: argument0, argument1: argument1,
                argument2: argument2, source: context.source, detail: detail))
    }
}
