import VestigeCore

/// Merges the events of all procs into one order and turns them into IR events, the same that Go's
/// reader makes of a v1 trace (`internal/trace/internal/tracev1`, `internal/trace/tracev1.go`).
///
/// Only the events of one proc are in order. Procs are merged by time, and an event waits until its
/// goroutine is in the state that it needs; sequence numbers tell one wake-up of a goroutine from the
/// next. Where what it waits for does not come in time, it is missing, and the event is placed by time.
///
/// Exits from system calls are written late, but belong where they happened: see `ExitQueueV1`.
struct MergeV1: ~Copyable {
    typealias Cursor = UnsafeMutablePointer<ProcCursorV1>
    typealias Output = UnsafeMutablePointer<Event>
    typealias Record = UnsafeMutablePointer<GoroutineRecordV1>

    enum Outcome {
        case placed
        /// Its goroutine is not in the state that it needs.
        case blocked
        /// It names what cannot be.
        case impossible
        /// Its bytes are not an event, which the index would have seen: the input has changed.
        case malformed
    }

    let index: TraceIndexV1
    let layout: LayoutV1
    let tables: TablesV1
    let context: ReaderContext
    let names: NamesV1
    let source: UInt8

    var goroutines = PagedTable<GoroutineRecordV1>()
    var tasks = PagedTable<TaskRecord>()
    private var heap: ProcHeapV1
    private var cursors: [Cursor] = []
    /// Procs whose next event waits for another one.
    private var waiting: [Cursor] = []
    private var exits: ExitQueueV1
    private var nextSample = 0

    // Copies of what the tables hold, at hand.
    private var stringMap: UnsafeMutablePointer<UInt32>
    private var stringMapCount = 0
    private var stackMap: UnsafeMutablePointer<UInt32>
    private var stackMapCount = 0

    let hasTimerGoroutines: Bool
    let nanosecondsPerTick: Double
    private var firstTicks: Int64 = 0
    /// Time of the last event delivered.
    private(set) var lastTime: Int64 = -1
    /// The same before times were made to differ.
    private var latestOwnTime = Int64.min
    /// How much longer in ticks an event waits for what it depends on, than time alone would have it.
    private let patience: Int64
    /// A bound on the work that hostile input causes.
    private static let mostWaiting = 64

    /// False until the first GOMAXPROCS, which follows the list of what was there when tracing began.
    var isStarted = false
    /// Goroutines that were runnable when tracing began, the next one to be told last, and their time.
    private var announcements: [Int64] = []
    private var isAnnouncing = false
    private var announcementTicks: Int64 = 0
    var gcSequence: UInt64 = 0
    var stopTheWorld = StringID.empty
    /// Set while an event is placed by time alone.
    var isForcing = false
    private var hasChanged = false

    /// Room that one wire event may need in the output.
    static var eventsPerWireEvent: Int { 2 }

    init(_ index: TraceIndexV1) throws(TraceError) {
        self.index = index
        layout = index.layout
        tables = index.tables
        context = index.context
        source = index.context.source
        stringMap = tables.strings.dense
        stackMap = tables.stacks.dense
        names = NamesV1(index.context.tables, version: index.layout.version)
        hasTimerGoroutines = !index.timerGoroutines.isEmpty
        nanosecondsPerTick = 1e9 / Double(index.ticksPerSecond)
        patience = Int64(clamping: index.ticksPerSecond / 100_000)
        heap = ProcHeapV1(capacity: index.procs.count + 1)
        exits = ExitQueueV1(index)
        refreshMaps()
        for (number, proc) in index.procs.enumerated() where !proc.segments.isEmpty {
            try add(ProcCursorV1(proc: ProcID(proc.id), index: number, bufferSize: proc.largestSegment))
        }
        // Samples are merged like a proc of their own.
        try add(ProcCursorV1(proc: .absent, index: Self.samplesIndex, bufferSize: 0))
        if let head = heap.first { firstTicks = head.pointee.ticks }
    }

    private mutating func add(_ cursor: ProcCursorV1) throws(TraceError) {
        let pointer = Cursor.allocate(capacity: 1)
        pointer.initialize(to: cursor)
        cursors.append(pointer)
        if try loadSegment(pointer) { heap.insert(pointer) }
    }

    private static let samplesIndex = -1

    deinit {
        for cursor in cursors {
            cursor.pointee.buffer.deallocate()
            cursor.deallocate()
        }
    }

    var isExhausted: Bool { heap.first == nil && waiting.isEmpty && !isAnnouncing }

    // MARK: - The loop

    /// Writes the next events to `out`, as many as there are and have room.
    mutating func fill(_ out: UnsafeMutableBufferPointer<Event>) throws(TraceError) -> Int {
        guard let start = out.baseAddress else { return 0 }
        var position = start
        let limit = start + (out.count - Self.eventsPerWireEvent)
        while position <= limit {
            if isAnnouncing {
                announceNext(&position)
                continue
            }
            if !waiting.isEmpty, try placeWaiting(&position) { continue }
            guard let head = heap.first else { break }
            if exits.nextKey < head.pointee.key {
                try takeExit(&position)
                continue
            }
            let outcome = step(head, &position)
            if outcome == .blocked {
                heap.removeFirst()
                waiting.append(head)
            } else if try goOn(head, outcome) {
                heap.reinsertFirst()
            } else {
                heap.removeFirst()
            }
        }
        return position - start
    }

    /// Peeks at the event behind one that was placed, or that cannot be.
    /// - Returns: false at the end of the proc's events.
    @inline(__always) private mutating func goOn(_ cursor: Cursor, _ outcome: Outcome) throws(TraceError) -> Bool {
        if outcome == .placed { return try advance(cursor) }
        return try pass(cursor, outcome)
    }

    @inline(never) private mutating func pass(_ cursor: Cursor, _ outcome: Outcome) throws(TraceError) -> Bool {
        if outcome == .malformed {
            noteChange(cursor)
            return try loadSegment(cursor)
        }
        context.diagnostics.count(.eventsLost)
        return try passOver(cursor)
    }

    /// Looks whether events can be placed now that could not before. What one waits for may be a little
    /// later by the clock of another processor; if it does not come, it is missing: lost with a batch, or
    /// never written (the first start of threads made by C, Go 1.11 to 1.21).
    /// - Returns: true if an event was placed by time alone.
    private mutating func placeWaiting(_ position: inout Output) throws(TraceError) -> Bool {
        for index in waiting.indices.reversed() where isReady(waiting[index]) {
            heap.insert(waiting.remove(at: index))
        }
        guard let index = waiting.indices.min(by: { waiting[$0].pointee.key < waiting[$1].pointee.key }) else {
            return false
        }
        let cursor = waiting[index]
        if let head = heap.first, head.pointee.key <= cursor.pointee.key &+ patience, waiting.count < Self.mostWaiting {
            return false
        }
        waiting.remove(at: index)
        isForcing = true
        let outcome = step(cursor, &position)
        isForcing = false
        if outcome == .placed { context.diagnostics.count(.transitionsForced) }
        if try goOn(cursor, outcome) { heap.insert(cursor) }
        return true
    }

    // MARK: - Cursors

    /// Peeks at the proc's next event.
    /// - Returns: false at the end of its segments.
    @inline(__always) private mutating func advance(_ cursor: Cursor) throws(TraceError) -> Bool {
        var pointer = cursor.pointee.next
        guard pointer < cursor.pointee.end else { return try loadSegment(cursor) }
        let head = pointer[0]
        guard WireV1.isTimed(head & 63) else { return try advanceOverTable(cursor) }
        pointer += 1
        if WireV1.hasLength(head) { _ = Varint.readLenient(&pointer) }
        let sequence = layout.hasGlobalSequence ? Varint.readLenient(&pointer) : 0
        let delta = Varint.readLenient(&pointer)
        cursor.pointee.type = head & 63
        cursor.pointee.ticks &+= Int64(bitPattern: delta)
        cursor.pointee.key =
            layout.hasGlobalSequence ? cursor.pointee.key &+ Int64(bitPattern: sequence) : cursor.pointee.ticks
        cursor.pointee.arguments = pointer
        return true
    }

    @inline(never) private mutating func advanceOverTable(_ cursor: Cursor) throws(TraceError) -> Bool {
        while cursor.pointee.next < cursor.pointee.end, !WireV1.isTimed(cursor.pointee.next[0] & 63) {
            if !LayoutV1.skipTable(&cursor.pointee.next, cursor.pointee.end, layout) {
                noteChange(cursor)
                cursor.pointee.next = cursor.pointee.end
            }
        }
        return try advance(cursor)
    }

    /// Reads the proc's next segment and peeks at its first event.
    @inline(never) private mutating func loadSegment(_ cursor: Cursor) throws(TraceError) -> Bool {
        if cursor.pointee.index == Self.samplesIndex { return peekSample(cursor) }
        let segments = index.procs[Int(cursor.pointee.index)].segments
        while Int(cursor.pointee.nextSegment) < segments.count {
            let segment = segments[Int(cursor.pointee.nextSegment)]
            cursor.pointee.nextSegment += 1
            let target = UnsafeMutableRawBufferPointer(start: cursor.pointee.buffer, count: segment.size)
            let count = try index.source.read(at: segment.offset, into: target)
            (cursor.pointee.buffer + count).initialize(repeating: 0, count: LimitV1.padding)
            cursor.pointee.next = UnsafePointer(cursor.pointee.buffer)
            cursor.pointee.end = cursor.pointee.next + count
            cursor.pointee.ticks = Int64(bitPattern: segment.ticks)
            cursor.pointee.key = Int64(bitPattern: segment.sequence)
            if count > 0 { return try advance(cursor) }
        }
        return false
    }

    /// Whether the event behind `pointer` is the one that says that a system call blocks. It is written on
    /// the same proc, and nothing else of the goroutine can come before it.
    func isSysBlock(behind pointer: UnsafePointer<UInt8>, _ cursor: Cursor) -> Bool {
        var pointer = pointer
        while pointer < cursor.pointee.end {
            let type = pointer[0] & 63
            if WireV1.isTimed(type) { return type == WireV1.goSysBlock }
            guard LayoutV1.skipTable(&pointer, cursor.pointee.end, layout) else { return false }
        }
        let segments = index.procs[Int(cursor.pointee.index)].segments
        let next = Int(cursor.pointee.nextSegment)
        return next < segments.count && segments[next].firstType == WireV1.goSysBlock
    }

    /// Skips the event that was peeked at.
    private mutating func passOver(_ cursor: Cursor) throws(TraceError) -> Bool {
        var (ticks, sequence) = (UInt64(0), UInt64(0))
        var pointer = cursor.pointee.next
        let end = cursor.pointee.end
        let isEvent = layout.skipEvent(&pointer, limit: end, ticks: &ticks, sequence: &sequence) && pointer <= end
        if isEvent, cursor.pointee.type == WireV1.userLog { _ = LayoutV1.skipMessage(&pointer, end) }
        cursor.pointee.next = isEvent ? min(pointer, end) : end
        return try advance(cursor)
    }

    private mutating func noteChange(_ cursor: Cursor) {
        context.diagnostics.count(.bytesLost, UInt64(cursor.pointee.end - min(cursor.pointee.next, cursor.pointee.end)))
        guard !hasChanged else { return }
        hasChanged = true
        context.diagnostics.record(
            index.source.error(
                .damaged, at: nil, context: ["events of proc \(cursor.pointee.proc.rawValue)"],
                expected: "the same bytes as before", found: "others: the file has been changed while it was read"))
    }

    // MARK: - Samples, exits, announcements

    /// - Returns: false if there is no further sample.
    private mutating func peekSample(_ cursor: Cursor) -> Bool {
        guard nextSample < index.samples.count else { return false }
        cursor.pointee.ticks = Int64(bitPattern: index.samples[nextSample].ticks)
        cursor.pointee.key = cursor.pointee.ticks
        cursor.pointee.type = WireV1.cpuSample
        nextSample += 1
        return true
    }

    mutating func sample(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        let sample = index.samples[nextSample - 1]
        output.initialize(
            to: Event(
                kind: .stackSample, timeNanoseconds: stamp(cursor.pointee.ticks), goroutine: sample.goroutine,
                proc: sample.proc, thread: sample.thread, stack: resolve(stack: sample.stack), source: source))
        output += 1
        return .placed
    }

    /// Delivers an exit where it happened, if its goroutine is known to be in a system call. If not, the
    /// event that tells of it will.
    private mutating func takeExit(_ position: inout Output) throws(TraceError) {
        guard let exit = try exits.pop(), let record = goroutines.find(Int64(bitPattern: exit.goroutine)),
            record.pointee.state == .syscall, record.pointee.status == .waiting
        else { return }
        record.pointee.hasExited = true
        emitExit(record, exit.ticks, &position)
    }

    /// The list of what was there is complete: goroutines that nothing was told of are runnable.
    mutating func start(_ cursor: Cursor) {
        isStarted = true
        announcementTicks = cursor.pointee.ticks
        goroutines.forEach { if $1.pointee.isUnannounced { announcements.append($0) } }
        announcements.reverse()
        isAnnouncing = !announcements.isEmpty
    }

    private mutating func announceNext(_ position: inout Output) {
        let id = announcements.removeLast()
        isAnnouncing = !announcements.isEmpty
        guard let record = goroutines.find(id) else { return }
        record.pointee.isUnannounced = false
        record.pointee.state = .runnable
        position.initialize(
            to: Event(
                kind: .goroutineTransition, timeNanoseconds: stamp(announcementTicks),
                argument0: UInt64(bitPattern: id), source: source, detail: Event.pack(.undetermined, .runnable)))
        position += 1
    }

    // MARK: - Strings and stacks

    @inline(__always) mutating func resolve(string id: UInt64) -> StringID {
        if id < UInt64(truncatingIfNeeded: stringMapCount) {
            let value = stringMap[Int(truncatingIfNeeded: id)]
            if value != IDMap.missing { return StringID(value) }
        }
        return resolveRare(string: id)
    }

    @inline(__always) mutating func resolve(stack id: UInt64) -> StackID {
        if id < UInt64(truncatingIfNeeded: stackMapCount) {
            let value = stackMap[Int(truncatingIfNeeded: id)]
            if value != IDMap.missing { return StackID(value) }
        }
        return resolveRare(stack: id)
    }

    @inline(never) private mutating func resolveRare(string id: UInt64) -> StringID {
        let string = tables.string(id)
        refreshMaps()
        return string
    }

    @inline(never) private mutating func resolveRare(stack id: UInt64) -> StackID {
        let stack = tables.stack(id)
        refreshMaps()
        return stack
    }

    private mutating func refreshMaps() {
        (stringMap, stringMapCount) = (tables.strings.dense, tables.strings.denseCount)
        (stackMap, stackMapCount) = (tables.stacks.dense, tables.stacks.denseCount)
    }

    // MARK: - Time

    /// Nanoseconds since the first event. No two events have the same time, and time never goes back.
    @inline(__always) mutating func stamp(_ ticks: Int64) -> Int64 {
        let product = Double(ticks &- firstTicks) * nanosecondsPerTick
        guard product < 9.2e18, product > -9.2e18 else { return clampedStamp(.max) }
        let time = Int64(product)
        guard time > lastTime else { return clampedStamp(time) }
        latestOwnTime = time
        lastTime = time
        return time
    }

    @inline(never) private mutating func clampedStamp(_ time: Int64) -> Int64 {
        if time < latestOwnTime || time == .max { context.diagnostics.count(.timesClamped) }
        lastTime &+= 1
        return lastTime
    }
}
