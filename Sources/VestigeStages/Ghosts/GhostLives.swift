import VestigeCore

/// What becomes of goroutines apart from their last wait: hogs, starved ones, orphans.
extension GhostTracker {
    /// What a goroutine has become up to a time, apart from its last wait.
    mutating func collect(_ trail: GoroutineTrail, at time: Int64, hasEnded: Bool, _ tables: TraceTables) {
        if rules.contains(.systemGoroutines), sites.sites[Int(trail.site)].isSystem || trail.startFunction == .empty {
            return
        }
        if let orphan = orphan(trail, at: time, limit: thresholds.orphanNanoseconds, tables) {
            collector.add(.orphan, trail, orphan.started, amount: orphan.outlived, at: time, hasEnded)
        } else if trail.longestRun >= thresholds.hogNanoseconds,
            trail.runCount > 1 || trail.longestRun >= thresholds.hogNanoseconds &* 2
        {
            collector.add(
                .hog, trail, .itself, amount: trail.longestRun, from: trail.longestRunStart, at: trail.longestRunEnd,
                hasEnded)
        } else if isStarved(trail, at: time) {
            collector.add(.starved, trail, .itself, amount: trail.longestReady, at: trail.longestReadyEnd, hasEnded)
        }
    }

    /// A long time at once, or again and again so long that it comes to half of its life.
    private func isStarved(_ trail: GoroutineTrail, at time: Int64) -> Bool {
        trail.longestReady >= thresholds.starvedNanoseconds
            || trail.readyCount >= 3 && trail.readyTotal / 2 >= (time &- trail.created) / 4
    }

    /// By what it was started and how long it has outlived that, if too long.
    mutating func orphan(
        _ trail: GoroutineTrail, at time: Int64, limit: Int64, _ tables: TraceTables
    ) -> (started: GhostOrigin, outlived: Int64)? {
        guard trail.flags.contains(.isCreated) else { return nil }
        if rules.contains(.libraryGoroutines), sites.sites[Int(trail.site)].isOfLibrary { return nil }
        if rules.contains(.sharedWorkers), trail.flags.contains(.hasSeveralWakers) { return nil }
        if trail.scope != 0 {
            let scope = scopes[trail.scope]
            guard !scope.isOpen, time &- scope.ended >= limit,
                !isAwaited(by: scope.goroutine, tables)
            else { return nil }
            return (.scope(scope), time &- scope.ended)
        }
        guard let creator = ended.find(trail.creator), time &- creator.ended >= limit,
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
}
