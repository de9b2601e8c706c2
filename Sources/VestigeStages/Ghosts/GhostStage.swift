import VestigeCore

/// Finds goroutines that have something wrong with them. `docs/ghosts.md` says what counts, and why.
///
/// It changes no events. Its memory follows what is alive, the places where goroutines are created and wait, and what
/// has been found, which is bounded.
public final class GhostStage {
    private let state: HeapValue<GhostTracker>
    private var core: UnsafeMutablePointer<GhostTracker> { state.pointer }

    public init(_ thresholds: GhostThresholds = GhostThresholds(), rules: GhostRules = .all) {
        state = HeapValue(GhostTracker(thresholds, rules))
    }

    public func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {
        core.pointee.process(events, tables)
    }

    /// What there is, once everything has been read.
    public func finish(tables: TraceTables) -> GhostResult { core.pointee.finish(tables) }
}

extension GhostTracker {
    mutating func finish(_ tables: TraceTables) -> GhostResult {
        var result = GhostResult()
        (result.firstNanoseconds, result.lastNanoseconds) = (firstNanoseconds, lastNanoseconds)
        result.stuckNanoseconds = thresholds.stuckNanoseconds(
            inRecordingOf: lastNanoseconds.subtractingSaturating(firstNanoseconds))
        if trails.count == 0, !observations.isEmpty, sites.sites.count == 1 {
            result.hasOnlyObservations = true
            DumpJudge(observations, thresholds, rules, tables).run(into: &collector)
        } else {
            judge(tables, &result)
        }
        dropSetup()
        result.findings = collector.findings.map(\.finding).sorted(by: Self.isWorse)
        return result
    }

    private mutating func judge(_ tables: TraceTables, _ result: inout GhostResult) {
        sites.tick(.max)
        var alive: [UnsafeMutablePointer<GoroutineTrail>] = []
        trails.forEach { alive.append($1) }
        for trail in alive { closeLastState(trail) }
        var endedOnes: [GoroutineID: EndedGoroutine] = [:]
        for number in namedGoroutines() { endedOnes[number] = ended.find(number) }
        let judge = GhostJudge(&self, tables) { endedOnes[$0] }
        judge.run()
        prove(judge, tables)
        var spared: [GhostRule: UInt64] = [:]
        let known = knownSites()
        var blockedAtSite: [UInt32: UInt32] = [:]
        for goroutine in judge.living where !goroutine.isLive { blockedAtSite[goroutine.trail.site, default: 0] += 1 }
        for goroutine in judge.living {
            var trail = goroutine.trail
            // Of those that are older than the recording the creation is not known, but that of others like them may be.
            if !trail.flags.contains(.isCreated), !goroutine.isLive, let site = known[trail.startFunction] {
                trail.site = site
            }
            let notes = observations.notes[trail.number] ?? []
            switch goroutine.verdict {
            case .leaked(let cause):
                collector.add(
                    .leaked, trail, .itself, amount: goroutine.silence, at: lastNanoseconds, false,
                    place: goroutine.place.stack, cause: cause, notes: notes)
            case .stuck(let cause):
                collector.add(
                    .stuck, trail, .itself, amount: goroutine.silence, at: lastNanoseconds, false,
                    place: goroutine.place.stack, cause: cause, notes: notes)
            case .live(let rule):
                if let rule { spared[rule, default: 0] += 1 }
                // What waits for ever is named already; the youngest of its kind do not make another finding.
                let isPile = Int64(blockedAtSite[trail.site] ?? 0) * 2 < sites.sites[Int(trail.site)].alive
                collectLive(trail, notes, isPile: isPile, tables)
            case .suspect: break
            }
        }
        followOrphans(judge, tables)
        result.spared = GhostRule.allCases.compactMap { rule in spared[rule].map { (rule, $0) } }
        addGrowth()
    }

    /// The one creation site that is known for a start function.
    private func knownSites() -> [StringID: UInt32] {
        var known: [StringID: UInt32] = [:]
        for (number, site) in sites.sites.enumerated() where !site.isOlder && site.startFunction != .empty {
            known[site.startFunction] = known[site.startFunction] == nil ? UInt32(number) : 0
        }
        return known.filter { $0.value != 0 }
    }

    /// What a task or region has started that has just ended shares the fate of what earlier ones have started.
    private mutating func followOrphans(_ judge: GhostJudge, _ tables: TraceTables) {
        let orphanages = Set(collector.findings.filter { $0.finding.ghost == .orphan }.map(\.site))
        if orphanages.isEmpty { return }
        for goroutine in judge.living where goroutine.isLive && orphanages.contains(goroutine.trail.site) {
            let trail = goroutine.trail
            let (limit, whole) = (thresholds.orphanNanoseconds / 10, thresholds.orphanNanoseconds)
            guard let young = orphan(trail, at: lastNanoseconds, limit: limit, tables), young.outlived < whole,
                trail.longestRun < thresholds.hogNanoseconds, trail.longestReady < thresholds.starvedNanoseconds
            else { continue }
            collector.add(.orphan, trail, young.started, amount: young.outlived, at: lastNanoseconds, false)
        }
    }

    /// Whoever may be asked for when it has ended.
    private mutating func namedGoroutines() -> Set<GoroutineID> {
        var numbers: Set<GoroutineID> = []
        for index in 0..<places.count { numbers.formUnion(places.places[index].knownWakers.map(\.goroutine)) }
        trails.forEach { _, trail in
            numbers.insert(trail.pointee.creator)
            for entry in trail.pointee.allWakeups { numbers.insert(entry.waker) }
        }
        return numbers
    }

    // MARK: - Proofs

    private func prove(_ judge: GhostJudge, _ tables: TraceTables) {
        for (goroutine, notes) in observations.notes {
            if notes.contains(where: \.isLeaked) { judge.prove(goroutine, .proved) }
        }
        for crowd in observations.crowds where crowd.note.isLeaked {
            for goroutine in judge.waiting(at: crowd.note.stack).prefix(Int(clamping: crowd.count)) {
                judge.prove(goroutine, .proved)
            }
        }
    }

    // MARK: - Piles

    private mutating func collectLive(
        _ trail: GoroutineTrail, _ notes: [GhostNote], isPile: Bool, _ tables: TraceTables
    ) {
        if isPile, pileGrowth(trail.site) != nil {
            collector.add(
                .pilingUp, trail, .itself, amount: lastNanoseconds &- trail.created, at: lastNanoseconds, false,
                notes: notes)
        } else {
            collect(trail, at: lastNanoseconds, hasEnded: false, tables)
        }
    }

    /// How many of a site were alive over time, if there were only ever more; else nil.
    private func pileGrowth(_ number: UInt32) -> [UInt32]? {
        let site = sites.sites[Int(number)]
        guard number != 0, !site.isSystem || !rules.contains(.systemGoroutines),
            site.alive >= Int64(thresholds.pileCount)
        else { return nil }
        let growth = Array(sites.growth(of: number)) + [UInt32(clamping: site.alive)]
        guard growth.count >= 8 else { return nil }
        let end = growth[growth.count - 1]
        var (highest, deepestFall) = (growth[0], UInt32(0))
        for value in growth {
            highest = max(highest, value)
            deepestFall = max(deepestFall, highest - value)
        }
        // Up to when there were ever more. What grows at first and then stays is a pool, or the program's start.
        let grown = growth.firstIndex { $0 >= end } ?? growth.count - 1
        let (third, twoThirds) = (growth[grown / 3], growth[grown * 2 / 3])
        let step = max(1, end / 10)
        guard grown >= growth.count * 3 / 5, deepestFall <= end / 10, twoThirds >= third + step,
            end >= twoThirds + step, third >= growth[0]
        else { return nil }
        return growth
    }

    /// Says of findings that there are ever more of them.
    private mutating func addGrowth() {
        var growths: [UInt32: [UInt32]] = [:]
        for (_, site) in collector.findings where growths[site] == nil { growths[site] = pileGrowth(site) ?? [] }
        collector.change { finding, site in
            finding.growth = growths[site] ?? []
            if !finding.growth.isEmpty, finding.ghost == .leaked || finding.ghost == .stuck || finding.ghost == .orphan
            {
                finding.also.append(.pilingUp)
            }
        }
    }

    /// What main starts in a task or region of which there is only one belongs to the program's setup.
    private mutating func dropSetup() {
        guard rules.contains(.setup) else { return }
        let all = sites.sites
        collector.removeAll { finding, site in
            guard finding.ghost == .orphan, case .ended(_, _, let goroutine, _) = finding.origin else { return false }
            return goroutine.rawValue == 1 && all[Int(site)].scopeCount <= 1
        }
    }

    private static func isWorse(_ a: GhostFinding, _ b: GhostFinding) -> Bool {
        if a.ghost != b.ghost { return a.ghost.rawValue < b.ghost.rawValue }
        if a.count != b.count { return a.count > b.count }
        if a.longestNanoseconds != b.longestNanoseconds { return a.longestNanoseconds > b.longestNanoseconds }
        return a.firstNanoseconds < b.firstNanoseconds
    }
}
