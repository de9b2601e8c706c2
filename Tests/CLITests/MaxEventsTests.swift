import Testing
import VestigeTestSupport

/// `--max-events` refuses what is too much for a viewer, before an output appears.
@Suite struct MaxEventsTests {
    private let sample = PackagePaths.sample("orders")

    private func eventCount() throws -> Int {
        let result = try CommandLineTool.run(["convert", "-q", sample, "--to", "null"])
        return try #require(result.text.split(separator: " ").first.flatMap { Int($0) })
    }

    @Test func asManyAsThereAreIsEnoughAndOneLessIsNot() throws {
        let folder = try TemporaryFolder()
        let count = try eventCount()
        let enough = try CommandLineTool.run(
            ["convert", "-q", sample, "-o", folder.file("a.json"), "--max-events", "\(count)"])
        #expect(enough.status == 0)
        let refused = try CommandLineTool.run(
            ["convert", "-q", sample, "-o", folder.file("b.json"), "--max-events", "\(count - 1)"])
        #expect(refused.status == 2)
        #expect(folder.names == ["a.json"])
        #expect(
            refused.errors == "vestige: \(sample): expected at most \(count - 1) events (--max-events), found more; "
                + "try --to perfetto, of which viewers take more, or a larger --max-events\n")
    }

    @Test func anOutputThatExistsStaysAsItIs() throws {
        let folder = try TemporaryFolder()
        try folder.write("mine".utf8, to: "out.json")
        let result = try CommandLineTool.run(
            ["convert", "-f", sample, "-o", folder.file("out.json"), "--max-events", "10"])
        #expect(result.status == 2)
        #expect(folder.names == ["out.json"])
        #expect(try folder.text("out.json") == "mine")
    }

    @Test(arguments: ["perfetto", "csv", "jsonl"])
    func noAdviceThatDoesNotHelp(_ format: String) throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(
            ["convert", sample, "--to", format, "-o", folder.file("out"), "--max-events", "10"])
        #expect(result.status == 2)
        #expect(result.errors.hasSuffix("found more; try a larger --max-events\n"))
        #expect(folder.names.isEmpty)
    }

    @Test(arguments: [("0.5k", 500), ("0.608k", 608), ("600", 600)])
    func countsThatAreTooSmall(_ count: String, _ limit: Int) throws {
        let result = try CommandLineTool.run(["convert", sample, "--to", "null", "--max-events", count])
        #expect(result.status == 2)
        #expect(result.errors.contains("expected at most \(limit) events"))
    }

    @Test(arguments: ["1k", "500K", "1M", "1.5M", "2G", "18446744073709551615"])
    func countsThatAreEnough(_ count: String) throws {
        let result = try CommandLineTool.run(["convert", "-q", sample, "--to", "null", "--max-events", count])
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test(arguments: [
        "0", "0k", "x", "k", "", "1e6", "1.", ".5k", "1.5", "0.0001k", "1,000", "18446744073709551616", "99999999999G",
    ])
    func countsThatMakeNoSense(_ count: String) throws {
        let result = try CommandLineTool.run(["convert", sample, "--to", "null", "--max-events", count])
        #expect(result.status == 2)
        #expect(result.errors.hasPrefix("vestige: the value '\(count)' is invalid for '--max-events <count>'"))
    }
}
