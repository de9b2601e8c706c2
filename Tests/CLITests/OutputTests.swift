import Foundation
import Testing
import VestigeTestSupport

/// Places for the output, good and bad.
@Suite struct OutputTests {
    private let sample = PackagePaths.sample("pipeline")

    @Test func besideTheInput() throws {
        let folder = try TemporaryFolder()
        try folder.write(Data(contentsOf: URL(fileURLWithPath: sample)), to: "a.b.trace")
        let result = try CommandLineTool.run(["convert", "a.b.trace", "--to", "jsonl"], in: folder.path)
        #expect(result.status == 0)
        #expect(result.text.isEmpty)
        #expect(result.errors.contains("a.b.trace → a.b.jsonl: "))
        #expect(folder.names == ["a.b.jsonl", "a.b.trace"])
    }

    @Test func nothingButThePictureIsAskedFor() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell("cp '\(sample)' p.trace; vestige convert p.trace", in: folder.path)
        #expect(result.status == 0)
        let picture = try JSONSerialization.jsonObject(with: folder.read("p.json")) as? [String: Any]
        #expect((picture?["traceEvents"] as? [Any])?.isEmpty == false)
    }

    @Test func quietSaysNothing() throws {
        let result = try CommandLineTool.run(["convert", "-q", sample, "-o", "-", "--to", "jsonl"])
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
    }

    @Test func allWaysInAndOutAreTheSame() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            """
            set -e; cp '\(sample)' p.trace; gzip -k p.trace; gzip -c p.trace.gz > twice.trace
            vestige convert -q p.trace -o file.jsonl
            vestige convert -q p.trace -o packed.jsonl.gz; gzip -d packed.jsonl.gz
            vestige convert -q p.trace -o - --to jsonl > stdout.jsonl
            vestige convert -q p.trace.gz -o unpacked.jsonl
            vestige convert -q twice.trace -o twice.jsonl
            cat p.trace | vestige convert -q - -o pipe.jsonl
            vestige convert - --to jsonl < p.trace > redirected.jsonl
            for f in *.jsonl; do sed '1d;$d' $f | sha256sum; done | sort -u | wc -l
            """, in: folder.path)
        #expect(result.status == 0)
        #expect(folder.names.filter { $0.hasSuffix(".jsonl") }.count == 7)
        // The first and the last line name the input; all others are equal.
        #expect(result.text == "1\n")
    }

    @Test func nullPrintsTheCount() throws {
        let result = try CommandLineTool.run(["convert", PackagePaths.sample("orders"), "--to", "null"])
        #expect(result.status == 0)
        let lines = try CommandLineTool.run([
            "convert", "-q", PackagePaths.sample("orders"), "-o", "-", "--to", "jsonl",
        ])
        let events = lines.text.split(separator: "\n").filter { $0.contains("\"seq\":") }
        #expect(result.text == "\(events.count) events\n")
        #expect(events.count > 100)
    }

    @Test func folderOfTables() throws {
        let folder = try TemporaryFolder()
        let arguments = ["convert", "-q", sample, "--to", "csv", "-o", folder.file("tables")]
        #expect(try CommandLineTool.run(arguments).status == 0)
        let tables = try FileManager.default.contentsOfDirectory(atPath: folder.file("tables"))
        #expect(tables.contains("spans.csv"))
        try folder.write("stays".utf8, to: "tables/notes.txt")
        try folder.write("goes".utf8, to: "tables/spans.csv")
        #expect(try CommandLineTool.run(arguments).status == 2)
        #expect(try folder.text("tables/spans.csv") == "goes")
        #expect(try CommandLineTool.run(arguments + ["-f"]).status == 0)
        #expect(try folder.text("tables/spans.csv") != "goes")
        #expect(try folder.text("tables/notes.txt") == "stays")
        #expect(folder.names == ["tables"])
    }

    @Test func oneTable() throws {
        let folder = try TemporaryFolder()
        let arguments = ["convert", "-q", sample, "-o", folder.file("s.csv"), "--table", "spans"]
        #expect(try CommandLineTool.run(arguments).status == 0)
        let piped = try CommandLineTool.run(["convert", "-q", sample, "-o", "-", "--to", "csv", "--table", "spans"])
        #expect(piped.status == 0)
        #expect(try folder.read("s.csv") == piped.output)
        #expect(!piped.output.isEmpty)
    }

    @Test(arguments: ["/dev/full", "nosuch/out.jsonl", "/proc/out.jsonl", "locked/out.jsonl"])
    func placesThatCannotBeWritten(_ place: String) throws {
        let folder = try TemporaryFolder()
        // Root may write anywhere: a file where a folder should be stops everyone.
        let lock = "if [ $(id -u) = 0 ]; then touch locked; else mkdir -m 500 locked; fi; "
        let result = try CommandLineTool.shell(
            lock + "vestige convert '\(sample)' --to jsonl -o \(place)", in: folder.path)
        #expect(result.status == 5)
        #expect(result.errors.hasPrefix("vestige: \(place): expected "))
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(folder.names == ["locked"])
    }

    @Test func standardOutputThatIsFull() throws {
        for command in ["convert '\(sample)' -o - --to jsonl", "info '\(sample)'", "formats", "help"] {
            let result = try CommandLineTool.shell("vestige \(command) > /dev/full")
            #expect(result.status == 5)
            #expect(result.errors.contains("No space left on device"))
        }
    }

    @Test func standardOutputThatIsClosed() throws {
        let result = try CommandLineTool.shell("vestige convert '\(sample)' -o - --to jsonl >&-")
        #expect(result.status == 5)
    }

    @Test func fileSizeLimit() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            "ulimit -f 8; vestige convert '\(sample)' -o out.jsonl", in: folder.path)
        #expect(result.status == 5)
        #expect(result.errors.contains("out.jsonl: expected room and permission to write, found File too large"))
        #expect(folder.names.isEmpty)
    }

    @Test func closedPipeIsNoFailure() throws {
        let result = try CommandLineTool.shell(
            "vestige convert -q '\(sample)' -o - --to jsonl | true; exit ${PIPESTATUS[0]}")
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
    }
}
