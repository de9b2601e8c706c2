import Foundation
import FoundationXML
import Testing
import Vestige
import VestigeTestSupport

/// The reports of `vestige check`: JSON by its schema, JUnit XML, and names that mean harm in all of them.
@Suite struct CheckReportTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func check(_ rules: String, _ inputs: [String], _ options: [String] = []) throws -> CommandResult {
        try folder.write(rules.utf8, to: "rules.yaml")
        return try CommandLineTool.run(["check", folder.file("rules.yaml")] + inputs + options)
    }

    private static let allKinds = """
        events: {message: {kind: Log}, packed: {kind: RegionBegin, name: pack}, charged: {kind: RegionEnd, name: charge}}
        rules:
          - {name: longest, check: longest, of: waiting, under: 1us}
          - {name: percentile, check: p99, of: region, under: 1us}
          - {name: count, check: count, of: goroutine, under: 2}
          - {name: ends, check: ends, of: goroutine}
          - {name: growth, check: growth}
          - {name: rate, check: rate, of: message, under: 3, window: 1s}
          - {name: order, check: order, after: packed, comes: charged}
          - {name: machine, check: machine, states: {a: {packed: b}, b: {packed: b}}, end: a}
          - {name: nothing, check: longest, of: range, range: none, under: 1s, min-count: 1}

        """

    @Test func jsonKeepsToItsSchema() throws {
        let schema = try JSONSchemaCheck(
            contentsOf: URL(fileURLWithPath: "\(PackagePaths.root)/Schemas/checks/report.schema.json"))
        let result = try check(
            Self.allKinds, [PackagePaths.sample("orders")],
            ["--json", "--examples", "5", "--excerpt-dir", folder.file("x")])
        let report = try JSONValue(result.text)
        #expect(schema.defects(of: report) == [])
        #expect(result.status == 1 && report["broken"] == .integer(8))
        let findings = try #require(report["findings"]?.array)
        #expect(findings.map { $0["rule"] } == findings.map { $0["check"] }.dropLast() + [.string("nothing")])
        #expect(findings.map { $0["line"] } == (3...11).map { .integer($0) })
        for finding in findings where finding["breaches"] != .integer(0) {
            let examples = try #require(finding["examples"]?.array)
            #expect(!examples.isEmpty && examples.allSatisfy { !($0["evidence"]?.array.isEmpty ?? true) })
            #expect(examples.allSatisfy { $0["excerpt"]?.string.map(FileManager.default.fileExists) ?? false })
        }
    }

    private func junit(_ rules: String, _ inputs: [String], _ options: [String] = []) throws -> XMLDocument {
        _ = try check(rules, inputs, options + ["--junit", folder.file("out.xml"), "-f"])
        return try XMLDocument(contentsOf: URL(fileURLWithPath: folder.file("out.xml")))
    }

    @Test func junitHasASuiteForEachRecordingAndACaseForEachRule() throws {
        let document = try junit(
            Self.allKinds, [PackagePaths.sample("orders"), "nosuch", PackagePaths.sample("hog")], ["--each"])
        let root = try #require(document.rootElement())
        #expect(root.name == "testsuites")
        #expect(root.attribute(forName: "errors")?.stringValue == "1")
        let suites = root.elements(forName: "testsuite")
        #expect(suites.count == 3 && root.attribute(forName: "tests")?.stringValue == "19")
        var failureCount = 0
        for suite in suites {
            let cases = suite.elements(forName: "testcase")
            let failures = cases.filter { !$0.elements(forName: "failure").isEmpty }
            failureCount += failures.count
            #expect(suite.attribute(forName: "tests")?.stringValue == "\(cases.count)")
            #expect(suite.attribute(forName: "failures")?.stringValue == "\(failures.count)")
            #expect(cases.allSatisfy { $0.attribute(forName: "classname")?.stringValue == folder.file("rules.yaml") })
        }
        #expect(root.attribute(forName: "failures")?.stringValue == "\(failureCount)")
        #expect(
            suites[0].elements(forName: "testcase").map { $0.attribute(forName: "name")?.stringValue }
                == ["longest", "percentile", "count", "ends", "growth", "rate", "order", "machine", "nothing"])
        let failure = try #require(suites[0].elements(forName: "testcase")[0].elements(forName: "failure").first)
        #expect(failure.attribute(forName: "type")?.stringValue == "longest")
        #expect(failure.stringValue?.contains("begins to wait") ?? false)
        #expect(suites[1].elements(forName: "testcase")[0].elements(forName: "error").count == 1)
    }

    @Test func anXMLFileIsNotReplacedUnasked() throws {
        try folder.write("mine".utf8, to: "out.xml")
        let sample = PackagePaths.sample("hog")
        #expect(try check(Self.allKinds, [sample], ["--junit", folder.file("out.xml")]).status == 2)
        #expect(try folder.text("out.xml") == "mine")
    }

    // MARK: - Names that mean harm

    @Test func hostileNames() throws {
        let hostile = "\u{1b}[31m]]>&<a b='\"'>\r\n\u{0}\u{7}\u{9b}\u{202e}\u{fffe}\u{ffff}é"
        let script = EventScript()
        script.sync(at: 0)
        for time in [10, 30] as [Int64] {
            script.mark(.regionBegin, hostile, at: time, on: 5, stack: [hostile])
            script.mark(.log, hostile, at: time + 5, on: 5, task: 0, UInt64(script.string(hostile).rawValue))
        }
        script.sync(at: 50)
        try folder.write(try JSONLinesText.write(script).utf8, to: "hostile.jsonl")
        let rules = """
            events: {message: {kind: Log}}
            rules:
              - {name: "\\e[31m]]>&<a b='\\"'>\\r\\0\\ufffe", check: ends, of: region}
              - {name: logs, check: rate, of: message, under: 2, window: 1s}

            """
        let input = [folder.file("hostile.jsonl")]
        let text = try check(rules, input)
        #expect(text.status == 1, "\(text.errors)")
        let allowed = text.text.unicodeScalars.allSatisfy { scalar in
            scalar == "\n" || !(scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) || scalar == "\u{202e}")
        }
        #expect(allowed && text.text.contains("\\x1b[31m"))
        let report = try JSONValue(try check(rules, input, ["--json"]).text)
        let line = report["findings"]?.array[1]["examples"]?.array[0]["evidence"]?.array[0]["text"]?.string
        #expect(line?.contains(hostile) ?? false)
        let document = try junit(rules, input)
        let cases = document.rootElement()?.elements(forName: "testsuite")[0].elements(forName: "testcase") ?? []
        #expect(cases.count == 2)
        #expect(cases[0].attribute(forName: "name")?.stringValue?.hasPrefix("\\x1b[31m]]>&<a b='\"'>") ?? false)
        #expect(cases[1].elements(forName: "failure").first?.stringValue?.contains("]]>&<a b='\"'>") ?? false)
        let bytes = try folder.read("out.xml")
        #expect(!bytes.contains(0x1b) && !bytes.contains(0))
        let excerpts = try check(rules, input, ["--excerpt-dir", folder.file("x")])
        #expect(excerpts.status == 1)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("x")).sorted()
        #expect(names == ["1-31m-a-b-1.pftrace", "2-logs-1.pftrace"])
    }
}
