import VestigeCore
import VestigeStages

/// Writes Perfetto's native format, as two views of one recording.
///
/// As track events, in four trees:
///
/// - *Runtime*: collections, stops of the world, counters.
/// - *Procs*: a track a P, with the goroutine that runs there, its system calls nested; below it its sweeps.
/// - *Tasks*: a track a task, with its logs and the begins of its children.
/// - *Goroutines*: a group for each start function, and in it a track a goroutine with its states; below it
///   its regions, logs, labels and ranges of the runtime. Arrows lead from whoever created or woke a goroutine.
///
/// As an operating system's scheduler: see `SchedulerEvents`. CPU samples belong to its threads.
///
/// States are written as they begin and end. Whatever need not nest (regions, ranges, tasks) is written when
/// it ends; a reader sorts packets by time. What is open ends with the recording, and says so.
public final class PerfettoWriter: TraceWriter {
    let packets: PacketWriter
    let tracks: PerfettoTracks
    let goroutines: GoroutineTracks
    private let procs: ProcTracks
    private let scheduler: SchedulerEvents
    private let counters: CounterSamples
    /// Follows tasks, and nothing else.
    private let tasks = LifelineStage()
    /// The tracks of the tasks that are open.
    private var taskTracks: [TaskID: UInt64] = [:]
    private var nested = NestedSlices()
    private var collections = SliceStack.empty
    private var stops = SliceStack.empty
    private var now: Int64 = 0
    private let thinning: Thinning?
    private let views: ViewKinds
    private let diagnostics: Diagnostics?
    private var isEmpty = true
    private var hasWallTime = false
    /// By string id: 0 not looked at yet, 1 a stop of the world, 2 not.
    private var stopNames: [UInt8] = []

    /// - Parameter isCompressed: packets stand in compressed ones, which Perfetto's own tools read and write, too.
    public convenience init(
        _ sink: any ByteSink, options: OutputOptions = OutputOptions(), isCompressed: Bool = true
    ) {
        self.init(sink, options: options, isCompressed: isCompressed, process: .only)
    }

    /// - Parameter process: files of different processes make one file when their packets are put together.
    init(_ sink: any ByteSink, options: OutputOptions, isCompressed: Bool = true, process: OutputProcess) {
        thinning = options.thinning
        views = ViewerContent.native.views(options)
        diagnostics = options.diagnostics
        packets = PacketWriter(sink, isCompressed: isCompressed, process)
        tracks = PerfettoTracks(packets)
        goroutines = GoroutineTracks(
            packets, tracks, views, flows: ViewerContent.native.flows(options), thinning: options.thinning)
        procs = ProcTracks(packets, tracks, goroutines, options.thinning, showsThreads: views.contains(.threads))
        scheduler = SchedulerEvents(packets)
        if views.contains(.scheduler), !views.contains(.goroutines) { goroutines.scheduler = scheduler }
        counters = CounterSamples(packets, tracks)
        packets.open()
        if views.contains(.scheduler) { scheduler.open() }
    }

    public func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError) {
        packets.use(tables)
        for index in 0..<events.count {
            take(events[index])
            try packets.buffer.flushIfNeeded()
        }
    }

    public func finish(tables: TraceTables) throws(TraceError) {
        packets.use(tables)
        track(Event(kind: .sync, timeNanoseconds: now))
        tasks.finish(tables: tables)
        for span in tasks.spans where span.kind == .task {
            write(span)
            try packets.buffer.flushIfNeeded()
        }
        procs.finish(at: now) { endAll(of: .proc($0)) }
        for goroutine in goroutines.known {
            guard let row = goroutines.find(goroutine) else { continue }
            goroutines.endRecording(goroutine, row, at: now)
            endLife(goroutine, row)
            try packets.buffer.flushIfNeeded()
        }
        endAll(of: .collections)
        endAll(of: .stops)
        counters.finish()
        if views.contains(.scheduler) { finishScheduler() }
        try packets.buffer.flush()
    }

    // MARK: - Events

    private func take(_ original: Event) {
        let isFirst = isEmpty
        let event = limitTime(original)
        learnStartFunction(event)
        switch event.kind {
        case .goroutineTransition: takeTransition(event)
        case .procTransition: takeProc(event)
        case .regionBegin: beginRegion(event)
        case .regionEnd: endRegion(event)
        case .rangeBegin, .rangeActive: beginRange(event)
        case .rangeEnd: endRange(event)
        case .taskBegin, .taskEnd: takeTask(event)
        case .log: writeLog(event)
        case .label: writeLabel(event)
        case .stackSample: writeSample(event)
        case .metric:
            if views.contains(.runtime) { counters.metricChanged(event.name, event.value, at: now) }
        case .sync:
            packets.isCut = event.isSynthetic && !isFirst
            noteWallTime(event)
        case .observed:
            if views.contains(.regions) { writeObserved(event) }
        case .experimental, .experimentalBatch, .breakpoint: break
        }
    }

    /// The event with a time that is not before the last one's, and not so far from the first that a
    /// difference overflows: slices of a track must not overlap whatever the input says.
    @inline(__always)
    private func limitTime(_ event: Event) -> Event {
        if isEmpty { begin(event) }
        let (latest, overflows) = packets.originNanoseconds.addingReportingOverflow(1 << 61)
        now = max(now, min(event.timeNanoseconds, overflows ? .max : latest))
        var event = event
        event.timeNanoseconds = now
        return event
    }

    private func begin(_ event: Event) {
        isEmpty = false
        now = min(event.timeNanoseconds, Int64.max / 2)
        packets.originNanoseconds = min(now, packets.process.originNanoseconds ?? now)
        sayThinning()
        // Tells when the recording begins, and nothing more.
        track(Event(kind: .sync, timeNanoseconds: now))
    }

    private func finishScheduler() {
        scheduler.finish(at: now)
        let count = UInt64(scheduler.procsBeyond.count)
        guard count > 0 else { return }
        diagnostics?.count(.procsWithoutCPU, count)
        packets.beginEvent(.instant, tracks.fixed(.events), at: packets.originNanoseconds)
        packets.name {
            $0.buffer.append("procs from P")
            $0.buffer.append(scheduler.cpuLimit)
            $0.buffer.append(" on are no CPUs here: ")
            $0.buffer.append(count)
        }
        packets.endEvent()
    }

    /// Says in the file that short slices are merged.
    private func sayThinning() {
        guard let thinning else { return }
        packets.beginEvent(.instant, tracks.fixed(.events), at: now)
        packets.name { $0.buffer.append("short spans are merged") }
        packets.annotate(.minSpanNanoseconds, thinning.minSpanNanoseconds)
        packets.endEvent()
    }

    private func noteWallTime(_ event: Event) {
        guard !hasWallTime, let index = event.clockSnapshotIndex,
            packets.tables.clockSnapshots.indices.contains(index), isOnFileClock(event.source)
        else { return }
        hasWallTime = true
        packets.writeWallTime(packets.tables.clockSnapshots[index])
    }

    /// Of several processes the first one's clock is the file's.
    private func isOnFileClock(_ source: UInt8) -> Bool {
        let sources = packets.tables.sources
        return packets.process.number <= 1 || !sources.indices.contains(Int(source))
            || sources[Int(source)].alignments.isEmpty
    }

    /// Sweeps, and what belongs to no goroutine, stand below a proc also where its slices are not shown.
    private var showsProcs: Bool { !views.isDisjoint(with: [.procs, .runtime]) }

    private func takeProc(_ event: Event) {
        guard !views.isDisjoint(with: [.procs, .threads]) else { return }
        if event.toProcState != .running {
            procs.release(event.subjectProc, at: now)
        } else if event.fromProcState != .undetermined || event.isSynthetic {
            // (Whoever reports a proc that runs already need not hold it.)
            procs.hold(event, at: now)
        }
    }

    @inline(__always)
    private func takeTransition(_ event: Event) {
        let subject = event.subjectGoroutine
        guard subject != .absent else { return }
        let (from, to) = (event.fromGoroutineState, event.toGoroutineState)
        let row = goroutines.record(subject, creationNanoseconds: from == .notExist ? now : nil)
        if row.pointee.startFunction == .empty,
            let root = packets.tables.stacks.rootFrame(event.transitionStack)
        {
            goroutines.learn(root.function, of: row, subject)
        }
        // A generation begins with the state of every goroutine.
        if to == row.pointee.state, from == to || from == .undetermined { return }
        if from == .notExist, row.pointee.state != .undetermined { return beginAgain(event, row) }
        if views.contains(.runtime) { counters.goroutineChanged(from: row.pointee.state, to: to, at: now) }
        if views.contains(.scheduler) { schedule(event, row) }
        goroutines.change(event, row)
        if views.contains(.procs) { occupy(event, row) }
        if to == .notExist { endLife(subject, row) }
    }

    /// The id is created again while its goroutine is alive: the end of that one is lost.
    @inline(never)
    private func beginAgain(_ event: Event, _ row: UnsafeMutablePointer<GoroutineTrack>) {
        var end = event
        end.name = .empty
        end.detail = Event.pack(GoroutineState.undetermined, .notExist)
        takeTransition(end)
        takeTransition(event)
    }

    private func schedule(_ event: Event, _ row: UnsafeMutablePointer<GoroutineTrack>) {
        let isByAnother = event.goroutine != event.subjectGoroutine
        let cause = isByAnother ? goroutines.find(event.goroutine)?.pointee.number ?? 0 : 0
        scheduler.transition(event, row, cause: cause) { goroutines.find($0)?.pointee.cpu = .absent }
    }

    /// A goroutine that is older than the recording is named as soon as any event of its own has a stack.
    /// (A CPU sample's may be the scheduler's.)
    @inline(__always)
    private func learnStartFunction(_ event: Event) {
        guard event.stack != .absent, event.goroutine != .absent, event.kind != .stackSample,
            event.kind != .observed, let row = goroutines.find(event.goroutine), row.pointee.startFunction == .empty,
            let root = packets.tables.stacks.rootFrame(event.stack)
        else { return }
        goroutines.learn(root.function, of: row, event.goroutine)
    }

    private func occupy(_ event: Event, _ row: UnsafeMutablePointer<GoroutineTrack>) {
        let isSyscall = event.toGoroutineState == .syscall
        // Whoever reports a goroutine in a system call need not be where it is.
        if isSyscall, event.goroutine != event.subjectGoroutine { return }
        let proc = isSyscall || event.toGoroutineState == .running ? event.proc : .absent
        // It leaves what it has, wherever the event happens that says so.
        if row.pointee.proc != proc { procs.leave(row.pointee.proc, event.subjectGoroutine, at: now) }
        row.pointee.proc = proc
        if isSyscall {
            procs.enterSyscall(event, at: now)
        } else if proc != .absent {
            procs.enter(event, at: now)
        }
    }

    private func endLife(_ goroutine: GoroutineID, _ row: UnsafeMutablePointer<GoroutineTrack>) {
        endAll(of: .regions(goroutine, row))
        endAll(of: .ranges(goroutine, row))
        if views.contains(.scheduler) { nameThread(goroutine, row) }
        goroutines.end(goroutine, row)
    }

    private func nameThread(_ goroutine: GoroutineID, _ row: UnsafeMutablePointer<GoroutineTrack>) {
        scheduler.name(row.pointee.number) { goroutines.append(goroutine, row, to: $0) }
    }
}

// MARK: - Regions and ranges

extension PerfettoWriter {
    /// Where regions or ranges stand.
    private enum Place {
        case regions(GoroutineID, UnsafeMutablePointer<GoroutineTrack>)
        case ranges(GoroutineID, UnsafeMutablePointer<GoroutineTrack>)
        case proc(UnsafeMutablePointer<ProcTrack>)
        case collections
        case stops
    }

    private func beginRegion(_ event: Event) {
        guard event.goroutine != .absent else { return }
        let row = goroutines.record(event.goroutine)
        guard views.contains(.regions) else { return }
        nested.push(OpenSlice(.region, event, at: now), on: &row.pointee.openRegions)
    }

    private func endRegion(_ event: Event) {
        guard event.goroutine != .absent else { return }
        let row = goroutines.record(event.goroutine)
        guard views.contains(.regions) else { return }
        let sought = OpenSlice(.region, event.name, event.task.rawValue, at: row.pointee.earliestNanoseconds)
        end(sought, of: .regions(event.goroutine, row), event)
    }

    private func beginRange(_ event: Event) {
        guard let place = place(event) else { return }
        withStack(of: place) { open, _ in
            guard !nested.contains(.range, event.name, event.argument0, in: open) else { return }
            nested.push(OpenSlice(.range, event, at: now), on: &open)
        }
    }

    private func endRange(_ event: Event) {
        guard let place = place(event) else { return }
        var earliest = packets.originNanoseconds
        if case .ranges(_, let row) = place { earliest = row.pointee.earliestNanoseconds }
        let sought = OpenSlice(.range, event.name, event.argument0, at: earliest, goroutine: event.goroutine)
        end(sought, of: place, event)
    }

    /// Nil for a place that is not shown.
    private func place(_ event: Event) -> Place? {
        switch event.scope {
        case .goroutine where event.scopeID >= 0 && !isStopTheWorld(event.name):
            let goroutine = GoroutineID(event.scopeID)
            let row = goroutines.record(goroutine)
            return views.contains(.regions) ? .ranges(goroutine, row) : nil
        case .proc: return showsProcs ? procs.record(event.scopeID).map { .proc($0) } : nil
        default:
            guard views.contains(.runtime) else { return nil }
            return isStopTheWorld(event.name) ? .stops : .collections
        }
    }

    private func isStopTheWorld(_ name: StringID) -> Bool {
        let index = Int(name.rawValue)
        if index >= stopNames.count {
            stopNames.append(contentsOf: repeatElement(0, count: index + 1 - stopNames.count))
        }
        if stopNames[index] == 0 {
            stopNames[index] = GoNames.isStopTheWorld(packets.tables.strings.bytes(name)) ? 1 : 2
        }
        return stopNames[index] == 1
    }

    /// Hands the open slices of a place to `body`, with the key under which their lanes are kept.
    private func withStack<Result>(of place: Place, _ body: (inout SliceStack, RowKey) -> Result) -> Result {
        switch place {
        case .regions(_, let row): body(&row.pointee.openRegions, key(row.pointee.track))
        case .ranges(_, let row): body(&row.pointee.openRanges, key(row.pointee.track, second: true))
        case .proc(let row): body(&row.pointee.open, key(row.pointee.track))
        case .collections: body(&collections, key(PerfettoTracks.Fixed.collections.rawValue))
        case .stops: body(&stops, key(PerfettoTracks.Fixed.stops.rawValue))
        }
    }

    /// A goroutine's regions and ranges are two rows of one track.
    private func key(_ track: UInt64, second: Bool = false) -> RowKey { RowKey(track << 1 | (second ? 1 : 0)) }

    /// Ends the slice that `sought` describes; if its begin was never seen, it began where `sought` does.
    private func end(_ sought: OpenSlice, of place: Place, _ event: Event) {
        let (slice, hasRoom) = withStack(of: place) { open, key -> (OpenSlice?, Bool) in
            let slice = nested.end(sought.kind, sought.name, sought.identifier, in: &open, of: key, at: now)
            return (slice, slice != nil || nested.moveAllAside(in: open, of: key, at: now))
        }
        guard hasRoom else { return }
        let flag: EndedSlice.Flag = slice == nil ? .beganBefore : event.isSynthetic ? .goesOn : .none
        complete(EndedSlice(slice: slice ?? sought, endNanoseconds: now, event: event, flag: flag), of: place)
    }

    /// Ends all slices of a place, since its goroutine or the recording has ended.
    private func endAll(of place: Place) {
        while let slice = withStack(of: place, { open, key in nested.pop(&open, of: key, at: now) }) {
            complete(EndedSlice(slice: slice, endNanoseconds: now, flag: .goesOn), of: place)
        }
        _ = withStack(of: place) { _, key in nested.removeLanes(of: key) }
    }

    private func complete(_ ended: EndedSlice, of place: Place) {
        nested.complete(ended) { write($0, of: place) }
    }

    private func write(_ ended: EndedSlice, of place: Place) {
        let slice = ended.slice
        let track = track(of: slice, in: place)
        packets.beginEvent(
            .sliceBegin, slice.kind == .region ? .region : .range, track, at: slice.startNanoseconds)
        packets.name(slice.name)
        packets.annotate(.stack, stack: slice.stack)
        if slice.kind == .region, slice.identifier != 0 { packets.annotate(.task, unsigned: slice.identifier) }
        goroutines.annotate(.goroutine, slice.goroutine)
        if let event = ended.event, event.kind == .rangeEnd, event.attributeCount == 2 {
            packets.annotate(.bytesSwept, unsigned: event.bytesSwept)
            packets.annotate(.bytesReclaimed, unsigned: event.bytesReclaimed)
        }
        if let since = slice.sinceNanoseconds { packets.annotate(beganBefore: slice.startNanoseconds, since: since) }
        switch ended.flag {
        case .none: break
        case .beganBefore: packets.annotate(.beganBefore)
        case .goesOn: packets.annotateGoesOn()
        }
        packets.endEvent()
        packets.endSlice(track, at: ended.endNanoseconds)
    }

    /// A slice that overlaps others in part has a track of its own; it has their name, so that viewers draw
    /// it below them.
    private func track(of slice: OpenSlice, in place: Place) -> UInt64 {
        let isAside = slice.lane > 0
        switch place {
        case .regions(let goroutine, let row):
            let track = goroutines.child(.regions, of: row, goroutine)
            return isAside ? tracks.child(of: row.pointee.track, "regions", rank: 0) : track
        case .ranges(let goroutine, let row):
            let track = goroutines.child(.ranges, of: row, goroutine)
            return isAside ? tracks.child(of: row.pointee.track, "GC", rank: 3) : track
        case .proc(let row):
            let track = procs.ranges(row)
            return isAside ? tracks.child(of: row.pointee.track, "GC", rank: 0) : track
        case .collections:
            let rank = Int64(PerfettoTracks.Fixed.collections.rawValue)
            return isAside ? tracks.child(of: tracks.fixed(.runtime), "GC", rank: rank) : tracks.fixed(.collections)
        case .stops:
            let rank = Int64(PerfettoTracks.Fixed.stops.rawValue)
            return isAside
                ? tracks.child(of: tracks.fixed(.runtime), "Stop the world", rank: rank) : tracks.fixed(.stops)
        }
    }
}

// MARK: - Tasks

extension PerfettoWriter {
    private func takeTask(_ event: Event) {
        guard views.contains(.tasks) else { return }
        if event.kind == .taskEnd { return track(event) }
        if !event.isSynthetic { markChild(event) }
        track(event)
        taskTracks[event.task] = tracks.task(event.name)
    }

    /// Lets the follower of tasks see an event, and writes the tasks that it ends.
    private func track(_ event: Event) {
        var event = event
        withUnsafePointer(to: &event) {
            tasks.process(UnsafeBufferPointer(start: $0, count: 1), tables: packets.tables)
        }
        for span in tasks.spans where span.kind == .task { write(span) }
    }

    private func write(_ span: LifelineSpan) {
        let track = taskTracks.removeValue(forKey: TaskID(span.identifier)) ?? tracks.task(span.name)
        packets.beginEvent(.sliceBegin, .task, track, at: span.startNanoseconds)
        packets.name(span.name)
        packets.annotate(.stack, stack: span.startStack)
        packets.annotate(.task, unsigned: span.identifier)
        if span.parentTask != .absent, span.parentTask != .background {
            packets.annotate(.parentTask, unsigned: span.parentTask.rawValue)
        }
        goroutines.annotate(.begunBy, span.goroutine)
        goroutines.annotate(.endedBy, span.endedBy)
        if span.flags.contains(.beganBefore) {
            packets.annotate(beganBefore: span.startNanoseconds, since: span.sinceNanoseconds)
        }
        if span.flags.contains(.isOpen) { packets.annotateGoesOn() }
        if span.flags.contains(.isBroken) { packets.annotate(.endIsLost) }
        packets.endEvent()
        packets.endSlice(track, at: span.endNanoseconds)
    }

    /// Marks the begin of a task on its parent's track: tracks of their own show both in full, since
    /// children of one parent overlap each other.
    private func markChild(_ event: Event) {
        guard let track = taskTracks[event.parentTask] else { return }
        packets.beginEvent(.instant, .task, track, at: now)
        packets.name {
            $0.buffer.append("child: ")
            $0.append(event.name, packets.tables)
        }
        packets.annotate(.task, unsigned: event.task.rawValue)
        packets.endEvent()
    }
}

// MARK: - Instants and samples

extension PerfettoWriter {
    private func writeLog(_ event: Event) {
        let isInTask = event.task != .background && event.task != .absent
        if let track = instantTrack(event.goroutine, .logs, event.proc) {
            writeLog(event, on: track, task: isInTask ? event.task : nil)
        }
        if let track = taskTracks[event.task] { writeLog(event, on: track, task: event.task) }
    }

    /// A log stands with its goroutine, and also with its task while that is open.
    private func writeLog(_ event: Event, on track: UInt64, task: TaskID?) {
        packets.beginEvent(.instant, .log, track, at: now)
        // `category: message`
        packets.name {
            if event.name != .empty {
                $0.append(event.name, packets.tables)
                $0.buffer.append(": ")
            }
            $0.append(event.message, packets.tables)
        }
        packets.annotate(.stack, stack: event.stack)
        goroutines.annotate(.goroutine, event.goroutine)
        if let task { packets.annotate(.task, unsigned: task.rawValue) }
        packets.annotate(.category, event.name)
        packets.annotate(.message) { $0.append(event.message, packets.tables) }
        packets.endEvent()
    }

    private func writeLabel(_ event: Event) {
        let track =
            switch event.scope {
            case .goroutine: instantTrack(GoroutineID(event.scopeID), .labels, event.proc)
            case .proc: procTrack(event.scopeID) { procs.ranges($0) }
            case .global: procTrack(-1) { _ in 0 }
            }
        guard let track else { return }
        packets.beginEvent(.instant, .label, track, at: now)
        packets.name(event.name)
        packets.annotate(.stack, stack: event.stack)
        packets.endEvent()
    }

    /// Where an instant stands: below the goroutine, else with the proc, else with the runtime. Nil if that is not
    /// shown.
    private func instantTrack(_ goroutine: GoroutineID, _ child: GoroutineTracks.Child, _ proc: ProcID) -> UInt64? {
        if let row = goroutines.find(goroutine) {
            return views.contains(.regions) ? goroutines.child(child, of: row, goroutine) : nil
        }
        return procTrack(Int64(proc.rawValue)) { $0.pointee.track }
    }

    private func procTrack(_ proc: Int64, _ track: (UnsafeMutablePointer<ProcTrack>) -> UInt64) -> UInt64? {
        guard proc >= 0 else { return views.contains(.runtime) ? tracks.fixed(.events) : nil }
        return showsProcs ? procs.record(proc).map(track) : nil
    }

    /// A CPU sample of the goroutine's thread, on its proc's CPU.
    private func writeSample(_ event: Event) {
        guard views.contains(.scheduler) else { return }
        let thread = goroutines.find(event.goroutine)?.pointee.number ?? 0
        packets.sample(
            scheduler.tid(thread), in: scheduler.pid, cpu: scheduler.cpuNumber(event.proc), event.stack, at: now)
    }
}
