import VestigeCore

/// One rule of a rule file; `docs/checks.md` says what each means.
public struct CheckRule: Sendable {
    public var name: String
    /// Where it stands in its file, from 1; 0 where there is none.
    public var line = 0
    public var check: Check
    /// What of the recording it looks at.
    public var scope = Query()
    /// The scope in words: rules with the same one look at the same part.
    public var scopeText = ""
    /// The names of the regions, tasks or ranges that it measures; empty for all.
    public var names: [Glob] = []
    /// Functions of which one must be in the stack where the span begins; empty for any stack.
    public var places: [Glob] = []
    /// Looks at goroutines of Go's runtime, too.
    public var includesSystem = false
    /// It is broken as well if it has less than this to look at.
    public var leastCount: UInt64 = 0

    public init(name: String, check: Check) {
        self.name = name
        self.check = check
    }
}

/// What a rule demands.
public enum Check: Sendable {
    /// Every single one keeps to a limit of nanoseconds.
    case longest(CheckSubject, CheckLimit)
    /// So many thousandths of a per cent of all keep to a limit of nanoseconds.
    case percentile(UInt64, CheckSubject, CheckLimit)
    /// As many at one time keep to a limit; more may be for less than `lasting` nanoseconds.
    case count(CheckSubject, CheckLimit, lasting: Int64)
    /// Whatever begins ends, and does so within a number of nanoseconds.
    case ends(CheckSubject, within: Int64?)
    /// No place creates goroutines of which more and more are alive.
    case growth(CheckLimit)
    /// As many events in any window of nanoseconds keep to a limit.
    case rate(EventPattern, CheckLimit, window: Int64)
    /// Events come in an order that a state machine accepts.
    case machine(CheckMachine)
}

extension Check {
    /// The word for it in a rule file; `percentile` for all percentiles.
    public var word: String {
        switch self {
        case .longest: "longest"
        case .percentile: "percentile"
        case .count: "count"
        case .ends: "ends"
        case .growth: "growth"
        case .rate: "rate"
        case .machine(let machine): machine.orderNames == nil ? "machine" : "order"
        }
    }

    /// What it measures or counts; nil for those about events.
    public var subject: CheckSubject? {
        switch self {
        case .longest(let subject, _), .percentile(_, let subject, _), .count(let subject, _, _),
            .ends(let subject, _):
            subject
        case .growth: .goroutine
        case .rate, .machine: nil
        }
    }

    /// True if what is measured is nanoseconds, and not a number of things.
    public var measuresTime: Bool {
        switch self {
        case .longest, .percentile, .ends, .machine: true
        case .count, .growth, .rate: false
        }
    }
}

/// What a rule measures or counts.
public enum CheckSubject: String, CaseIterable, Sendable {
    /// Stretches of a goroutine in a state.
    case running, runnable, waiting, syscall
    /// Running, with preemptions between: until the goroutine waits, yields or ends.
    case busy
    /// Lives of goroutines.
    case goroutine
    case region, task, range

    /// What has the names that a rule may ask for; nil for what has none.
    var spanKind: LifelineKind? {
        switch self {
        case .region: .region
        case .task: .task
        case .range: .range
        case .running, .runnable, .waiting, .syscall, .busy, .goroutine: nil
        }
    }

    /// The states that it is about; empty if it is not about states.
    var states: [GoroutineState] {
        switch self {
        case .running: [.running]
        case .runnable: [.runnable]
        case .waiting: [.waiting]
        case .syscall: [.syscall]
        case .goroutine: [.runnable, .running, .waiting, .syscall]
        case .busy, .region, .task, .range: []
        }
    }
}

/// A number that something stays below, or does not exceed.
public struct CheckLimit: Sendable, Equatable {
    public var value: Int64
    /// The number itself is allowed, too.
    public var isInclusive: Bool

    public init(_ value: Int64, isInclusive: Bool) {
        self.value = value
        self.isInclusive = isInclusive
    }

    @inline(__always) func isBroken(by number: Int64) -> Bool { isInclusive ? number > value : number >= value }
}

extension CheckRule {
    /// True if a `QueryStage` must select what the rule looks at: nothing else can tell for a span alone.
    public var needsSelection: Bool {
        if scope.isEmpty { return false }
        let hasWindow = scope.from != nil || scope.to != nil || !scope.around.isEmpty
        let hasClosure = scope.includesDescendants || scope.relatedHops > 0
        let hasTime = scope.conditions.flatMap(\.conjuncts).contains(where: \.isTime)
        if hasWindow || hasClosure || hasTime { return true }
        return !scope.expression.conditions.allSatisfy(isToldBySpan)
    }

    private func isToldBySpan(_ condition: QueryCondition) -> Bool {
        switch (check, condition) {
        case (.growth, .function), (.growth, .goroutine): true
        case (.longest(let subject, _), _), (.percentile(_, let subject, _), _), (.ends(let subject, _), _):
            subject.isTold(condition)
        case (.count(let subject, _, _), _):
            !subject.states.isEmpty && condition.leastDuration == 0 && subject.isTold(condition)
        default: false
        }
    }
}

extension CheckSubject {
    /// True if a span of it tells whether the condition holds.
    fileprivate func isTold(_ condition: QueryCondition) -> Bool {
        switch (self, condition) {
        case (.task, _), (.range, _): false
        case (_, .goroutine), (_, .function): true
        case (.running, .state), (.runnable, .state), (.waiting, .state), (.syscall, .state): true
        case (.running, .reason), (.runnable, .reason), (.waiting, .reason), (.syscall, .reason): true
        default: false
        }
    }
}
