import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Several processes in one output, through the command.
@Suite struct ProcessTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Self.recording("serve", 5).utf8, to: "api.jsonl")
        try folder.write(Self.recording("store", 20).utf8, to: "db.jsonl")
        try folder.write(Self.dump("serve", 5).utf8, to: "api-dump.jsonl")
        try folder.write(Self.dump("store", 20).utf8, to: "db-dump.jsonl")
    }

    /// Goroutine 2 of both waits at a line; the same goroutine numbers, procs and tasks.
    private static func recording(_ function: String, _ line: Int) -> String {
        """
        {"kind":"Header","format":"vestige-ir","version":1,"sources":[{"path":"\(function).trace","format":"gotrace-v2","clock":"monotonic"}]}
        {"t":1000,"kind":"StateTransition","resource":"goroutine","id":1,"from":"NotExist","to":"Running","tstack":["main.main m.go:1"],"p":0,"m":7}
        {"t":1100,"g":1,"p":0,"m":7,"kind":"StateTransition","resource":"goroutine","id":2,"from":"NotExist","to":"Runnable","tstack":["main.\(function) m.go:\(line)"],"stack":["main.main m.go:2"]}
        {"t":1120,"g":-1,"p":1,"m":8,"kind":"StateTransition","resource":"goroutine","id":2,"from":"Runnable","to":"Running"}
        {"t":1130,"g":2,"p":1,"m":8,"kind":"TaskBegin","task":1,"parent":null,"type":"\(function)"}
        {"t":1140,"g":2,"p":1,"m":8,"kind":"RegionBegin","task":1,"type":"\(function)"}
        {"t":1150,"g":2,"p":1,"m":8,"kind":"RegionEnd","task":1,"type":"\(function)"}
        {"t":1160,"g":2,"p":1,"m":8,"kind":"Log","task":1,"category":"who","message":"\(function)"}
        {"t":1200,"g":2,"p":1,"m":8,"kind":"StateTransition","resource":"goroutine","id":2,"from":"Running","to":"Waiting","reason":"chan receive","tstack":["main.\(function) m.go:\(line)"]}
        {"t":1400,"g":1,"p":0,"m":7,"kind":"StateTransition","resource":"goroutine","id":2,"from":"Waiting","to":"Runnable"}
        {"t":1410,"g":-1,"p":1,"m":8,"kind":"StateTransition","resource":"goroutine","id":2,"from":"Runnable","to":"Running"}
        {"kind":"Trailer","events":10,"losses":{}}

        """
    }

    private static func dump(_ function: String, _ line: Int) -> String {
        """
        {"t":0,"kind":"Observed","g":1,"state":"running","stack":["main.main m.go:3"]}
        {"t":0,"kind":"Observed","g":2,"state":"waiting","reason":"chan receive","stack":["main.\(function) m.go:\(line)"]}

        """
    }

    private static let both = ["--process", "api=api.jsonl,api-dump.jsonl", "--process", "db=db.jsonl,db-dump.jsonl"]

    private func run(_ arguments: [String]) throws -> CommandResult {
        try CommandLineTool.run(arguments, in: folder.path)
    }

    private func lines(_ result: CommandResult) -> [[String: Any]] {
        result.text.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    @Test func eventsSayOfWhichProcessTheyAre() throws {
        let result = try run(["convert"] + Self.both + ["--to", "jsonl", "-o", "-"])
        #expect(result.status == 0)
        let events = lines(result)
        for name in ["api", "db"] {
            let own = events.filter { $0["process"] as? String == name }
            #expect(own.count == 12)
            let function = name == "api" ? "serve" : "store"
            #expect(own.filter { $0["kind"] as? String == "Log" }.map { $0["message"] as? String } == [function])
            // Each dump is in the recording of its own process.
            let observed = own.filter { $0["kind"] as? String == "Observed" }
            #expect(observed.map { $0["t"] as? Int } == [1300, 1300])
        }
        let sources = events[0]["sources"] as? [[String: Any]] ?? []
        #expect(sources.map { $0["process"] as? String } == ["api", "api", "db", "db"])
        #expect(result.errors.contains("both read the machine's monotonic clock"))
        // Whoever reads the output again has the same.
        try folder.write(result.output, to: "both.jsonl")
        let again = try run(["convert", "both.jsonl", "--to", "jsonl", "-o", "-"])
        #expect(again.output == result.output)
    }

    @Test func tablesHaveAColumn() throws {
        let result = try run(["convert"] + Self.both + ["--table", "goroutines", "--to", "csv", "-o", "-"])
        #expect(result.status == 0)
        let rows = result.text.split(separator: "\r\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows[0].last == "process")
        #expect(
            Set(rows.dropFirst().map { "\($0[0]) \($0[1]) \($0.last!)" }) == [
                "1 main.main api", "2 main.serve api", "1 main.main db", "2 main.store db",
            ])
        let chosen = try run(
            ["convert"] + Self.both
                + ["--table", "logs", "--columns", "process,message", "--to", "csv", "-o", "-", "--no-header"])
        #expect(Set(chosen.text.split(separator: "\r\n")) == ["api,serve", "db,store"])
        let excel = try run(["convert"] + Self.both + ["--table", "logs", "--excel", "--to", "csv", "-o", "-"])
        #expect(excel.text.contains("process\r\n"))
        // One process has no such column.
        let one = try run(["convert", "api.jsonl", "--table", "logs", "--to", "csv", "-o", "-"])
        #expect(!one.text.contains("process"))
    }

    /// The rows of each process are those that it has alone, under other numbers.
    @Test(arguments: ["chrome", "perfetto-json"])
    func viewersSeeEachProcessAsItIsAlone(_ format: String) throws {
        let result = try run(["convert"] + Self.both + ["--to", format, "--views", "all", "-o", "-"])
        #expect(result.status == 0)
        let file = try #require(JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        let events = try #require(file["traceEvents"] as? [[String: Any]])
        for (number, name) in [(1, "api"), (2, "db")] {
            let alone = try run([
                "convert", "\(name).jsonl", "\(name)-dump.jsonl", "--to", format, "--views", "all", "-o", "-",
            ])
            let other = try #require(JSONSerialization.jsonObject(with: alone.output) as? [String: Any])
            let expected = try #require(other["traceEvents"] as? [[String: Any]])
            let own = events.filter { ($0["pid"] as? Int ?? 0) / 10 == number }
            #expect(own.count == expected.count)
            #expect(Self.words(own, number, name) == Self.words(expected, 0, ""))
        }
        #expect(events.allSatisfy { (11...15).contains($0["pid"] as! Int) || (21...25).contains($0["pid"] as! Int) })
        let flows = events.filter { $0["ph"] as? String == "s" }.map { "\($0["id"] ?? "")" }
        #expect(Set(flows).count == flows.count && flows.count >= 4)
    }

    /// Events without what only tells processes apart.
    private static func words(_ events: [[String: Any]], _ number: Int, _ name: String) -> [String] {
        events.map { event in
            var event = event
            event["pid"] = (event["pid"] as? Int ?? 0) - number * 10
            if let tid = event["tid"] as? Int, number > 0 { event["tid"] = tid - 9_990 }
            if event["cat"] as? String == "flow", let id = event["id"] as? Int { event["id"] = id - number << 44 }
            event["sf"] = nil
            if event["ph"] as? String == "M", var arguments = event["args"] as? [String: Any] {
                if let title = arguments["name"] as? String, title.hasPrefix(name + ": ") {
                    arguments["name"] = String(title.dropFirst(name.count + 2))
                }
                if event["name"] as? String == "process_sort_index" {
                    arguments["sort_index"] = (arguments["sort_index"] as? Int ?? 0) - number * 10
                }
                event["args"] = arguments
            }
            let data = try? JSONSerialization.data(withJSONObject: event, options: .sortedKeys)
            return String(decoding: data ?? Data(), as: UTF8.self)
        }.sorted()
    }

    @Test func perfettosOwnFormatLoads() throws {
        let result = try run(["convert"] + Self.both + ["-o", "both.pftrace"])
        #expect(result.status == 0)
        #expect(try run(["convert"] + Self.both + ["-o", "api.jsonl", "-f"]).status == 2)
    }

    @Test func namesOfProcessesInFilesAreKeptApart() throws {
        _ = try run(["convert"] + Self.both + ["-o", "both.jsonl"])
        // The processes of one file, under the name that the user gives it.
        let nested = try run(["convert", "--process", "all=both.jsonl", "--to", "jsonl", "-o", "-"])
        #expect(nested.status == 0)
        #expect(nested.text.contains(#""process":"all/api""#) && nested.text.contains(#""process":"all/db""#))
        let joined = try run(["convert", "both.jsonl", "api-dump.jsonl", "--to", "null"])
        #expect(joined.status == 2)
        #expect(joined.errors.contains("expected inputs of one process"))
    }

    @Test(arguments: [
        ["goroutines"], ["waits"], ["ghosts"], ["info"], ["lifeline", "2"],
        ["convert", "--from", "1us", "--to", "null"],
    ])
    func whoTakesANumberForOneGoroutineRefusesSeveral(_ command: [String]) throws {
        _ = try run(["convert"] + Self.both + ["-o", "both.jsonl"])
        let result = try run(command + ["both.jsonl"])
        #expect(result.status == 2)
        #expect(result.errors.contains("several: api, db"))
    }

    @Test func requestsThatMakeNoSenseAreRefused() throws {
        func refusal(_ arguments: String...) throws -> String {
            let result = try run(["convert"] + arguments + ["--to", "null"])
            #expect(result.status == 2, "\(arguments)")
            return result.errors
        }
        #expect(try refusal("--process", "api.jsonl").contains("api.jsonl"))
        #expect(try refusal("--process", "api=").contains("api="))
        #expect(try refusal("api.jsonl", "--process", "db=db.jsonl").contains("api.jsonl"))
        #expect(try refusal().contains("<input>"))
        #expect(try refusal("--process", "a=api.jsonl", "--process", "b=api.jsonl").contains("each input once"))
        #expect(
            try refusal("--process", "a=api.jsonl", "--process", "b=db.jsonl", "--goroutine", "2").contains(
                "options that select"))
        #expect(try refusal("--process", "a=api.jsonl", "--process", "b=db.jsonl", "--at", "1s").contains("--at FILE"))
        #expect(try refusal("--process", "a=api.jsonl", "--process", "b=db-dump.jsonl").contains("--at db-dump.jsonl"))
    }

    @Test func theUserSaysWhenAProcessWas() throws {
        let result = try run(
            ["convert"] + Self.both + ["--at", "db.jsonl=1us", "--to", "jsonl", "-o", "-"])
        #expect(result.status == 0)
        let times = lines(result).filter { $0["process"] as? String == "db" && $0["kind"] as? String == "Observed" }
        #expect(times.map { $0["t"] as? Int } == [2300, 2300])
        // A dump alone has its place from the user.
        let dump = try run([
            "convert", "--process", "api=api.jsonl", "--process", "db=db-dump.jsonl", "--at", "db-dump.jsonl=100ns",
            "--to",
            "jsonl", "-o", "-",
        ])
        #expect(dump.status == 0)
        #expect(lines(dump).filter { $0["kind"] as? String == "Observed" }.map { $0["t"] as? Int } == [1100, 1100])
    }

    // MARK: - What cannot be of one process

    @Test func theSameInputTwiceIsRefused() throws {
        try folder.write(Self.recording("serve", 5).utf8, to: "copy.jsonl")
        for second in ["api.jsonl", "./api.jsonl", "copy.jsonl"] {
            let result = try run(["convert", "api.jsonl", second, "--to", "null"])
            #expect(result.status == 2)
            #expect(result.errors.contains("each input once"))
        }
        try folder.write(Self.dump("serve", 5).utf8, to: "copy-dump.jsonl")
        let dumps = ["convert", "api.jsonl", "api-dump.jsonl", "copy-dump.jsonl", "--to", "null"]
        #expect(try run(dumps).status == 2)
        #expect(try run(dumps + ["--at", "copy-dump.jsonl=350ns"]).status == 0)
    }

    @Test func recordingsOfOneTimeAreOfTwoProcesses() throws {
        let result = try run(["convert", "api.jsonl", "db.jsonl", "--to", "null"])
        #expect(result.status == 2)
        #expect(result.errors.contains("db.jsonl: expected a recording that begins when api.jsonl has ended"))
        #expect(result.errors.contains("--process NAME=FILE") && result.errors.contains("--at db.jsonl=TIME"))
        #expect(try run(["convert", "api.jsonl", "db.jsonl", "--at", "db.jsonl=10us", "--to", "null"]).status == 0)
    }

    @Test func goroutineNumbersAreGivenOnce() throws {
        let later = Self.recording("store", 20).replacing("\"t\":1", with: "\"t\":9")
        try folder.write(later.utf8, to: "later.jsonl")
        let result = try run(["convert", "api.jsonl", "later.jsonl", "--to", "null"])
        #expect(result.status == 2)
        #expect(result.errors.contains("later.jsonl: expected that G1 is not created, which is in api.jsonl already"))
        // Whoever goes on must have begun with the same function.
        let older = { (function: String) in
            """
            {"kind":"Header","format":"vestige-ir","version":1,"sources":[{"path":"x","format":"gotrace-v2","clock":"monotonic"}]}
            {"t":9000,"kind":"StateTransition","resource":"goroutine","id":2,"from":"Undetermined","to":"Waiting","tstack":["main.\(function) m.go:5"]}
            {"kind":"Trailer","events":1,"losses":{}}

            """
        }
        try folder.write(older("store").utf8, to: "later.jsonl")
        let other = try run(["convert", "api.jsonl", "later.jsonl", "--to", "null"])
        #expect(other.status == 2)
        #expect(other.errors.contains("G2 to have begun with main.serve, as in api.jsonl"))
        try folder.write(older("serve").utf8, to: "later.jsonl")
        #expect(try run(["convert", "api.jsonl", "later.jsonl", "--to", "null"]).status == 0)
    }

    /// The states agree, but not where the goroutines are.
    @Test func aDumpOfAnotherProgramIsRefused() throws {
        let result = try run(["convert", "api.jsonl", "db-dump.jsonl", "--to", "null"])
        #expect(result.status == 2)
        #expect(
            result.errors.contains("db-dump.jsonl: expected goroutines at lines of code at which api.jsonl has them"))
        #expect(result.errors.contains("--process NAME=FILE") && result.errors.contains("--at db-dump.jsonl=TIME"))
        // To compare all the same is what agree is for.
        #expect(try run(["agree", "api.jsonl", "db-dump.jsonl"]).status == 1)
    }
}
