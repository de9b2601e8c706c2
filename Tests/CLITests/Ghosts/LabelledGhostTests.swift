import Foundation
import Testing
import VestigeTestSupport

/// Programs that say of each of their goroutines what it is, recorded with several versions of Go: the command must
/// find what is wrong, and nothing else.
@Suite struct LabelledGhostTests {
    private static let classes = ["leaked", "stuck", "orphan", "piling up", "hog", "starved"]

    private struct Tally {
        var right = 0
        var wrong = 0
        var missed = 0
        var precision: Double { Double(right) / Double(max(1, right + wrong)) }
        var recall: Double { Double(right) / Double(max(1, right + missed)) }
    }

    @Test func precisionAndRecallOfEachClass() throws {
        var tallies: [String: Tally] = [:]
        var (healthyCount, recordings) = (0, 0)
        var versions: [String: Set<String>] = [:]
        for set in ["tuning", "heldout", "blind"] {
            let folder = "\(GhostLabels.folder)/\(set)"
            for program in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            where !program.hasSuffix(".go") {
                for file in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(program)").sorted()
                where file.hasSuffix(".trace.zst") {
                    let version = String(file.dropLast(".trace.zst".count))
                    let labels = try GhostLabels.read("\(folder)/\(program)/\(version).labels")
                    let found = try #require(
                        try GhostReports.read(["\(folder)/\(program)/\(file)"]).classes, "\(program) \(version)")
                    recordings += 1
                    healthyCount += labels.values.count { $0 == "healthy" }
                    for goroutine in Set(labels.keys).union(found.keys) {
                        let (expected, actual) = (labels[goroutine] ?? "healthy", found[goroutine] ?? "healthy")
                        versions[expected, default: []].insert(version)
                        if expected == actual {
                            tallies[expected, default: Tally()].right += 1
                        } else {
                            tallies[expected, default: Tally()].missed += 1
                            tallies[actual, default: Tally()].wrong += 1
                        }
                    }
                }
            }
        }
        #expect(recordings == 168)
        #expect(healthyCount >= 10_000)
        for name in Self.classes {
            let tally = tallies[name] ?? Tally()
            #expect(tally.right + tally.missed >= 20, "\(name): \(tally)")
            #expect((versions[name] ?? []).count == 6, "\(name)")
            #expect(tally.precision >= 0.98, "\(name): \(tally)")
            #expect(tally.recall >= 0.98, "\(name): \(tally)")
        }
    }

    /// What is forgotten, one each interval: told from the server around it, however little of it is recorded.
    @Test(arguments: ["ten-generations", "flight", "killed"])
    func partsOfARecordingAreJudgedRightly(_ name: String) throws {
        let base = "\(GhostLabels.folder)/windows/\(name)"
        let labels = try GhostLabels.read(base + ".labels")
        let report = try GhostReports.read([base + ".trace.zst"])
        let found = try #require(report.classes)
        let stuck = Set(labels.filter { $0.value == "stuck" }.keys)
        #expect(Set(found.keys).isSubset(of: stuck))
        #expect(found.values.allSatisfy { $0 == "stuck" })
        // A process that is killed takes along what it has not written yet.
        if name != "killed" { #expect(Set(found.keys) == stuck) } else { #expect(found.count >= 10) }
        #expect(report.findings.count == 1)
        if name != "flight" { #expect(report.findings[0].also == ["piling up"]) }
    }

    /// Everything that a report says is in its schema.
    @Test(arguments: ["tuning/channels/1.27", "tuning/piles/1.22", "heldout/running/1.24", "windows/flight"])
    func reportsKeepToTheirSchema(_ name: String) throws {
        let schema = URL(fileURLWithPath: "\(PackagePaths.root)/Schemas/ghosts/report.schema.json")
        let result = try CommandLineTool.run(["ghosts", "--json", "-q", "\(GhostLabels.folder)/\(name).trace.zst"])
        let defects = try JSONSchemaCheck(contentsOf: schema).defects(of: JSONValue(result.text))
        #expect(defects == [])
    }
}
