import VestigeCore

/// Follows goroutines as far as ghosts leave traces: how long each runs, is ready and waits, who wakes whom where, and
/// what was started where. Memory follows what is alive.
///
/// The lifecycle stage makes spans of all this, at three times the cost; here a transition changes one record.
struct GhostTracker: ~Copyable {
    typealias Trail = UnsafeMutablePointer<GoroutineTrail>

    var trails = PagedTable<GoroutineTrail>()
    var places = WaitPlaces()
    var sites = CreationSites()
    var ended = EndedGoroutines()
    var scopes = StartScopes()
    var observations = GhostObservations()
    var collector = GhostCollector()
    let thresholds: GhostThresholds
    let rules: GhostRules
    var words = WaitWords()

    private(set) var firstNanoseconds: Int64 = 0
    private(set) var lastNanoseconds: Int64 = 0
    private var hasBegun = false
    /// The next time at which something is to be done that has nothing to do with an event.
    private var nextLook = Int64.min
    /// A process in which anything runs leaves an event at least every 10 ms, when its goroutine is preempted. Without
    /// any for so long it was stopped as a whole: by a debugger, or by the machine.
    private static let leastStop: Int64 = 100_000_000

    init(_ thresholds: GhostThresholds, _ rules: GhostRules) {
        self.thresholds = thresholds
        self.rules = rules
    }

    mutating func process(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) {
        guard let first = events.baseAddress, events.count > 0 else { return }
        if !hasBegun {
            hasBegun = true
            (firstNanoseconds, lastNanoseconds) = (first.pointee.timeNanoseconds, first.pointee.timeNanoseconds)
        }
        var event = first
        let end = first + events.count
        var look = nextLook
        while event < end {
            if event.pointee.timeNanoseconds >= look { look = lookAround(event, first) }
            if event.pointee.kind == .goroutineTransition {
                let states = UInt8(truncatingIfNeeded: event.pointee.detail)
                if let trail = trails.pagedSlot(event.pointee.subjectGoroutine.rawValue),
                    trail.pointee.state.rawValue == states & 15
                {
                    if !usual(trail, event, states, tables) { transition(event, tables) }
                } else {
                    transition(event, tables)
                }
            } else if event.pointee.kind != .procTransition {
                other(event, tables)
            }
            event += 1
        }
        nextLook = look
        lastNanoseconds = max(lastNanoseconds, end[-1].timeNanoseconds)
    }

    /// Takes samples, and notices when the process was stopped as a whole: nobody ran or was kept waiting meanwhile.
    @inline(never)
    private mutating func lookAround(_ event: UnsafePointer<Event>, _ first: UnsafePointer<Event>) -> Int64 {
        let time = event.pointee.timeNanoseconds
        let last = event > first ? event[-1].timeNanoseconds : lastNanoseconds
        let pause = time.subtractingSaturating(last)
        if pause > Self.leastStop {
            sites.tick(last)
            trails.forEach { _, trail in
                guard trail.pointee.state == .running || trail.pointee.state == .runnable else { return }
                trail.pointee.since = trail.pointee.since.addingSaturating(pause)
            }
        }
        sites.tick(time)
        return min(sites.nextSample, time.addingSaturating(Self.leastStop / 2))
    }

    // MARK: - Transitions

    /// The four transitions that nearly all are, of a goroutine that is in the state where they begin.
    /// - Returns: false, and has changed nothing, if it is another.
    @inline(__always)
    private mutating func usual(
        _ trail: Trail, _ event: UnsafePointer<Event>, _ states: UInt8, _ tables: TraceTables
    ) -> Bool {
        let time = event.pointee.timeNanoseconds
        switch states {
        case UInt8(Event.pack(GoroutineState.runnable, .running)):
            leaveRunnable(trail, time)
            trail.pointee.state = .running
        case UInt8(Event.pack(GoroutineState.running, .waiting)):
            leaveRunning(trail, event, time, tables)
            trail.pointee.state = .waiting
            trail.pointee.stack = event.pointee.transitionStack
            trail.pointee.reason = event.pointee.name
            if trail.pointee.site == 0 { findSite(trail, event.pointee.transitionStack, tables) }
        case UInt8(Event.pack(GoroutineState.waiting, .runnable)):
            wake(trail, event, time, tables)
            trail.pointee.state = .runnable
        case UInt8(Event.pack(GoroutineState.running, .runnable)):
            leaveRunning(trail, event, time, tables)
            trail.pointee.state = .runnable
            if trail.pointee.site == 0 { findSite(trail, event.pointee.transitionStack, tables) }
        default: return false
        }
        trail.pointee.since = time
        trail.pointee.flags.remove(.beganBefore)
        return true
    }

    @inline(never)
    private mutating func transition(_ event: UnsafePointer<Event>, _ tables: TraceTables) {
        let (from, to) = (event.pointee.fromGoroutineState, event.pointee.toGoroutineState)
        guard let trail = trails.find(event.pointee.subjectGoroutine.rawValue) else {
            return discover(event, from, to, tables)
        }
        if from != trail.pointee.state || from == to || to == .undetermined {
            return status(trail, event, from, to, tables)
        }
        change(trail, event, from, to, tables)
    }

    private mutating func change(
        _ trail: Trail, _ event: UnsafePointer<Event>, _ from: GoroutineState, _ to: GoroutineState,
        _ tables: TraceTables
    ) {
        let time = event.pointee.timeNanoseconds
        switch from {
        case .running: leaveRunning(trail, event, time, tables)
        case .runnable: leaveRunnable(trail, time)
        case .waiting: wake(trail, event, time, tables)
        case .syscall, .notExist, .undetermined: break
        }
        if to == .notExist { return end(trail, event, tables) }
        trail.pointee.state = to
        trail.pointee.since = time
        trail.pointee.flags.remove(.beganBefore)
        let stack = event.pointee.transitionStack
        if stack != .absent || to == .waiting { trail.pointee.stack = stack }
        if to == .waiting {
            trail.pointee.reason = event.pointee.name
            trail.pointee.words = words.answer(event.pointee.name, tables)
        }
        if trail.pointee.site == 0 { findSite(trail, stack, tables) }
    }

    /// - Precondition: the goroutine was running.
    @inline(__always)
    private mutating func leaveRunning(
        _ trail: Trail, _ event: UnsafePointer<Event>, _ time: Int64, _ tables: TraceTables
    ) {
        let run = trail.pointee.run &+ (time &- trail.pointee.since)
        let meaning = words.answer(event.pointee.name, tables)
        trail.pointee.words = meaning
        if meaning & WaitWords.preemption != 0 { return preempt(trail, run, event) }
        trail.pointee.run = 0
        if run >= thresholds.hogNanoseconds { noteRun(trail, run, at: time, event.pointee.transitionStack) }
        trail.pointee.flags.remove(.isPreempted)
    }

    @inline(never) private mutating func preempt(_ trail: Trail, _ run: Int64, _ event: UnsafePointer<Event>) {
        if !trail.pointee.flags.contains(.isPreempted) { trail.pointee.runStart = trail.pointee.since }
        trail.pointee.run = run
        trail.pointee.preemptedStack = event.pointee.transitionStack
        trail.pointee.flags.insert(.isPreempted)
    }

    /// A long stretch counts if the scheduler has put an end to it, as it does after 10 ms; or if it is very long. Else
    /// the goroutine's thread may only have been off its processor, and the scheduler with it.
    @inline(never)
    private mutating func noteRun(_ trail: Trail, _ run: Int64, at time: Int64, _ stack: StackID) {
        let isPreempted = trail.pointee.flags.contains(.isPreempted)
        guard isPreempted || run / 5 >= thresholds.hogNanoseconds else { return }
        trail.pointee.runCount &+= 1
        guard run > trail.pointee.longestRun else { return }
        trail.pointee.longestRun = run
        trail.pointee.longestRunStart = isPreempted ? trail.pointee.runStart : time &- run
        trail.pointee.longestRunEnd = time
        trail.pointee.longestRunStack = isPreempted ? trail.pointee.preemptedStack : stack
    }

    /// - Precondition: the goroutine was runnable.
    @inline(__always)
    private mutating func leaveRunnable(_ trail: Trail, _ time: Int64) {
        let ready = time &- trail.pointee.since
        if ready >= thresholds.starvedNanoseconds / 2 { noteReady(trail, ready, time) }
    }

    @inline(never) private mutating func noteReady(_ trail: Trail, _ ready: Int64, _ time: Int64) {
        trail.pointee.readyCount &+= 1
        trail.pointee.readyTotal = trail.pointee.readyTotal.addingSaturating(ready)
        guard ready > trail.pointee.longestReady else { return }
        trail.pointee.longestReady = ready
        trail.pointee.longestReadyEnd = time
    }

    /// What a goroutine is doing at the end counts as well.
    mutating func closeLastState(_ trail: UnsafeMutablePointer<GoroutineTrail>) {
        let time = lastNanoseconds
        if trail.pointee.state == .running {
            let run = trail.pointee.run &+ (time &- trail.pointee.since)
            if run >= thresholds.hogNanoseconds { noteRun(trail, run, at: time, trail.pointee.stack) }
        } else if trail.pointee.state == .runnable {
            let since = trail.pointee.since
            if trail.pointee.run >= thresholds.hogNanoseconds { noteRun(trail, trail.pointee.run, at: since, .absent) }
            leaveRunnable(trail, time)
        }
    }

    /// - Precondition: the goroutine was waiting.
    @inline(__always)
    private mutating func wake(
        _ trail: Trail, _ event: UnsafePointer<Event>, _ time: Int64, _ tables: TraceTables
    ) {
        if trail.pointee.words & WaitWords.preemption != 0 { return }
        let number = places.number(of: trail.pointee.stack, tables)
        let place = places.places + Int(number)
        place.pointee.wake(trail, time, by: event.pointee.goroutine, event.pointee.stack)
        if trail.pointee.wake(at: number, by: event.pointee.goroutine, event.pointee.stack, time),
            trail.pointee.words & WaitWords.passive != 0
        {
            trail.pointee.flags.insert(.hasSeveralWakers)
        }
    }

    /// A transition that confirms the state, or one that contradicts it.
    @inline(never)
    private mutating func status(
        _ trail: Trail, _ event: UnsafePointer<Event>, _ from: GoroutineState, _ to: GoroutineState,
        _ tables: TraceTables
    ) {
        if to == .undetermined {
            // What follows of it is left out: nothing more is known.
            sites.leave(trail.pointee.site)
            return drop(trail)
        }
        if to == trail.pointee.state, from == to || from == .undetermined {
            if trail.pointee.stack == .absent { trail.pointee.stack = event.pointee.transitionStack }
            if trail.pointee.site == 0 { findSite(trail, event.pointee.transitionStack, tables) }
            return
        }
        if from == .notExist {
            // The id is created again while its goroutine is alive: the end of that one is lost.
            end(trail, event, tables)
            return discover(event, from, to, tables)
        }
        change(trail, event, trail.pointee.state, to, tables)
    }

    // MARK: - All else

    @inline(never)
    private mutating func other(_ event: UnsafePointer<Event>, _ tables: TraceTables) {
        switch event.pointee.kind {
        case .regionBegin, .taskBegin:
            guard let trail = trails.find(event.pointee.goroutine.rawValue) else { return }
            let kind: StartScope.Kind = event.pointee.kind == .taskBegin ? .task : .region
            scopes.begin(kind, event, &trail.pointee.openScope)
        case .regionEnd:
            guard let trail = trails.find(event.pointee.goroutine.rawValue) else { return }
            scopes.endRegion(event, &trail.pointee.openScope)
        case .taskEnd: scopes.endTask(event)
        case .rangeBegin:
            // Whoever stops the world says where it is.
            guard event.pointee.stack != .absent, let trail = trails.find(event.pointee.goroutine.rawValue),
                trail.pointee.state != .waiting
            else { return }
            trail.pointee.stack = event.pointee.stack
        case .observed, .log: observations.add(event.pointee, tables)
        default: break
        }
    }
}
