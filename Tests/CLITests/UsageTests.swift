import Testing
import VestigeTestSupport

/// Requests that make no sense: exit code 2, one clear sentence, nothing written.
@Suite struct UsageTests {
    @Test(arguments: [
        ["convert"], ["info"], ["convert", "--no-such-option", "x"], ["--no-such-option"],
        ["convert", "x", "--to"],
    ])
    func argumentsThatDoNotParse(_ arguments: [String]) throws {
        let result = try CommandLineTool.run(arguments)
        #expect(result.status == 2)
        #expect(result.text.isEmpty)
        #expect(result.errors.hasPrefix("vestige: "))
        #expect(result.errors.contains("Usage: vestige"))
    }

    @Test func unknownSubcommand() throws {
        let result = try CommandLineTool.run(["convrt", "x"])
        #expect(result.status == 2)
        #expect(result.errors.contains("found \"convrt\"; did you mean convert?"))
    }

    @Test(arguments: [("jsnol", "jsonl"), ("chrom", "chrome"), ("nul", "null")])
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

    @Test func helpOnWhatThereIsNot() throws {
        let result = try CommandLineTool.run(["help", "convrt"])
        #expect(result.status == 2)
        #expect(result.text.isEmpty)
        #expect(result.errors.contains("found \"convrt\"; did you mean convert?"))
    }

    @Test func suffixGivenAsFormat() throws {
        let result = try CommandLineTool.run(["convert", PackagePaths.sample("hog"), "--to", "json"])
        #expect(result.status == 2)
        #expect(result.errors.contains("did you mean chrome?"))
    }

    @Test(arguments: ["jsonl", "csv", "null"])
    func flowsOfAFormatWithoutFlows(_ format: String) throws {
        let folder = try TemporaryFolder()
        let place = format == "null" ? [] : ["-o", folder.file("out")]
        let result = try CommandLineTool.run(
            ["convert", PackagePaths.sample("hog"), "--to", format, "--flows", "none"] + place)
        #expect(result.status == 2)
        #expect(result.errors.contains("expected no --flows for \(format)"))
        #expect(folder.names.isEmpty)
    }

    @Test(arguments: ["", "creates", "creation,", "creation;channel"])
    func unknownFlows(_ kinds: String) throws {
        let result = try CommandLineTool.run(["convert", PackagePaths.sample("hog"), "--flows", kinds, "-o", "-"])
        #expect(result.status == 2)
        #expect(result.errors.contains("invalid for '--flows <kinds>'"))
    }

    @Test(arguments: [
        ("all", "creates wakes channel"), ("creation,channel", "creates channel"), ("WakeUp", "wakes"), ("none", ""),
    ]) func chosenFlows(_ kinds: String, _ names: String) throws {
        let result = try CommandLineTool.run([
            "convert", PackagePaths.sample("pipeline"), "--flows", kinds, "-o", "-", "--to", "chrome",
        ])
        #expect(result.status == 0)
        for name in ["creates", "wakes", "channel"] {
            let isThere = result.text.contains("\"cat\":\"flow\"") && result.text.contains(",\"name\":\"\(name)")
            #expect(isThere == names.contains(name), "\(name)")
        }
    }

    @Test(arguments: [
        ("--views", "procs,trees", "invalid for '--views <views>'"), ("--views", "", "invalid for '--views <views>'"),
        ("--views", "scheduler", "expected a view that chrome has, or --to perfetto"),
        ("--to", "csv", "expected no --views for csv"),
    ]) func viewsThatAreNone(_ option: String, _ value: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        let views = option == "--views" ? [] : ["--views", "procs"]
        let result = try CommandLineTool.run(
            [
                "convert", PackagePaths.sample("hog"), "-o", folder.file(value == "csv" ? "out" : "out.json"), option,
                value,
            ] + views)
        #expect(result.status == 2)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(folder.names.isEmpty)
    }

    @Test(arguments: ["tables.gz", "tables.zst/", "TABLES.GZ"])
    func folderWithASuffixForCompression(_ name: String) throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(
            ["convert", PackagePaths.sample("hog"), "--to", "csv", "-o", name], in: folder.path)
        #expect(result.status == 2)
        #expect(result.errors.contains("-o NAME.csv.zst --table "))
        #expect(folder.names.isEmpty)
    }

    @Test func fileNameThatIsNotUTF8() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            "cp '\(PackagePaths.sample("hog"))' $'caf\\xe9'; vestige info $'caf\\xe9' || vestige info -q - < caf*",
            in: folder.path)
        #expect(result.status == 0)
        #expect(result.errors.hasPrefix("vestige: expected file names in UTF-8"))
        #expect(result.text.contains("gotrace-v2"))
    }

    @Test func fileNameWithALeadingDash() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "-x.trace")
        let result = try CommandLineTool.run(["convert", "-x.trace"], in: folder.path)
        #expect(result.status == 2)
        #expect(result.errors.contains("the file -x.trace is given as ./-x.trace"))
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
