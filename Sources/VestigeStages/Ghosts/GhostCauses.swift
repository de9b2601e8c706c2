import VestigeCore

/// Why a goroutine is stuck, in what its place and its creator have left behind.
extension GhostJudge {
    func cause(of goroutine: LivingGoroutine) -> GhostCause {
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
}
