import Testing
import VestigeTestSupport

/// Requests that make no sense: exit code 2, one clear sentence, nothing written.
@Suite struct UsageTests {
    @Test(arguments: [
        ["convert"], ["info"], ["convert", "--no-such-option", "x"], ["convert", "a", "b"], ["--no-such-option"],
        ["convert", "x", "--to"],
    ])
    func argumentsThatDoNotParse(_ arguments: [String]) throws {
        let result = try CommandLineTool.run(arguments)
        #expect(result.status == 2)
        #expect(result.text.isEmpty)
        #expect(result.errors.contains("Usage: vestige"))
    }

    @Test func unknownSubcommand() throws {
        let result = try CommandLineTool.run(["convrt", "x"])
        #expect(result.status == 2)
        #expect(result.errors.contains("found \"convrt\"; did you mean convert?"))
    }

    @Test(arguments: [("jsnol", "jsonl"), ("JSONL", "jsonl"), ("chrom", "chrome"), ("nul", "null")])
    func unknownFormatNamesTheNearest(_ name: String, _ meant: String) throws {
        let result = try CommandLineTool.run(["convert", PackagePaths.sample("hog"), "--to", name])
        #expect(result.status == 2)
        #expect(result.errors.contains("found \"\(name)\"; did you mean \(meant)?"))
    }

    @Test func formatThatResemblesNothing() throws {
        let result = try CommandLineTool.run(["convert", PackagePaths.sample("hog"), "--to", "xylophone"])
        #expect(result.status == 2)
        #expect(!result.errors.contains("did you mean"))
        #expect(result.errors.contains("null"))
    }

    @Test func unknownTable() throws {
        let result = try CommandLineTool.run(["convert", PackagePaths.sample("hog"), "--to", "csv", "--table", "span"])
        #expect(result.status == 2)
        #expect(result.errors.contains("did you mean spans?"))
    }

    @Test func tableOfAFormatWithoutTables() throws {
        let result = try CommandLineTool.run(["convert", PackagePaths.sample("hog"), "--to", "null", "--table", "x"])
        #expect(result.status == 2)
        #expect(result.errors.contains("expected no --table for null"))
    }

    @Test func outputWhoseSuffixSaysNothing() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(["convert", PackagePaths.sample("hog"), "-o", folder.file("out.xyz")])
        #expect(result.status == 2)
        #expect(result.errors.contains("expected a suffix that names a format"))
        #expect(folder.names.isEmpty)
    }

    @Test func standardInputNeedsAFormat() throws {
        let result = try CommandLineTool.run(["convert", "-"])
        #expect(result.status == 2)
        #expect(result.errors.contains("--to FORMAT"))
    }

    @Test func outputThatExistsStays() throws {
        let folder = try TemporaryFolder()
        try folder.write("mine".utf8, to: "out.jsonl")
        let arguments = ["convert", PackagePaths.sample("hog"), "-o", folder.file("out.jsonl")]
        let refused = try CommandLineTool.run(arguments)
        #expect(refused.status == 2)
        #expect(refused.errors.contains("found a file that exists"))
        #expect(try folder.text("out.jsonl") == "mine")
        let forced = try CommandLineTool.run(arguments + ["-f"])
        #expect(forced.status == 0)
        #expect(try folder.text("out.jsonl").hasPrefix("{"))
        #expect(folder.names == ["out.jsonl"])
    }

    @Test func outputOverTheInput() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            "cp '\(PackagePaths.sample("hog"))' in.jsonl; ln in.jsonl out.jsonl; "
                + "vestige convert in.jsonl -o out.jsonl -f; code=$?; cmp in.jsonl out.jsonl || exit 99; exit $code",
            in: folder.path)
        #expect(result.status == 2)
        #expect(result.errors.contains("found the input itself"))
    }

    @Test func formatThatWritesNothingTakesNoOutput() throws {
        let folder = try TemporaryFolder()
        let arguments = ["convert", PackagePaths.sample("hog"), "--to", "null", "-o", folder.file("x")]
        #expect(try CommandLineTool.run(arguments).status == 2)
        #expect(folder.names.isEmpty)
    }
}
