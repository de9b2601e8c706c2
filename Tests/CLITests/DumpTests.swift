import Testing
import VestigeTestSupport

/// Goroutine dumps through the command.
@Suite struct DumpTests {
    private func sample(_ name: String, _ suffix: String = "txt") -> String {
        "\(PackagePaths.samples)/goroutine-dump/\(name)/\(name).\(suffix)"
    }

    @Test func convertGivesOneLineForEachGoroutine() throws {
        let path = sample("leak-debug2-1.27")
        let lines = try CommandLineTool.run(["convert", "-q", path, "--to", "jsonl", "-o", "-"]).text
            .split(separator: "\n").map { try JSONValue($0) }.filter { $0["kind"] == .string("Observed") }
        #expect(lines.count == 14)
        let leaked = lines.filter { $0["leaked"] == .bool(true) }
        #expect(leaked.count == 5)
        let receiver = leaked.first { $0["reason"] == .string("chan receive") && $0["locked"] == nil }
        #expect(receiver?["state"] == .string("waiting"))
        #expect(receiver?["stack"]?.array.last?.string?.hasPrefix("main.leak.func1 waits/main.go:") == true)
        #expect(receiver?["created_by"]?["func"] == .string("main.leak"))
    }

    @Test func infoCountsGoroutinesByState() throws {
        let text = try CommandLineTool.run(["info", sample("leak-debug2-1.27"), sample("profile-1.27", "pb.gz")]).text
        #expect(text.contains("goroutines observed             14\n"))
        #expect(text.contains("1 Running"))
        #expect(text.contains("proved to leak                5\n"))
        #expect(text.contains(" groups without numbers\n"))
        #expect(text.contains("clock                           wall clock"))
        #expect(!text.contains("procs"))
    }

    @Test func infoAsJSON() throws {
        let text = try CommandLineTool.run(["info", "--json", sample("leak-debug1-1.27")]).text
        let observed = try JSONValue(text)["observed"]
        #expect(observed?["total"] == .integer(5))
        #expect(observed?["leaked"] == .integer(5))
        #expect(observed?["by_state"] == .object(["Waiting": .integer(5)]))
    }

    @Test func aCutDumpIsALoss() throws {
        let result = try CommandLineTool.run(["convert", "--strict", sample("cut"), "--to", "null"])
        #expect(result.status == 4)
        #expect(result.errors.contains("1 stack is cut off"))
    }

    @Test func aTextWithoutADumpIsRefused() throws {
        let result = try CommandLineTool.run(
            ["info", "-"], input: Array("goroutine pool started\nworker goroutine 5 [busy]\n".utf8))
        #expect(result.status == 3)
        #expect(
            result.errors.contains(
                "text beginning with \"goroutine pool started\" without a goroutine dump in its 2 lines"))
    }

    @Test func bothFormatsAreListed() throws {
        let text = try CommandLineTool.run(["formats"]).text
        #expect(text.contains("  goroutine-dump "))
        #expect(text.contains("  pprof "))
    }

    @Test func observationsAreATable() throws {
        let result = try CommandLineTool.run(
            ["convert", "-q", sample("labels-1.27"), "--to", "csv", "--table", "observations", "-o", "-"])
        #expect(result.status == 0)
        let rows = result.text.split(separator: "\r\n")
        #expect(rows.first?.hasPrefix("sequence,time_ns,clock_ns,goroutine,count,state,reason,") == true)
        #expect(rows.count == 15)
        #expect(result.text.contains("path=/orders/{id}; tenant=blue"))
    }
}
