import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// `vestige check`, from rules and recordings to exit codes, excerpts and reports.
@Suite struct CheckCommandTests {
    static let orders = PackagePaths.sample("orders")
    private static let examples = "\(PackagePaths.root)/Schemas/checks/examples"

    /// Runs with rules that are written to a file.
    private func check(
        _ rules: String, _ arguments: [String], input: some Sequence<UInt8> = EmptyCollection<UInt8>()
    ) throws -> CommandResult {
        let folder = try TemporaryFolder()
        try folder.write(rules.utf8, to: "rules.yaml")
        return try CommandLineTool.run(["check", folder.file("rules.yaml")] + arguments, input: input)
    }

    private func rule(_ text: String) -> String {
        """
        events:
          packed: {kind: RegionBegin, name: pack}
          charged: {kind: RegionEnd, name: charge}
          shipped: {kind: TaskEnd, name: order}
          message: {kind: Log}
        rules:
          - {name: it, \(text)}

        """
    }

    // MARK: - Each kind of rule on a sample

    @Test(arguments: ["limits", "counts", "life-cycle"]) func examplesHoldForTheSample(_ name: String) throws {
        let result = try CommandLineTool.run(["check", "\(Self.examples)/\(name).yaml", Self.orders])
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect(result.text.hasSuffix("rules, all hold\n") && !result.text.contains("BROKEN"))
    }

    @Test(arguments: [
        ("check: longest, of: busy, at-most: 10ms", "check: longest, of: busy, under: 100us"),
        (
            "check: longest, of: waiting, reason: sleep, under: 10s",
            "check: longest, of: waiting, reason: sleep, under: 1ms"
        ),
        (
            "check: longest, of: waiting, at: main.worker, under: 10s",
            "check: longest, of: waiting, at: main.worker, under: 1ms"
        ),
        ("check: p99, of: region, region: ship, under: 1s", "check: p99, of: region, region: ship, under: 1us"),
        ("check: p50, of: task, under: 1s", "check: p50, of: task, under: 1us"),
        (
            "check: p50, of: region, region: ship, where: time > 10ms, under: 1s",
            "check: p50, of: region, region: ship, where: time > 10ms, under: 1us"
        ),
        (
            "check: longest, of: waiting, region: ship, under: 1s",
            "check: longest, of: waiting, region: ship, under: 1us"
        ),
        ("check: longest, of: waiting, task: order, under: 1s", "check: longest, of: waiting, task: order, under: 1us"),
        ("check: count, of: waiting, under: 200, for: 30s", "check: count, of: waiting, under: 2"),
        ("check: count, of: goroutine, under: 200", "check: count, of: goroutine, under: 2, for: 1ms"),
        ("check: count, of: region, at-most: 3", "check: count, of: region, at-most: 1"),
        ("check: ends, of: region", "check: ends, of: region, within: 1us"),
        ("check: ends, of: goroutine, function: main.worker", "check: ends, of: goroutine, function: main.audit"),
        ("check: growth", "check: growth, min-count: 99"),
        ("check: rate, of: message, under: 31, window: 1s", "check: rate, of: message, under: 30, window: 1s"),
        (
            "check: order, per: task, after: charged, comes: packed, before: shipped",
            "check: order, per: task, after: packed, comes: charged, before: shipped"
        ),
        (
            "check: machine, per: task, states: {a: {charged: b}, b: {packed: a}}, end: a",
            "check: machine, per: task, states: {a: {packed: b}, b: {charged: a}}, end: a"
        ),
    ])
    func holdsAndBreaks(_ good: String, _ bad: String) throws {
        let holding = try check(rule(good), [Self.orders])
        #expect(holding.status == 0, "\(good): \(holding.text)\(holding.errors)")
        #expect(!holding.text.contains("nothing to look at"), "\(good)")
        let broken = try check(rule(bad), [Self.orders])
        #expect(broken.status == 1, "\(bad): \(broken.text)\(broken.errors)")
        #expect(broken.text.hasPrefix("BROKEN  it (") && broken.text.contains("rules.yaml:7)"))
        let isCounted = !bad.contains("min-count")
        #expect(broken.text.contains(" s  G") == isCounted, "\(bad): \(broken.text)")
    }

    /// A scope says the same whether a span tells it or a selection.
    @Test(arguments: [
        "function == 'main.worker'", "function == 'main.*' and reason == sleep", "reason == sleep or goroutine == 1",
        "not reason == 'chan *'", "state == waiting for 1ms",
    ])
    func scopesAreTheSameEitherWay(_ expression: String) throws {
        let rule = "check: longest, of: waiting, under: 1ns"
        let plain = try json(self.rule("\(rule), where: \"\(expression)\""), [Self.orders])
        let selected = try json(
            self.rule("\(rule), where: \"(\(expression)) and kind == StateTransition\""), [Self.orders])
        for key in ["looked_at", "breaches", "value_ns"] {
            #expect(plain["findings"]?.array.first?[key] == selected["findings"]?.array.first?[key], "\(key)")
        }
        #expect(plain["findings"]?.array.first?["looked_at"] != .integer(0))
    }

    private func json(_ rules: String, _ arguments: [String]) throws -> JSONValue {
        try JSONValue(check(rules, arguments + ["--json"]).text)
    }

    // MARK: - Inputs

    @Test func standardInputAlsoWhereItIsReadTwice() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.orders))
        let folder = try TemporaryFolder()
        let rules = rule("check: longest, of: waiting, region: ship, under: 1us")
        try folder.write(rules.utf8, to: "rules.yaml")
        func run(_ input: String) throws -> CommandResult {
            let out = ["--excerpt-dir", folder.file("out"), "-f", "--to", "jsonl"]
            return try CommandLineTool.run(["check", folder.file("rules.yaml"), input] + out, input: bytes)
        }
        let result = try run("-")
        #expect(result.status == 1, "\(result.errors)")
        let excerpt = try folder.read("out/1-it-1.jsonl")
        #expect(try result.text == run(Self.orders).text.replacingOccurrences(of: Self.orders, with: "-"))
        #expect(try excerpt.count > 500 && excerpt.count - folder.read("out/1-it-1.jsonl").count < 1000)
        #expect(try CommandLineTool.run(["check", "-", "-"]).status == 2)
        #expect(try CommandLineTool.run(["check", "-", Self.orders], input: rules.utf8).status == 1)
    }

    @Test func archivesAndSeveralInputs() throws {
        let folder = try TemporaryFolder()
        let archive = folder.file("runs.vestige")
        let hog = PackagePaths.sample("hog")
        #expect(try CommandLineTool.run(["archive", "create", archive, Self.orders, hog]).status == 0)
        let rules = rule("check: longest, of: busy, under: 10ms")
        let names = try CommandLineTool.run(["archive", "list", archive, "--json"]).text
        #expect(names.contains("hog.trace"))
        let all = try check(rules, [archive, "--each", "--json"])
        let lines = try all.text.split(separator: "\n").map { try JSONValue($0) }
        #expect(all.status == 1 && lines.map { $0["holds"] } == [.bool(true), .bool(false)])
        let entry = try #require(lines[1]["input"]?.string)
        #expect(try check(rules, [entry]).status == 1)
        #expect(try check(rules, [archive]).status == 2)
        #expect(try check(rules, [archive, "--each", "--excerpt-dir", folder.file("x")]).status == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("x")) == ["2-hog-trace-1-it-1.pftrace"])
        #expect(try check(rules, [Self.orders, "nosuch", hog, "--each"]).status == 1)
        #expect(try check(rules, ["nosuch"]).status == 3)
    }

    @Test func aPartOfTheRecording() throws {
        let rules = rule("check: rate, of: message, under: 5, window: 1s")
        #expect(try check(rules, [Self.orders]).status == 1)
        #expect(try check(rules, [Self.orders, "--to", "1ms"]).status == 0)
        let outside = try check(rule("check: ends, of: task, from: 10s"), [Self.orders])
        #expect(outside.status == 2 && outside.errors.contains("rule \"it\""), "\(outside.errors)")
    }

    @Test func aCutRecordingIsCheckedAsFarAsItGoes() throws {
        let folder = try TemporaryFolder()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.orders))
        try folder.write(bytes.prefix(bytes.count * 3 / 4), to: "cut.trace")
        let rules = rule("check: longest, of: busy, under: 10s")
        #expect(try check(rules, [folder.file("cut.trace"), "--strict"]).status == 4)
        let result = try check(rules, [folder.file("cut.trace"), "--json"])
        #expect(result.status == 0 && result.errors.contains("warning") && result.text.contains("\"lossy\":true"))
    }

    // MARK: - Excerpts

    @Test func aMisspeltNameIsSaid() throws {
        let near = try check(rule("check: p99, of: region, region: shipp, under: 1s"), [Self.orders])
        #expect(near.status == 0)
        #expect(near.text.contains("no region is named \"shipp\"; did you mean \"ship\"?"), "\(near.text)")
        let far = try check(
            rule("check: ends, of: region, region: nothing-alike, within: 1s"), [Self.orders, "--json"])
        #expect(far.status == 0)
        for text in [far.text, far.errors] { #expect(text.contains("no region is named"), "\(text)") }
        #expect(far.errors.contains("but \"") && far.errors.contains("\"ship\""), "\(far.errors)")
        let none = try check(rule("check: longest, of: range, range: nosuch, under: 1s"), [Self.orders])
        #expect(none.text.contains("nothing to look at"))
        let found = try check(rule("check: p99, of: region, region: ship, under: 1s"), [Self.orders])
        #expect(!found.text.contains("named"))
    }

    @Test func rulesAndRecordingSwapped() throws {
        let folder = try TemporaryFolder()
        try folder.write(rule("check: ends, of: region").utf8, to: "rules.yaml")
        let result = try CommandLineTool.run(["check", Self.orders, folder.file("rules.yaml")])
        #expect(result.status == 2)
        #expect(result.errors.contains("vestige check \(folder.file("rules.yaml")) \(Self.orders)"), "\(result.errors)")
    }

    @Test func aBrokenRuleGoesBeforeARecordingThatCannotBeRead() throws {
        let broken = rule("check: longest, of: busy, under: 1ns")
        for inputs in [[Self.orders, "nosuch"], ["nosuch", Self.orders]] {
            #expect(try check(broken, ["--each"] + inputs).status == 1)
            #expect(try check(rule("check: ends, of: region"), ["--each"] + inputs).status == 3)
        }
    }

    @Test func excerptsAreRightFromTheirFirstInstant() throws {
        let folder = try TemporaryFolder()
        let rules = rule("check: longest, of: waiting, reason: sleep, under: 1ms")
        let out = ["--excerpt-dir", folder.file("a/b"), "--to", "jsonl", "--examples", "2", "--json"]
        let result = try check(rules, [Self.orders] + out)
        let examples = try #require(try JSONValue(result.text)["findings"]?.array.first?["examples"]?.array)
        #expect(examples.count == 2)
        for example in examples {
            let path = try #require(example["excerpt"]?.string)
            let goroutine = try #require(example["goroutines"]?.array.first?.double)
            let waits = try CommandLineTool.run(["lifeline", "\(Int(goroutine))", path, "--json"]).text
            #expect(waits.contains("\"reason\":\"sleep\"") || waits.contains("\"name\":\"sleep\""), "\(waits)")
            #expect(waits.contains("\"duration_ns\":\(Int(example["value_ns"]?.double ?? 0))"), "\(waits)")
            let first = try #require(
                try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst().first)
            #expect(first.contains("\"synthetic\":true"), "\(first)")
        }
        #expect(try check(rules, [Self.orders] + out).status == 2)
        #expect(try check(rules, [Self.orders, "-f"] + out).status == 1)
        #expect(try check(rules, [Self.orders, "--excerpt-dir", folder.file("c")]).status == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("c")) == ["1-it-1.pftrace"])
        #expect(try check(rules, [Self.orders, "--excerpt-dir", folder.file("d"), "--to", "csv"]).status == 2)
        #expect(try check(rules, [Self.orders, "--to", "jsonl"]).status == 2)
    }

    // MARK: - Mistakes

    @Test func aMistakeInTheRulesIsPointedAt() throws {
        let result = try check("rules:\n  - name: a\n    check: longest\n    of: wating\n", [Self.orders])
        #expect(result.status == 2 && result.text.isEmpty)
        #expect(result.errors.contains("rules.yaml: line 4, column 9: expected a subject ("))
        #expect(result.errors.contains("did you mean waiting?"))
        #expect(result.errors.hasSuffix("      of: wating\n          ^\n"))
        #expect(try CommandLineTool.run(["check", "nosuch.yaml", Self.orders]).status == 3)
        #expect(try check(rule("check: growth"), [Self.orders, "--examples", "0"]).status == 2)
        #expect(try check(rule("check: growth"), [Self.orders, "--junit", "-"]).status == 2)
    }
}
