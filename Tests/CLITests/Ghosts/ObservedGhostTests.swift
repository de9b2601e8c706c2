import Foundation
import Testing
import VestigeTestSupport

/// Ghosts in dumps and debugger snapshots, alone and beside the recording of the same run.
@Suite struct ObservedGhostTests {
    private struct Truth: Decodable {
        var kind: String
        var goid: Int64?
        var role: String?
        var leaked: Bool?
    }

    private func truth(_ set: String) throws -> [Truth] {
        try String(contentsOfFile: set + "/truth.jsonl", encoding: .utf8).split(separator: "\n").compactMap {
            try? JSONDecoder().decode(Truth.self, from: Data($0.utf8))
        }.filter { $0.kind == "goroutine" }
    }

    /// Every goroutine that blocks for ever is named once, and what each tool says stands with it.
    @Test(arguments: Corpus.threeToolFolders)
    func threeToolsNameWhatBlocksForEver(_ set: String) throws {
        let has = { (path: String) in FileManager.default.fileExists(atPath: "\(set)/\(path)") }
        let phase = has("dumps/goroutine.C.debug2.txt") ? ("C", "03") : ("B", "02")
        let dump = ["dumps/goroutineleak.C.debug2.txt", "dumps/goroutine.B.debug2.txt"].first(where: has)!
        var inputs = ["trace.out", dump]
        let listing = "rpc/\(phase.1)-phase-\(phase.0)/list-goroutines.response.json"
        if has(listing) { inputs.append(listing) }
        let report = try GhostReports.read(inputs.map { "\(set)/\($0)" })
        let named = try #require(report.classes)
        let truth = try truth(set)
        let forEver = Set(truth.filter { $0.leaked == true }.compactMap(\.goid))
        #expect(forEver.count == 5)
        #expect(Set(named.filter { $0.value == "leaked" || $0.value == "stuck" }.keys) == forEver)
        let roles = Dictionary(truth.compactMap { entry in entry.goid.map { ($0, entry.role ?? "") } }) { $1 }
        for (goroutine, name) in named where !forEver.contains(goroutine) {
            // main is busy with writing profiles.
            let isBusy = roles[goroutine] == "hog" || goroutine == 1
            #expect(name == "hog" && isBusy, "G\(goroutine): \(name)")
        }
        for member in report.findings.flatMap(\.members) where forEver.contains(member.g ?? -1) {
            #expect(member.says.count == inputs.count - 1)
            #expect(member.says.allSatisfy { $0.state == "waiting" })
        }
        if phase.0 == "C" { #expect(forEver.allSatisfy { named[$0] == "leaked" }) }
    }

    /// The leak profile has no numbers: its stacks tell which goroutines it means.
    @Test(
        arguments: Corpus.threeToolFolders.filter {
            FileManager.default.fileExists(atPath: $0 + "/dumps/goroutineleak.C.debug0.pb.gz")
        })
    func aProfileWithoutNumbersProves(_ set: String) throws {
        let profile = set + "/dumps/goroutineleak.C.debug0.pb.gz"
        let report = try GhostReports.read([set + "/trace.out", profile, "--at", "\(profile)=8.34s"])
        let named = try #require(report.classes)
        let forEver = Set(try truth(set).filter { $0.leaked == true }.compactMap(\.goid))
        #expect(Set(named.filter { $0.value == "leaked" }.keys) == forEver)
    }

    @Test func aLeakProfileAloneProves() throws {
        for name in ["leak-debug1-1.27", "leak-debug2-1.27", "leak-profile-1.27"] {
            let folder = "\(PackagePaths.samples)/goroutine-dump/\(name)"
            let input = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                .first { $0.hasPrefix("input") || $0.hasPrefix(name) || $0.hasSuffix(".txt") || $0.hasSuffix(".gz") }
            let report = try GhostReports.read(["\(folder)/\(try #require(input))"])
            #expect(!report.findings.isEmpty, "\(name)")
            #expect(report.findings.allSatisfy { $0.class == "leaked" }, "\(name)")
        }
    }

    private func dump(_ goroutines: [String]) throws -> GhostReports {
        let folder = try TemporaryFolder()
        try folder.write(Array((goroutines.joined(separator: "\n\n") + "\n").utf8), to: "dump.txt")
        return try GhostReports.read([folder.file("dump.txt")])
    }

    private func goroutine(_ number: Int, _ header: String, _ function: String = "main.work") -> String {
        """
        goroutine \(number) [\(header)]:
        \(function)()
        \t/app/main.go:10 +0x1d
        created by main.main in goroutine 1
        \t/app/main.go:20 +0x5
        """
    }

    @Test func aDumpAloneTellsWhatOneMomentCan() throws {
        let report = try dump([
            goroutine(1, "select (no cases)", "main.main"), goroutine(2, "chan send (nil chan)"),
            goroutine(3, "sync.Mutex.Lock, 3 minutes"), goroutine(4, "sync.Mutex.Lock"),
            goroutine(5, "chan receive, 9 minutes"), goroutine(6, "IO wait, 9 minutes"), goroutine(7, "running"),
        ])
        #expect(report.classes == [2: "leaked", 3: "stuck"])
    }

    @Test func aCrowdInADumpIsAPile() throws {
        let many = (1...120).map { goroutine($0 + 10, "chan receive") }
        let report = try dump(many + (1...200).map { goroutine($0 + 200, "IO wait") })
        #expect(report.findings.map(\.class) == ["piling up"])
        #expect(report.findings[0].count == 120)
    }

    @Test func aDeadlockProvesThatAllAreStuck() throws {
        let folder = try TemporaryFolder()
        let text =
            "fatal error: all goroutines are asleep - deadlock!\n\n" + goroutine(1, "chan receive", "main.main")
            + "\n\n"
            + goroutine(2, "sync.WaitGroup.Wait") + "\n"
        try folder.write(Array(text.utf8), to: "dump.txt")
        #expect(try GhostReports.read([folder.file("dump.txt")]).classes == [1: "stuck", 2: "stuck"])
    }
}
