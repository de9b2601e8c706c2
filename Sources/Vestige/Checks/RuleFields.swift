import VestigeCore
import VestigeStages
import Yams

/// The fields of one mapping in a rule file, each taken once; what is left over nobody knows.
struct RuleFields {
    private struct Field {
        let name: String
        let mark: TextPlace?
        let value: Node
    }

    private static let longestList = 1000

    let text: RuleText
    let mark: TextPlace?
    /// What the mapping describes, e.g. `rule`.
    private let what: String
    private var fields: [Field] = []

    init(_ node: Node, _ what: String, _ text: RuleText) throws(TraceError) {
        self.text = text
        self.what = what
        mark = node.place
        guard let mapping = node.mapping else {
            throw text.error(at: node.place, expected: "a mapping for \(what) (NAME: VALUE)", found: node.summary)
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw text.error(at: key.place, expected: "a name in \(what)", found: key.summary)
            }
            fields.append(Field(name: name, mark: key.place, value: value))
        }
    }

    /// All names, in their order, for mappings whose names are chosen freely.
    var names: [(name: String, mark: TextPlace?)] { fields.map { ($0.name, $0.mark) } }

    mutating func take(_ name: String) -> Node? {
        guard let index = fields.firstIndex(where: { $0.name == name }) else { return nil }
        return fields.remove(at: index).value
    }

    mutating func require(_ name: String, _ meaning: String) throws(TraceError) -> Node {
        guard let node = take(name) else {
            throw text.error(at: mark, expected: "\"\(name)\" in \(what) (\(meaning))", found: "none")
        }
        return node
    }

    /// Refuses what has not been taken.
    func refuseRest(known names: [String]) throws(TraceError) {
        guard let field = fields.first else { return }
        throw text.locate(Suggestion.unknown(field.name, kind: "key of \(what)", among: names), at: field.mark)
    }

    // MARK: - Values

    func scalar(_ node: Node, _ expected: String) throws(TraceError) -> String {
        guard let scalar = node.scalar, !(scalar.string.isEmpty && scalar.style == .plain) else {
            throw text.error(at: node.place, expected: expected, found: node.summary)
        }
        return scalar.string
    }

    /// One value, or a list of them.
    func scalars(_ node: Node, _ expected: String) throws(TraceError) -> [(value: String, mark: TextPlace?)] {
        guard let sequence = node.sequence else { return [(try scalar(node, expected), node.place)] }
        guard !sequence.isEmpty, sequence.count <= Self.longestList else {
            let found = sequence.isEmpty ? "an empty list" : "a list of \(sequence.count)"
            throw text.error(
                at: node.place, expected: "\(expected), or a list of at most \(Self.longestList)", found: found)
        }
        var values: [(value: String, mark: TextPlace?)] = []
        for element in sequence { values.append((try scalar(element, expected), element.place)) }
        return values
    }

    func globs(_ node: Node, _ expected: String) throws(TraceError) -> [Glob] {
        try scalars(node, expected).map { Glob($0.value) }
    }

    func duration(_ node: Node, of name: String) throws(TraceError) -> Int64 {
        let value = try scalar(node, "a duration for \(name), e.g. 10ms")
        return try text.at(node.place) { () throws(TraceError) in try QueryValue.duration(value, of: name) }
    }

    func count(_ node: Node, of name: String) throws(TraceError) -> Int64 {
        let expected = "a whole number for \(name), not negative"
        let value = try scalar(node, expected)
        guard let count = Int64(value), count >= 0 else {
            throw text.error(at: node.place, expected: expected, found: "\"\(value)\"")
        }
        return count
    }

    func flag(_ node: Node, of name: String) throws(TraceError) -> Bool {
        switch try scalar(node, "true or false for \(name)") {
        case "true": return true
        case "false": return false
        case let value: throw text.error(at: node.place, expected: "true or false for \(name)", found: "\"\(value)\"")
        }
    }

    /// One of several words.
    func choice(_ node: Node, _ kind: String, among names: [String], meant: String? = nil) throws(TraceError) -> String
    {
        let value = try scalar(node, "a \(kind) (\(names.joined(separator: ", ")))")
        guard names.contains(value) else {
            throw text.locate(
                Suggestion.unknown(value, kind: kind, among: names, meant: value == "blocked" ? "waiting" : nil),
                at: node.place)
        }
        return value
    }
}

extension Node {
    /// What it is, for messages.
    var summary: String {
        switch self {
        case .scalar(let scalar):
            scalar.string.isEmpty ? "nothing" : "\"\(scalar.string.prefix(60))\(scalar.string.count > 60 ? "…" : "")\""
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
