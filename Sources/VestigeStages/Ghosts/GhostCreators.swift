import VestigeCore

/// What can be expected of whoever has created a goroutine.
extension GhostJudge {
    /// It has waited there since it began, for what its creator alone may give: a channel to be closed, a context to
    /// be cancelled.
    func creatorCanWake(_ goroutine: LivingGoroutine) -> Bool {
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
    func hasLostChild(_ goroutine: LivingGoroutine) -> Bool {
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

    func isOnlyOne(_ goroutine: LivingGoroutine) -> Bool {
        sites[Int(goroutine.trail.site)].created == 1 && !goroutine.isOvertaken
    }

    /// Nearly everything else that its creator has started has ended, and much of that after it began to wait.
    func isLeftOver(_ goroutine: LivingGoroutine, _ creator: LivingGoroutine) -> Bool {
        let (created, ended) = (creator.trail.childrenCreated, creator.trail.childrenEnded)
        let left = living.count { $0.trail.creator == creator.trail.number && !$0.isLive }
        let others = created &- UInt32(clamping: left)
        return created >= 5 && others > 0 && UInt64(ended) * 10 >= UInt64(others) * 9
    }
}
