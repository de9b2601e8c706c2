import VestigeCore
import VestigeStages

/// Writes the events of some views into Chrome trace JSON: see `ChromeJSONWriter`. Parts that write different
/// views of one recording see the same events and know nothing of each other.
final class ChromePart {
    let text: ChromeText
    let views: ViewKinds
    /// Follows states of goroutines, and tasks, as far as they are shown.
    let lifelines = LifelineStage()
    let goroutines: GoroutineRows
    let procs: OccupancyRows
    let threads: OccupancyRows
    let counters: CounterTracks
    var nested = NestedSlices()
    var runtimeRows = RuntimeRows()
    /// The event at hand, its time limited.
    private let current = HeapValue(Event(kind: .sync, timeNanoseconds: 0))
    var now: Int64 { current.pointer.pointee.timeNanoseconds }
    private var isEmpty = true

    init(_ text: ChromeText, _ views: ViewKinds, flows: FlowKinds, thinning: Thinning?) {
        self.text = text
        self.views = views
        goroutines = GoroutineRows(text, flows: views.contains(.goroutines) ? flows : [], thinning: thinning)
        procs = OccupancyRows(.procs, text, goroutines, thinning)
        threads = OccupancyRows(.threads, text, goroutines, thinning)
        counters = CounterTracks(text)
        text.thinning = thinning
    }

    /// Calls `makeRoom` when much is waiting in the buffer.
    func write(
        _ events: UnsafeBufferPointer<Event>, _ tables: TraceTables, makeRoom: () throws(TraceError) -> Void
    ) throws(TraceError) {
        text.use(tables)
        for index in 0..<events.count {
            take(events[index])
            if text.buffer.isHalfFull { try makeRoom() }
        }
    }

    /// Writes what is open, and the names of the rows.
    func finish(_ tables: TraceTables, makeRoom: () throws(TraceError) -> Void) throws(TraceError) {
        text.use(tables)
        // Tells when the recording ends, and nothing more.
        follow(Event(kind: .sync, timeNanoseconds: now))
        lifelines.finish(tables: tables)
        for span in lifelines.spans {
            write(span)
            if text.buffer.isHalfFull { try makeRoom() }
        }
        procs.finish(at: now) { row, open in endAll(&open, of: row) }
        threads.finish(at: now) { row, open in endAll(&open, of: row) }
        for goroutine in goroutines.known {
            endLife(goroutine)
            if text.buffer.isHalfFull { try makeRoom() }
        }
        if views.contains(.runtime) { counters.finish(at: now) }
        runtimeRows.forEach { row, open, title, isUsed in
            let laneCount = endAll(&open, of: row)
            guard isUsed else { return }
            for lane in 0...laneCount {
                text.nameRow(row.lane(lane), sortIndex: Int64(row.tid)) { text.buffer.append(title) }
            }
        }
    }

    // MARK: - Events

    private func take(_ event: Event) {
        let isFirst = isEmpty
        limitTime(event)
        // Tells when the recording begins, and nothing more.
        if isFirst { follow(Event(kind: .sync, timeNanoseconds: now)) }
        learnStartFunction(event)
        switch event.kind {
        case .goroutineTransition: takeTransition(current.pointer.pointee)
        case .procTransition:
            guard views.contains(.procs), event.toProcState != .running else { return }
            procs.release(Int64(event.subjectProc.rawValue), at: now)
        case .regionBegin: beginRegion(event)
        case .regionEnd: endRegion(event)
        case .rangeBegin, .rangeActive: beginRange(event)
        case .rangeEnd: endRange(event)
        case .taskBegin, .taskEnd:
            guard views.contains(.tasks) else { return }
            if event.kind == .taskBegin, !event.isSynthetic { markChild(event) }
            follow(current.pointer.pointee)
            for span in lifelines.spans where span.kind == .task { writeTask(span) }
        case .log: writeLog(event)
        case .label: writeLabel(event)
        case .stackSample: writeSample(event)
        case .metric:
            guard views.contains(.runtime) else { return }
            counters.metricChanged(event.name, event.value, at: now)
        case .sync: text.isCut = event.isSynthetic && !isFirst
        case .observed:
            guard views.contains(.regions) else { return }
            writeObserved(current.pointer.pointee)
        case .experimental, .experimentalBatch, .breakpoint: break
        }
    }

    /// Copies the event to `current` with a time that is not before the last one's, and not so far from
    /// the first that a difference overflows: slices of a row must not overlap whatever the input says.
    private func limitTime(_ event: Event) {
        var earliest = now
        if isEmpty {
            isEmpty = false
            earliest = min(event.timeNanoseconds, Int64.max / 2)
            text.originNanoseconds = min(earliest, text.process.originNanoseconds ?? earliest)
        }
        let (latest, overflows) = text.originNanoseconds.addingReportingOverflow(1 << 61)
        current.pointer.pointee = event
        current.pointer.pointee.timeNanoseconds =
            max(earliest, min(event.timeNanoseconds, overflows ? .max : latest))
    }

    private func follow(_ event: Event) {
        withUnsafePointer(to: event) {
            lifelines.process(UnsafeBufferPointer(start: $0, count: 1), tables: text.tables)
        }
    }

    private func takeTransition(_ event: Event) {
        let subject = event.subjectGoroutine
        guard subject != .absent else { return }
        let isCreation = event.fromGoroutineState == .notExist
        let row = goroutines.record(subject, creationNanoseconds: isCreation ? now : nil)
        if row.pointee.startFunction == .empty, let root = text.tables.stacks.rootFrame(event.transitionStack) {
            row.pointee.startFunction = root.function
        }
        if views.contains(.runtime) {
            counters.goroutineChanged(from: row.pointee.state, to: event.toGoroutineState, at: now)
        }
        if views.contains(.goroutines) {
            follow(event)
            for span in lifelines.spans where span.kind == .goroutineState { goroutines.writeState(span) }
        }
        if !views.isDisjoint(with: [.procs, .threads]) { occupy(event, row) }
        goroutines.note(event, row)
        if event.toGoroutineState == .notExist { endLife(subject) }
    }

    /// A goroutine that is older than the recording is named as soon as any event of its own has a stack.
    /// (A CPU sample's may be the scheduler's.)
    private func learnStartFunction(_ event: Event) {
        guard event.stack != .absent, event.goroutine != .absent, event.kind != .stackSample,
            event.kind != .observed, let row = goroutines.find(event.goroutine), row.pointee.startFunction == .empty,
            let root = text.tables.stacks.rootFrame(event.stack)
        else { return }
        row.pointee.startFunction = root.function
    }

    private func occupy(_ event: Event, _ row: UnsafeMutablePointer<GoroutineRow>) {
        let (proc, thread) = (Int64(event.proc.rawValue), event.thread.rawValue)
        switch event.toGoroutineState {
        case .running:
            leave(row, unless: event)
            if views.contains(.procs) { procs.enter(proc, event, at: now) }
            if views.contains(.threads) { threads.enter(thread, event, at: now) }
        case .syscall:
            // Whoever reports a goroutine that is in a system call need not be where it is.
            guard event.goroutine == event.subjectGoroutine else { return }
            leave(row, unless: event)
            if views.contains(.procs) { procs.enterSyscall(proc, event, at: now) }
            if views.contains(.threads) { threads.enterSyscall(thread, event, at: now) }
        default: return leave(row, event.subjectGoroutine, proc: .absent, thread: .absent)
        }
    }

    private func leave(_ row: UnsafeMutablePointer<GoroutineRow>, unless event: Event) {
        if row.pointee.proc != event.proc || row.pointee.thread != event.thread {
            leave(row, event.subjectGoroutine, proc: event.proc, thread: event.thread)
        }
    }

    /// The goroutine leaves what it has, wherever the event happens that says so, if it is not the same again.
    private func leave(
        _ row: UnsafeMutablePointer<GoroutineRow>, _ goroutine: GoroutineID, proc: ProcID, thread: ThreadID
    ) {
        if row.pointee.proc != proc { procs.leave(Int64(row.pointee.proc.rawValue), goroutine, at: now) }
        if row.pointee.thread != thread { threads.leave(row.pointee.thread.rawValue, goroutine, at: now) }
        (row.pointee.proc, row.pointee.thread) = (proc, thread)
    }

    private func endLife(_ goroutine: GoroutineID) {
        guard let row = goroutines.find(goroutine) else { return }
        let second = row.pointee.row.second
        goroutines.end(goroutine, laneCount: endAll(&row.pointee.open, of: second))
    }

    private func write(_ span: LifelineSpan) {
        if span.kind == .goroutineState { goroutines.writeState(span) }
        if span.kind == .task { writeTask(span) }
    }
}
