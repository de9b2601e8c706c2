import VestigeCore

/// What a skim has learnt of a goroutine that is alive.
struct SkimGoroutine: PagedElement {
    var isOccupied = false
    /// It ended in this generation. Its batches may still be ahead, so it is forgotten when the generation is.
    var isDead = false
    /// Of its creation; `Int64.min` if that is not in what was skimmed.
    var creationNanoseconds = Int64.min
    var creator = GoroutineID.absent
    var creationThread = ThreadID.absent
    var creationStack = StackID.absent
    var ownStack = StackID.absent
    var initialState = GoroutineState.runnable
    /// Of the first that is heard of it, if that is its state: it may do nothing else.
    var statusNanoseconds = Int64.min
    var statusStack = StackID.absent
    var status = GoroutineState.undetermined
    /// Of the last change of its state that it made itself; `Int64.min` if it did not.
    var changeNanoseconds = Int64.min
    var changeThread = ThreadID.absent
    var changeProc = ProcID.absent
    var changeStack = StackID.absent
    var changeReason = StringID.empty
    var state = GoroutineState.undetermined

    static var vacant: SkimGoroutine { SkimGoroutine() }

    /// The transitions that still matter.
    func events(of goroutine: GoroutineID, source: UInt8) -> [Event] {
        var events: [Event] = []
        let subject = UInt64(bitPattern: goroutine.rawValue)
        if creationNanoseconds != .min {
            events.append(
                Event(
                    kind: .goroutineTransition, timeNanoseconds: creationNanoseconds, goroutine: creator,
                    thread: creationThread, stack: creationStack, argument0: subject,
                    argument1: UInt64(ownStack.rawValue), source: source, detail: Event.pack(.notExist, initialState)))
        }
        if statusNanoseconds != .min {
            events.append(
                Event(
                    kind: .goroutineTransition, timeNanoseconds: statusNanoseconds, stack: statusStack,
                    argument0: subject, argument1: UInt64(statusStack.rawValue), source: source,
                    detail: Event.pack(.undetermined, status)))
        }
        if changeNanoseconds != .min {
            let from: GoroutineState = state == .running ? .runnable : .running
            events.append(
                Event(
                    kind: .goroutineTransition, timeNanoseconds: changeNanoseconds, goroutine: goroutine,
                    proc: changeProc, thread: changeThread, stack: changeStack, name: changeReason,
                    argument0: subject, argument1: UInt64(changeStack.rawValue), source: source,
                    detail: Event.pack(from, state)))
        }
        return events
    }
}

/// The open regions and tasks that a skim has found.
struct SkimAnnotations {
    private struct Key: Hashable {
        var goroutine: GoroutineID
        var task: UInt64
        var name: StringID

        init(_ event: Event) { (goroutine, task, name) = (event.goroutine, event.argument0, event.name) }
    }

    private var regions: [Key: [Event]] = [:]
    private var tasks: [UInt64: Event] = [:]
    /// Ends in this generation whose begin may still be ahead.
    private var taskEnds = Set<UInt64>()
    /// Begins and ends of regions in this generation, in the order of each thread.
    private var regionEvents: [Event] = []
    /// Ends of regions in this generation that began before it.
    private(set) var earlierRegionEnds: [Event] = []
    /// Begins of the goroutine that runs on the thread now, since it does.
    private var runBegins: [Event] = []

    // MARK: - Within a generation

    mutating func beginGeneration() {
        taskEnds.removeAll(keepingCapacity: true)
        earlierRegionEnds.removeAll(keepingCapacity: true)
    }

    mutating func beginRegion(_ event: Event) { runBegins.append(event) }

    /// Most regions end where they began, before their goroutine stops: these cancel each other at once.
    mutating func endRegion(_ event: Event) {
        if let last = runBegins.last, Key(last) == Key(event) {
            runBegins.removeLast()
        } else {
            leaveGoroutine()
            regionEvents.append(event)
        }
    }

    /// The thread runs another goroutine from here on.
    @inline(__always) mutating func leaveGoroutine() {
        if runBegins.isEmpty { return }
        regionEvents += runBegins
        runBegins.removeAll(keepingCapacity: true)
    }

    mutating func beginTask(_ event: Event) {
        if taskEnds.remove(event.argument0) == nil { tasks[event.argument0] = event }
    }

    mutating func endTask(_ task: UInt64) {
        if tasks.removeValue(forKey: task) == nil { taskEnds.insert(task) }
    }

    // MARK: - At its end

    /// Puts the regions of all threads in order, and pairs them.
    mutating func endGeneration(isDead: (GoroutineID) -> Bool) {
        leaveGoroutine()
        regionEvents.sort { $0.timeNanoseconds < $1.timeNanoseconds }
        for event in regionEvents {
            if event.kind == .regionBegin {
                regions[Key(event), default: []].append(event)
            } else if regions[Key(event)]?.popLast() == nil {
                if !isDead(event.goroutine) { earlierRegionEnds.append(event) }
            } else if regions[Key(event)]!.isEmpty {
                regions[Key(event)] = nil
            }
        }
        regionEvents.removeAll(keepingCapacity: true)
        if !regions.isEmpty { regions = regions.filter { !isDead($0.key.goroutine) } }
    }

    /// The begins of what is open.
    var events: [Event] { openRegions + openTasks }
    var openRegions: [Event] { regions.values.flatMap { $0 } }
    var openTasks: [Event] { Array(tasks.values) }
    /// The ends in the last generation of what began before it.
    var earlierEnds: [Event] {
        earlierRegionEnds + taskEnds.map { Event(kind: .taskEnd, timeNanoseconds: 0, argument0: $0) }
    }
}
