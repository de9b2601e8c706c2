import VestigeCore

/// What is known of one goroutine, or that a proc or a thread has been seen.
struct Known: PagedElement {
    var isOccupied: Bool
    /// Raw value of the goroutine's state.
    var state = GoroutineState.undetermined.rawValue

    static let vacant = Known(isOccupied: false)
}

/// Fills `TraceCounts` from events. A trace may be counted in parts, at the same time, and the parts
/// then appended to each other.
struct TraceCounter: ~Copyable {
    private var counts = TraceCounts()
    private var eventsByKind = EventsByKind()
    private var goroutines = PagedTable<Known>()
    private var procs = PagedTable<Known>()
    private var threads = PagedTable<Known>()
    /// Goroutines that were alive before this part: it heard of them otherwise than by their creation,
    /// some only at its end.
    private var olderCount = 0
    /// Created less ended so far, and the most that ever was.
    private var growth = 0
    private var greatestGrowth = 0

    mutating func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {
        guard let first = events.first, let last = events.last, let start = events.baseAddress else { return }
        if counts.eventCount == 0 { counts.firstNanoseconds = first.timeNanoseconds }
        counts.lastNanoseconds = last.timeNanoseconds
        counts.eventCount += UInt64(events.count)
        // Events of one thread follow each other more often than not, and nearly all are transitions of goroutines
        // that are known and stay. By pointer: a copy of an event that others are handed would lie in memory.
        var lastThread = ThreadID.absent
        var plainTransitionCount: UInt64 = 0
        for event in start..<start + events.count {
            if event.pointee.thread != lastThread {
                lastThread = event.pointee.thread
                Self.note(lastThread.rawValue, in: &threads)
            }
            let isSynthetic = event.pointee.isSynthetic
            if event.pointee.kind == .goroutineTransition {
                let state = UInt8(truncatingIfNeeded: event.pointee.detail >> 4 & 15)
                if let known = goroutines.pagedSlot(event.pointee.subjectGoroutine.rawValue),
                    !isSynthetic, known.pointee.isOccupied, state != GoroutineState.notExist.rawValue
                {
                    known.pointee.state = state
                    plainTransitionCount &+= 1
                    continue
                }
                transition(event.pointee)
            } else if event.pointee.kind == .procTransition {
                Self.note(Int64(event.pointee.subjectProc.rawValue), in: &procs)
            } else if event.pointee.kind == .observed {
                counts.observed.add(event.pointee, tables)
            }
            // No input says what a selection adds.
            if isSynthetic { counts.eventCount -= 1 } else { eventsByKind.add(event.pointee.kind) }
        }
        eventsByKind.add(.goroutineTransition, plainTransitionCount)
    }

    /// Adds what a reader has counted itself.
    mutating func add(_ tally: EventTally) {
        counts.eventCount += tally.total
        for kind in EventKind.allCases { eventsByKind.add(kind, tally.counts[Int(kind.rawValue)]) }
    }

    /// Appends what was counted in the next part of the same trace. It began by hearing of the goroutines
    /// that were alive at the end of this one.
    mutating func append(_ next: borrowing TraceCounter) {
        counts.lastNanoseconds = next.counts.lastNanoseconds
        counts.eventCount += next.counts.eventCount
        eventsByKind.add(next.eventsByKind)
        let unheardCount = max(0, next.olderCount - goroutines.count)
        counts.goroutineCount += UInt64(unheardCount) + next.counts.goroutineCount - UInt64(next.olderCount)
        olderCount += unheardCount
        greatestGrowth = max(greatestGrowth, growth + next.greatestGrowth)
        growth += next.growth
        counts.observed.add(next.counts.observed)
        counts.goroutinesCreated += next.counts.goroutinesCreated
        counts.goroutinesEnded += next.counts.goroutinesEnded
        goroutines = PagedTable()
        next.goroutines.forEach { id, goroutine in goroutines.insert(id, goroutine.pointee) }
        next.procs.forEach { id, _ in Self.note(id, in: &procs) }
        next.threads.forEach { id, _ in Self.note(id, in: &threads) }
    }

    func finish(tables: TraceTables) -> TraceCounts {
        var counts = counts
        counts.goroutinesAtMost = olderCount + greatestGrowth
        goroutines.forEach { _, goroutine in
            let state = GoroutineState(rawValue: goroutine.pointee.state) ?? .undetermined
            counts.goroutinesAtEnd[Int(state.rawValue)] += 1
        }
        counts.eventsByKind = eventsByKind.values
        counts.tasksBegun = counts.number(of: .taskBegin)
        counts.tasksEnded = counts.number(of: .taskEnd)
        counts.regionsBegun = counts.number(of: .regionBegin)
        counts.regionsEnded = counts.number(of: .regionEnd)
        counts.logCount = counts.number(of: .log)
        counts.stackSampleCount = counts.number(of: .stackSample)
        counts.procCount = procs.count
        counts.threadCount = threads.count
        counts.stringCount = tables.strings.count
        counts.stackNodeCount = tables.stacks.count - 1
        return counts
    }

    private static func note(_ id: Int64, in table: inout PagedTable<Known>) {
        if id >= 0, table.find(id) == nil { table.insert(id, Known(isOccupied: true)) }
    }

    @inline(never) private mutating func transition(_ event: Event) {
        let id = event.subjectGoroutine.rawValue
        let state = event.toGoroutineState
        if let known = goroutines.find(id) {
            known.pointee.state = state.rawValue
            if state == .notExist {
                counts.goroutinesEnded += 1
                growth -= 1
                goroutines.remove(id)
            }
        } else if id >= 0, state != .notExist {
            appear(event, id, state)
        }
    }

    private mutating func appear(_ event: Event, _ id: Int64, _ state: GoroutineState) {
        counts.goroutineCount += 1
        if event.fromGoroutineState == .notExist {
            counts.goroutinesCreated += 1
            growth += 1
            greatestGrowth = max(greatestGrowth, growth)
        } else {
            olderCount += 1
        }
        goroutines.insert(id, Known(isOccupied: true, state: state.rawValue))
    }
}

/// Counts events by the raw value of their kind.
struct EventsByKind: ~Copyable {
    private let counts = UnsafeMutablePointer<UInt64>.allocate(capacity: 256)

    init() { counts.initialize(repeating: 0, count: 256) }

    deinit { counts.deallocate() }

    @inline(__always) func add(_ kind: EventKind, _ count: UInt64 = 1) { counts[Int(kind.rawValue)] &+= count }

    func add(_ other: borrowing EventsByKind) {
        for kind in EventKind.allCases { counts[Int(kind.rawValue)] += other.counts[Int(kind.rawValue)] }
    }

    var values: [UInt64] { EventKind.allCases.map { counts[Int($0.rawValue)] } }
}
