import VestigeCore

/// Judges what dumps and debuggers say where there is no recording: states at one moment, without what came before.
struct DumpJudge {
    private let observations: GhostObservations
    private let thresholds: GhostThresholds
    private let rules: GhostRules
    private let tables: TraceTables

    private struct Key: Hashable {
        var ghost: GhostClass
        var reason: StringID
        var stack: [StringID]
        var creation: StackID
    }

    init(_ observations: GhostObservations, _ thresholds: GhostThresholds, _ rules: GhostRules, _ tables: TraceTables) {
        self.observations = observations
        self.thresholds = thresholds
        self.rules = rules
        self.tables = tables
    }

    func run(into collector: inout GhostCollector) {
        var groups: [Key: GhostFinding] = [:]
        var crowds: [Key: GhostFinding] = [:]
        for (goroutine, notes) in observations.notes.sorted(by: { $0.key < $1.key }) {
            guard let note = notes.last else { continue }
            let (creation, isSystem) = observations.creations[goroutine] ?? (.unknown, false)
            if rules.contains(.systemGoroutines), isSystem || isRuntimes(note.stack) { continue }
            add(note, goroutine, 1, creation, notes, &groups, &crowds)
        }
        for crowd in observations.crowds {
            if rules.contains(.systemGoroutines), isRuntimes(crowd.note.stack) { continue }
            add(crowd.note, .absent, crowd.count, crowd.creation, [crowd.note], &groups, &crowds)
        }
        for finding in groups.values { collector.add(finding) }
        for finding in crowds.values where finding.count >= thresholds.dumpCount { collector.add(finding) }
    }

    private func add(
        _ note: GhostNote, _ goroutine: GoroutineID, _ count: UInt64, _ creation: Creation, _ notes: [GhostNote],
        _ groups: inout [Key: GhostFinding], _ crowds: inout [Key: GhostFinding]
    ) {
        let verdict = verdict(note, goroutine, notes)
        let ghost = verdict?.ghost ?? .pilingUp
        if verdict == nil, isSpared(note) { return }
        let key = Key(ghost: ghost, reason: note.reason, stack: functions(note.stack), creation: creation.stack)
        var finding = (verdict == nil ? crowds : groups)[key] ?? makeFinding(ghost, verdict?.cause, note, creation)
        let wait = Int64(clamping: note.leastWaitNanoseconds)
        var member = GhostMember(
            goroutine: goroutine, count: count, startNanoseconds: note.timeNanoseconds.subtractingSaturating(wait),
            endNanoseconds: note.timeNanoseconds)
        member.creator = creation.goroutine
        member.notes = notes
        finding.count += count
        finding.firstNanoseconds =
            finding.members.isEmpty ? member.startNanoseconds : min(finding.firstNanoseconds, member.startNanoseconds)
        finding.longestNanoseconds = max(finding.longestNanoseconds, member.durationNanoseconds)
        if finding.members.count < GhostCollector.memberLimit { finding.members.append(member) }
        if verdict == nil { crowds[key] = finding } else { groups[key] = finding }
    }

    private func makeFinding(
        _ ghost: GhostClass, _ cause: GhostCause?, _ note: GhostNote, _ creation: Creation
    ) -> GhostFinding {
        var finding = GhostFinding(ghost: ghost)
        finding.cause = cause ?? .crowd
        finding.reason = note.reason
        finding.stack = note.stack
        finding.creationStack = creation.stack
        finding.startFunction = tables.stacks.rootFrame(note.stack)?.function ?? .empty
        return finding
    }

    private func verdict(
        _ note: GhostNote, _ goroutine: GoroutineID, _ notes: [GhostNote]
    ) -> (ghost: GhostClass, cause: GhostCause)? {
        if notes.contains(where: \.isLeaked) { return (.leaked, .proved) }
        guard note.state == .waiting else { return nil }
        let kind = WaitKind(note.reason, note.stack, tables)
        let isMain = goroutine.rawValue == 1
        if kind == .forever, !isMain || !rules.contains(.mainWaits) { return (.leaked, .impossible) }
        if observations.isDeadlock, kind.isCandidate { return (.stuck, .deadlock) }
        guard note.leastWaitNanoseconds >= UInt64(clamping: thresholds.dumpNanoseconds),
            ProgramFunction(innermostOf: note.stack, tables) != nil || !rules.contains(.libraryGoroutines)
        else { return nil }
        // Others of the same function may hold the lock, or receive: that they wait as long is all that is known.
        switch kind {
        case .lock: return (.stuck, .lockHeld)
        case .send: return (.stuck, .neverWoken)
        default: return nil
        }
    }

    /// Waits for the outside make no pile: so many clients are connected.
    private func isSpared(_ note: GhostNote) -> Bool {
        let kind = WaitKind(note.reason, note.stack, tables)
        return kind == .network && rules.contains(.acceptLoops) || kind == .sleep && rules.contains(.tickers)
            || note.state == .notExist
    }

    private func isRuntimes(_ stack: StackID) -> Bool {
        guard let root = tables.stacks.rootFrame(stack) else { return false }
        return GoLibrary.isRuntime(tables.strings.bytes(root.function))
    }

    private func functions(_ stack: StackID) -> [StringID] { tables.stacks.frames(stack).map(\.function) }
}
