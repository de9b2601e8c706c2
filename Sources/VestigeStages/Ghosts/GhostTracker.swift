import VestigeCore

/// Follows goroutines as far as ghosts leave traces: how long each runs, is ready and waits, who wakes whom where, and
/// what was started where. Memory follows what is alive.
///
/// The lifecycle stage makes spans of all this, at three times the cost; here a transition changes one record.
struct GhostTracker: ~Copyable {
    private typealias Trail = UnsafeMutablePointer<GoroutineTrail>

    var trails = PagedTable<GoroutineTrail>()
    var places = WaitPlaces()
    var sites = CreationSites()
    var ended = EndedGoroutines()
    var scopes = StartScopes()
    var observations = GhostObservations()
    var collector = GhostCollector()
    let thresholds: GhostThresholds
    let rules: GhostRules
    private var words = WaitWords()

    private(set) var firstNanoseconds: Int64 = 0
    private(set) var lastNanoseconds: Int64 = 0
    private var hasBegun = false
    /// For how long the process was stopped as a whole so far: by a debugger, or by the machine.
    private var stopped: Int64 = 0
    /// A process in which anything runs leaves an event at least every 10 ms, when its goroutine is preempted.
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
        var last = lastNanoseconds
        while event < end {
            let time = event.pointee.timeNanoseconds
            if time &- last > Self.leastStop { pass(from: last, to: time) }
            if time >= sites.nextSample { sites.tick(time) }
            last = max(last, time)
            if event.pointee.kind == .goroutineTransition {
                transition(event, tables)
            } else if event.pointee.kind != .procTransition {
                other(event, tables)
            }
            event += 1
        }
        lastNanoseconds = last
    }

    @inline(never) private mutating func pass(from last: Int64, to time: Int64) {
        sites.tick(last)
        stopped = stopped.addingSaturating(time.subtractingSaturating(last))
    }

    // MARK: - Transitions

    @inline(__always)
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

    @inline(__always)
    private mutating func change(
        _ trail: Trail, _ event: UnsafePointer<Event>, _ from: GoroutineState, _ to: GoroutineState,
        _ tables: TraceTables
    ) {
        let time = event.pointee.timeNanoseconds
        switch from {
        case .running: leaveRunning(trail, event, to, time, tables)
        case .runnable: leaveRunnable(trail, time)
        case .waiting: wake(trail, event, time, tables)
        case .syscall, .notExist, .undetermined: break
        }
        if to == .notExist { return end(trail, event, tables) }
        trail.pointee.state = to
        trail.pointee.since = time
        trail.pointee.stopped = stopped
        trail.pointee.flags.remove(.beganBefore)
        let stack = event.pointee.transitionStack
        if stack != .absent { trail.pointee.stack = stack } else if to == .waiting { trail.pointee.stack = .absent }
        if to == .waiting { trail.pointee.reason = event.pointee.name }
        if trail.pointee.site == 0 { findSite(trail, stack, tables) }
    }

    @inline(__always)
    private mutating func leaveRunning(
        _ trail: Trail, _ event: UnsafePointer<Event>, _ to: GoroutineState, _ time: Int64, _ tables: TraceTables
    ) {
        let run = trail.pointee.run &+ (time &- trail.pointee.since) &- (stopped &- trail.pointee.stopped)
        if to == .runnable || to == .waiting, words.isPreemption(event.pointee.name, tables) {
            trail.pointee.run = run
            trail.pointee.preemptedStack = event.pointee.transitionStack
            return
        }
        trail.pointee.run = 0
        if run >= thresholds.hogNanoseconds { noteRun(trail, run, event) }
    }

    @inline(never) private mutating func noteRun(_ trail: Trail, _ run: Int64, _ event: UnsafePointer<Event>) {
        trail.pointee.runCount &+= 1
        if run > trail.pointee.longestRun {
            trail.pointee.longestRun = run
            trail.pointee.longestRunEnd = event.pointee.timeNanoseconds
            let preempted = trail.pointee.preemptedStack
            trail.pointee.longestRunStack = preempted != .absent ? preempted : event.pointee.transitionStack
        }
        trail.pointee.preemptedStack = .absent
    }

    @inline(__always)
    private mutating func leaveRunnable(_ trail: Trail, _ time: Int64) {
        let ready = time &- trail.pointee.since &- (stopped &- trail.pointee.stopped)
        trail.pointee.readyTotal &+= ready
        if ready > trail.pointee.longestReady {
            trail.pointee.longestReady = ready
            trail.pointee.longestReadyEnd = time
        }
        if ready >= thresholds.starvedNanoseconds / 2 { trail.pointee.readyCount &+= 1 }
    }

    @inline(__always)
    private mutating func wake(
        _ trail: Trail, _ event: UnsafePointer<Event>, _ time: Int64, _ tables: TraceTables
    ) {
        let place = places.number(of: trail.pointee.stack, tables)
        let (waker, stack) = (event.pointee.goroutine, event.pointee.stack)
        if words.isPreemption(trail.pointee.reason, tables) { return }
        places.places[Int(place)].wake(since: trail.pointee.since, time, by: waker, stack)
        trail.pointee.wake(at: place, by: waker, stack, time)
        if !trail.pointee.flags.contains(.hasSeveralWakers), words.isPassive(trail.pointee.reason, tables) {
            noteWakers(trail, place)
        }
    }

    @inline(never) private mutating func noteWakers(_ trail: Trail, _ place: UInt32) {
        guard trail.pointee.wakeups(at: place)?.hasSeveralWakers ?? false else { return }
        trail.pointee.flags.insert(.hasSeveralWakers)
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

    @inline(never)
    private mutating func discover(
        _ event: UnsafePointer<Event>, _ from: GoroutineState, _ to: GoroutineState, _ tables: TraceTables
    ) {
        guard to != .notExist, to != .undetermined else { return }
        var trail = GoroutineTrail(event.pointee.subjectGoroutine)
        trail.state = to
        trail.source = event.pointee.source
        trail.stack = event.pointee.transitionStack
        trail.since = event.pointee.timeNanoseconds
        trail.stopped = stopped
        if to == .waiting { trail.reason = event.pointee.name }
        let root = tables.stacks.rootFrame(event.pointee.transitionStack)?.function ?? .empty
        if from == .notExist {
            create(&trail, event, root, tables)
        } else {
            if from == .undetermined {
                trail.flags.insert(.beganBefore)
                trail.since = event.pointee.isSynthetic ? event.pointee.sinceNanoseconds : firstNanoseconds
                trail.stopped = event.pointee.isSynthetic ? stopped : 0
            }
            trail.created = trail.since
            trail.startFunction = root
            trail.site = sites.number(stack: .absent, function: root, isOlder: true, tables)
            sites.appear(trail.site)
        }
        trails.insert(trail.number.rawValue, trail)
    }

    private mutating func create(
        _ trail: inout GoroutineTrail, _ event: UnsafePointer<Event>, _ root: StringID, _ tables: TraceTables
    ) {
        let (creator, stack, time) = (event.pointee.goroutine, event.pointee.stack, event.pointee.timeNanoseconds)
        trail.flags.insert(.isCreated)
        trail.created = time
        trail.creator = creator
        trail.creationStack = stack
        trail.startFunction = root
        trail.site = sites.number(stack: stack, function: root, isOlder: false, tables)
        sites.create(trail.site, creator, time)
        guard let parent = trails.find(creator.rawValue) else { return }
        parent.pointee.childrenCreated &+= 1
        parent.pointee.stack = stack
        if parent.pointee.site == 0 { findSite(parent, stack, tables) }
        trail.scope = scopes.current(&parent.pointee.openScope, inherited: parent.pointee.scope)
        guard trail.scope != 0 else { return }
        scopes.addChild(trail.scope)
        sites.note(scope: scopes[trail.scope].serial, at: trail.site)
    }

    /// The start function of a goroutine that is older than the recording, once a stack tells it.
    @inline(never)
    private mutating func findSite(_ trail: Trail, _ stack: StackID, _ tables: TraceTables) {
        guard let root = tables.stacks.rootFrame(stack)?.function, root != .empty else { return }
        sites.leave(0)
        trail.pointee.startFunction = root
        trail.pointee.site = sites.number(stack: .absent, function: root, isOlder: true, tables)
        sites.appear(trail.pointee.site)
    }

    // MARK: - Ends

    @inline(never)
    private mutating func end(_ trail: Trail, _ event: UnsafePointer<Event>, _ tables: TraceTables) {
        let time = event.pointee.timeNanoseconds
        collect(trail.pointee, at: time, hasEnded: true, tables)
        sites.end(trail.pointee.site)
        let number = trail.pointee.number
        ended.add(
            EndedGoroutine(number: number, creator: trail.pointee.creator, ended: time, site: trail.pointee.site))
        if let parent = trails.find(trail.pointee.creator.rawValue) { parent.pointee.childrenEnded &+= 1 }
        scopes.endAll(&trail.pointee.openScope, time)
        drop(trail)
    }

    private mutating func drop(_ trail: Trail) {
        scopes.removeChild(trail.pointee.scope)
        trails.remove(trail.pointee.number.rawValue)
    }

    /// What a goroutine has become up to a time, apart from its last wait.
    mutating func collect(_ trail: GoroutineTrail, at time: Int64, hasEnded: Bool, _ tables: TraceTables) {
        if rules.contains(.systemGoroutines), sites.sites[Int(trail.site)].isSystem || trail.startFunction == .empty {
            return
        }
        if let orphan = orphan(trail, at: time, tables) {
            collector.add(.orphan, trail, orphan.started, amount: orphan.outlived, at: time, hasEnded)
        } else if trail.longestRun >= thresholds.hogNanoseconds,
            trail.runCount > 1 || trail.longestRun >= thresholds.hogNanoseconds &* 2
        {
            collector.add(.hog, trail, .itself, amount: trail.longestRun, at: trail.longestRunEnd, hasEnded)
        } else if isStarved(trail, at: time) {
            collector.add(.starved, trail, .itself, amount: trail.longestReady, at: trail.longestReadyEnd, hasEnded)
        }
    }

    /// A long time at once, or again and again so long that it comes to half of its life.
    private func isStarved(_ trail: GoroutineTrail, at time: Int64) -> Bool {
        trail.longestReady >= thresholds.starvedNanoseconds
            || trail.readyCount >= 3 && trail.readyTotal >= (time &- trail.created) / 2
    }

    /// By what it was started and how long it has outlived that, if too long.
    private mutating func orphan(
        _ trail: GoroutineTrail, at time: Int64, _ tables: TraceTables
    ) -> (started: GhostOrigin, outlived: Int64)? {
        guard trail.flags.contains(.isCreated) else { return nil }
        if rules.contains(.sharedWorkers), trail.flags.contains(.hasSeveralWakers) { return nil }
        if trail.scope != 0 {
            let scope = scopes[trail.scope]
            guard !scope.isOpen, time &- scope.ended >= thresholds.orphanNanoseconds,
                !isAwaited(by: scope.goroutine, tables)
            else { return nil }
            return (.scope(scope), time &- scope.ended)
        }
        guard let creator = ended.find(trail.creator), time &- creator.ended >= thresholds.orphanNanoseconds,
            sites.sites[Int(creator.site)].isRenewing(in: lastNanoseconds &- firstNanoseconds),
            !isAwaitedByAncestor(creator, tables)
        else { return nil }
        return (.creator(creator), time &- creator.ended)
    }

    /// True if one of the creators of a creator waits for a WaitGroup, as the root of a tree of goroutines does.
    private mutating func isAwaitedByAncestor(_ creator: EndedGoroutine, _ tables: TraceTables) -> Bool {
        var next = creator.creator
        for _ in 0..<32 {
            if let further = ended.find(next) { next = further.creator } else { return isAwaited(by: next, tables) }
        }
        return false
    }

    private mutating func isAwaited(by number: GoroutineID, _ tables: TraceTables) -> Bool {
        guard rules.contains(.awaited), let trail = trails.find(number.rawValue), trail.pointee.state == .waiting else {
            return false
        }
        return WaitKind(trail.pointee.reason, trail.pointee.stack, tables) == .group
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

/// The runtime's words that a transition may have as its reason, known by their numbers once they were met.
struct WaitWords {
    private static let unknown = StringID(.max)

    private var preempted = unknown
    private var others: (StringID, StringID, StringID, StringID) = (unknown, unknown, unknown, unknown)
    private var next: UInt8 = 0
    /// By string: 0 not asked yet, 1 no, 2 yes.
    private var passive: [UInt8] = []

    /// True if a goroutine that stops for this reason did not want to.
    @inline(__always) mutating func isPreemption(_ reason: StringID, _ tables: TraceTables) -> Bool {
        if reason == preempted { return true }
        if reason == others.0 || reason == others.1 || reason == others.2 || reason == others.3 { return false }
        return ask(reason, tables)
    }

    @inline(never) private mutating func ask(_ reason: StringID, _ tables: TraceTables) -> Bool {
        if tables.strings.bytes(reason).elementsEqual("preempted".utf8) {
            preempted = reason
            return true
        }
        switch next & 3 {
        case 0: others.0 = reason
        case 1: others.1 = reason
        case 2: others.2 = reason
        default: others.3 = reason
        }
        next &+= 1
        return false
    }

    /// True if it is waited for something that another goroutine gives, as a worker waits for work.
    mutating func isPassive(_ reason: StringID, _ tables: TraceTables) -> Bool {
        let index = Int(reason.rawValue)
        if index < passive.count, passive[index] > 0 { return passive[index] == 2 }
        guard index < tables.strings.count else { return false }
        if passive.count < tables.strings.count {
            passive.append(contentsOf: repeatElement(0, count: tables.strings.count - passive.count))
        }
        let kind = WaitKind(reason: tables.strings.string(reason))
        let answer = kind == .receive || kind == .select || kind == .condition
        passive[index] = answer ? 2 : 1
        return answer
    }
}

extension Int64 {
    /// The difference, or what 64 bits hold where it is more.
    func subtractingSaturating(_ other: Int64) -> Int64 {
        let (difference, isTooLarge) = subtractingReportingOverflow(other)
        return isTooLarge ? (self < 0 ? .min : .max) : difference
    }
}
