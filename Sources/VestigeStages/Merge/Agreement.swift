import VestigeCore

/// One thing in which a recording and an observer contradict each other.
public struct Difference: Equatable, Sendable {
    public enum Subject: String, Sendable {
        case existence, state, reason, stack, count
    }

    /// `absent` for what concerns a group of goroutines.
    public let goroutine: GoroutineID
    public let subject: Subject
    /// What either says, in words.
    public let recording: String
    public let observer: String

    public init(goroutine: GoroutineID, subject: Subject, recording: String, observer: String) {
        self.goroutine = goroutine
        self.subject = subject
        self.recording = recording
        self.observer = observer
    }
}

/// Compares what an observer said with what a recording says of the same moment.
///
/// These are no differences, since they follow from how the tools work:
/// - the runtime's own goroutines that one of the two leaves out, and any goroutine that a recording of
///   Go 1.22 or later mentions only later, since it did nothing before;
/// - stacks of which one is the other with frames left out;
/// - a goroutine that a debugger stopped within the tracer: the recording is one event ahead of it;
/// - stacks of goroutines that run: the recording does not say where they are.
public struct Agreement {
    public let differences: [Difference]
    /// Goroutines that were compared.
    public let comparedCount: Int

    init(differences: [Difference], comparedCount: Int) {
        self.differences = differences
        self.comparedCount = comparedCount
    }

    public init(of snapshot: ObservedSnapshot, with states: MomentStates, tables: TraceTables) {
        var comparison = Comparison(states: states, tables: tables)
        comparison.compare(snapshot)
        differences = comparison.differences
        comparedCount = comparison.comparedCount
    }
}

private struct Comparison {
    let states: MomentStates
    let tables: TraceTables
    var differences: [Difference] = []
    var comparedCount = 0

    mutating func compare(_ snapshot: ObservedSnapshot) {
        if snapshot.observer == .profile { return compareProfile(snapshot) }
        var seen: Set<GoroutineID> = []
        for event in snapshot.events where event.kind == .observed && event.goroutine != .absent {
            if seen.insert(event.goroutine).inserted { compare(event) }
        }
        let unseen = states.goroutines.filter {
            $0.value.isOfProgram && $0.value.isAlive && !seen.contains($0.key)
                && !(snapshot.observer == .debugger && $0.value.isCoroutine)
        }
        // A listing of some goroutines only says nothing of the others.
        let programCount = states.goroutines.values.filter { $0.isOfProgram && $0.isAlive }.count
        guard unseen.count * 2 <= programCount, !snapshot.isInGroups else { return }
        for (goroutine, traced) in unseen.sorted(by: { $0.key < $1.key }) {
            add(goroutine, .existence, recording: words(traced), observer: "not there")
        }
    }

    private mutating func compare(_ event: Event) {
        guard event.toGoroutineState != .notExist else { return }
        guard let traced = states.goroutines[event.goroutine] else { return compareExistence(event) }
        comparedCount += 1
        let reason = tables.strings.intern(WaitReasons.inTrace(tables.strings.string(event.name)) ?? "")
        let mayBeAhead = SnapshotMatcher.isInTracer(event.stack, tables)
        if !SnapshotMatcher.agrees(
            state: event.toGoroutineState, reason: reason, mayBeAhead: mayBeAhead, with: traced)
        {
            let subject: Difference.Subject = event.toGoroutineState == traced.state ? .reason : .state
            add(event.goroutine, subject, recording: words(traced), observer: words(event))
        } else if traced.state == .waiting, !SnapshotMatcher.isStackDoubtful(event, tables),
            !StackComparison.agree(traced.stack, event.stack, tables)
        {
            add(event.goroutine, .stack, recording: place(traced.stack), observer: place(event.stack))
        }
    }

    private mutating func compareExistence(_ event: Event) {
        let goroutine = event.goroutine
        if states.createdLater.contains(goroutine) {
            add(goroutine, .existence, recording: "created only later", observer: words(event))
        } else if states.mentionedBefore.contains(goroutine) {
            add(goroutine, .existence, recording: "ended before", observer: words(event))
        } else if states.mentionedLater[goroutine] == nil, !isOfRuntime(event) {
            add(goroutine, .existence, recording: "never mentioned", observer: words(event))
        }
    }

    private func isOfRuntime(_ event: Event) -> Bool {
        if tables.observations.detail(event.observationDetail).flags.contains(.system) { return true }
        guard let root = tables.stacks.rootFrame(event.stack) else { return true }
        return tables.strings.bytes(root.function).starts(with: "runtime.".utf8)
    }

    // MARK: - Profiles

    private mutating func compareProfile(_ snapshot: ObservedSnapshot) {
        let program = states.program
        let matcher = ProfileMatcher(snapshot, tables)
        comparedCount = matcher.isOfLeaks ? Int(clamping: matcher.goroutineCount) : program.count
        for surplus in matcher.surplus(of: program, tables) {
            add(
                .absent, .count, recording: "\(surplus.recording) waiting at \(surplus.place)",
                observer: "\(surplus.observer) there")
        }
        if !matcher.isOfLeaks, UInt64(program.count) > matcher.goroutineCount, differences.isEmpty {
            add(
                .absent, .count, recording: "\(program.count) goroutines of the program",
                observer: "\(matcher.goroutineCount)")
        }
    }

    // MARK: - Words

    private mutating func add(
        _ goroutine: GoroutineID, _ subject: Difference.Subject, recording: String, observer: String
    ) {
        differences.append(
            Difference(goroutine: goroutine, subject: subject, recording: recording, observer: observer))
    }

    private func words(_ traced: TracedGoroutine) -> String { words(traced.state, traced.reason) }

    private func words(_ event: Event) -> String { words(event.toGoroutineState, event.name) }

    private func words(_ state: GoroutineState, _ reason: StringID) -> String {
        let word = state.observedName.description
        return reason == .empty || tables.strings.string(reason) == word
            ? word : "\(word): \(tables.strings.string(reason))"
    }

    /// The innermost functions of a stack.
    private func place(_ stack: StackID) -> String {
        tables.stacks.frames(stack).prefix(3).map { tables.strings.string($0.function) }.joined(separator: " < ")
    }
}
