import VestigeCore
import VestigeStages

/// Holds recordings against rules.
///
/// The inputs are read once; once or twice before that if a rule's scope must know what comes later, as
/// `docs/query.md` says, and once for each counterexample that is written as a trace.
public struct CheckRun {
    /// The paths of the inputs, which are of one process; `-` for standard input.
    public var inputs: [String]
    /// What the user says of when inputs were taken.
    public var times: [ManualTime] = []
    /// Which part of the inputs counts, whatever the rules say.
    public var query = Query()
    public var goVersion: String?
    /// How many counterexamples to keep of each rule.
    public var exampleLimit = 3
    /// Where counterexamples go as traces; nil for nowhere.
    public var excerpts: CheckExcerpts?
    /// Called at most ten times a second.
    public var onProgress: ((Progress) -> Void)?

    public init(inputs: [String]) { self.inputs = inputs }

    /// - Throws: `unreadable`, `damaged` or `truncated` if nothing could be read; `usage` if the inputs do not belong
    ///   together, or a rule's scope cannot be in this recording; what concerns the output of excerpts.
    public func run(_ rules: [CheckRule]) throws(TraceError) -> CheckResult {
        let parts = CheckPart.divide(rules)
        let reading = try CheckReading(self, readsTwice: parts.contains(where: \.needsFacts) || excerpts != nil)
        try findFacts(parts, reading)
        let input = try reading.open()
        let clock = LifelineClock()
        var sinks: [CheckSink] = []
        for part in parts { sinks.append(CheckSink(part, exampleLimit: exampleLimit, tables: input.tables)) }
        try input.readAll(onProgress: onProgress, readsAhead: true) { events throws(TraceError) in
            clock.note(events)
            for sink in sinks { try sink.process(events) }
        }
        try input.refuseTotalLoss()
        var findings = [CheckFinding?](repeating: nil, count: rules.count)
        for sink in sinks {
            for (place, finding) in zip(sink.part.places, try sink.finish()) { findings[place] = finding }
        }
        var result = CheckResult(
            reading: AnalysisResult(input, from: clock.first, to: clock.last), findings: findings.compactMap { $0 })
        if let excerpts { result.excerptPaths = try excerpts.write(result, reading) }
        return result
    }

    /// What scopes must know from later in the recording.
    private func findFacts(_ parts: [CheckPart], _ reading: CheckReading) throws(TraceError) {
        let asking = parts.filter(\.needsFacts)
        guard !asking.isEmpty else { return }
        let surveys = asking.map { QuerySurvey($0.scope) }
        let first = try reading.open()
        try first.readAll(onProgress: onProgress) { events throws(TraceError) in
            for survey in surveys { survey.process(events, tables: first.tables) }
        }
        try first.refuseTotalLoss()
        for (part, survey) in zip(asking, surveys) { part.facts = survey.finish() }
        let closing = asking.filter { ClosureSurvey.isNeeded(for: $0.scope) }
        guard !closing.isEmpty else { return }
        let closures = closing.map { ClosureSurvey($0.scope, facts: $0.facts ?? QuerySurvey($0.scope).facts) }
        let second = try reading.open()
        try second.readAll(onProgress: onProgress) { events throws(TraceError) in
            for (part, closure) in zip(closing, closures) {
                try part.naming { () throws(TraceError) in try closure.process(events, tables: second.tables) }
            }
        }
        for (part, closure) in zip(closing, closures) { part.facts = closure.finish() }
    }
}

/// What has become of all rules.
public struct CheckResult {
    /// What is known of the reading.
    public let reading: AnalysisResult
    /// In the order of the rules.
    public let findings: [CheckFinding]
    /// The traces that were written, by rule and counterexample.
    public internal(set) var excerptPaths: [[String]] = []

    public var brokenCount: Int { findings.count { !$0.holds } }
}

/// Opens the inputs of a run as often as they are needed.
final class CheckReading {
    private let run: CheckRun
    private var spooled: [SpooledInput?] = []

    init(_ run: CheckRun, readsTwice: Bool) throws(TraceError) {
        self.run = run
        guard readsTwice else { return }
        spooled = try InputSelection.spool(run.inputs)
    }

    func open() throws(TraceError) -> InputSet { try open(run.query) }

    func open(_ query: Query) throws(TraceError) -> InputSet {
        try InputSet(
            run.inputs, times: run.times, query: query, goVersion: run.goVersion, spooled: spooled,
            onProgress: run.onProgress)
    }
}

/// The rules that look at the same part of a recording.
private final class CheckPart {
    let rules: [CheckRule]
    /// Their places among all rules.
    let places: [Int]
    /// Empty if the rules can tell for themselves.
    let scope: Query
    var facts: QueryFacts?

    init(_ rules: [(place: Int, rule: CheckRule)], scope: Query) {
        self.rules = rules.map(\.rule)
        places = rules.map(\.place)
        self.scope = scope
    }

    var needsFacts: Bool { QuerySurvey.isNeeded(for: scope) || ClosureSurvey.isNeeded(for: scope) }

    static func divide(_ rules: [CheckRule]) -> [CheckPart] {
        var parts: [String: [(place: Int, rule: CheckRule)]] = [:]
        for (place, rule) in rules.enumerated() {
            parts[rule.needsSelection ? rule.scopeText : "", default: []].append((place, rule))
        }
        return parts.sorted { $0.key < $1.key }.map { text, rules in
            CheckPart(rules, scope: text.isEmpty ? Query() : rules[0].rule.scope)
        }
    }

    /// Says of an error whose scope it is about.
    func naming<Value>(_ body: () throws(TraceError) -> Value) throws(TraceError) -> Value {
        do throws(TraceError) { return try body() } catch {
            guard error.code == .usage else { throw error }
            throw error.adding(context: "rule \"\(rules[0].name)\"")
        }
    }
}

/// Selects what the rules of a part look at, and hands it to them.
private final class CheckSink {
    let part: CheckPart
    private let group: CheckGroup
    private let chain: StageChain
    private let tables: TraceTables

    init(_ part: CheckPart, exampleLimit: Int, tables: TraceTables) {
        self.part = part
        self.tables = tables
        let isSelected = !part.scope.isEmpty
        let group = CheckGroup(part.rules, isSelected: isSelected, exampleLimit: exampleLimit)
        self.group = group
        let stages: [any Stage] = isSelected ? [QueryStage(part.scope, facts: part.facts)] : []
        chain = StageChain(stages, tables: tables) { events throws(TraceError) in
            group.process(events, tables: tables)
        }
    }

    func process(_ events: UnsafeBufferPointer<Event>) throws(TraceError) {
        try part.naming { () throws(TraceError) in try chain.process(events) }
    }

    func finish() throws(TraceError) -> [CheckFinding] {
        try part.naming { () throws(TraceError) in try chain.finish() }
        return group.finish(tables: tables)
    }
}

/// Times of the first and of the last event.
private final class LifelineClock {
    private(set) var first: Int64 = 0
    private(set) var last: Int64 = 0
    private var isEmpty = true

    func note(_ events: UnsafeBufferPointer<Event>) {
        guard let event = events.first else { return }
        if isEmpty { first = event.timeNanoseconds }
        isEmpty = false
        last = events[events.count - 1].timeNanoseconds
    }
}
