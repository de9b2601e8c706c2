import VestigeCore

/// Taking the events of one thread, one after the other, and its batches.
extension Ordering {
    /// Room for any ordinary event: a type, and a time and four arguments of at most four bytes.
    private static var ordinaryBytes: Int { 21 }

    /// Places a thread's events up to the time `bound` while there is room, but one in any case.
    mutating func run(
        _ cursor: Cursor, through bound: Int64, _ limit: Output, _ position: inout Output
    ) throws(TraceError) -> Outcome {
        repeat {
            let stop =
                tally == nil
                ? runOrdinary(cursor, through: bound, limit, &position)
                : runTallied(cursor, through: bound, limit, &position)
            if stop == .atBound { return .placed }
            var turn: CarefulTurn = turn(cursor, position)
            if stop == .atEvent {
                let outcome = carefulStep(&turn)
                guard outcome == .placed else { return outcome }
                noteWritten(turn, since: position)
            }
            (lastTime, position) = (turn.lastTime, turn.output)
            cursor.pointee.arguments = turn.pointer
            guard try advance(cursor) else { return .ended }
        } while cursor.pointee.time <= bound && position <= limit
        return .placed
    }

    /// Why a run over ordinary events has come to its end.
    private enum Stop {
        case atBound
        /// The event that was peeked at is not ordinary.
        case atEvent
        /// The one behind the event that was placed could not be peeked at.
        case behindEvent
    }

    /// The same up to an event that is not ordinary.
    @inline(never) private mutating func runOrdinary(
        _ cursor: Cursor, through bound: Int64, _ limit: Output, _ position: inout Output
    ) -> Stop {
        var turn: Turn<Ordinary> = turn(cursor, position)
        return run(&turn, cursor, through: bound, limit, &position)
    }

    /// The same where events are counted; a thread's first event is written.
    @inline(never) private mutating func runTallied(
        _ cursor: Cursor, through bound: Int64, _ limit: Output, _ position: inout Output
    ) -> Stop {
        guard cursor.pointee.thread.pointee.isKnown else { return .atEvent }
        var turn: Turn<Tallied> = turn(cursor, position)
        return run(&turn, cursor, through: bound, limit, &position)
    }

    /// Whether an event was written of the thread whose turn it is. It may have been another thread's, by its status.
    private mutating func noteWritten(_ turn: CarefulTurn, since position: Output) {
        let thread = turn.thread
        guard !thread.pointee.isKnown, position < turn.output else { return }
        thread.pointee.isKnown = (turn.output - 1).pointee.thread == thread.pointee.id
    }

    /// It calls nothing, and `<` is all that it asks of pointers: for other operators the compiler leaves a call.
    @inline(__always) private mutating func run<How>(
        _ turn: inout Turn<How>, _ cursor: Cursor, through bound: Int64, _ limit: Output, _ position: inout Output
    ) -> Stop {
        // An event takes two bytes at least, so the output has room for those that begin up to here.
        let roomBytes = (limit - turn.output + 1) &* 2
        let lastStart = min(turn.end - Self.ordinaryBytes, turn.pointer + max(0, roomBytes))
        guard !(lastStart < turn.pointer) else { return .atEvent }
        while true {
            guard step(&turn) == .placed else {
                save(turn, cursor, &position)
                return .atEvent
            }
            guard !(lastStart < turn.pointer), peekOrdinary(&turn) else {
                save(turn, cursor, &position)
                return .behindEvent
            }
            guard !(bound < turn.time) else {
                save(turn, cursor, &position)
                return .atBound
            }
        }
    }

    @inline(__always) private mutating func save<How>(_ turn: Turn<How>, _ cursor: Cursor, _ position: inout Output) {
        (lastTime, position) = (turn.lastTime, turn.output)
        cursor.pointee.start = turn.start
        cursor.pointee.arguments = turn.pointer
        cursor.pointee.time = turn.time
    }

    @inline(__always) private mutating func turn<How>(_ cursor: Cursor, _ output: Output) -> Turn<How> {
        Turn(
            isForcing: !How.isOrdinary && isForcing, thread: cursor.pointee.thread,
            start: cursor.pointee.start, pointer: cursor.pointee.arguments, end: cursor.pointee.end,
            time: cursor.pointee.time, lastTime: lastTime, output: output)
    }

    // MARK: - From event to event

    /// Decodes type and time of the next event if its time is ordinary: not much later.
    @inline(__always) private mutating func peekOrdinary<How>(_ turn: inout Turn<How>) -> Bool {
        var pointer = turn.pointer + 1
        let delta: UInt64
        // Most take one byte, and need not be compared with the table's end.
        if pointer.pointee < 0x80 {
            delta = UInt64(pointer.pointee)
            pointer += 1
        } else {
            guard let long = Varint.readShort(&pointer), long < UInt64(Self.deltaTableCount) else { return false }
            delta = long
        }
        turn.start = turn.pointer
        turn.time &+= deltaTable[Int(truncatingIfNeeded: delta)]
        turn.pointer = pointer
        return true
    }

    /// Peeks at the thread's next event.
    /// - Returns: false at the end of its batches.
    private mutating func advance(_ cursor: Cursor) throws(TraceError) -> Bool {
        cursor.pointee.start = cursor.pointee.arguments
        guard cursor.pointee.start < cursor.pointee.end else { return try loadBatch(cursor) }
        if peek(cursor) { return true }
        return try abandonBatch(cursor, expected: "an event with a time")
    }

    /// Decodes type and time of the event at `start`.
    /// - Returns: false if the batch ends within them.
    private mutating func peek(_ cursor: Cursor) -> Bool {
        var pointer = cursor.pointee.start + 1
        let delta = Varint.read(&pointer)
        guard pointer <= cursor.pointee.end else { return false }
        cursor.pointee.time &+= nanoseconds(delta: delta, after: cursor.pointee.time)
        cursor.pointee.arguments = pointer
        return true
    }

    /// Reads the thread's next batch that holds an event, and peeks at that. Passes over batches that are broken
    /// from the start; there may be very many.
    @inline(never) mutating func loadBatch(_ cursor: Cursor) throws(TraceError) -> Bool {
        let batches = generation.threads[Int(cursor.pointee.threadIndex)].batches
        while Int(cursor.pointee.nextBatch) < batches.count {
            let batch = batches[Int(cursor.pointee.nextBatch)]
            cursor.pointee.nextBatch += 1
            let target = UnsafeMutableRawBufferPointer(start: cursor.pointee.buffer, count: batch.size)
            let count = try source.read(at: batch.payloadOffset, into: target)
            bytesLoaded += UInt64(count)
            (cursor.pointee.buffer + count).initialize(repeating: 0, count: WireLimit.eventBytes)
            cursor.pointee.start = UnsafePointer(cursor.pointee.buffer)
            cursor.pointee.end = cursor.pointee.start + count
            cursor.pointee.time = tables.nanoseconds(batch.ticks)
            if count == 0 { continue }
            if peek(cursor) { return true }
            noteBroken(cursor, expected: "an event with a time")
        }
        return false
    }

    /// The rest of a batch cannot be read: goes on with the thread's next batch.
    @inline(never) mutating func abandonBatch(_ cursor: Cursor, expected: String) throws(TraceError) -> Bool {
        noteBroken(cursor, expected: expected)
        return try loadBatch(cursor)
    }

    /// Counts the rest of a batch as lost. What the thread held is not known any more.
    @inline(never) private mutating func noteBroken(_ cursor: Cursor, expected: String) {
        let batch = generation.threads[Int(cursor.pointee.threadIndex)].batches[Int(cursor.pointee.nextBatch) - 1]
        let pointer = cursor.pointee.start
        let position = pointer - UnsafePointer(cursor.pointee.buffer)
        if unknownEvent == nil, WireSpec.timed[pointer[0]] == nil { unknownEvent = pointer[0] }
        let found = position < batch.size ? "\(WireSpec.name(pointer[0])) with other or cut arguments" : "the end"
        tables.noteDamage(batch, at: position, thread: batch.thread, expected: expected, found: found)
        cursor.pointee.thread.unbindGoroutine()
        cursor.pointee.thread.unbindProc()
    }

    /// Skips the event that was peeked at.
    mutating func passOver(_ cursor: Cursor) throws(TraceError) -> Bool {
        for _ in 0..<(WireSpec.timed[cursor.pointee.start.pointee]?.arguments.count ?? 0) {
            _ = Varint.read(&cursor.pointee.arguments)
        }
        return try advance(cursor)
    }

    @inline(__always) private mutating func nanoseconds(delta: UInt64, after time: Int64) -> Int64 {
        delta < UInt64(Self.deltaTableCount)
            ? deltaTable[Int(truncatingIfNeeded: delta)] : largeNanoseconds(delta, after: time)
    }

    @inline(never) private mutating func largeNanoseconds(_ delta: UInt64, after time: Int64) -> Int64 {
        let product = Double(delta) * nanosecondsPerTick
        // A year between two events of one batch, or later than any clock: the time is damaged.
        guard product < 3.2e16, time <= GenerationTables.latestNanoseconds else {
            context.diagnostics.count(.timesClamped)
            return 0
        }
        return Int64(product)
    }
}
