import VestigeCore

/// Decides at the end of the recording which of the goroutines that wait can still be woken.
///
/// What runs, is ready, sleeps, waits for the network or has not waited long is live. Of the others one is live if a
/// rule names something live that can wake it; this is repeated until nothing changes. Who is then left can only be
/// woken by others who are left: they are stuck together.
final class GhostJudge {
    private let tables: TraceTables
    private let rules: GhostRules
    private let first: Int64
    private let last: Int64
    private let limit: Int64
    private let orphanLimit: Int64
    private(set) var living: [LivingGoroutine] = []
    private var indices: [GoroutineID: Int] = [:]
    private let sites: [CreationSite]
    private let findEnded: (GoroutineID) -> EndedGoroutine?
    /// Live goroutines by their creation site, and by the call that started them.
    private var liveAtSite: [UInt32: Int] = [:]
    private var liveSiblings: [Family: Int] = [:]
    /// By any call of the program that led to their start: what a group starts belongs to whoever asked the group.
    private var liveBelow: Set<Family> = []
    /// Functions in which one does something for all, and the others wait for it.
    private var sharedFunctions: Set<StringID> = []
    /// When the oldest live goroutine was created that has this function on its stack.
    private var oldestInside: [StringID: Int64] = [:]
    /// By creation site: how many are alive.
    private var aliveAtSite: [UInt32: Int] = [:]
    /// Calls of os/signal.Notify, by whom and in which function.
    private var signalCallers: Set<GoroutineID> = []
    private var signalSites: Set<UInt32> = []
    /// What a goroutine and its siblings have in common.
    private struct Family: Hashable {
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

    /// A rule by which something live can wake a goroutine; nil if there is none (yet).
    private func support(of goroutine: LivingGoroutine) -> GhostRule? {
        if rules.contains(.workingChildren), hasWorkingChildren(goroutine) { return .workingChildren }
        if rules.contains(.workingPeers), hasWorkingPeers(goroutine) { return .workingPeers }
        if rules.contains(.idleWorkers), hasLiveWaker(goroutine) { return .idleWorkers }
        if rules.contains(.livingCreator), creatorCanWake(goroutine) { return .livingCreator }
        return nil
    }

    private func hasWorkingChildren(_ goroutine: LivingGoroutine) -> Bool {
        guard goroutine.hasLiveDescendant else { return false }
        // Children help nobody out of a lock, unless they hold it: see hasWorkingPeers.
        return goroutine.kind != .lock
    }

    private func hasWorkingPeers(_ goroutine: LivingGoroutine) -> Bool {
        let trail = goroutine.trail
        switch goroutine.kind {
        case .group:
            // One does it for all, in the function in which the others wait: then it was there before them.
            if isSomeoneInside(goroutine) { return true }
            if let function = goroutine.function, sharedFunctions.contains(function.function) { return false }
            // Who has children waits for these: see hasWorkingChildren.
            guard trail.childrenCreated == trail.childrenEnded, let call = goroutine.creatingFunction else {
                return false
            }
            return liveBelow.contains(Family(creator: trail.creator, call: call))
        case .lock: return isSomeoneInside(goroutine) || isHandedOver(goroutine)
        case .send: return goroutine.place.wakeCount > 0 && !goroutine.isOvertaken && isSomeoneInside(goroutine)
        case .receive, .select, .condition:
            guard let call = goroutine.creatingFunction, goroutine.wakeups == nil, !goroutine.isOvertaken else {
                return false
            }
            // Siblings that main starts in one place have little in common.
            return trail.creator.rawValue != 1 && (liveSiblings[Family(creator: trail.creator, call: call)] ?? 0) > 0
        default: return false
        }
    }

    /// Somebody live, older than the wait, is in the function that waits: it may hold what is waited for.
    private func isSomeoneInside(_ goroutine: LivingGoroutine) -> Bool {
        let trail = goroutine.trail
        let caller = tables.stacks.node(GoLibrary.withoutPlumbing(trail.stack, tables)).frame.function
        let functions = [lockUser(trail.stack), caller, goroutine.function?.function ?? .empty]
        return functions.contains { $0 != .empty && (oldestInside[$0] ?? .max) < trail.since }
    }

    /// The function that called the lock: of sync.Once it is one of the library's.
    private func lockUser(_ stack: StackID) -> StringID {
        for frame in tables.stacks.frames(stack) {
            let name = tables.strings.bytes(frame.function)
            if !GoLibrary.contains(name) { return .empty }
            if GoLibrary.starts(name, with: "sync.(*Once)") { return frame.function }
        }
        return .empty
    }

    /// Others got the lock lately, so it is not held for ever.
    private func isHandedOver(_ goroutine: LivingGoroutine) -> Bool {
        let place = goroutine.place
        return place.wakeCount > 0 && place.lastWoken > goroutine.trail.since && last &- place.lastWoken < limit
            && !goroutine.isOvertaken
    }

    private func hasLiveWaker(_ goroutine: LivingGoroutine) -> Bool {
        let place = goroutine.place
        guard place.wakeCount > 0, goroutine.kind != .lock, goroutine.kind != .group else { return false }
        if isAbandonedByFeeder(goroutine) || goroutine.isOvertaken && isForsaken(goroutine) { return false }
        if goroutine.isOvertaken {
            // It waits on something of its own, so only who has woken itself counts.
            guard let own = goroutine.wakeups else { return false }
            if own.waker == .absent { return goroutine.kind.isPassive && !isTimerOver(goroutine) }
            if canWakeAgain(own.waker, goroutine) { return true }
            return own.hasSeveralWakers && isRenewed(own.waker)
        }
        if place.wakeCount == place.timerCount { return goroutine.kind.isPassive && !isTimerOver(goroutine) }
        let wakers = place.wakers(ofSite: goroutine.trail.site)
        if wakers.contains(where: { canWakeAgain($0, goroutine) }) { return true }
        // Those that come to wait in the same place help nobody: they wait behind it.
        return Set(place.knownWakers.map(\.goroutine)).count > 1 && wakers.contains { isRenewed($0) && site(of: $0) != goroutine.trail.site }
    }

    /// It receives from a timer's channel, since nothing else has ever woken it there, and the timer is long overdue.
    private func isTimerOver(_ goroutine: LivingGoroutine) -> Bool {
        guard goroutine.kind == .receive, let own = goroutine.wakeups, own.count >= 2, own.waker == .absent,
            !own.hasSeveralWakers
        else { return false }
        return goroutine.silence / 4 > goroutine.place.longest
    }

    /// A live goroutine other than itself. Who has left the function in which it received does not receive again,
    /// unless it does so time and again.
    private func canWakeAgain(_ waker: GoroutineID, _ goroutine: LivingGoroutine) -> Bool {
        guard waker != goroutine.trail.number, let index = indices[waker], living[index].isLive else { return false }
        guard goroutine.kind == .send else { return true }
        let stack = goroutine.wakeups?.wakerStack ?? goroutine.place.lastWakerStack
        guard let call = ProgramFunction(innermostOf: stack, tables) else { return true }
        return call.isOn(living[index].trail.stack, tables)
    }

    /// A goroutine that has ended, of a kind that is created again and again by one that is live.
    private func isRenewed(_ waker: GoroutineID) -> Bool {
        guard let number = site(of: waker), number != 0 else { return false }
        let site = sites[Int(number)]
        guard site.isRenewing(in: last.subtractingSaturating(first)) else { return false }
        if (liveAtSite[number] ?? 0) > 0 { return true }
        guard let creator = indices[site.lastCreator] else { return site.lastCreator == .absent }
        return living[creator].isLive
    }

    private func site(of goroutine: GoroutineID) -> UInt32? {
        indices[goroutine].map { living[$0].trail.site } ?? findEnded(goroutine)?.site
    }

    /// Who started it, one of many, has ended, and since then nobody has woken it.
    private func isForsaken(_ goroutine: LivingGoroutine) -> Bool {
        let trail = goroutine.trail
        guard goroutine.kind.isPassive, !trail.flags.contains(.hasSeveralWakers),
            let creator = findEnded(trail.creator), trail.since <= creator.ended,
            last.subtractingSaturating(creator.ended) >= orphanLimit
        else { return false }
        return sites[Int(creator.site)].isRenewing(in: last.subtractingSaturating(first))
    }

    /// The function that started it also fed it, and has returned: nobody else knows its channel.
    private func isAbandonedByFeeder(_ goroutine: LivingGoroutine) -> Bool {
        let trail = goroutine.trail
        guard let own = goroutine.wakeups, own.waker == trail.creator, own.waker != .absent,
            !own.hasSeveralWakers, let call = goroutine.creatingFunction,
            call.isOn(own.wakerStack, tables)
        else { return false }
        return hasReturned(call, on: trail.creator, for: goroutine)
    }

    /// True if a call is over: the goroutine is elsewhere, or has ended, or has made the same call again since.
    private func hasReturned(_ call: ProgramFunction, on creator: GoroutineID, for goroutine: LivingGoroutine) -> Bool {
        guard let index = indices[creator] else { return true }
        if living[index].trail.stack == goroutine.trail.creationStack { return false }
        return !call.isOn(living[index].trail.stack, tables)
    }

    /// It has waited there since it began, for what its creator alone may give: a channel to be closed, a context to
    /// be cancelled.
    private func creatorCanWake(_ goroutine: LivingGoroutine) -> Bool {
        let trail = goroutine.trail
        guard goroutine.kind.isPassive, goroutine.wakeups == nil, !hasLostChild(goroutine) else { return false }
        guard trail.flags.contains(.isCreated) else {
            return rules.contains(.olderThanRecording) && !goroutine.isOvertaken
        }
        guard let index = indices[trail.creator] else {
            // A timer or C code created it.
            return trail.creator == .absent && (aliveAtSite[trail.site] ?? 0) == 1
        }
        let creator = living[index]
        guard creator.isLive, !areOthersWoken(goroutine) else { return false }
        if let call = goroutine.creatingFunction, call.isOn(creator.trail.stack, tables),
            !isMainItself(call) || isOfOneBurst(goroutine)
        {
            return true
        }
        return isOnlyOne(goroutine) && !isLeftOver(goroutine, creator)
    }

    /// It started a goroutine and at once waited for it, and that has ended without a word.
    private func hasLostChild(_ goroutine: LivingGoroutine) -> Bool {
        let trail = goroutine.trail
        return trail.childrenCreated > 0 && trail.childrenEnded >= trail.childrenCreated
            && trail.since &- trail.lastChildCreated < 1_000_000 && trail.lastChildCreated > .min
    }

    /// Where it waits others have been woken, and never by who had created them.
    private func areOthersWoken(_ goroutine: LivingGoroutine) -> Bool {
        let place = goroutine.place
        return place.wakeCount > place.timerCount && place.creatorCount == 0
    }

    /// main is always in main.main: that it is there says nothing of what it has started there.
    private func isMainItself(_ call: ProgramFunction) -> Bool {
        let name = tables.strings.bytes(call.function)
        return name.elementsEqual("main.main".utf8) || GoLibrary.starts(name, with: "main.main.func")
    }

    /// All of its site were started at once, as a pool or a set of listeners is. Leaks come one after another.
    private func isOfOneBurst(_ goroutine: LivingGoroutine) -> Bool {
        let site = sites[Int(goroutine.trail.site)]
        return site.created > 1 && site.lastCreated &- site.firstCreated < 2_000_000
    }

    private func isOnlyOne(_ goroutine: LivingGoroutine) -> Bool {
        sites[Int(goroutine.trail.site)].created == 1 && !goroutine.isOvertaken
    }

    /// Nearly everything else that its creator has started has ended, and much of that after it began to wait.
    private func isLeftOver(_ goroutine: LivingGoroutine, _ creator: LivingGoroutine) -> Bool {
        let (created, ended) = (creator.trail.childrenCreated, creator.trail.childrenEnded)
        let left = living.count { $0.trail.creator == creator.trail.number && !$0.isLive }
        let others = created &- UInt32(clamping: left)
        return created >= 5 && others > 0 && UInt64(ended) * 10 >= UInt64(others) * 9
    }

    // MARK: - Causes

    private func cause(of goroutine: LivingGoroutine) -> GhostCause {
        let (place, trail) = (goroutine.place, goroutine.trail)
        switch goroutine.kind {
        case .lock: return .lockHeld
        case .group:
            let child = living.first { $0.trail.creator == trail.number && !$0.isLive }
            return child.map { .victim($0.trail.number) } ?? .nobodyLeft
        default: break
        }
        if hasLostChild(goroutine), place.wakeCount == 0 { return .nobodyLeft }
        if isTimerOver(goroutine) { return .timerStopped(longestNanoseconds: place.longest) }
        if isAbandonedByFeeder(goroutine) { return .feederReturned(trail.creator) }
        if goroutine.isOvertaken, goroutine.wakeups == nil {
            return .overtaken(count: place.wakeCount, longestNanoseconds: place.longest)
        }
        let waker = goroutine.wakeups?.waker ?? place.lastWaker
        if place.wakeCount > 0, waker != .absent {
            if indices[waker] == nil { return .wakerEnded(waker, nanoseconds: findEnded(waker)?.ended) }
            return goroutine.kind == .send ? .feederReturned(waker) : .victim(waker)
        }
        if let index = indices[trail.creator] {
            let creator = living[index]
            if isOnlyOne(goroutine), isLeftOver(goroutine, creator), goroutine.kind.isPassive {
                return .leftOver(ended: creator.trail.childrenEnded, of: creator.trail.childrenCreated)
            }
        } else if goroutine.kind.isPassive, trail.creator != .absent {
            return .creatorEnded(trail.creator, nanoseconds: findEnded(trail.creator)?.ended)
        }
        return .neverWoken
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
