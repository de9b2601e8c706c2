import VestigeCore

/// Decides at the end of the recording which of the goroutines that wait can still be woken.
///
/// What runs, is ready, sleeps, waits for the network or has not waited long is live. Of the others one is live if a
/// rule names something live that can wake it; this is repeated until nothing changes. Who is then left can only be
/// woken by others who are left: they are stuck together.
final class GhostJudge {
    let tables: TraceTables
    let rules: GhostRules
    let first: Int64
    let last: Int64
    let limit: Int64
    let orphanLimit: Int64
    private(set) var living: [LivingGoroutine] = []
    private(set) var indices: [GoroutineID: Int] = [:]
    let sites: [CreationSite]
    let findEnded: (GoroutineID) -> EndedGoroutine?
    /// Live goroutines by their creation site, and by the call that started them.
    private(set) var liveAtSite: [UInt32: Int] = [:]
    private(set) var liveSiblings: [Family: Int] = [:]
    /// By any call of the program that led to their start: what a group starts belongs to whoever asked the group.
    private(set) var liveBelow: Set<Family> = []
    /// Functions in which one does something for all, and the others wait for it.
    private(set) var sharedFunctions: Set<StringID> = []
    /// When the oldest live goroutine was created that has this function on its stack.
    private(set) var oldestInside: [StringID: Int64] = [:]
    /// By creation site: how many are alive.
    private(set) var aliveAtSite: [UInt32: Int] = [:]
    /// Calls of os/signal.Notify, by whom and in which function.
    private var signalCallers: Set<GoroutineID> = []
    private var signalSites: Set<UInt32> = []
    /// What a goroutine and its siblings have in common.
    struct Family: Hashable {
        var creator: GoroutineID
        var call: ProgramFunction
    }

    init(_ tracker: inout GhostTracker, _ tables: TraceTables, findEnded: @escaping (GoroutineID) -> EndedGoroutine?) {
        self.tables = tables
        self.findEnded = findEnded
        rules = tracker.rules
        (first, last) = (tracker.firstNanoseconds, tracker.lastNanoseconds)
        limit = tracker.thresholds.stuckNanoseconds(inRecordingOf: last.subtractingSaturating(first))
        orphanLimit = tracker.thresholds.orphanNanoseconds
        sites = tracker.sites.sites
        var trails: [GoroutineTrail] = []
        tracker.trails.forEach { trails.append($1.pointee) }
        for number in 0..<tracker.places.count { noteShared(tracker.places.places[number]) }
        for trail in trails {
            let number = tracker.places.number(of: trail.stack, tables)
            add(trail, tracker.places.places[Int(number)], number)
        }
    }

    /// Who ended a wait for a WaitGroup was in the function in which it was waited.
    private func noteShared(_ place: WaitPlace) {
        guard place.means == .group, place.lastWaker != .absent,
            let waker = ProgramFunction(innermostOf: place.lastWakerStack, tables),
            waker.function == ProgramFunction(innermostOf: place.stack, tables)?.function
        else { return }
        sharedFunctions.insert(waker.function)
    }

    private func add(_ trail: GoroutineTrail, _ place: WaitPlace, _ number: UInt32) {
        let kind = trail.state == .waiting ? WaitKind(trail.reason, trail.stack, tables) : .other
        let goroutine = LivingGoroutine(
            trail: trail, kind: kind, place: place, placeNumber: number,
            silence: last.subtractingSaturating(trail.since),
            function: ProgramFunction(innermostOf: trail.stack, tables),
            creatingFunction: ProgramFunction(innermostOf: trail.creationStack, tables), verdict: .suspect)
        indices[trail.number] = living.count
        living.append(goroutine)
        aliveAtSite[trail.site, default: 0] += 1
        guard tables.strings.bytes(trail.startFunction).elementsEqual("os/signal.loop".utf8) else { return }
        signalCallers.insert(trail.creator)
        if let caller = indices[trail.creator] { signalSites.insert(living[caller].trail.site) }
    }

    // MARK: - Verdicts

    func run() {
        for index in living.indices { judgeAlone(index) }
        var hasChanged = true
        // Each round lets at least one go; chains of goroutines that wait for each other are short.
        for _ in 0..<1000 where hasChanged {
            hasChanged = false
            for index in living.indices where living[index].isSuspect {
                guard let rule = support(of: living[index]) else { continue }
                makeLive(index, rule)
                hasChanged = true
            }
        }
        for index in living.indices where living[index].isSuspect {
            living[index].verdict = .stuck(cause(of: living[index]))
        }
        followSiblings()
    }

    private func makeLive(_ index: Int, _ rule: GhostRule?) {
        living[index].verdict = .live(rule)
        let goroutine = living[index]
        let trail = goroutine.trail
        if rule == .systemGoroutines { return }
        liveAtSite[trail.site, default: 0] += 1
        if let call = goroutine.creatingFunction {
            liveSiblings[Family(creator: trail.creator, call: call), default: 0] += 1
        }
        for call in ProgramFunction.all(on: trail.creationStack, tables) {
            liveBelow.insert(Family(creator: trail.creator, call: call))
        }
        var creator = trail.creator
        for _ in 0..<64 {
            guard let parent = indices[creator], !living[parent].hasLiveDescendant else { break }
            living[parent].hasLiveDescendant = true
            creator = living[parent].trail.creator
        }
        // Who waits for the outside or for others holds no lock that matters; but it may.
        var position = trail.stack
        var steps = 0
        while position != .absent, steps < 64 {
            let node = tables.stacks.node(position)
            oldestInside[node.frame.function] = min(oldestInside[node.frame.function] ?? .max, trail.created)
            (position, steps) = (node.caller, steps + 1)
        }
    }

    /// What can be said of a goroutine without looking at others.
    private func judgeAlone(_ index: Int) {
        let goroutine = living[index]
        let trail = goroutine.trail
        if isSystem(trail) { return makeLive(index, .systemGoroutines) }
        if trail.state != .waiting { return makeLive(index, nil) }
        switch goroutine.kind {
        case .network: if rules.contains(.acceptLoops) { return makeLive(index, .acceptLoops) }
        case .sleep: if rules.contains(.tickers) { return makeLive(index, .tickers) }
        case .other: return makeLive(index, nil)
        default: break
        }
        if rules.contains(.libraryGoroutines), goroutine.function == nil, goroutine.kind != .forever,
            trail.stack != .absent
        {
            return makeLive(index, .libraryGoroutines)
        }
        if goroutine.kind == .forever {
            if isMain(trail), rules.contains(.mainWaits) { return makeLive(index, .mainWaits) }
            living[index].verdict = .leaked(.impossible)
            return
        }
        if goroutine.silence < limit { return makeLive(index, nil) }
        if let rule = ruleOfHistory(goroutine) { return makeLive(index, rule) }
    }

    private func isSystem(_ trail: GoroutineTrail) -> Bool {
        guard rules.contains(.systemGoroutines) else { return false }
        return trail.startFunction == .empty && trail.stack == .absent && !isMain(trail)
            || GoLibrary.isRuntime(tables.strings.bytes(trail.startFunction))
    }

    private func isMain(_ trail: GoroutineTrail) -> Bool { trail.number.rawValue == 1 }

    /// What the waits before at its place say.
    private func ruleOfHistory(_ goroutine: LivingGoroutine) -> GhostRule? {
        let (place, trail) = (goroutine.place, goroutine.trail)
        if rules.contains(.tickers), goroutine.kind.isPassive, place.timerCount > 0,
            place.timerCount >= place.wakeCount / 2 || goroutine.wakeups?.waker == .absent,
            goroutine.silence / 4 <= place.longest
        {
            return .tickers
        }
        // Others' waits say nothing of one that waits on something of its own.
        let isAlone = goroutine.isOvertaken && goroutine.kind != .lock
        let longest = isAlone ? goroutine.wakeups?.longest ?? 0 : place.longest
        if rules.contains(.dueTimers), longest > 0, goroutine.silence / 2 <= longest { return .dueTimers }
        if rules.contains(.mainWaits), isMain(trail), goroutine.kind.isPassive { return .mainWaits }
        if rules.contains(.signalWaiters), goroutine.kind.isPassive, goroutine.wakeups == nil, isSignalWaiter(goroutine)
        {
            return .signalWaiters
        }
        if rules.contains(.olderThanRecording), trail.flags.contains(.beganBefore), goroutine.kind.isPassive,
            place.wakeCount == 0
        {
            return .olderThanRecording
        }
        return nil
    }

    private func isSignalWaiter(_ goroutine: LivingGoroutine) -> Bool {
        if signalCallers.isEmpty { return false }
        let trail = goroutine.trail
        return signalCallers.contains(trail.number)
            || trail.site != 0 && signalSites.contains(trail.site) && !isMain(trail)
            || signalCallers.contains(trail.creator) && (aliveAtSite[trail.site] ?? 0) == 1
    }

    /// Where others from the same site are stuck, some share their fate that alone would be spared.
    private func followSiblings() {
        struct Key: Hashable {
            var place: UInt32
            var site: UInt32
        }
        var stuck: [Key: (cause: GhostCause, count: Int)] = [:]
        for goroutine in living {
            guard case .stuck(let cause) = goroutine.verdict else { continue }
            let key = Key(place: goroutine.placeNumber, site: goroutine.trail.site)
            stuck[key] = (cause, (stuck[key]?.count ?? 0) + 1)
        }
        if stuck.isEmpty { return }
        for index in living.indices where living[index].trail.state == .waiting && living[index].isLive {
            let goroutine = living[index]
            let key = Key(place: goroutine.placeNumber, site: goroutine.trail.site)
            guard let (cause, count) = stuck[key], isLikeStuckOnes(goroutine, count) else { continue }
            living[index].verdict = .stuck(cause)
        }
    }

    /// Those that have not waited long enough, where nobody was ever woken; and the last of several that were
    /// forgotten one after another, which nobody can have overtaken.
    private func isLikeStuckOnes(_ goroutine: LivingGoroutine, _ count: Int) -> Bool {
        if goroutine.verdict == .live(nil) {
            return goroutine.place.wakeCount == 0 && goroutine.silence < limit && goroutine.silence >= 1_000_000
        }
        return goroutine.verdict == .live(.idleWorkers) && count >= 3 && !goroutine.isOvertaken
            && (goroutine.wakeups == nil || isForsaken(goroutine))
            && goroutine.silence / 8 > goroutine.place.longest
    }

    // MARK: - Proofs

    /// Takes over what observers have proved.
    func prove(_ goroutine: GoroutineID, _ cause: GhostCause) {
        guard let index = indices[goroutine], living[index].trail.state == .waiting else { return }
        living[index].verdict = .leaked(cause)
    }

    /// The goroutines that wait where a crowd of an observer does, the one that waits longest first.
    func waiting(at stack: StackID) -> [GoroutineID] {
        let place = GoLibrary.ofProgram(stack, tables)
        guard place != .absent else { return [] }
        let frame = tables.stacks.node(place).frame
        return living.filter { goroutine in
            let own = tables.stacks.node(GoLibrary.ofProgram(goroutine.trail.stack, tables)).frame
            return goroutine.kind.isCandidate && own.function == frame.function && own.line == frame.line
                && StackComparison.agree(goroutine.trail.stack, stack, tables)
        }
        .sorted { ($0.trail.since, $0.trail.number) < ($1.trail.since, $1.trail.number) }
        .map(\.trail.number)
    }
}
