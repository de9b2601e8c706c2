import VestigeCore

/// What is known of one goroutine, or that a proc or a thread has been seen.
private struct Known: PagedElement {
    var isOccupied: Bool
    var state: GoroutineState = .undetermined

    static let vacant = Known(isOccupied: false)
}

/// Fills `TraceCounts` from events.
final class TraceCounter {
    private var counts = TraceCounts()
    private var eventsByKind = EventsByKind()
    private var goroutines = PagedTable<Known>()
    private var procs = PagedTable<Known>()
    private var threads = PagedTable<Known>()

    func process(_ events: UnsafeBufferPointer<Event>) {
        guard let first = events.first, let last = events.last else { return }
        if counts.eventCount == 0 { counts.firstNanoseconds = first.timeNanoseconds }
        counts.lastNanoseconds = last.timeNanoseconds
        counts.eventCount += UInt64(events.count)
        eventsByKind.add(events)
        // Events of one thread follow each other more often than not.
        var lastThread = ThreadID.absent
        for event in events {
            if event.thread != lastThread {
                lastThread = event.thread
                Self.note(lastThread.rawValue, in: &threads)
            }
            switch event.kind {
            case .goroutineTransition: transition(event)
            case .procTransition: Self.note(Int64(event.subjectProc.rawValue), in: &procs)
            default: break
            }
        }
    }

    func finish(tables: TraceTables) -> TraceCounts {
        goroutines.forEach { _, goroutine in
            counts.goroutinesAtEnd[Int(goroutine.pointee.state.rawValue)] += 1
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

    private func transition(_ event: Event) {
        let id = event.subjectGoroutine.rawValue
        let state = event.toGoroutineState
        if let known = goroutines.find(id) {
            known.pointee.state = state
        } else if id >= 0 {
            appear(event, id, state)
        }
        if state == .notExist, goroutines.find(id) != nil {
            counts.goroutinesEnded += 1
            goroutines.remove(id)
        }
    }

    private func appear(_ event: Event, _ id: Int64, _ state: GoroutineState) {
        counts.goroutineCount += 1
        if event.fromGoroutineState == .notExist { counts.goroutinesCreated += 1 }
        goroutines.insert(id, Known(isOccupied: true, state: state))
        counts.goroutinesAtMost = max(counts.goroutinesAtMost, goroutines.count)
    }
}

/// Counts events by the raw value of their kind.
private struct EventsByKind: ~Copyable {
    private let counts = UnsafeMutablePointer<UInt64>.allocate(capacity: 256)

    init() { counts.initialize(repeating: 0, count: 256) }

    deinit { counts.deallocate() }

    func add(_ events: UnsafeBufferPointer<Event>) {
        for event in events { counts[Int(event.kind.rawValue)] += 1 }
    }

    var values: [UInt64] { EventKind.allCases.map { counts[Int($0.rawValue)] } }
}
