import VestigeCore

/// What is alive and open at one moment of a recording: states of goroutines and procs, regions, tasks, ranges of
/// the runtime, values of metrics.
///
/// It learns them from all events before, and turns them into synthetic events. Whoever sees these and then only
/// what comes after knows the same as who has seen everything: a part of a recording, or a window of time, is right
/// from its first instant. Memory follows what is alive and open.
public final class StateSnapshot {
    private let heapLifelines = HeapValue(LifelineCore())
    private let heapRest = HeapValue(Rest())
    private var lifelines: UnsafeMutablePointer<LifelineCore> { heapLifelines.pointer }
    private var rest: UnsafeMutablePointer<Rest> { heapRest.pointer }

    public init() {}

    /// Takes the next events of the recording.
    public func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {
        lifelines.pointee.process(events, tables)
        for index in 0..<events.count { rest.pointee.take(events[index]) }
    }

    /// What ends a part of a recording that goes on after `time`: a synthetic sync event.
    public static func closing(at time: Int64) -> Event {
        var event = Event(kind: .sync, timeNanoseconds: time)
        event.isSynthetic = true
        event.sinceNanoseconds = time
        return event
    }

    /// How many goroutines are alive, as far as their states are known.
    public var goroutineCount: Int {
        var count = 0
        lifelines.pointee.goroutines.forEachAlive { if $0.pointee.isKnown { count += 1 } }
        return count
    }

    /// The events that establish everything at `time`, which must not be before the last event.
    ///
    /// All are synthetic and say since when (`Event.sinceNanoseconds`). First comes a sync event with the last
    /// reading of the clocks, then metrics, procs, goroutines in order of their ids (each with its regions, the
    /// outermost first), tasks, and ranges. None, if there was no event before.
    public func events(at time: Int64, tables: TraceTables) -> [Event] {
        guard var sync = rest.pointee.openingSync else { return [] }
        sync.timeNanoseconds = time
        var opening = Opening(time: time, events: [sync])
        for metric in rest.pointee.metrics { opening.add(metric, since: metric.timeNanoseconds) }
        lifelines.pointee.procs.forEachAlive { opening.add(proc: $0.pointee, rest.pointee.holder($0.pointee.proc)) }
        lifelines.pointee.goroutines.forEachAlive { record in
            opening.add(state: record.pointee, rest.pointee.place(of: record.pointee))
            lifelines.pointee.goroutines.forEachRegion(of: record) { region in
                opening.add(region, of: record.pointee.life.goroutine)
            }
        }
        for task in lifelines.pointee.tasks.openSpans { opening.add(task: task) }
        for range in lifelines.pointee.ranges.openSpans { opening.add(range: range) }
        return opening.events
    }
}

extension StateSnapshot {
    /// The events that establish the state of one goroutine, and its regions, the outermost first. None, if its
    /// state is not known.
    public func events(of goroutine: GoroutineID, at time: Int64, tables: TraceTables) -> [Event] {
        var opening = Opening(time: time, events: [])
        guard let record = lifelines.pointee.goroutines.known(goroutine) else { return [] }
        opening.add(state: record.pointee, rest.pointee.place(of: record.pointee))
        guard !opening.events.isEmpty else { return [] }
        lifelines.pointee.goroutines.forEachRegion(of: record) { opening.add($0, of: goroutine) }
        return opening.events
    }
}

extension Event {
    /// The synthetic event that ends what this one has established: from here on nothing more is known of it.
    /// Nil for what does not last.
    var closing: Event? {
        var end = self
        switch kind {
        case .goroutineTransition:
            end.detail = Event.pack(toGoroutineState, .undetermined)
            (end.goroutine, end.name, end.argument1) = (.absent, .empty, 0)
        case .procTransition:
            end.detail = Event.pack(toProcState, .undetermined)
            end.name = .empty
        case .regionBegin: end.kind = .regionEnd
        case .taskBegin: end.kind = .taskEnd
        case .rangeBegin, .rangeActive: end.kind = .rangeEnd
        default: return nil
        }
        end.isSynthetic = true
        end.stack = .absent
        if end.hasSince { end.sinceNanoseconds = timeNanoseconds } else { end.argument2 = 0 }
        return end
    }
}

/// Collects the events of one moment.
private struct Opening {
    let time: Int64
    var events: [Event]

    mutating func add(_ event: Event, since: Int64) {
        var event = event
        event.timeNanoseconds = time
        event.isSynthetic = true
        event.sinceNanoseconds = min(since, time)
        events.append(event)
    }

    mutating func add(state record: GoroutineRecord, _ place: (proc: ProcID, thread: ThreadID)) {
        guard record.isKnown, record.state != .undetermined else { return }
        let goroutine = record.life.goroutine
        // Without a stack of the state itself, at least the function that the goroutine began with is told.
        let stack = record.startStack != .absent ? record.startStack : record.startFrame
        var event = Event(
            kind: .goroutineTransition, timeNanoseconds: time, proc: place.proc, thread: place.thread,
            name: record.reason,
            argument0: UInt64(bitPattern: goroutine.rawValue), argument1: UInt64(stack.rawValue),
            source: record.source, detail: Event.pack(.undetermined, record.state))
        // Only a goroutine that reports its own system call is known to be where the event is.
        if record.state == .syscall, place.thread != .absent { event.goroutine = goroutine }
        add(event, since: record.began == .min ? record.startNanoseconds : record.began)
    }

    mutating func add(proc record: ProcRecord, _ holder: ProcHolder) {
        guard record.state != .undetermined else { return }
        add(
            Event(
                kind: .procTransition, timeNanoseconds: 0,
                thread: record.state == .running ? holder.thread : .absent, name: record.reason,
                argument0: UInt64(bitPattern: Int64(record.proc.rawValue)), source: record.source,
                detail: Event.pack(.undetermined, record.state)),
            since: record.began == .min ? record.startNanoseconds : record.began)
    }

    mutating func add(_ region: OpenRegion, of goroutine: GoroutineID) {
        add(
            Event(
                kind: .regionBegin, timeNanoseconds: time, goroutine: goroutine, stack: region.startStack,
                name: region.name, argument0: region.task.rawValue, source: region.source),
            since: region.began == .min ? region.startNanoseconds : region.began)
    }

    mutating func add(task span: LifelineSpan) {
        add(
            Event(
                kind: .taskBegin, timeNanoseconds: time, goroutine: span.goroutine, stack: span.startStack,
                name: span.name, argument0: span.identifier, argument1: span.parentTask.rawValue,
                source: span.source),
            since: span.sinceNanoseconds ?? span.startNanoseconds)
    }

    mutating func add(range span: LifelineSpan) {
        add(
            Event(
                kind: .rangeActive, timeNanoseconds: time, goroutine: span.goroutine, stack: span.startStack,
                name: span.name, argument0: span.identifier, source: span.source, detail: Event.pack(span.scope)),
            since: span.sinceNanoseconds ?? span.startNanoseconds)
    }
}

/// Who has a proc.
private struct ProcHolder: PagedElement {
    var isOccupied = false
    /// The goroutine that runs there, or is in a system call and has not lost it.
    var goroutine = GoroutineID.absent
    var thread = ThreadID.absent

    static var vacant: ProcHolder { ProcHolder() }
}

/// Who is on a thread.
private struct ThreadHolder: PagedElement {
    var isOccupied = false
    var goroutine = GoroutineID.absent

    static var vacant: ThreadHolder { ThreadHolder() }
}

/// What lifelines do not follow: who holds the procs, metrics, clocks.
private struct Rest: ~Copyable {
    private var holders = PagedTable<ProcHolder>()
    private var threads = PagedTable<ThreadHolder>()
    /// The last event of each metric, in order of appearance.
    private(set) var metrics: [Event] = []
    private var metricIndex: [StringID: Int] = [:]
    /// Sync event of the opening, without its time: the last generation's, with the last clock readings.
    private(set) var openingSync: Event?

    init() {}

    @inline(__always) mutating func take(_ event: Event) {
        switch event.kind {
        case .goroutineTransition: takeTransition(event)
        case .procTransition: takeProc(event)
        case .metric: takeMetric(event)
        case .sync: takeSync(event)
        default: break
        }
        if openingSync == nil { takeSync(Event(kind: .sync, timeNanoseconds: 0, source: event.source)) }
    }

    private mutating func takeTransition(_ event: Event) {
        let subject = event.subjectGoroutine
        let to = event.toGoroutineState
        if to == .running || to == .syscall && event.goroutine == subject {
            if event.thread != .absent {
                let id = event.thread.rawValue
                let thread = threads.find(id) ?? threads.insert(id, ThreadHolder(isOccupied: true))
                thread.pointee.goroutine = subject
            }
            guard let holder = record(event.proc) else { return }
            (holder.pointee.goroutine, holder.pointee.thread) = (subject, event.thread)
        } else if let holder = holders.find(Int64(event.proc.rawValue)), holder.pointee.goroutine == subject {
            holder.pointee.goroutine = .absent
        }
    }

    private mutating func takeProc(_ event: Event) {
        guard let holder = record(event.subjectProc) else { return }
        guard event.toProcState == .running else {
            (holder.pointee.goroutine, holder.pointee.thread) = (.absent, .absent)
            return
        }
        // Whoever reports a proc that runs already need not hold it.
        if event.fromProcState != .undetermined || event.isSynthetic { holder.pointee.thread = event.thread }
    }

    private mutating func takeMetric(_ event: Event) {
        if let index = metricIndex[event.name] {
            metrics[index] = event
        } else {
            metricIndex[event.name] = metrics.count
            metrics.append(event)
        }
    }

    private mutating func takeSync(_ event: Event) {
        var sync = event
        sync.isSynthetic = true
        sync.sinceNanoseconds = event.timeNanoseconds
        if event.clockSnapshotIndex == nil { sync.argument1 = openingSync?.argument1 ?? 0 }
        openingSync = sync
    }

    private mutating func record(_ proc: ProcID) -> UnsafeMutablePointer<ProcHolder>? {
        let id = Int64(proc.rawValue)
        guard id >= 0 else { return nil }
        return holders.find(id) ?? holders.insert(id, ProcHolder(isOccupied: true))
    }

    mutating func holder(_ proc: ProcID) -> ProcHolder { holders.find(Int64(proc.rawValue))?.pointee ?? .vacant }

    /// Proc and thread of a goroutine, as far as they are still its own: in a system call it may lose its proc, and
    /// damaged recordings and old ones put several goroutines on one thread.
    mutating func place(of record: GoroutineRecord) -> (proc: ProcID, thread: ThreadID) {
        let goroutine = record.life.goroutine
        let hasProc = holder(record.heldProc).goroutine == goroutine
        let hasThread = threads.find(record.thread.rawValue)?.pointee.goroutine == goroutine
        return (hasProc ? record.heldProc : .absent, hasThread ? record.thread : .absent)
    }
}
