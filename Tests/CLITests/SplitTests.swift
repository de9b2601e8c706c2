import Foundation
import Testing
import VestigeTestSupport

/// `convert --split`: parts that stand by themselves, and the index of them.
@Suite struct SplitTests {
    private let sample = PackagePaths.sample("orders")

    private func split(_ arguments: [String], _ size: String = "200-events") throws -> CommandResult {
        try CommandLineTool.run(["convert", "-q", sample, "--split", size] + arguments)
    }

    /// Events of a recording that its parts hold, without those that establish the state at a begin.
    private func eventCount(_ folder: TemporaryFolder, _ names: [String]) throws -> Int {
        try names.reduce(0) { sum, name in
            let lines = try folder.text(name).split(separator: "\n")
            return sum + lines.filter { $0.hasPrefix("{\"seq\"") && !$0.contains("\"synthetic\":true") }.count
        }
    }

    @Test(arguments: [
        ("chrome", ".json"), ("perfetto", ".pftrace"), ("perfetto-json", ".perfetto.json"), ("jsonl", ".jsonl"),
        ("chrome", ".json.gz"), ("perfetto", ".pftrace.zst"), ("chrome", ".txt"), ("chrome", ""),
    ]) func partsAndIndex(_ format: String, _ suffix: String) throws {
        let folder = try TemporaryFolder()
        let result = try split(["--to", format, "-o", folder.file("out" + suffix)])
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            folder.names == [
                "out-001\(suffix)", "out-002\(suffix)", "out-003\(suffix)", "out-004\(suffix)", "out-index.html",
            ])
        let page = try folder.text("out-index.html")
        for name in folder.names.dropLast() {
            #expect(page.contains("<a href=\"./\(name)\">\(name)</a>"))
            let size = try folder.read(name).count
            #expect(size > 0)
        }
        #expect(page.contains("609 events in 4 parts"))
    }

    @Test func partsHoldAllEvents() throws {
        let folder = try TemporaryFolder()
        #expect(try split(["--to", "jsonl", "-o", folder.file("out.jsonl")]).status == 0)
        let names = folder.names.filter { $0.hasSuffix(".jsonl") }
        #expect(try names.map { try eventCount(folder, [$0]) } == [200, 200, 200, 9])
        // Each is an input of its own, and as such right from its first instant.
        for name in names {
            let result = try CommandLineTool.run([
                "convert", "-q", folder.file(name), "-o", folder.file(name + ".json"),
            ])
            #expect(result.status == 0 && result.errors.isEmpty)
        }
    }

    @Test func clippedSpansSaySo() throws {
        let folder = try TemporaryFolder()
        #expect(try split(["-o", folder.file("out.json")]).status == 0)
        let texts = try (1...4).map { try folder.text("out-00\($0).json") }
        #expect(texts.map { $0.contains("\"clipped_before_ns\":") } == [false, true, true, true])
        #expect(texts.map { $0.contains("\"clipped_after\":true") } == [true, true, true, false])
        #expect(texts.map { $0.contains("\"goes_on_after_recording\":true") } == [false, false, false, true])
    }

    @Test func summary() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.run(
            ["convert", sample, "--split", "200-events", "-o", "out.json"], in: folder.path)
        #expect(
            result.errors.hasPrefix(
                "vestige: \(sample) → out-001.json … out-004.json (4 parts) and out-index.html: 609 events"))
        let one = try CommandLineTool.run(
            ["convert", sample, "--split", "1M-events", "-o", "one.json"], in: folder.path)
        #expect(one.errors.contains("→ one-001.json (1 part) and one-index.html"))
    }

    // MARK: - What is there already

    @Test func nothingIsReplacedWithoutForce() throws {
        for name in ["out-002.json", "out-index.html", "out-1234.json"] {
            let folder = try TemporaryFolder()
            try folder.write("mine".utf8, to: name)
            let result = try split(["-o", folder.file("out.json")])
            #expect(result.status == 2)
            #expect(result.errors.contains("\(name): expected a name that is free"))
            #expect(folder.names == [name])
            #expect(try folder.text(name) == "mine")
        }
    }

    @Test func otherNamesAreNoHindrance() throws {
        let folder = try TemporaryFolder()
        let others = ["out-01.json", "out-001.json.gz", "out-001.jsonl", "out-x.json", "out.json", "outer-001.json"]
        for name in others { try folder.write("mine".utf8, to: name) }
        #expect(try split(["-o", folder.file("out.json")]).status == 0)
        for name in others { #expect(try folder.text(name) == "mine") }
    }

    @Test func forceReplacesAndRemovesWhatIsNotWrittenNow() throws {
        let folder = try TemporaryFolder()
        #expect(try split(["-o", folder.file("out.json")], "50-events").status == 0)
        #expect(folder.names.count == 14)
        try folder.write("mine".utf8, to: "out-x.json")
        #expect(try split(["-f", "-o", folder.file("out.json")], "400-events").status == 0)
        #expect(folder.names == ["out-001.json", "out-002.json", "out-index.html", "out-x.json"])
    }

    @Test func forceDoesNotReplaceALinkOrAFolder() throws {
        let folder = try TemporaryFolder()
        symlink("elsewhere", folder.file("out-001.json"))
        let result = try split(["-f", "-o", folder.file("out.json")])
        #expect(result.status == 2)
        #expect(result.errors.contains("expected a file that can be replaced, found a link or a folder"))
        #expect(folder.names == ["out-001.json"])
    }

    @Test func unreadableInputLeavesNothing() throws {
        let folder = try TemporaryFolder()
        try folder.write("rubbish".utf8, to: "in.trace")
        let result = try CommandLineTool.run(
            ["convert", "in.trace", "--split", "1k-events", "-o", "out.json"], in: folder.path)
        #expect(result.status == 3)
        #expect(folder.names == ["in.trace"])
    }

    // MARK: - Requests that make no sense

    @Test(arguments: ["0-events", "64", "1M", "MB", "999kB", "64MiB", "1.5-events", "x"])
    func sizes(_ size: String) throws {
        let result = try split(["-o", "/dev/null"], size)
        #expect(result.status == 2)
        #expect(result.errors.contains("'\(size)' is invalid for '--split <size>'"))
    }

    @Test func places() throws {
        for (arguments, message) in [
            (["-o", "-"], "found standard output"),
            (["-o", "/dev/null", "--to", "chrome"], "found a device or a pipe"),
            (["-o", "/tmp", "--to", "chrome"], "found a folder"), (["--to", "csv"], "expected no --split for csv"),
            (["--to", "null"], "expected no --split for null"),
            (["-o", "/tmp/x.json", "--max-events", "5"], "expected one of --split and --max-events, found both"),
        ] {
            let result = try split(arguments)
            #expect(result.status == 2)
            #expect(result.errors.contains(message), "\(result.errors)")
        }
    }

    // MARK: - Bytes

    @Test func partsOfSomeBytes() throws {
        let folder = try TemporaryFolder()
        // 60,000 slices of some 150 bytes.
        var lines = "{\"t\":0,\"kind\":\"StateTransition\",\"resource\":\"goroutine\",\"id\":1,"
        lines += "\"from\":\"NotExist\",\"to\":\"Runnable\"}\n"
        for time in 1..<60_000 {
            let states = time % 2 == 1 ? ("Runnable", "Running") : ("Running", "Runnable")
            lines += "{\"t\":\(time),\"kind\":\"StateTransition\",\"resource\":\"goroutine\",\"id\":1,\"g\":1,"
            lines += "\"from\":\"\(states.0)\",\"to\":\"\(states.1)\"}\n"
        }
        try folder.write(lines.utf8, to: "in.jsonl")
        let result = try CommandLineTool.run(
            ["convert", "-q", "in.jsonl", "-o", "out.json", "--split", "1MB"], in: folder.path)
        #expect(result.status == 0)
        let parts = folder.names.filter { $0.hasPrefix("out-0") }
        let sizes = try parts.map { try folder.read($0).count }
        #expect(sizes.count >= 4)
        for size in sizes.dropLast() { #expect((900_000...1_700_000).contains(size)) }
    }

    // MARK: - The page

    @Test func namesAreShownAsText() throws {
        let folder = try TemporaryFolder()
        let name = "a <script>alert(1)</script> \"&'%#?:.trace".replacingOccurrences(of: "/", with: "")
        try folder.write(try Data(contentsOf: URL(fileURLWithPath: sample)), to: name)
        let result = try CommandLineTool.run(["convert", "-q", name, "--split", "500-events"], in: folder.path)
        #expect(result.status == 0, "\(result.errors)")
        let stem = String(name.dropLast(6))
        let page = try folder.text("\(stem)-index.html")
        let text = "a &lt;script&gt;alert(1)&lt;script&gt; &quot;&amp;&#39;%#?:"
        #expect(page.contains("<h1>\(text).trace</h1>"))
        let link = "./a%20%3cscript%3ealert%281%29%3cscript%3e%20%22%26%27%25%23%3f%3a-001.json"
        #expect(page.contains("<a href=\"\(link)\">\(text)-001.json</a>"))
        #expect(!page.contains("<script"))
    }
}
