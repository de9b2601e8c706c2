import VestigeCore

/// Reads generations without putting their events in order, for what is left of them at their end: who is alive,
/// who created it and where it waits, which regions and tasks are open, the last value of each metric.
///
/// Only one thread's events are in order; all that is kept is either decided by its time, or the same in any
/// order. It trusts what it reads: whoever uses it reads anything that has a flaw in full.
struct GenerationSkim: ~Copyable {
    private let source: ByteSource
    private let context: ReaderContext
    private let tables: GenerationTables
    private var goroutines = PagedTable<SkimGoroutine>()
    private var dead: [Int64] = []
    /// Those that ended in the last generation and began before it.
    private var endedEarlier: [Int64] = []
    private var annotations = SkimAnnotations()
    /// The first and the last event of each metric: metrics stand in the order in which they appear.
    private var metrics: [StringID: (first: Event, last: Event)] = [:]
    private let names: Names
    private var buffers = BatchBuffers()
    private let buffer: UnsafeMutablePointer<UInt8>
    private let deltaTable = UnsafeMutablePointer<Int64>.allocate(capacity: GenerationSkim.deltaCount)
    private static var deltaCount: Int { 1024 }

    // The thread whose batches are read.
    private var thread = ThreadID.absent
    private var current = GoroutineID.absent
    private var proc = ProcID.absent
    private var time: Int64 = 0
    /// Since when the current goroutine has run.
    private var runNanoseconds: Int64 = 0

    init(source: ByteSource, context: ReaderContext, tables: GenerationTables) {
        self.source = source
        self.context = context
        self.tables = tables
        names = Names(context.tables)
        buffer = buffers.allocate()
    }

    deinit { deltaTable.deallocate() }

    /// Takes the next generation, whose tables are loaded.
    /// - Returns: false if it is not what the wire format allows.
    mutating func take(_ generation: Generation) throws(TraceError) -> Bool {
        annotations.beginGeneration()
        endedEarlier.removeAll(keepingCapacity: true)
        for delta in 0..<Self.deltaCount { deltaTable[delta] = tables.nanoseconds(UInt64(delta)) }
        for batches in generation.threads {
            (thread, current, proc) = (batches.thread, .absent, .absent)
            for batch in batches.batches {
                let target = UnsafeMutableRawBufferPointer(start: buffer, count: batch.size)
                guard try source.read(at: batch.payloadOffset, into: target) == batch.size else { return false }
                (buffer + batch.size).initialize(repeating: 0, count: WireLimit.eventBytes)
                time = tables.nanoseconds(batch.ticks)
                guard read(UnsafePointer(buffer), UnsafePointer(buffer) + batch.size) else { return false }
            }
            if current != .absent { note(.running, at: runNanoseconds, reason: .empty, stack: 0) }
            annotations.leaveGoroutine()
        }
        annotations.endGeneration { goroutines.find($0.rawValue)?.pointee.isDead ?? false }
        for id in dead {
            if let record = goroutines.find(id), record.pointee.creationNanoseconds == .min { endedEarlier.append(id) }
            goroutines.remove(id)
        }
        dead.removeAll(keepingCapacity: true)
        return true
    }

    /// What still matters after the last generation, as the events that said it, in order of time.
    mutating func events(notAfter limit: Int64) -> [Event] {
        var events = openEvents()
        events.sort {
            ($0.timeNanoseconds, $0.kind.rawValue, $0.argument0) < ($1.timeNanoseconds, $1.kind.rawValue, $1.argument0)
        }
        for index in events.indices { events[index].timeNanoseconds = min(limit, events[index].timeNanoseconds) }
        return events
    }

    /// Everything that the only generation leaves to those behind it: besides what still matters, the ends of what
    /// began before it. In an order that nothing but these events decides.
    mutating func leftovers() -> [Event] {
        var events = openEvents() + annotations.earlierEnds
        for id in endedEarlier {
            events.append(
                Event(
                    kind: .goroutineTransition, timeNanoseconds: 0, argument0: UInt64(bitPattern: id),
                    detail: Event.pack(GoroutineState.running, .notExist)))
        }
        let keys = { (event: Event) in
            (
                event.timeNanoseconds, UInt64(event.kind.rawValue) << 16 | UInt64(event.detail), event.argument0,
                event.goroutine.rawValue, event.thread.rawValue,
                UInt64(event.name.rawValue) << 32
                    | UInt64(event.stack.rawValue)
            )
        }
        events.sort { keys($0) < keys($1) }
        return events
    }

    private mutating func openEvents() -> [Event] {
        var events = annotations.events
        for (first, last) in metrics.values {
            events += first.timeNanoseconds < last.timeNanoseconds ? [first, last] : [last]
        }
        goroutines.forEach { id, record in
            events += record.pointee.events(of: GoroutineID(id), source: context.source)
        }
        return events
    }

    var openTasks: [Event] { annotations.openTasks }
    var openRegions: [Event] { annotations.openRegions }
    /// The ends in the last generation of regions of which no begin was seen.
    var earlierRegionEnds: [Event] { annotations.earlierRegionEnds }

    // MARK: - Events

    /// Reads one batch.
    private mutating func read(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        var pointer = start
        while pointer < end {
            let type = pointer[0]
            pointer += 1
            let delta = Varint.read(&pointer)
            if delta < UInt64(Self.deltaCount) {
                time &+= deltaTable[Int(truncatingIfNeeded: delta)]
            } else if pointer <= end {
                time &+= tables.nanoseconds(delta)
            }
            guard step(type, &pointer) else { return false }
        }
        return pointer == end
    }

    @inline(__always) private mutating func step(_ type: UInt8, _ pointer: inout UnsafePointer<UInt8>) -> Bool {
        switch type {
        case WireEvent.goStart:
            let id = Varint.read(&pointer)
            _ = Varint.read(&pointer)
            run(id)
        case WireEvent.goBlock: stop(.waiting, Varint.read(&pointer), Varint.read(&pointer))
        case WireEvent.goUnblock:
            _ = Varint.read(&pointer)
            _ = Varint.read(&pointer)
            _ = Varint.read(&pointer)
        case WireEvent.goStop: stop(.runnable, Varint.read(&pointer), Varint.read(&pointer))
        case WireEvent.procStart:
            proc = ProcID(Int32(truncatingIfNeeded: Varint.read(&pointer)))
            _ = Varint.read(&pointer)
        case WireEvent.procStop: proc = .absent
        default: return rareStep(type, &pointer)
        }
        return true
    }

    @inline(never) private mutating func rareStep(_ type: UInt8, _ pointer: inout UnsafePointer<UInt8>) -> Bool {
        var values: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        guard let count = WireSpec.argumentCount(type) else { return false }
        if count > 0 { values.0 = Varint.read(&pointer) }
        if count > 1 { values.1 = Varint.read(&pointer) }
        if count > 2 { values.2 = Varint.read(&pointer) }
        if count > 3 { values.3 = Varint.read(&pointer) }
        switch type {
        case WireEvent.goCreate: create(values.0, own: values.1, at: values.2, .runnable)
        case WireEvent.goCreateBlocked: create(values.0, own: values.1, at: values.2, .waiting)
        case WireEvent.goDestroy, WireEvent.goDestroySyscall: destroy()
        case WireEvent.goCreateSyscall: run(values.0)
        case WireEvent.goSwitch: switchTo(values.0, isDestroying: false)
        case WireEvent.goSwitchDestroy: switchTo(values.0, isDestroying: true)
        case WireEvent.goSyscallBegin: note(.syscall, at: time, reason: .empty, stack: values.1)
        case WireEvent.goSyscallEnd: runNanoseconds = time
        case WireEvent.goSyscallEndBlocked: run(nil)
        case WireEvent.goStatus, WireEvent.goStatusStack:
            noteStatus(values.0, values.2, stack: values.3)
            let isHere = Int64(bitPattern: values.1) == thread.rawValue
            if values.2 == UInt64(WireGoroutineStatus.running)
                || values.2 == UInt64(WireGoroutineStatus.syscall) && isHere
            {
                run(values.0)
            }
        case WireEvent.procStatus:
            if values.1 == UInt64(WireProcStatus.running) || values.1 == UInt64(WireProcStatus.syscall) {
                proc = ProcID(Int32(truncatingIfNeeded: values.0))
            }
        case WireEvent.userRegionBegin: annotations.beginRegion(region(.regionBegin, values.0, values.1, values.2))
        case WireEvent.userRegionEnd: annotations.endRegion(region(.regionEnd, values.0, values.1, values.2))
        case WireEvent.userTaskBegin:
            var event = region(.taskBegin, values.0, values.2, values.3)
            event.argument1 = values.1 == TaskID.background.rawValue ? TaskID.absent.rawValue : values.1
            annotations.beginTask(event)
        case WireEvent.userTaskEnd: annotations.endTask(values.0)
        case WireEvent.procsChange: metric(names.gomaxprocs, values.0, stack: values.1)
        case WireEvent.heapAlloc: metric(names.heapLive, values.0, stack: 0)
        case WireEvent.heapGoal: metric(names.heapGoal, values.0, stack: 0)
        default: break
        }
        return true
    }

    // MARK: - Goroutines

    @inline(__always) private mutating func run(_ id: UInt64?) {
        annotations.leaveGoroutine()
        current = id.map { GoroutineID(Int64(bitPattern: $0)) } ?? .absent
        runNanoseconds = time
    }

    @inline(__always) private mutating func stop(_ state: GoroutineState, _ reason: UInt64, _ stack: UInt64) {
        note(state, at: time, reason: tables.resolve(string: reason), stack: stack)
        run(nil)
    }

    @inline(__always) private mutating func note(
        _ state: GoroutineState, at time: Int64, reason: StringID, stack: UInt64
    ) {
        guard let record = record(current), record.pointee.changeNanoseconds < time else { return }
        record.pointee.changeNanoseconds = time
        record.pointee.changeThread = thread
        record.pointee.changeProc = proc
        record.pointee.changeStack = tables.resolve(stack: stack)
        record.pointee.changeReason = reason
        record.pointee.state = state
    }

    private mutating func noteStatus(_ id: UInt64, _ status: UInt64, stack: UInt64) {
        guard (1...4).contains(status), let record = record(GoroutineID(Int64(bitPattern: id))),
            record.pointee.creationNanoseconds == .min, record.pointee.changeNanoseconds == .min,
            record.pointee.statusNanoseconds == .min
        else { return }
        record.pointee.statusNanoseconds = time
        record.pointee.statusStack = tables.resolve(stack: stack)
        record.pointee.status = WireGoroutineStatus.state(UInt8(status))
    }

    private mutating func switchTo(_ id: UInt64, isDestroying: Bool) {
        if isDestroying { destroy() } else { note(.waiting, at: time, reason: .empty, stack: 0) }
        run(id)
    }

    private mutating func create(_ id: UInt64, own: UInt64, at stack: UInt64, _ state: GoroutineState) {
        guard let record = record(GoroutineID(Int64(bitPattern: id))) else { return }
        record.pointee.creationNanoseconds = time
        record.pointee.creator = current
        record.pointee.creationThread = thread
        record.pointee.ownStack = tables.resolve(stack: own)
        record.pointee.creationStack = tables.resolve(stack: stack)
        record.pointee.initialState = state
    }

    private mutating func destroy() {
        if let record = record(current) {
            record.pointee.isDead = true
            dead.append(current.rawValue)
        }
        run(nil)
    }

    @inline(__always)
    private mutating func record(_ goroutine: GoroutineID) -> UnsafeMutablePointer<SkimGoroutine>? {
        guard goroutine.rawValue >= 0 else { return nil }
        if let known = goroutines.find(goroutine.rawValue) { return known }
        return goroutines.insert(goroutine.rawValue, SkimGoroutine(isOccupied: true))
    }

    // MARK: - Annotations and metrics

    private mutating func region(_ kind: EventKind, _ task: UInt64, _ name: UInt64, _ stack: UInt64) -> Event {
        Event(
            kind: kind, timeNanoseconds: time, goroutine: current, thread: thread, stack: tables.resolve(stack: stack),
            name: tables.resolve(string: name), argument0: task, source: context.source)
    }

    private mutating func metric(_ name: StringID, _ value: UInt64, stack: UInt64) {
        let event = Event(
            kind: .metric, timeNanoseconds: time, goroutine: current, proc: proc, thread: thread,
            stack: tables.resolve(stack: stack), name: name, argument0: value, source: context.source)
        guard let known = metrics[name] else { return metrics[name] = (event, event) }
        if time < known.first.timeNanoseconds { metrics[name]!.first = event }
        if time > known.last.timeNanoseconds { metrics[name]!.last = event }
    }
}
