import Foundation
import Testing
import VestigeTestSupport

/// Queries through the command: what they select, and what they say when they make no sense.
@Suite struct QueryTests {
    private static let sample = PackagePaths.sample("orders")

    private func lines(_ options: [String], input: String = sample) throws -> [[String: JSONValue]] {
        let result = try CommandLineTool.run(["convert", "-q", input, "--to", "jsonl", "-o", "-"] + options)
        #expect(result.status == 0, "\(result.errors)")
        return try result.text.split(separator: "\n").map { try JSONValue($0).object }
            .filter { $0["t"] != nil }
    }

    @Test(arguments: [
        (["--from", "10s"], "a time window that begins before the recording ends"),
        (["--from", "2ms", "--to", "1ms"], "did you mean from 0.001s to 0.002s?"),
        (["--to", "-10s"], "a time window that ends after"),
        (["--from", "12"], "did you mean 12ms?"),
        (["--from", "soon"], "expected a time for --from"),
        (["--region", "pakc"], "did you mean pack?"),
        (["--around", "nosuch"], "expected a region that it has ("),
        (["--function", "main.mian"], "did you mean main.main?"),
        (["--task", "ordr"], "did you mean order?"),
        (["--state", "wating"], "did you mean waiting?"),
        (["--kind", "Lgo"], "did you mean Log?"),
        (["--goroutine", "9-3"], "did you mean 3-9?"),
        (["--min-duration", "1ms"], "expected --region, --task, --state, --reason or --around"),
        (["--margin", "1ms"], "expected --around beside --margin"),
        (["--descendants"], "expected goroutines to start from"),
        (["--related=0"], "expected a number from 1 to 1000"),
        (["--to", "1ms", "--to", "2ms"], "expected one time for --to"),
    ])
    func whatMakesNoSense(_ options: [String], _ message: String) throws {
        let result = try CommandLineTool.run(["convert", Self.sample, "-o", "-", "--to", "jsonl"] + options)
        #expect(result.status == 2)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        ("state == wating", 9, "did you mean waiting?"),
        ("goroutine = ", 12, "expected a value of goroutine, found the end"),
        ("stat == waiting", 0, "did you mean state?"),
        ("(kind == Log", 12, "expected and, or, or a closing parenthesis"),
        ("kind == Log kind == Log", 12, "expected and, or, or the end"),
        ("region == 'pack", 10, "expected a closing quote"),
        ("time == 5", 8, "did you mean 5ms?"),
        ("time in (1ms)", 5, "expected <, <=, >, >= or =="),
        ("state == waiting for ever", 21, "expected a duration"),
        ("goroutine in 5", 13, "expected a list in parentheses"),
    ])
    func mistakesInExpressions(_ expression: String, _ column: Int, _ message: String) throws {
        let result = try CommandLineTool.run(["info", Self.sample, "--where", expression])
        #expect(result.status == 2)
        let parts = result.errors.split(separator: "\n", omittingEmptySubsequences: true)
        #expect(parts.count == 3, "\(result.errors)")
        #expect(parts[0].contains("column \(column + 1): "), "\(result.errors)")
        #expect(parts[0].contains(message), "\(result.errors)")
        #expect(parts[1] == "  \(expression)" || expression.hasSuffix(" "))
        #expect(parts[2] == "  \(String(repeating: " ", count: column))^")
    }

    @Test func expressionsHaveLimits() throws {
        let deep = String(repeating: "(", count: 60) + "kind == Log" + String(repeating: ")", count: 60)
        let wide = Array(repeating: "kind == Log", count: 65).joined(separator: " or ")
        for (expression, limit) in [(deep, "at most 50"), (wide, "at most 64 conditions")] {
            let result = try CommandLineTool.run(["info", Self.sample, "--where", expression])
            #expect(result.status == 2)
            #expect(result.errors.contains(limit))
        }
        let many = Array(repeating: ["--where", wide.replacingOccurrences(of: " or kind == Log", with: "")], count: 65)
        let result = try CommandLineTool.run(["info", Self.sample] + many.flatMap { $0 })
        #expect(result.status == 2)
        #expect(result.errors.contains("at most 64 conditions"))
    }

    @Test func anEmptyResultSaysSo() throws {
        let result = try CommandLineTool.run([
            "convert", Self.sample, "-o", "-", "--to", "jsonl", "--goroutine", "99999",
        ])
        #expect(result.status == 0)
        #expect(result.errors.contains("nothing in the recording is what was asked for"))
        let info = try CommandLineTool.run(["info", Self.sample, "--goroutine", "99999"])
        #expect(info.status == 0)
        #expect(info.errors.contains("nothing in the recording is what was asked for"))
    }

    @Test func toIsBothATimeAndAFormat() throws {
        let events = try lines(["--to", "2ms"])
        let first = events[0]["t"]!.whole
        #expect(events.count > 2)
        #expect(events.allSatisfy { $0["t"]!.whole < first + 2_000_000 || $0["synthetic"] != nil })
    }

    @Test func infoCountsWhatIsSelected() throws {
        let whole = try CommandLineTool.run(["info", "--json", Self.sample])
        let logs = try CommandLineTool.run(["info", "--json", Self.sample, "--kind", "log"])
        #expect(logs.status == 0)
        let (all, some) = (try JSONValue(whole.text).object, try JSONValue(logs.text).object)
        #expect(some["logs"]!.whole == all["logs"]!.whole)
        #expect(some["logs"]!.whole > 0)
        #expect(some["events"]!.whole == some["logs"]!.whole)
    }

    /// A pipe is read twice where that is needed.
    @Test(arguments: [["--region", "pack"], ["--from", "-1ms"], ["--function", "main.*", "--descendants"]])
    func pipesGiveTheSame(_ options: [String]) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.sample))
        let folder = try TemporaryFolder()
        let words = options.map { "'\($0)'" }.joined(separator: " ")
        try folder.write(bytes, to: "trace")
        let script = """
            export TMPDIR=\(folder.file("."))
            cat trace | vestige convert -q - --to jsonl -o - \(words) | grep -v '"path"' > piped
            vestige convert -q trace --to jsonl -o - \(words) | grep -v '"path"' | diff -q - piped && test -s piped
            gzip -c trace | vestige convert -q - --to jsonl -o - \(words) | grep -v '"path"' | diff -q - piped
            """
        let result = try CommandLineTool.shell(script, in: folder.file("."))
        #expect(result.status == 0, "\(result.errors)\(result.text)")
        #expect(folder.names.sorted() == ["piped", "trace"])
    }

    @Test func aPipeNeedsAPlaceForItsCopy() throws {
        let result = try CommandLineTool.shell(
            "cat '\(Self.sample)' | TMPDIR=/nowhere vestige convert -q - --to jsonl -o - --region pack")
        #expect(result.status == 5)
        #expect(result.errors.contains("temporary file in /nowhere"))
    }

    @Test func queryFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("# Packing\nregion == 'pa?k'\n  and kind != StackSample # none there\n".utf8, to: "expression")
        try folder.write(#"{"region": ["pa?k"], "where": "kind != StackSample"}"#.utf8, to: "json")
        let expected = try lines(["--region", "pack"])
        for name in ["expression", "json"] {
            let found = try lines(["--query", folder.file(name)])
            #expect(found.count == expected.count)
            #expect(found.count > 10)
        }
    }

    @Test(arguments: [
        ("region ==\n  'pack' ors x", "line 2, column 10: expected and, or, or the end of the expression"),
        (#"{"regoin": "x"}"#, "did you mean region?"),
        (#"{"region": {}}"#, "expected a JSON object whose values are"),
        (#"{"region": true}"#, "expected a string, a number or a list for \"region\""),
        (#"{"from": ["1ms", "2ms"]}"#, "expected one value for \"from\""),
        ("", "expected a field"),
    ])
    func mistakesInQueryFiles(_ content: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(content.utf8, to: "query")
        let result = try CommandLineTool.run(["info", Self.sample, "--query", folder.file("query")])
        #expect(result.status == 2)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(result.errors.contains(folder.file("query")))
    }

    @Test func wallClockTimes() throws {
        // The sample's first event, as `vestige info` says.
        let info = try JSONValue(try CommandLineTool.run(["info", "--json", Self.sample]).text).object
        guard let start = info["start_unix_ns"]?.whole else { return }
        let seconds = start / 1_000_000_000
        let date = Date(timeIntervalSince1970: TimeInterval(seconds))
        let text = ISO8601DateFormatter().string(from: date).dropLast()
        let nanoseconds = String(format: "%09d", start % 1_000_000_000 + 1_000_000)
        let byWall = try lines(["--from", "\(text).\(nanoseconds)Z"])
        let byOffset = try lines(["--from", "1ms"])
        #expect(byWall.count == byOffset.count)
    }

    /// Every query over some traces of the corpus, against an independent selection; CI tries ten more with an
    /// optimised build.
    @Test(.enabled(if: Corpus.traceFolder != nil && FileManager.default.fileExists(atPath: "/usr/bin/python3")))
    func corpusEqualsBruteForce() throws {
        let script = "\(PackagePaths.root)/Tests/query/brute_force.py"
        let corpus = Corpus.traceFolder!.path
        let result = try CommandLineTool.shell(
            "python3 '\(script)' '\(CommandLineTool.path)' '\(corpus)' live/unended-1.27 live/unended-1.19")
        #expect(result.status == 0, "\(result.text)\(result.errors)")
    }
}

extension JSONValue {
    /// A whole number; 0 for all else.
    fileprivate var whole: Int64 { if case .integer(let value) = self { value } else { 0 } }
}

/// Windows late in a trace are read without the generations before. A pipe cannot be read so, and gives the same.
@Suite struct SkippingTests {
    private static let traces: [String] = {
        let names = ["manygens-1.22", "manygens-1.27", "nested-1.25", "flight-1.25"]
        let corpus = Corpus.traceFolder.map { folder in names.map { "\(folder.path)/live/\($0).trace" } } ?? []
        return [PackagePaths.sample("generations")] + corpus
    }()

    @Test(arguments: traces, ["100ms", "1100ms", "1900ms", "2100ms", "3100ms"])
    func sameAsWithout(_ trace: String, _ start: String) throws {
        let script = """
            part() { vestige convert -q "$1" --to jsonl -o - --from \(start) | grep -v '"kind":"\\(Header\\|Trailer\\)"'; }
            part '\(trace)' > file
            cat '\(trace)' | part - > pipe
            cmp file pipe && wc -l < file
            """
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(script, in: folder.path)
        #expect(result.status == 0, "\(result.text)")
    }

    /// Whatever is damaged: it is read as far as it goes, or refused.
    @Test func damagedTracesEnd() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: PackagePaths.sample("generations")))
        let folder = try TemporaryFolder()
        for position in stride(from: 100, to: bytes.count, by: max(1, bytes.count / 40)) {
            var damaged = bytes
            damaged[position] ^= 0xff
            try folder.write(damaged, to: "damaged.trace")
            let file = try CommandLineTool.run(
                ["convert", "-q", folder.file("damaged.trace"), "--to", "null", "--from", "1900ms"])
            #expect([0, 2, 3].contains(file.status), "byte \(position): \(file.errors)")
        }
    }
}
