import VestigeCore
import VestigeStages

/// Writes the events of some views into Chrome trace JSON: see `ChromeJSONWriter`. Parts that write different
/// views of one recording see the same events and know nothing of each other.
final class ChromePart {
    let text: ChromeText
    let views: ViewKinds
    /// Follows states of goroutines, and tasks, as far as they are shown.
    private let lifelines = LifelineStage()
    let goroutines: GoroutineRows
    private let procs: OccupancyRows
    private let threads: OccupancyRows
    private let counters: CounterTracks
    private var nested = NestedSlices()
    private var runtimeRows = RuntimeRows()
    /// The event at hand, its time limited.
    private let current = HeapValue(Event(kind: .sync, timeNanoseconds: 0))
    private var now: Int64 { current.pointer.pointee.timeNanoseconds }
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

// MARK: - Regions and ranges

extension ChromePart {
    private func beginRegion(_ event: Event) {
        guard event.goroutine != .absent else { return }
        let row = goroutines.record(event.goroutine)
        guard views.contains(.regions) else { return }
        row.pointee.uses.insert(.regions)
        nested.push(OpenSlice(.region, event, at: now), on: &row.pointee.open)
    }

    private func endRegion(_ event: Event) {
        guard event.goroutine != .absent else { return }
        let row = goroutines.record(event.goroutine)
        guard views.contains(.regions) else { return }
        row.pointee.uses.insert(.regions)
        end(
            OpenSlice(.region, event.name, event.task.rawValue, at: row.pointee.earliestNanoseconds),
            in: &row.pointee.open, of: row.pointee.row.second, event)
    }

    private func beginRange(_ event: Event) {
        withStack(of: event) { _, _, open in
            guard !nested.contains(.range, event.name, event.argument0, in: open) else { return }
            nested.push(OpenSlice(.range, event, at: now), on: &open)
        }
    }

    private func endRange(_ event: Event) {
        withStack(of: event) { row, earliest, open in
            let range = OpenSlice(.range, event.name, event.argument0, at: earliest, goroutine: event.goroutine)
            end(range, in: &open, of: row, event)
        }
    }

    /// Hands the row on which a range stands to `body`, with the time it can have begun at the earliest
    /// and the stack of open slices.
    private func withStack(of event: Event, _ body: (ChromeRow, Int64, inout SliceStack) -> Void) {
        let origin = text.originNanoseconds
        switch event.scope {
        case .goroutine where isStopTheWorld(event.name):
            guard views.contains(.runtime) else { return }
            runtimeRows.withStopTheWorld { row, open in body(row, origin, &open) }
        case .goroutine where event.scopeID >= 0:
            let record = goroutines.record(GoroutineID(event.scopeID))
            guard views.contains(.regions) else { return }
            record.pointee.uses.insert(.ranges)
            body(record.pointee.row.second, record.pointee.earliestNanoseconds, &record.pointee.open)
        case .proc:
            guard views.contains(.procs), let (row, open) = procs.second(event.scopeID) else { return }
            body(row, origin, &open.pointee)
        default:
            guard views.contains(.runtime) else { return }
            runtimeRows.withCollection { row, open in body(row, origin, &open) }
        }
    }

    private func isStopTheWorld(_ name: StringID) -> Bool {
        GoNames.isStopTheWorld(text.tables.strings.bytes(name))
    }

    /// Ends the slice that `sought` describes; if its begin was never seen, it began where `sought` does.
    private func end(_ sought: OpenSlice, in open: inout SliceStack, of row: ChromeRow, _ event: Event) {
        if let slice = nested.end(
            sought.kind, sought.name, sought.identifier, in: &open, of: row.key, at: now)
        {
            complete(EndedSlice(slice: slice, endNanoseconds: now, event: event), of: row)
        } else if nested.moveAllAside(in: open, of: row.key, at: now) {
            write(EndedSlice(slice: sought, endNanoseconds: now, event: event, flag: .beganBefore), of: row)
        }
    }

    /// Ends all slices of a row, since its goroutine or the recording has ended, and returns how many
    /// further lanes it has had.
    private func endAll(_ open: inout SliceStack, of row: ChromeRow) -> Int {
        while let slice = nested.pop(&open, of: row.key, at: now) {
            complete(EndedSlice(slice: slice, endNanoseconds: now, flag: .goesOn), of: row)
        }
        return nested.removeLanes(of: row.key)
    }

    private func complete(_ ended: EndedSlice, of row: ChromeRow) {
        nested.complete(ended) { write($0, of: row) }
    }

    private func write(_ ended: EndedSlice, of row: ChromeRow) {
        let slice = ended.slice
        text.beginSlice(row.lane(Int(slice.lane)), slice.startNanoseconds, ended.endNanoseconds)
        text.category(slice.kind == .region ? "region" : "range")
        text.name(slice.name)
        if slice.kind == .range { text.color(isStopTheWorld(slice.name) ? "terrible" : "rail_idle") }
        text.stack(slice.stack)
        if slice.kind == .region, slice.identifier != 0 { text.argument("task", id: slice.identifier) }
        if slice.goroutine != .absent { goroutines.argument("goroutine", slice.goroutine) }
        if let event = ended.event, event.kind == .rangeEnd, event.attributeCount == 2 {
            text.argument("bytes_swept", id: event.bytesSwept)
            text.argument("bytes_reclaimed", id: event.bytesReclaimed)
        }
        if let since = slice.sinceNanoseconds { text.beganBefore(slice.startNanoseconds, since: since) }
        switch ended.flag {
        case .none: break
        case .beganBefore: text.flag("began_before_recording")
        case .goesOn: text.flag(text.isCut ? "clipped_after" : "not_ended")
        }
        text.end()
    }
}

// MARK: - Tasks

extension ChromePart {
    private func writeTask(_ span: LifelineSpan) {
        text.beginTask(.begin, span.identifier, span.startNanoseconds)
        text.name(span.name)
        text.stack(span.startStack)
        text.argument("task", id: span.identifier)
        if span.parentTask != .absent, span.parentTask != .background {
            text.argument("parent_task", id: span.parentTask.rawValue)
        }
        goroutines.argument("begun_by", span.goroutine)
        goroutines.argument("ended_by", span.endedBy)
        goroutines.writeFlags(span)
        text.end()
        text.beginTask(.end, span.identifier, span.endNanoseconds)
        text.name(span.name)
        text.end()
    }

    /// Marks the begin of a task on its parent's track: tracks of their own show both in full, since
    /// children of one parent overlap each other.
    private func markChild(_ event: Event) {
        guard event.parentTask != .absent, event.parentTask != .background else { return }
        text.beginTask(.mark, event.parentTask.rawValue, now)
        text.buffer.append(",\"name\":\"child: ")
        text.nameContent(event.name)
        text.buffer.append("\"")
        text.argument("task", id: event.task.rawValue)
        text.end()
    }
}

// MARK: - Instants

extension ChromePart {
    private func writeLog(_ event: Event) {
        let hasTask = event.task != .background && event.task != .absent
        if let row = place(event.goroutine, .logs, event.proc) {
            text.beginInstant(row, now)
            text.category("log")
            nameLog(event)
            text.stack(event.stack)
            if hasTask { text.argument("task", id: event.task.rawValue) }
            text.argument("category", event.name)
            text.argument("message", event.message)
            text.end()
        }
        guard hasTask, views.contains(.tasks) else { return }
        text.beginTask(.mark, event.task.rawValue, now)
        nameLog(event)
        text.argument("category", ifSubstituted: event.name)
        text.argument("message", ifSubstituted: event.message)
        goroutines.argument("goroutine", event.goroutine)
        text.end()
    }

    /// `category: message`, which stand in arguments too.
    private func nameLog(_ event: Event) {
        text.buffer.append(",\"name\":\"")
        if event.name != .empty {
            text.content(event.name)
            text.buffer.append(": ")
        }
        text.content(event.message)
        text.buffer.append("\"")
    }

    private func writeLabel(_ event: Event) {
        let row =
            switch event.scope {
            case .goroutine: place(GoroutineID(event.scopeID), .labels, event.proc)
            case .proc: place(.absent, .labels, ProcID(Int32(exactly: event.scopeID) ?? -1))
            case .global: place(.absent, .labels, .absent)
            }
        guard let row else { return }
        text.beginInstant(row, now)
        text.category("label")
        text.name(event.name)
        text.stack(event.stack)
        text.end()
    }

    /// A CPU sample, where the CPU was: in the slice of the goroutine on its proc. Instants, since
    /// Perfetto ignores Chrome's own `samples`.
    private func writeSample(_ event: Event) {
        let proc = Int64(event.proc.rawValue)
        guard let row = proc < 0 ? place(event.goroutine, .samples, .absent) : procRow(proc) else { return }
        text.beginInstant(row, now)
        text.category("sample")
        text.name("CPU sample")
        text.stack(event.stack)
        goroutines.argument("goroutine", event.goroutine)
        text.end()
    }

    private func procRow(_ proc: Int64) -> ChromeRow? { views.contains(.procs) ? procs.row(proc) : nil }

    /// Where an instant stands: the second row of the goroutine, else of the proc, else with the runtime. Nil if
    /// that is in a view that is not shown here.
    private func place(_ goroutine: GoroutineID, _ use: GoroutineRow.Uses, _ proc: ProcID) -> ChromeRow? {
        if let record = goroutines.find(goroutine) {
            guard views.contains(.regions) else { return nil }
            record.pointee.uses.insert(use)
            return record.pointee.row.second
        }
        guard proc.rawValue >= 0 else { return views.contains(.runtime) ? runtimeRows.events : nil }
        return views.contains(.procs) ? procs.second(Int64(proc.rawValue))?.row : nil
    }
}
