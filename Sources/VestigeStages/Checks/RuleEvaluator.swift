import VestigeCore

/// What rules are given, batch by batch.
struct CheckBatch {
    let events: UnsafeBufferPointer<Event>
    /// What ended in it.
    let spans: UnsafeBufferPointer<LifelineSpan>
    /// What each span is, so that who looks for others need not load it.
    let classes: UnsafeBufferPointer<SpanClass>
    let lives: [GoroutineLife]
    let tables: TraceTables
    let firstNanoseconds: Int64
    let lastNanoseconds: Int64
}

/// The kind of a span and, of a goroutine's state, which.
struct SpanClass: BitwiseCopyable, Equatable {
    private let number: UInt8

    init(_ kind: LifelineKind, _ state: GoroutineState) {
        number = kind.rawValue << 4 | (kind == .goroutineState ? state.rawValue : 0)
    }
}

/// Finds out whether a rule holds.
protocol RuleEvaluator: AnyObject {
    func process(_ batch: CheckBatch)

    /// What has become of it. Called once, when the recording has ended: the batch has what was open then.
    func finish(_ batch: CheckBatch) -> CheckFinding
}

extension CheckRule {
    /// - Parameter exampleLimit: how many counterexamples to keep.
    func makeEvaluator(exampleLimit: Int, isSelected: Bool, tables: TraceTables) -> any RuleEvaluator {
        switch check {
        case .longest(let subject, let limit):
            return DurationRule(self, subject, limit, percent: nil, exampleLimit, isSelected)
        case .percentile(let percent, let subject, let limit):
            return DurationRule(self, subject, limit, percent: percent, exampleLimit, isSelected)
        case .count(let subject, let limit, let lasting):
            if subject.states.isEmpty { return OpenCountRule(self, subject, limit, lasting, exampleLimit) }
            return StateCountRule(self, subject, limit, lasting, exampleLimit, isSelected)
        case .ends(let subject, let within): return EndsRule(self, subject, within, exampleLimit, isSelected)
        case .growth(let limit): return GrowthRule(self, limit, exampleLimit, isSelected)
        case .rate(let pattern, let limit, let window):
            return RateRule(self, pattern, limit, window, exampleLimit, tables)
        case .machine(let machine): return MachineRule(self, machine, exampleLimit, tables)
        }
    }
}

/// Rules that look at the same part of a recording, which is followed once for all of them.
public final class CheckGroup {
    private let rules: [CheckRule]
    private let isSelected: Bool
    private let exampleLimit: Int
    private let lifelines = LifelineStage()
    private var evaluators: [any RuleEvaluator] = []
    private var classes: UnsafeMutableBufferPointer<SpanClass> = .allocate(capacity: 64)
    /// The names that regions, tasks and ranges have, where a rule asks for some.
    private var names = SpanNames()
    private let looksForNames: Bool

    /// - Parameters:
    ///   - isSelected: what comes has been selected by the rules' scope.
    ///   - exampleLimit: how many counterexamples to keep of each rule.
    public init(_ rules: [CheckRule], isSelected: Bool, exampleLimit: Int) {
        self.rules = rules
        self.isSelected = isSelected
        self.exampleLimit = exampleLimit
        looksForNames = rules.contains { !$0.names.isEmpty }
    }

    deinit { classes.deallocate() }

    public func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {
        if evaluators.isEmpty { makeEvaluators(tables) }
        lifelines.process(events, tables: tables)
        let batch = batch(events, tables)
        for evaluator in evaluators { evaluator.process(batch) }
    }

    /// What has become of the rules, in their order.
    public func finish(tables: TraceTables) -> [CheckFinding] {
        if evaluators.isEmpty { makeEvaluators(tables) }
        lifelines.finish(tables: tables)
        let batch = batch(UnsafeBufferPointer(start: nil, count: 0), tables)
        return evaluators.map { evaluator in
            var finding = evaluator.finish(batch)
            guard finding.lookedAt == 0, !finding.rule.names.isEmpty, let kind = finding.rule.check.subject?.spanKind
            else { return finding }
            finding.otherNames = names.all(of: kind)
            return finding
        }
    }

    private func makeEvaluators(_ tables: TraceTables) {
        evaluators = rules.map {
            $0.makeEvaluator(exampleLimit: exampleLimit, isSelected: isSelected, tables: tables)
        }
    }

    private func batch(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) -> CheckBatch {
        let spans = lifelines.spans
        if spans.count > classes.count {
            classes.deallocate()
            classes = .allocate(capacity: spans.count * 2)
        }
        let classes = self.classes
        for index in 0..<spans.count {
            classes.initializeElement(at: index, to: SpanClass(spans[index].kind, spans[index].state))
            if looksForNames, spans[index].kind != .goroutineState { names.note(spans[index]) }
        }
        return CheckBatch(
            events: events, spans: spans, classes: UnsafeBufferPointer(rebasing: classes[..<spans.count]),
            lives: lifelines.lives, tables: tables,
            firstNanoseconds: lifelines.firstNanoseconds, lastNanoseconds: lifelines.lastNanoseconds)
    }
}
