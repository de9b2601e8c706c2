import Foundation
import Testing
import VestigeTestSupport

/// `vestige ghosts`: what it says, how it can be asked, and how it exits.
@Suite struct GhostsCommandTests {
    private static let channels = "\(GhostLabels.folder)/tuning/channels/1.27.trace.zst"
    private static let waits = "\(GhostLabels.folder)/tuning/waits/1.27.trace.zst"
    private static let services = "\(GhostLabels.folder)/heldout/services/1.27.trace.zst"

    @Test func aFindingIsASentenceWithItsEvidence() throws {
        let result = try CommandLineTool.run(["ghosts", Self.channels])
        #expect(result.status == 1)
        #expect(result.text.contains("created at main.go:31 wait to receive from a channel at main.go:33"))
        #expect(result.text.contains("has left the function in which it did"))
        #expect(result.text.contains("still there at the end"))
        #expect(result.text.contains("   last woken    by G1 at "))
        #expect(result.text.contains("   shown by      vestige view \(Self.channels) --goroutine "))
        #expect(result.text.contains("findings: 6 leaked, "))
    }

    @Test func healthyProgramsHaveNone() throws {
        for input in [Self.waits, Self.services] {
            let result = try CommandLineTool.run(["ghosts", input])
            #expect(result.status == 0)
            #expect(result.text == "no ghosts\n")
        }
    }

    @Test func anOutputThatExistsIsRefusedBeforeTheSearch() throws {
        let folder = try TemporaryFolder()
        try folder.write("mine".utf8, to: "out.pftrace")
        // An input that cannot be read shows that nothing was read yet.
        let output = folder.file("out.pftrace")
        let result = try CommandLineTool.run(["ghosts", "nosuch", "-o", output])
        #expect(result.status == 2)
        #expect(result.text.isEmpty && result.errors.contains("-f to overwrite"), "\(result.errors)")
        #expect(try folder.read("out.pftrace") == Data("mine".utf8))
        #expect(try CommandLineTool.run(["ghosts", Self.waits, "-o", output, "-f", "-q"]).status == 0)
        #expect(try folder.read("out.pftrace").count > 1000)
        let lines = try CommandLineTool.run(["ghosts", Self.waits, "-o", folder.file("out"), "--to", "jsonl", "-q"])
        #expect(lines.status == 0, "\(lines.errors)")
        #expect(try folder.read("out").first == UInt8(ascii: "{"))
    }

    /// Of itself, with all other rules switched off, each spares some goroutines that are named without it.
    @Test(arguments: [
        "idle-workers", "tickers", "working-peers", "working-children", "signal-waiters", "living-creator",
        "system-goroutines",
    ])
    func aRuleSparesWhatIsNamedWithoutIt(_ rule: String) throws {
        let rules = try CommandLineTool.run(["ghosts", "--rules"]).text.split(separator: "\n").map {
            String($0.prefix { $0 != " " })
        }
        let report = { (off: [String]) in
            try GhostReports.read([Self.waits, "--stuck-after", "2ms"] + off.flatMap { ["--no-rule", $0] })
        }
        let (with, without) = (try report(rules.filter { $0 != rule }), try report(rules))
        #expect((with.spared[rule] ?? 0) > 0)
        #expect(without.spared.isEmpty)
        let named = { (report: GhostReports) in report.findings.reduce(0) { $0 + $1.count } }
        #expect(named(without) > named(with) || rule == "system-goroutines")
    }

    @Test func rulesAreListedAndUnknownOnesRefused() throws {
        let list = try CommandLineTool.run(["ghosts", "--rules"])
        #expect(list.status == 0)
        let documentation = try String(contentsOfFile: "\(PackagePaths.root)/docs/ghosts.md", encoding: .utf8)
        for line in list.text.split(separator: "\n") {
            let name = line.prefix { $0 != " " }
            #expect(documentation.contains("`\(name)`"), "\(name) is not explained")
        }
        let wrong = try CommandLineTool.run(["ghosts", Self.waits, "--no-rule", "idle-worker"])
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("idle-workers"))
    }

    @Test func thresholdsDecide() throws {
        #expect(
            try GhostReports.read([Self.channels, "--stuck-after", "10s"]).findings.allSatisfy { $0.class == "leaked" })
        let running = "\(GhostLabels.folder)/tuning/running/1.27.trace.zst"
        #expect(try GhostReports.read([running]).findings.contains { $0.class == "hog" })
        let patient = try GhostReports.read([running, "--hog-after", "10s", "--starved-after", "10s"])
        #expect(patient.findings.isEmpty)
    }

    @Test func aQuerySelects() throws {
        let all = try GhostReports.read([Self.channels])
        let one = try #require(all.findings.first { $0.class == "stuck" }?.goroutines.first)
        let part = try GhostReports.read([Self.channels, "--goroutine", "\(one)"])
        #expect(part.findings.map(\.goroutines) == [[one]])
        #expect(part.findings[0].class == "stuck")
    }

    @Test func aBaselineLeavesOutWhatItKnows() throws {
        let folder = try TemporaryFolder()
        let report = try CommandLineTool.run(["ghosts", Self.channels, "--json", "-q"])
        try folder.write(report.output, to: "known.json")
        let same = try GhostReports.read([Self.channels, "--baseline", folder.file("known.json")])
        #expect(same.findings.isEmpty)
        #expect(same.known > 5)
        // The same program recorded with another Go version has the same findings.
        let other = "\(GhostLabels.folder)/tuning/channels/1.24.trace.zst"
        #expect(try GhostReports.read([other, "--baseline", folder.file("known.json")]).known > 5)
        let locks = "\(GhostLabels.folder)/tuning/locks/1.27.trace.zst"
        let fresh = try GhostReports.read([locks, "--baseline", folder.file("known.json")])
        #expect(!fresh.findings.isEmpty && fresh.known == 0)
        try folder.write(Array("{}".utf8), to: "wrong.json")
        let wrong = try CommandLineTool.run(["ghosts", Self.channels, "--baseline", folder.file("wrong.json")])
        #expect(wrong.status == 3)
        #expect(wrong.errors.contains("a report of `vestige ghosts --json`"))
    }

    @Test(arguments: ["marked.json", "marked.perfetto.json", "marked.jsonl", "marked-csv/"])
    func marksAreInEveryFormat(_ name: String) throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(["ghosts", Self.channels, "-o", folder.file(name), "-q"])
        #expect(result.status == 1)
        let script = "grep -rac 'ghost: stuck' '\(folder.file(name))'"
        let count = try CommandLineTool.shell(script).text
        #expect(count.split(separator: "\n").contains { !$0.hasSuffix(":0") && $0 != "0" })
        let again = try CommandLineTool.run(["ghosts", Self.channels, "-o", folder.file(name), "-q"])
        #expect(again.status == 2)
    }

    /// Perfetto's own format is compressed, so only its size tells here.
    @Test func marksAreInPerfettosFormat() throws {
        let folder = try TemporaryFolder()
        _ = try CommandLineTool.run(["convert", Self.channels, "-o", folder.file("plain.pftrace"), "-q"])
        _ = try CommandLineTool.run(["ghosts", Self.channels, "-o", folder.file("marked.pftrace"), "-q"])
        #expect(try folder.read("marked.pftrace").count > folder.read("plain.pftrace").count + 500)
    }

    /// Marks stand on the goroutines that were found, from when they are silent.
    @Test func marksAreOnTheGoroutinesTracks() throws {
        let folder = try TemporaryFolder()
        _ = try CommandLineTool.run(["ghosts", Self.channels, "-o", folder.file("m.jsonl"), "-q"])
        let found = try #require(try GhostReports.read([Self.channels]).classes)
        var marked: [Int64: String] = [:]
        for line in try folder.text("m.jsonl").split(separator: "\n") {
            let event = try JSONValue(line)
            guard event["kind"]?.string == "RegionBegin", let type = event["type"]?.string, type.hasPrefix("ghost: "),
                case .integer(let goroutine)? = event["g"]
            else { continue }
            marked[goroutine] = String(type.dropFirst("ghost: ".count))
        }
        #expect(marked == found)
    }

    /// A hog's mark begins where it began to run, and ends before the goroutine does, so that the two pair.
    @Test func aHogIsMarkedWhereItRuns() throws {
        let folder = try TemporaryFolder()
        let trace = "\(GhostLabels.folder)/tuning/running/1.27.trace.zst"
        _ = try CommandLineTool.run(["ghosts", trace, "-o", folder.file("m.jsonl"), "-q"])
        var running: Set<Int64> = []
        var marked: Set<Int64> = []
        var beginCount = 0
        for line in try folder.text("m.jsonl").split(separator: "\n") {
            let event = try JSONValue(line)
            let kind = event["kind"]?.string
            if event["resource"]?.string == "goroutine", case .integer(let subject)? = event["id"] {
                if event["to"]?.string == "Running" { running.insert(subject) } else { running.remove(subject) }
            }
            guard event["type"]?.string == "ghost: hog", case .integer(let goroutine)? = event["g"] else { continue }
            if kind == "RegionBegin" {
                beginCount += 1
                #expect(running.contains(goroutine))
                marked.insert(goroutine)
            } else {
                #expect(marked.remove(goroutine) != nil)
            }
        }
        #expect(beginCount > 1)
        #expect(marked.isEmpty)
    }

    @Test func anArchiveIsAllItsEntries() throws {
        let folder = try TemporaryFolder()
        let made = try CommandLineTool.run([
            "archive", "create", folder.file("a.vestige"), Self.channels, Self.waits, "-q",
        ])
        #expect(made.status == 0, "\(made.errors)")
        let result = try CommandLineTool.run(["ghosts", folder.file("a.vestige")])
        #expect(result.status == 1)
        #expect(result.text.contains("no ghosts"))
        #expect(result.text.contains("findings: 6 leaked"))
    }

    @Test func badRequestsAreRefused() throws {
        #expect(try CommandLineTool.run(["ghosts"]).status == 2)
        #expect(try CommandLineTool.run(["ghosts", Self.waits, "--json", "--sarif"]).status == 2)
        #expect(try CommandLineTool.run(["ghosts", "/nowhere.trace"]).status == 3)
    }

    // MARK: - SARIF

    /// What SARIF 2.1.0 requires of each object that is used (sections 3.13 to 3.44 of the standard), and the types.
    @Test func sarifHasWhatTheStandardRequires() throws {
        let result = try CommandLineTool.run(["ghosts", Self.channels, "--sarif", "-q"])
        #expect(result.status == 1)
        let log = try JSONValue(result.text)
        #expect(log["version"]?.string == "2.1.0")
        #expect(log["$schema"]?.string?.hasSuffix("sarif-schema-2.1.0.json") == true)
        let run = try #require(log["runs"]?.array.first)
        let driver = try #require(run["tool"]?["driver"])
        #expect(driver["name"]?.string == "vestige")
        let rules = try #require(driver["rules"]?.array)
        let ids = rules.compactMap { $0["id"]?.string }
        #expect(ids.count == 6 && Set(ids).count == 6)
        let results = try #require(run["results"]?.array)
        #expect(results.count == (try GhostReports.read([Self.channels])).findings.count)
        for item in results {
            let index = try #require(item["ruleIndex"]?.double.map { Int($0) })
            #expect(item["ruleId"]?.string == ids[index])
            #expect(["error", "warning"].contains(item["level"]?.string))
            #expect(item["message"]?["text"]?.string?.isEmpty == false)
            #expect(item["partialFingerprints"]?["vestigeGhost/v1"]?.string?.count ?? 0 >= 16)
            let locations = try #require(item["locations"]?.array)
            for location in locations {
                let physical = try #require(location["physicalLocation"])
                #expect(physical["artifactLocation"]?["uri"]?.string?.isEmpty == false)
                #expect(physical["region"]?["startLine"]?.double ?? 0 >= 1)
            }
            for stack in item["stacks"]?.array ?? [] {
                let frames = stack["frames"]?.array ?? []
                #expect(frames.count > 0)
            }
        }
    }
}
