import Foundation
import Testing
import VestigeTestSupport

/// The dialect of CSV on the command line.
@Suite struct TableStyleTests {
    private let orders = PackagePaths.sample("orders")

    private func convert(_ options: [String]) throws -> CommandResult {
        try CommandLineTool.run(["convert", "-q", orders, "--to", "csv", "-o", "-"] + options)
    }

    /// Rows of all columns in the plain style are written in a way of their own, on two threads.
    @Test(arguments: ["spans", "events"]) func choosingAllColumnsChangesNothing(_ table: String) throws {
        for name in ["orders", "generations", "gc"] {
            let input = PackagePaths.sample(name)
            let command = ["convert", "-q", input, "--to", "csv", "--table", table, "-o", "-"]
            let plain = try CommandLineTool.run(command)
            let header = try #require(plain.text.components(separatedBy: "\r\n").first)
            #expect(plain.text.count > 10_000)
            #expect(try CommandLineTool.run(command + ["--columns", header]).output == plain.output)
        }
    }

    @Test func spreadsheetsInTheirDialects() throws {
        let plain = try convert(["--table", "regions", "--excel"])
        #expect(plain.output.prefix(3) == Data([0xef, 0xbb, 0xbf]))
        #expect(plain.text.contains(",start_s,end_s,duration_s,start_time_utc,"))
        let german = try convert(["--table", "regions", "--excel", "--decimal", ","])
        #expect(german.text.contains(";start_s;"))
        #expect(german.text.replacingOccurrences(of: ";", with: ",").count == plain.text.count)
        let tabs = try convert(["--table", "regions", "--excel", "--decimal", ",", "--delimiter", "tab"])
        #expect(tabs.text.contains("\tstart_s\t"))
    }

    @Test func columnsAndHeader() throws {
        let result = try convert(["--table", "logs", "--columns", "message, task", "--no-header", "--delimiter", "|"])
        let lines = result.text.components(separatedBy: "\r\n").dropLast()
        #expect(lines.count == 30)
        #expect(
            lines.allSatisfy {
                $0.hasSuffix("|\($0.split(separator: "|").last!)") && $0.hasPrefix("number ") || $0.contains("|")
            })
        #expect(lines.first == "number 1|1")
    }

    @Test(arguments: [
        (["--to", "chrome", "--excel"], "expected no --excel for chrome, which has no tables"),
        (["--to", "jsonl", "--delimiter", ";"], "expected no --delimiter for jsonl"),
        (["--to", "perfetto", "--no-header"], "expected no --no-header for perfetto"),
        (["--to", "null", "--columns", "x"], "expected no --columns for null"),
        (["--to", "csv", "--decimal", ","], "expected --excel with --decimal"),
        (["--to", "csv", "--excel", "--decimal", "x"], "--decimal"),
        (["--to", "csv", "--delimiter", "\""], "expected a --delimiter that no number or word holds"),
        (["--to", "csv", "--delimiter", "a"], "expected a --delimiter that no number or word holds"),
        (["--to", "csv", "--delimiter", ";;"], "--delimiter"),
        (
            ["--to", "csv", "--excel", "--delimiter", ",", "--decimal", ","],
            "expected a --delimiter other than the --decimal mark"
        ),
        (["--to", "csv", "--columns", "goroutine"], "expected one --table for --columns"),
        (["--to", "csv", "--table", "logs", "--columns", "mesage"], "did you mean message?"),
        (["--to", "csv", "--table", "logs", "--columns", "time_ns", "--excel"], "did you mean time_s?"),
        (["--to", "csv", "--table", "logs", "--columns", "message,,task"], "--columns"),
    ]) func stylesThatMakeNoSense(_ options: [String], _ complaint: String) throws {
        let folder = try TemporaryFolder()
        let place = options.contains("null") ? [] : ["-o", folder.file("out")]
        let result = try CommandLineTool.run(["convert", orders] + options + place)
        #expect(result.status == 2)
        #expect(result.errors.contains(complaint))
        #expect(result.text.isEmpty && folder.names.isEmpty)
    }

    /// Files that go on with a table belong to it: they go when a new recording takes its place.
    @Test func furtherFilesOfATableAreReplacedToo() throws {
        let folder = try TemporaryFolder()
        let arguments = ["convert", "-q", orders, "--to", "csv", "-o", folder.file("t")]
        #expect(try CommandLineTool.run(arguments).status == 0)
        for name in ["spans-2.csv", "spans-33.csv", "spans-1.csv", "spans-x.csv", "mine-2.csv"] {
            try folder.write("x".utf8, to: "t/\(name)")
        }
        #expect(try CommandLineTool.run(arguments + ["-f"]).status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("t")).filter { $0.contains("-") }
        #expect(names.sorted() == ["mine-2.csv", "spans-1.csv", "spans-x.csv"])
    }
}
