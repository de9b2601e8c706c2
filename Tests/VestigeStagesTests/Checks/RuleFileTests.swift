import Testing
import Vestige
import VestigeTestSupport
import Yams

/// What rule files say, and what is said of mistakes in them.
@Suite struct RuleFileTests {
    static let examples = ["limits", "counts", "life-cycle"]

    static func bytes(_ example: String) throws -> [UInt8] {
        try ByteSource.open("\(PackagePaths.root)/Schemas/checks/examples/\(example).yaml").prefix(1 << 20)
    }

    private func rule(_ text: String) throws -> CheckRule {
        let file = "events: {e: {kind: Log}, f: {kind: Log}}\nrules: [{name: r, \(text)}]"
        return try RuleFile(bytes: Array(file.utf8), path: "r.yaml").rules[0]
    }

    @Test(arguments: examples) func examplesAreRight(_ name: String) throws {
        let bytes = try Self.bytes(name)
        let file = try RuleFile(bytes: bytes, path: name)
        #expect(file.rules.count >= 5)
        #expect(file.rules.allSatisfy { $0.line > 1 })
        let schema = try JSONSchemaCheck(
            contentsOf: .init(fileURLWithPath: "\(PackagePaths.root)/Schemas/checks/rules.schema.json"))
        let node = try #require(try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)))
        #expect(schema.defects(of: JSONValue(node)) == [])
    }

    /// The schema refuses what is refused.
    @Test(arguments: ["chek: longest", "check: pp", "check: longest, under: fast", "check: ends, wthin: 1s"])
    func theSchemaRefuses(_ text: String) throws {
        let schema = try JSONSchemaCheck(
            contentsOf: .init(fileURLWithPath: "\(PackagePaths.root)/Schemas/checks/rules.schema.json"))
        let node = try #require(try Yams.compose(yaml: "rules: [{name: r, \(text)}]"))
        #expect(!schema.defects(of: JSONValue(node)).isEmpty)
        #expect(throws: TraceError.self) { try rule(text) }
    }

    @Test func scopes() throws {
        // Names of what is measured are no scope.
        #expect(try rule("check: p99, of: region, region: 'a*', under: 5ms").scope.isEmpty)
        #expect(try rule("check: longest, of: waiting, region: 'a*', under: 5ms").needsSelection)
        #expect(try rule("check: longest, of: waiting, reason: sync, under: 5ms").needsSelection == false)
        #expect(try rule("check: longest, of: waiting, where: \"time > 1s\", under: 5ms").needsSelection)
        #expect(try rule("check: order, after: e, comes: f, function: main.f").needsSelection)
        #expect(try rule("check: longest, of: task, function: main.f, under: 1s").needsSelection)
        #expect(try rule("check: longest, of: waiting, goroutine: 5, descendants: true, under: 1s").needsSelection)
        let lists = try rule("check: longest, of: waiting, function: [a, b], from: 1s, to: -1s, under: 1m")
        #expect(lists.scope.functions.map(\.description) == ["a", "b"] && lists.scope.to == .beforeEnd(1_000_000_000))
    }

    /// Where a mistake is, and what is said of it.
    @Test(arguments: [
        ("", "line 1, column 1", "expected rules, found nothing"),
        ("rules", "line 1, column 1", "expected a mapping for a rule file"),
        ("rules: []", "line 1, column 8", "found an empty list"),
        ("rules: 5", "line 1, column 8", "found \"5\""),
        ("rules:\n", "line 1, column 7", "expected a list of rules, found nothing"),
        ("rule: []", "line 1, column 1", "expected \"rules\" in a rule file"),
        ("rules:\n  - {name: a, check: ends, of: task}\nevnts: {}", "line 3, column 1", "did you mean events?"),
        ("rules:\n  - name: a\n    check: ends\n    off: task", "line 2, column 5", "expected \"of\" in a rule"),
        ("rules:\n  - name: a\n    check: ends\n    of: taks", "line 4, column 9", "did you mean task?"),
        ("rules:\n  - name: a\n    check: end\n    of: task", "line 3, column 12", "did you mean ends?"),
        ("rules:\n  - name: a\n    check: p101\n    of: task", "line 3, column 12", "a check"),
        (
            "rules:\n  - name: a\n    check: count\n    of: blocked\n    under: 2", "line 4, column 9",
            "did you mean waiting?"
        ),
        ("rules:\n  - name: a\n    check: count\n    of: busy\n    under: 2", "line 4, column 9", "expected a subject"),
        ("rules:\n  - check: ends", "line 2, column 5", "expected \"name\" in a rule"),
        ("rules:\n  - name: a", "line 2, column 5", "expected \"check\" in a rule"),
        ("rules:\n  - name:\n    check: ends", "line 2, column 10", "expected a name, found nothing"),
        ("rules:\n  - name: [a]\n    check: ends", "line 2, column 11", "found a list"),
        ("rules:\n  - {name: a, check: longest, of: task}", "line 2, column 5", "\"under\" or \"at-most\""),
        ("rules:\n  - {name: a, check: longest, of: task, under: 5}", "line 2, column 48", "did you mean 5ms?"),
        ("rules:\n  - {name: a, check: count, of: task, under: 5ms}", "line 2, column 46", "a whole number for under"),
        ("rules:\n  - {name: a, check: count, of: task, under: -5}", "line 2, column 46", "not negative"),
        ("rules:\n  - {name: a, check: count, of: task, under: 1, at-most: 2}", "line 2, column 58", "both"),
        ("rules:\n  - {name: a, check: count, of: task, under: 1, within: 2s}", "line 2, column 49", "a key of a rule"),
        ("rules:\n  - {name: a, check: longest, of: task, fucntion: f, under: 1s}", "line 2, column 41", "function?"),
        (
            "rules:\n  - {name: a, check: longest, of: waiting, range: r, under: 1s}", "line 2, column 44",
            "key of a rule"
        ),
        ("rules:\n  - name: a\n    check: ends\n    of: task\n    system: yes", "line 5, column 13", "true or false"),
        (
            "rules:\n  - name: a\n    check: ends\n    of: task\n    where: state = wating", "line 5, column 12",
            "waiting?"
        ),
        (
            "rules:\n  - name: a\n    check: ends\n    of: task\n    where: (kind == Log", "line 5, column 12",
            "column 13 of"
        ),
        ("rules:\n  - name: a\n    check: ends\n    of: task\n    kind: Lgo", "line 5, column 11", "did you mean Log?"),
        (
            "rules:\n  - name: a\n    check: ends\n    of: task\n    min-duration: 1s", "line 2, column 5",
            "none of them"
        ),
        (
            "rules:\n  - {name: a, check: ends, of: task}\n  - {name: a, check: ends, of: task}", "line 3, column 12",
            "line 2"
        ),
        ("rules:\n  - name: a\n    name: b", "line 2, column 5", "expected each key once, found \"name\""),
        ("rules:\n  - {name: a, check: order, after: x, comes: y}", "line 2, column 36", "no \"events\""),
        ("events: {xx: {kind: Log}}\nrules:\n  - {name: a, check: order, after: xy}", "line 3, column 36", "mean xx?"),
        ("events: {x: {kind: Lgo}}", "line 1, column 20", "did you mean Log?"),
        ("events: {x: {name: Log}}", "line 1, column 13", "expected \"kind\" in an event"),
        ("events: {x: {kind: Log, to: waiting}}", "line 1, column 29", "expected kind: StateTransition"),
        ("events: {x: {kind: StateTransition, to: wating}}", "line 1, column 41", "did you mean waiting?"),
        ("events: {x: {kind: TaskEnd, message: m}}", "line 1, column 38", "expected kind: Log"),
        (
            "events: {x: {kind: Log}}\nrules:\n  - {name: a, check: machine, states: {}}", "line 3, column 39",
            "1 to 64 states"
        ),
        (
            "events: {x: {kind: Log}}\nrules:\n  - {name: a, check: machine, states: {s: }}", "line 3, column 39",
            "an event"
        ),
        (
            "events: {x: {kind: Log}}\nrules:\n  - {name: a, check: machine, states: {s: {x: t}}}", "line 3, column 47",
            "a state"
        ),
        (
            "events: {x: {kind: Log}}\nrules:\n  - {name: a, check: machine, states: {s: {y: s}}}", "line 3, column 44",
            "named event"
        ),
        ("rules:\n  - {name: a, check: rate, of: x, under: 0, window: 1s}", "line 2, column 32", "no \"events\""),
        ("rules: [", "line 1, column 9", "expected YAML"), ("a: b: c", "line 1, column 5", "expected YAML"),
        ("rules: \"", "line 1, column 9", "expected YAML"), ("\tx", "line 1, column 1", "expected YAML"),
        ("a: *b", "line 1, column 4", "undefined alias"), ("--- a\n--- b", "line 2, column 1", "expected YAML"),
        ("a: \u{7}", "line 1, column 4", "expected YAML"),
    ])
    func mistakes(_ text: String, _ place: String, _ words: String) throws {
        let error = try #require(throws: TraceError.self) { try RuleFile(bytes: Array(text.utf8), path: "r.yaml") }
        #expect(error.code == .usage)
        #expect(error.description.hasPrefix("r.yaml: \(place)"), "\(error)")
        #expect(error.description.contains(words), "\(error)")
        #expect(error.excerpt?.hasSuffix("^") ?? false)
    }

    @Test func otherBytesThanUTF8() throws {
        let error = try #require(throws: TraceError.self) {
            try RuleFile(bytes: Array("rules:\n  - ".utf8) + [0xff, 0xfe], path: "r.yaml")
        }
        #expect(error.description.hasPrefix("r.yaml: line 2, column 5: expected UTF-8"), "\(error)")
    }

    /// What would take very long or very deep, if it were let.
    @Test(.timeLimit(.minutes(1))) func hostileFilesAreRefused() {
        let bomb = (1...9).map {
            "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 9).joined(separator: ","))]"
        }
        let texts = [
            String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000),
            String(repeating: "{a: ", count: 50_000), String(repeating: "? ", count: 50_000),
            "a0: &a0 [x]\n" + bomb.joined(separator: "\n") + "\n? *a9\n: x",
            "rules: [" + String(repeating: "{name: a, check: ends},", count: 40_000) + "]",
            String(repeating: "x", count: 2 << 20), "rules: &r [*r]", "&a a: &a [*a, *a]",
        ]
        for text in texts {
            #expect(throws: TraceError.self) { try RuleFile(bytes: Array(text.utf8), path: "r.yaml") }
        }
    }
}

extension JSONValue {
    /// YAML as JSON, by the types that its core schema gives plain words.
    init(_ node: Node) {
        switch node {
        case .mapping(let mapping):
            self = .object(Dictionary(uniqueKeysWithValues: mapping.map { ($0.string ?? "", JSONValue($1)) }))
        case .sequence(let sequence): self = .array(sequence.map(JSONValue.init))
        default:
            let text = node.string ?? ""
            if node.null != nil {
                self = .null
            } else if let flag = node.bool, ["true", "false"].contains(text) {
                self = .bool(flag)
            } else if let number = node.int, text == "\(number)" {
                self = .integer(Int64(number))
            } else {
                self = .string(text)
            }
        }
    }
}
