import Testing
import VestigeTestSupport

/// `convert --min-span` merges short spans and says so.
@Suite struct MinSpanTests {
    private let sample = PackagePaths.sample("pipeline")

    @Test(arguments: ["chrome", "perfetto", "perfetto-json"])
    func smallerFiles(_ format: String) throws {
        let folder = try TemporaryFolder()
        let convert = ["convert", sample, "--to", format, "--views", "all"]
        let whole = try CommandLineTool.run(convert + ["-o", folder.file("whole")])
        let thin = try CommandLineTool.run(convert + ["-o", folder.file("thin"), "--min-span", "10us"])
        #expect(whole.status == 0 && thin.status == 0)
        #expect(try folder.read("thin").count < folder.read("whole").count)
        #expect(!whole.errors.contains("shorter"))
        #expect(thin.errors.contains(" spans shorter than 10.000 µs merged into "), "\(thin.errors)")
    }

    @Test func nothingThatCouldBeMerged() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(["convert", sample, "-o", folder.file("a.pftrace"), "--min-span", "1ms"])
        #expect(result.status == 0 && result.errors.contains("; no spans shorter than 1.000 ms to merge"))
    }

    @Test func nothingToMerge() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(["convert", sample, "-o", folder.file("a.json"), "--min-span", "1ns"])
        #expect(result.errors.contains("; no spans shorter than 1 ns to merge"))
    }

    @Test func partsAreThinnedToo() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(
            ["convert", sample, "-o", folder.file("a.json"), "--min-span", "0.02ms", "--split", "200-events"])
        #expect(result.status == 0)
        #expect(try folder.text("a-001.json").contains(" short spans\""))
        #expect(try folder.text("a-002.json").contains("\"spans shorter than this many ns are merged\":20000"))
    }

    @Test(arguments: ["10", "us", "-1us", "0us", "1.5ns", "1h", "9223372037s", "1.us", ".5us", "1.2.3us"])
    func durations(_ duration: String) throws {
        let result = try CommandLineTool.run(["convert", sample, "--to", "chrome", "-o", "-", "--min-span=\(duration)"])
        #expect(result.status == 2)
        #expect(result.errors.contains("'\(duration)' is invalid for '--min-span <duration>'"))
    }

    @Test(arguments: ["csv", "jsonl", "null"])
    func formatsForNoViewer(_ format: String) throws {
        let result = try CommandLineTool.run(["convert", sample, "--to", format, "--min-span", "10us"])
        #expect(result.status == 2)
        #expect(result.errors.contains("expected no --min-span for \(format)"))
    }
}
