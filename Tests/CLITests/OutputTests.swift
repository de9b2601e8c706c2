import Foundation
import Testing
import Vestige
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

    /// Never two recordings in one folder, and never a folder of something else.
    @Test func folderHoldsOneRecording() throws {
        let folder = try TemporaryFolder()
        let tables = ["convert", "-q", sample, "--to", "csv", "-o", folder.file("tables"), "-f"]
        try FileManager.default.createDirectory(atPath: folder.file("tables"), withIntermediateDirectories: false)
        #expect(try CommandLineTool.run(tables.dropLast()).status == 0, "an empty folder may be filled")
        try folder.write("stays".utf8, to: "tables/notes.txt")
        #expect(try CommandLineTool.run(tables + ["--table", "tasks"]).status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("tables")).sorted()
        #expect(names == ["notes.txt", "tasks.csv"])
        #expect(unlink(folder.file("tables/tasks.csv")) == 0)
        let refused = try CommandLineTool.run(tables)
        #expect(refused.status == 2)
        #expect(refused.errors.contains("a folder of other files"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("tables")) == ["notes.txt"])
    }

    @Test func folderThroughALink() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            """
            mkdir there; ln -s there/new link; ln -s ../elsewhere there/spans.csv
            vestige convert -q '\(sample)' --to csv -o link; echo $?; test -L link; echo $?; ls -A there | wc -l
            rm there/new/*; ln -s ../elsewhere there/new/spans.csv
            vestige convert -q '\(sample)' --to csv -o link -f; echo $?; ls -A there/new
            """, in: folder.path)
        #expect(result.text == "0\n0\n2\n2\nspans.csv\n")
    }

    @Test(arguments: [[], ["-f"]])
    func linkThatLeadsNowhereIsFollowed(_ options: [String]) throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            """
            mkdir there; ln -s there/out.jsonl link; ln -s "$PWD/link" out.jsonl
            vestige convert -q '\(sample)' -o out.jsonl \(options.joined()); echo $?
            test -L link -a -L out.jsonl -a -s there/out.jsonl; echo $?; ls -A . there | grep -c partial
            ln -s circle circle; vestige convert -q '\(sample)' --to jsonl -o circle; echo $?
            """, in: folder.path)
        #expect(result.text == "0\n0\n0\n5\n")
    }

    @Test func permissionsOfTheReplacedFileStay() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            """
            umask 022; vestige convert -q '\(sample)' -o new.jsonl; stat -c %a new.jsonl
            touch old.jsonl; chmod 640 old.jsonl; ln -s old.jsonl link.jsonl
            vestige convert -q '\(sample)' -f -o link.jsonl; stat -c %a old.jsonl; test -L link.jsonl; echo $?
            vestige convert -q '\(sample)' -o t --to csv; chmod 600 t/spans.csv
            vestige convert -q '\(sample)' -f -o t --to csv; stat -c %a t/spans.csv t/tasks.csv
            """, in: folder.path)
        #expect(result.text == "644\n640\n0\n600\n644\n")
    }

    /// Something else takes the name while the conversion runs.
    @Test(arguments: ["echo mine > out", "ln -s nowhere out", "mkdir -p out/mine"], ["jsonl", "csv"])
    func nameTakenMeanwhile(_ taking: String, _ format: String) throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            """
            mkfifo in; vestige convert - -q --to \(format) -o out < in & exec 3> in; cat '\(sample)' >&3
            until ls -A | grep -q partial; do sleep 0.01; done
            \(taking); before=$(ls -lR out); exec 3>&-; wait $!; echo $?
            test "$before" = "$(ls -lR out)"; echo $?; ls -A
            """, in: folder.path)
        #expect(result.text == "2\n0\nin\nout\n")
        #expect(result.errors.contains("found a file that exists"))
    }

    /// What a killed conversion left goes with the next one; that of a living one stays.
    @Test func leftoversAreRemoved() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            """
            true & dead=$!; wait $dead
            touch .out.jsonl.$dead.partial .out.jsonl.$$.partial .out.jsonl.x.partial .other.$dead.partial
            mkdir .t.$dead.partial; touch .t.$dead.partial/spans.csv
            vestige convert -q '\(sample)' -o out.jsonl; vestige convert -q '\(sample)' --to csv -o t
            ls -A | sed "s/$dead/DEAD/; s/$$/SELF/" | sort
            """, in: folder.path)
        let names = result.text.split(separator: "\n")
        #expect(
            Set(names) == [".other.DEAD.partial", ".out.jsonl.SELF.partial", ".out.jsonl.x.partial", "out.jsonl", "t"])
    }

    @Test func leftoverInUseStays() throws {
        let folder = try TemporaryFolder()
        let first = try OutputFile(folder.file("out"), overwrites: true)
        // Its process, which is this one, lives, and so does its claim.
        #expect(throws: TraceError.self) { try OutputFile(folder.file("out"), overwrites: true) }
        try first.commit()
        #expect(folder.names == ["out"])
    }

    @Test func pipesGoToStandardOutput() throws {
        let result = try CommandLineTool.shell(
            """
            cat '\(sample)' | vestige convert -q - | head -c 1; echo
            vestige convert -q <(cat '\(sample)') | head -c 1; echo
            vestige convert -q <(cat '\(sample)') --to jsonl -o /dev/stdout | head -c 16; echo
            vestige convert -q /dev/stdin < '\(sample)' | head -c 1
            """)
        #expect(result.text == "{\n{\n{\"kind\":\"Header\"\n{")
        #expect(result.errors.isEmpty)
    }

    @Test func namesInCapitals() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            """
            vestige convert -q '\(sample)' -o OUT.JSONL.GZ && gzip -dc < OUT.JSONL.GZ | head -c 8
            vestige convert -q '\(sample)' --to JsonL -o - | head -c 8
            cp OUT.JSONL.GZ P.TRACE.GZ; vestige convert -q P.TRACE.GZ && ls P.*
            """, in: folder.path)
        #expect(result.text == "{\"kind\":{\"kind\":P.TRACE.GZ\nP.json\n")
    }

    @Test(arguments: [["-o", "all.csv"], ["-o", "-", "--to", "csv"]])
    func singleFileOfTablesSaysWhichOne(_ place: [String]) throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(["convert", sample] + place, in: folder.path)
        #expect(result.errors.contains("only the table spans; -o FOLDER writes all"))
        let named = try CommandLineTool.run(["convert", "-f", sample, "--table", "spans"] + place, in: folder.path)
        #expect(!named.errors.contains("only the table"))
    }

    @Test func countIsSaidOnceOnATerminal() throws {
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(terminal >= 0)
        defer { close(terminal) }
        // TIOCSPTLCK and TIOCGPTN of asm-generic/ioctls.h: unlock, and the number of the other side.
        var (lock, number) = (CInt(0), CUnsignedInt(0))
        try #require(ioctl(terminal, 0x4004_5431, &lock) == 0 && ioctl(terminal, 0x8004_5430, &number) == 0)
        let name = "/dev/pts/\(number)"
        let process = try CommandLineTool.start(
            CommandLineTool.path, ["convert", sample, "--to", "null"], in: nil, input: "/dev/null", output: name,
            errors: name)
        #expect(CommandLineTool.wait(for: process) == 0)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(terminal, &bytes, bytes.count)
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).components(matching: "")
        #expect(lines.count == 1)
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
