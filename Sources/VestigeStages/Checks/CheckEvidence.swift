import VestigeCore

/// One line of a counterexample: an event, and what it is there for.
public struct CheckEvidence: BitwiseCopyable, Sendable {
    public enum Role: String, BitwiseCopyable, Sendable {
        /// Something that lasts begins, or had begun before the recording.
        case begins, beganBefore
        case ends
        /// It has not ended by then.
        case goesOn
        /// An event of itself.
        case happens
    }

    public var role: Role
    public var event: Event

    init(_ role: Role, _ event: Event) {
        self.role = role
        self.event = event
    }
}

/// A part of the recording that shows how a rule is broken.
public struct CounterExample: Sendable {
    public var startNanoseconds: Int64
    public var endNanoseconds: Int64
    /// What was measured there: nanoseconds or a number, as the rule counts.
    public var value: Int64
    /// The goroutines that it is about, in order; empty if it is about none.
    public var goroutines: [GoroutineID]
    /// In order of time.
    public var evidence: [CheckEvidence]
    /// How many more like these there are.
    public var unshownCount: UInt64 = 0
    /// The state that a state machine was in.
    public var state: Int?
    /// A place that it is about.
    public var stack = StackID.absent

    init(from start: Int64, to end: Int64, value: Int64, goroutines: [GoroutineID], _ evidence: [CheckEvidence]) {
        startNanoseconds = start
        endNanoseconds = end
        self.value = value
        self.goroutines = Array(Set(goroutines)).filter { $0 != .absent }.sorted()
        self.evidence = evidence
    }
}

/// What has become of a rule.
public struct CheckFinding: Sendable {
    public let rule: CheckRule
    /// How many things it has looked at.
    public internal(set) var lookedAt: UInt64 = 0
    /// How many of them keep it from holding.
    public internal(set) var brokenCount: UInt64 = 0
    /// The greatest value, or the percentile, that was measured; nil where nothing was.
    public internal(set) var value: Int64?
    /// Worst first.
    public internal(set) var examples: [CounterExample] = []
    public internal(set) var isBroken = false
    /// Where it has found nothing of the names that it looks for: the names that there are.
    public internal(set) var otherNames: [StringID] = []

    /// True if names are missing that it looks for, while there are others.
    public var looksForUnknownName: Bool { lookedAt == 0 && !otherNames.isEmpty }
    /// True if it had less to look at than it demands.
    public var lacksSubjects: Bool { lookedAt < rule.leastCount }
    public var holds: Bool { !isBroken && !lacksSubjects }

    init(_ rule: CheckRule) { self.rule = rule }

    /// Counts a breach, and keeps it if it is one of the worst.
    mutating func add(_ value: Int64, limit: Int, _ example: () -> CounterExample) {
        brokenCount &+= 1
        isBroken = true
        if examples.count == limit, let last = examples.last, last.value >= value { return }
        guard limit > 0 else { return }
        let position = examples.firstIndex { $0.value < value } ?? examples.count
        examples.insert(example(), at: position)
        if examples.count > limit { examples.removeLast() }
    }
}

// MARK: - What spans and lives show

extension CounterExample {
    /// A span that takes too long, or does not end.
    init(_ span: LifelineSpan, _ subject: CheckSubject, value: Int64) {
        let (begin, end) = span.borders(subject)
        let isOpen = span.flags.contains(.isOpen)
        self.init(
            from: span.startNanoseconds, to: span.endNanoseconds, value: value,
            goroutines: [span.goroutine, span.endedBy],
            [
                CheckEvidence(span.flags.contains(.beganBefore) ? .beganBefore : .begins, begin),
                CheckEvidence(isOpen ? .goesOn : .ends, end),
            ])
    }

    /// A goroutine that lives too long, or does not end.
    init(_ life: GoroutineLife, value: Int64) {
        var begin = Event(
            kind: .goroutineTransition, timeNanoseconds: life.firstSeenNanoseconds, goroutine: life.creator,
            stack: life.creationStack, argument0: UInt64(bitPattern: life.goroutine.rawValue),
            detail: Event.pack(life.isCreationKnown ? .notExist : .undetermined, life.firstState))
        begin.source = life.source
        let end = Event(
            kind: .goroutineTransition, timeNanoseconds: life.lastNanoseconds,
            goroutine: life.goroutine, name: life.finalReason,
            argument0: begin.argument0, argument1: UInt64(life.finalStack.rawValue), source: life.source,
            detail: Event.pack(life.finalState, life.hasEnded ? .notExist : life.finalState))
        self.init(
            from: life.firstSeenNanoseconds, to: life.lastNanoseconds, value: value, goroutines: [life.goroutine],
            [
                CheckEvidence(life.isCreationKnown ? .begins : .beganBefore, begin),
                CheckEvidence(life.hasEnded ? .ends : .goesOn, end),
            ])
        stack = life.creationStack
    }
}

extension LifelineSpan {
    /// The events at its ends, as far as the span tells them.
    fileprivate func borders(_ subject: CheckSubject) -> (begin: Event, end: Event) {
        var begin = Event(
            kind: .goroutineTransition, timeNanoseconds: startNanoseconds, goroutine: goroutine, proc: proc,
            thread: thread, stack: startStack, name: name, argument0: identifier, source: source)
        var end = begin
        end.timeNanoseconds = endNanoseconds
        (end.goroutine, end.stack) = endedBy == .absent ? (goroutine, endStack) : (endedBy, endedByStack)
        switch kind {
        case .region: (begin.kind, end.kind) = (.regionBegin, .regionEnd)
        case .task: (begin.kind, end.kind) = (.taskBegin, .taskEnd)
        case .range:
            (begin.kind, end.kind) = (.rangeBegin, .rangeEnd)
            begin.detail = Event.pack(scope)
            end.detail = Event.pack(scope)
        case .goroutineState, .procState:
            begin.argument0 = UInt64(bitPattern: goroutine.rawValue)
            begin.argument1 = UInt64(startStack.rawValue)
            begin.stack = .absent
            begin.detail = Event.pack(.undetermined, state)
            end.argument0 = begin.argument0
            end.argument1 = UInt64((endStack == .absent ? startStack : endStack).rawValue)
            end.detail = Event.pack(state, .undetermined)
            end.name = .empty
        }
        return (begin, end)
    }
}
