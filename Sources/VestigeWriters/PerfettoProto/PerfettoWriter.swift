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
    let procs: ProcTracks
    let scheduler: SchedulerEvents
    let counters: CounterSamples
    /// Follows tasks, and nothing else.
    let tasks = LifelineStage()
    /// The tracks of the tasks that are open.
    var taskTracks: [TaskID: UInt64] = [:]
    var nested = NestedSlices()
    var collections = SliceStack.empty
    var stops = SliceStack.empty
    var now: Int64 = 0
    private let thinning: Thinning?
    let views: ViewKinds
    private let diagnostics: Diagnostics?
    private var isEmpty = true
    private var hasWallTime = false
    /// By string id: 0 not looked at yet, 1 a stop of the world, 2 not.
    var stopNames: [UInt8] = []

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
        try packets.finish()
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
    var showsProcs: Bool { !views.isDisjoint(with: [.procs, .runtime]) }

    private func takeProc(_ event: Event) {
        guard !views.isDisjoint(with: [.procs, .threads]) else { return }
        if event.toProcState != .running {
            procs.release(event.subjectProc, at: now)
        } else if event.fromProcState != .undetermined || event.isSynthetic {
            // (Whoever reports a proc that runs already need not hold it.)
            procs.hold(event.subjectProc, event, at: now)
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
        if views.contains(.procs) {
            occupy(event, row)
        } else if views.contains(.threads), isWhereItRuns(event) {
            procs.hold(event.proc, event, at: now)
        }
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

    /// Whether the event's proc and thread are those of its goroutine: whoever reports a goroutine in a system call
    /// need not be where it is.
    private func isWhereItRuns(_ event: Event) -> Bool {
        event.toGoroutineState == .running
            || event.toGoroutineState == .syscall && event.goroutine == event.subjectGoroutine
    }

    private func occupy(_ event: Event, _ row: UnsafeMutablePointer<GoroutineTrack>) {
        let isSyscall = event.toGoroutineState == .syscall
        if isSyscall, !isWhereItRuns(event) { return }
        let proc = isWhereItRuns(event) ? event.proc : .absent
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
        scheduler.name(row) { goroutines.append(goroutine, row, to: $0) }
    }
}
