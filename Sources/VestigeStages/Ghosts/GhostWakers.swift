import VestigeCore

/// Who can wake a goroutine that waits: its children, its peers, whoever has woken it or others before.
extension GhostJudge {
    /// A rule by which something live can wake a goroutine; nil if there is none (yet).
    func support(of goroutine: LivingGoroutine) -> GhostRule? {
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
        return Set(place.knownWakers.map(\.goroutine)).count > 1
            && wakers.contains { isRenewed($0) && site(of: $0) != goroutine.trail.site }
    }

    /// It receives from a timer's channel, since nothing else has ever woken it there, and the timer is long overdue.
    func isTimerOver(_ goroutine: LivingGoroutine) -> Bool {
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

    func site(of goroutine: GoroutineID) -> UInt32? {
        indices[goroutine].map { living[$0].trail.site } ?? findEnded(goroutine)?.site
    }

    /// Who started it, one of many, has ended, and since then nobody has woken it.
    func isForsaken(_ goroutine: LivingGoroutine) -> Bool {
        let trail = goroutine.trail
        guard goroutine.kind.isPassive, !trail.flags.contains(.hasSeveralWakers),
            let creator = findEnded(trail.creator), trail.since <= creator.ended,
            last.subtractingSaturating(creator.ended) >= orphanLimit
        else { return false }
        return sites[Int(creator.site)].isRenewing(in: last.subtractingSaturating(first))
    }

    /// The function that started it also fed it, and has returned: nobody else knows its channel.
    func isAbandonedByFeeder(_ goroutine: LivingGoroutine) -> Bool {
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
}
