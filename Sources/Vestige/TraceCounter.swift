import VestigeCore

/// The state a goroutine is in.
private struct KnownGoroutine: PagedElement {
    var isOccupied: Bool
    var state: GoroutineState

    static let vacant = KnownGoroutine(isOccupied: false, state: .undetermined)
}

/// Fills `TraceCounts` from events.
final class TraceCounter {
    private var counts = TraceCounts()
    private var goroutines = PagedTable<KnownGoroutine>()
    private var procs: Set<ProcID> = []
    private var threads: Set<ThreadID> = []
    private var lastThread = ThreadID.absent

    func process(_ events: UnsafeBufferPointer<Event>) {
        guard let first = events.first, let last = events.last else { return }
        if counts.eventCount == 0 { counts.firstNanoseconds = first.timeNanoseconds }
        counts.lastNanoseconds = last.timeNanoseconds
        counts.eventCount += UInt64(events.count)
        for event in events { count(event) }
    }

    func finish(tables: TraceTables) -> TraceCounts {
        goroutines.forEach { _, goroutine in
            counts.goroutinesAtEnd[Int(goroutine.pointee.state.rawValue)] += 1
        }
        counts.tasksBegun = number(of: .taskBegin)
        counts.tasksEnded = number(of: .taskEnd)
        counts.regionsBegun = number(of: .regionBegin)
        counts.regionsEnded = number(of: .regionEnd)
        counts.logCount = number(of: .log)
        counts.stackSampleCount = number(of: .stackSample)
        counts.procCount = procs.count
        counts.threadCount = threads.count
        counts.stringCount = tables.strings.count
        counts.stackNodeCount = tables.stacks.count - 1
        return counts
    }

    private func number(of kind: EventKind) -> UInt64 { counts.eventsByKind[Int(kind.rawValue)] }

    private func count(_ event: Event) {
        counts.eventsByKind[Int(event.kind.rawValue)] += 1
        // Events of one thread follow each other more often than not.
        if event.thread != lastThread, event.thread != .absent {
            lastThread = event.thread
            threads.insert(event.thread)
        }
        switch event.kind {
        case .goroutineTransition: transition(event)
        case .procTransition: procs.insert(event.subjectProc)
        default: break
        }
    }

    private func transition(_ event: Event) {
        let id = event.subjectGoroutine.rawValue
        let state = event.toGoroutineState
        if let known = goroutines.find(id) {
            known.pointee.state = state
        } else if id >= 0 {
            counts.goroutineCount += 1
            if event.fromGoroutineState == .notExist { counts.goroutinesCreated += 1 }
            goroutines.insert(id, KnownGoroutine(isOccupied: true, state: state))
            counts.goroutinesAtMost = max(counts.goroutinesAtMost, goroutines.count)
        }
        if state == .notExist, goroutines.find(id) != nil {
            counts.goroutinesEnded += 1
            goroutines.remove(id)
        }
    }
}
