import VestigeCore
import VestigeStages
import Yams

/// Reads one rule.
struct RuleReader {
    var fields: RuleFields
    let text: RuleText
    let events: [EventPattern]

    static let checks = [
        "longest", "p50", "p90", "p99", "p99.9", "count", "ends", "growth", "rate", "order", "machine",
    ]
    /// Keys by kind of check, besides those of all rules.
    private static let keys: [String: [String]] = [
        "longest": ["of", "under", "at-most", "range", "at", "system"],
        "percentile": ["of", "under", "at-most", "range", "at", "system"],
        "count": ["of", "under", "at-most", "for", "at", "system"],
        "ends": ["of", "within", "at", "system"],
        "growth": ["under", "at-most", "at", "system"],
        "rate": ["of", "under", "at-most", "window"],
        "order": ["after", "comes", "before", "within", "per"],
        "machine": ["states", "end", "within", "per"],
    ]
    private static let commonKeys = ["name", "check", "min-count"]
    static let scopeKeys = [
        "where", "function", "region", "task", "goroutine", "label", "state", "reason", "kind", "from", "to", "around",
        "margin", "min-duration", "descendants", "related",
    ]

    init(_ node: Node, events: [EventPattern], _ text: RuleText) throws(TraceError) {
        self.text = text
        self.events = events
        fields = try RuleFields(node, "a rule", text)
    }

    /// - Returns: the rule, and where its name stands.
    mutating func read() throws(TraceError) -> (CheckRule, TextPlace?) {
        let nameNode = try fields.require("name", "what the rule is called in reports")
        let name = try fields.scalar(nameNode, "a name")
        let checkNode = try fields.require("check", "what it demands: \(Self.checks.joined(separator: ", "))")
        let word = try fields.scalar(checkNode, "a check (\(Self.checks.joined(separator: ", ")))")
        let (kind, check) = try check(word, checkNode)
        var rule = CheckRule(name: name, check: check)
        rule.line = nameNode.place?.line ?? 0
        if let node = fields.take("min-count") { rule.leastCount = UInt64(try fields.count(node, of: "min-count")) }
        if Self.keys[kind]?.contains("system") ?? false, let node = fields.take("system") {
            rule.includesSystem = try fields.flag(node, of: "system")
        }
        if Self.keys[kind]?.contains("at") ?? false, let node = fields.take("at") {
            rule.places = try fields.globs(node, "a function, or a pattern")
        }
        if let subject = rule.subject?.rawValue, ["region", "task", "range"].contains(subject),
            let node = fields.take(subject)
        {
            rule.names = try fields.globs(node, "a name, or a pattern")
        }
        try readScope(into: &rule)
        try fields.refuseRest(known: Self.commonKeys + (Self.keys[kind] ?? []) + Self.scopeKeys)
        return (rule, nameNode.place)
    }

    private mutating func check(_ word: String, _ node: Node) throws(TraceError) -> (kind: String, check: Check) {
        if let percent = Self.percent(word) {
            let subject = try subject(among: CheckSubject.allCases)
            return ("percentile", .percentile(percent, subject, try limitOfTime()))
        }
        switch word {
        case "longest":
            let subject = try subject(among: CheckSubject.allCases)
            return (word, .longest(subject, try limitOfTime()))
        case "count":
            let subject = try subject(among: [.running, .runnable, .waiting, .syscall, .goroutine, .region, .task])
            return (word, .count(subject, try limitOfCount(), lasting: try optionalDuration("for") ?? 0))
        case "ends":
            let subject = try subject(among: [.region, .task, .goroutine])
            return (word, .ends(subject, within: try optionalDuration("within")))
        case "growth": return (word, .growth(try limitOfCount(default: CheckLimit(0, isInclusive: true))))
        case "rate": return (word, try rate())
        case "order": return (word, .machine(try MachineReader(self).order(&fields)))
        case "machine": return (word, .machine(try MachineReader(self).machine(&fields)))
        default: throw text.locate(Suggestion.unknown(word, kind: "check", among: Self.checks), at: node.place)
        }
    }

    /// `p99.9` in thousandths of a per cent; nil for what is no percentile above 0 and up to 100.
    private static func percent(_ word: String) -> UInt64? {
        guard word.hasPrefix("p"), word.dropFirst().first?.isNumber ?? false else { return nil }
        let parts = word.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = UInt64(parts[0]), whole <= 100 else { return nil }
        let digits = parts.count == 2 ? parts[1] : ""
        guard digits.count <= 3, digits.allSatisfy(\.isWholeNumber), parts.count == 1 || !digits.isEmpty else {
            return nil
        }
        let fraction = UInt64(digits + String(repeating: "0", count: 3 - digits.count)) ?? 0
        let percent = whole * 1000 + fraction
        return (1...100_000).contains(percent) ? percent : nil
    }

    private mutating func rate() throws(TraceError) -> Check {
        let node = try fields.require("of", "the name of an event")
        let pattern = try event(node)
        let limit = try limitOfCount()
        guard limit.value <= 100_000, limit.value > 0 || limit.isInclusive else {
            throw text.error(at: fields.mark, expected: "a number from 1 to 100000 as limit", found: "\(limit.value)")
        }
        let windowNode = try fields.require("window", "a duration, e.g. 1s")
        return .rate(pattern, limit, window: try fields.duration(windowNode, of: "window"))
    }

    func event(_ node: Node) throws(TraceError) -> EventPattern {
        let name = try fields.scalar(node, "the name of an event")
        guard let event = events.first(where: { $0.name == name }) else {
            if events.isEmpty {
                throw text.error(
                    at: node.place, expected: "an event that \"events\" at the top of the file names",
                    found: "\"\(name)\", and no \"events\"")
            }
            throw text.locate(Suggestion.unknown(name, kind: "named event", among: events.map(\.name)), at: node.place)
        }
        return event
    }

    // MARK: - Subjects and limits

    private mutating func subject(among subjects: [CheckSubject]) throws(TraceError) -> CheckSubject {
        let names = subjects.map(\.rawValue)
        let node = try fields.require("of", names.joined(separator: ", "))
        let name = try fields.choice(node, "subject", among: names)
        return CheckSubject(rawValue: name) ?? .running
    }

    private mutating func limitNode() throws(TraceError) -> (node: Node, isInclusive: Bool)? {
        let (under, atMost) = (fields.take("under"), fields.take("at-most"))
        if under != nil, let atMost {
            throw text.error(at: atMost.place, expected: "one of \"under\" and \"at-most\"", found: "both")
        }
        return (under ?? atMost).map { ($0, under == nil) }
    }

    private func missingLimit(_ example: String) -> TraceError {
        text.error(at: fields.mark, expected: "\"under\" or \"at-most\" in a rule (\(example))", found: "neither")
    }

    private mutating func limitOfTime() throws(TraceError) -> CheckLimit {
        guard let (node, isInclusive) = try limitNode() else { throw missingLimit("e.g. at-most: 10ms") }
        let name = isInclusive ? "at-most" : "under"
        return CheckLimit(try fields.duration(node, of: name), isInclusive: isInclusive)
    }

    private mutating func limitOfCount(default usual: CheckLimit? = nil) throws(TraceError) -> CheckLimit {
        guard let (node, isInclusive) = try limitNode() else {
            guard let usual else { throw missingLimit("e.g. under: 200") }
            return usual
        }
        let name = isInclusive ? "at-most" : "under"
        return CheckLimit(try fields.count(node, of: name), isInclusive: isInclusive)
    }

    private mutating func optionalDuration(_ name: String) throws(TraceError) -> Int64? {
        try fields.take(name).map { (node) throws(TraceError) in try fields.duration(node, of: name) }
    }

    // MARK: - Scope

    private mutating func readScope(into rule: inout CheckRule) throws(TraceError) {
        for key in Self.scopeKeys {
            guard let node = fields.take(key) else { continue }
            if key == "descendants" {
                rule.scope.includesDescendants = try fields.flag(node, of: key)
                rule.scopeText += "\(key)=\(rule.scope.includesDescendants)\n"
                continue
            }
            let values = try fields.scalars(node, "a value of \(key)")
            if ["from", "to", "margin", "min-duration", "related"].contains(key), values.count > 1 {
                throw text.error(at: node.place, expected: "one value of \(key)", found: "\(values.count)")
            }
            for (value, mark) in values {
                var scope = rule.scope
                try text.at(mark) { () throws(TraceError) in
                    do throws(TraceError) { try scope.set(key, to: value) } catch {
                        throw error.forKey(key)
                    }
                }
                rule.scope = scope
                rule.scopeText += "\(key)=\(value)\n"
            }
        }
        let scope = rule.scope
        try text.at(fields.mark) { () throws(TraceError) in try scope.check() }
    }
}

extension TraceError {
    /// A key of a rule is named as such, not as the option that means the same.
    fileprivate func forKey(_ key: String) -> TraceError {
        var error = self
        error.expected = expected.replacing("--\(key)", with: key)
        // In an expression a column counts from its own begin.
        error.context = context.map { "\($0) of the expression" }
        return error
    }
}

extension CheckRule {
    /// What it measures or counts; nil if it looks at events.
    public var subject: CheckSubject? {
        switch check {
        case .longest(let subject, _), .percentile(_, let subject, _), .count(let subject, _, _),
            .ends(let subject, _):
            subject
        case .growth: .goroutine
        case .rate, .machine: nil
        }
    }
}
