import VestigeCore
import VestigeStages
import Yams

/// A file of rules in YAML; `docs/checks.md` describes it, and `Schemas/checks/rules.schema.json`.
public struct RuleFile: Sendable {
    public let path: String
    public let rules: [CheckRule]

    private static let longestFile = 1 << 20
    private static let ruleLimit = 1000

    /// - Throws: `unreadable` for a file that cannot be read; `usage` for a mistake in it, with line, column and what
    ///   was expected.
    public init(_ path: String) throws(TraceError) {
        let source = try ByteSource.open(path)
        try self.init(bytes: source.prefix(Self.longestFile + 1), path: path)
    }

    /// - Parameter path: as messages name it.
    public init(bytes: [UInt8], path: String) throws(TraceError) {
        self.path = path
        let (root, text) = try RuleYAML.parse(bytes, path: path)
        guard let root else {
            throw text.error(at: TextPlace(line: 1, column: 1), expected: "rules", found: "nothing")
        }
        var fields = try RuleFields(root, "a rule file", text)
        let events = try fields.take("events").map { (node) throws(TraceError) in try EventReader.read(node, text) }
        let node = try fields.require("rules", "a list of rules")
        try fields.refuseRest(known: ["events", "rules"])
        guard let sequence = node.sequence, !sequence.isEmpty else {
            let found = node.sequence == nil ? node.summary : "an empty list"
            throw text.error(at: node.place, expected: "a list of rules", found: found)
        }
        guard sequence.count <= Self.ruleLimit else {
            throw text.error(at: node.place, expected: "at most \(Self.ruleLimit) rules", found: "\(sequence.count)")
        }
        var rules: [CheckRule] = []
        for element in sequence {
            var reader = try RuleReader(element, events: events ?? [], text)
            let (rule, mark) = try reader.read()
            if let other = rules.first(where: { $0.name == rule.name }) {
                throw text.error(
                    at: mark, expected: "a name of its own for each rule",
                    found: "that of the rule in line \(other.line)")
            }
            rules.append(rule)
        }
        self.rules = rules
    }
}

/// Reads the named events of a rule file.
enum EventReader {
    private static let keys = ["kind", "name", "message", "from", "to"]
    private static let states: [(name: String, state: GoroutineState)] =
        GoroutineState.allCases.filter { $0 != .undetermined }.map { ("\($0.observedName)", $0) }

    static func read(_ node: Node, _ text: RuleText) throws(TraceError) -> [EventPattern] {
        var fields = try RuleFields(node, "events", text)
        var events: [EventPattern] = []
        for (name, _) in fields.names {
            guard let value = fields.take(name) else { continue }
            events.append(try event(name, value, text))
        }
        return events
    }

    private static func event(_ name: String, _ node: Node, _ text: RuleText) throws(TraceError) -> EventPattern {
        var fields = try RuleFields(node, "an event", text)
        let kindNode = try fields.require("kind", "e.g. Log or RegionBegin")
        var pattern = EventPattern(name: name, kinds: [])
        for (value, mark) in try fields.scalars(kindNode, "a kind of event") {
            pattern.kinds.formUnion(
                try text.at(mark) { () throws(TraceError) in try QueryValue.kinds(value, of: "an event") })
        }
        // A transition is one of a goroutine: procs have states of their own.
        pattern.kinds.remove(.procTransition)
        if let node = fields.take("name") { pattern.names = try fields.globs(node, "a name, or a pattern") }
        if let node = fields.take("message") {
            try require(.log, "message", in: pattern, node, text)
            pattern.messages = try fields.globs(node, "a message, or a pattern")
        }
        for key in ["from", "to"] {
            guard let node = fields.take(key) else { continue }
            try require(.goroutineTransition, key, in: pattern, node, text)
            let states = try self.states(node, fields, text)
            if key == "from" { pattern.fromStates = states } else { pattern.toStates = states }
        }
        try fields.refuseRest(known: keys)
        return pattern
    }

    private static func states(
        _ node: Node, _ fields: RuleFields, _ text: RuleText
    ) throws(TraceError) -> [GoroutineState] {
        var states: [GoroutineState] = []
        for (value, mark) in try fields.scalars(node, "a state") {
            guard let known = Self.states.first(where: { $0.name == value.lowercased() }) else {
                throw text.locate(
                    Suggestion.unknown(value, kind: "state", among: Self.states.map(\.name)), at: mark)
            }
            states.append(known.state)
        }
        return states
    }

    private static func require(
        _ kind: EventKind, _ key: String, in pattern: EventPattern, _ node: Node, _ text: RuleText
    ) throws(TraceError) {
        guard pattern.kinds != [kind] else { return }
        throw text.error(at: node.place, expected: "kind: \(kind.name) beside \"\(key)\"", found: "another kind")
    }
}
