import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// `vestige batch`, as it is used. `Tests/batch/kill.py` stops large ones in the middle.
@Suite struct BatchTests {
    private let folder: TemporaryFolder
    private static let samples = ["orders", "gc", "mutex"]

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("in/deep"), withIntermediateDirectories: true)
        for (number, name) in Self.samples.enumerated() {
            try FileManager.default.copyItem(
                atPath: PackagePaths.sample(name), toPath: folder.file("in/\(number > 1 ? "deep/" : "")\(name).trace"))
        }
    }

    private func batch(_ arguments: String...) throws -> CommandResult {
        try CommandLineTool.run(["batch"] + arguments, in: folder.path)
    }

    /// The report's rows, without the heading.
    private func report(_ path: String = "out/batch-report.csv") throws -> [Substring] {
        try folder.text(path).split(separator: "\r\n").dropFirst().map { $0 }
    }

    private func modified(_ path: String) throws -> Date? {
        try FileManager.default.attributesOfItem(atPath: folder.file(path))[.modificationDate] as? Date
    }

    @Test func manyInputsToManyOutputs() throws {
        let result = try batch("in", "--to", "jsonl,csv,archive,null", "--out", "out", "--jobs", "3")
        #expect(result.status == 0)
        #expect(result.errors.contains("12 outputs: 12 done; out/batch-report.csv"))
        let direct = try CommandLineTool.run(
            ["convert", "in/deep/mutex.trace", "--to", "jsonl", "-o", "-"], in: folder.path)
        #expect(try folder.read("out/in/deep/mutex.jsonl") == direct.output)
        #expect(FileManager.default.fileExists(atPath: folder.file("out/in/orders-csv/spans.csv")))
        let listed = try CommandLineTool.run(["archive", "list", "out/in/gc.vestige"], in: folder.path)
        #expect(listed.text.contains("in/gc.trace"))
        #expect(try report().count == 12)
        #expect(try folder.text("out/batch-report.json").contains("{\"done\":12,\"partial\":0,\"failed\":0,"))
    }

    @Test func aBadFileIsAFailedLineAndACutOneAPartialOne() throws {
        try folder.write("no recording\n".utf8, to: "in/bad.trace")
        try folder.write(folder.read("in/orders.trace").prefix(3000), to: "in/cut.trace")
        let result = try batch("in", "missing.trace", "--to", "jsonl", "--out", "out")
        #expect(result.status == 1)
        let rows = try report()
        #expect(rows.count == 6)
        #expect(rows.contains { $0.hasPrefix("in/bad.trace,jsonl,out/in/bad.jsonl,failed,0,,") })
        #expect(rows.contains { $0.hasPrefix("missing.trace,jsonl,out/missing.jsonl,failed,0,,") })
        #expect(
            rows.contains { $0.hasPrefix("in/cut.trace,jsonl,out/in/cut.jsonl,partial,604,") && $0.contains("batch") })
        #expect(try batch("in/cut.trace", "--to", "jsonl", "--out", "out2", "--strict").status == 4)
        #expect(result.errors.contains("3 done, 1 partial (made, but something of the input is lost), 2 failed;"))
    }

    /// A trace and a dump of one name keep their suffixes; where a template says the names it must tell them apart.
    @Test func twoInputsOfOneName() throws {
        let dump = "goroutine 1 [running]:\nmain.main()\n\t/a/main.go:1 +0x1\n"
        try folder.write(dump.utf8, to: "in/orders.txt")
        let result = try batch("in", "--to", "jsonl", "--out", "out")
        #expect(result.status == 0 && result.errors.contains("4 outputs: 4 done"))
        for name in ["orders.trace.jsonl", "orders.txt.jsonl", "gc.jsonl"] {
            #expect(FileManager.default.fileExists(atPath: folder.file("out/in/\(name)")))
        }
        let refused = try batch("in", "--to", "jsonl", "--out", "out/{name}{suffix}")
        #expect(refused.status == 2 && refused.errors.contains("--out 'out/{dir}/{file}{suffix}'"))
    }

    @Test func whatHasNotChangedIsNotDoneAgain() throws {
        let words = ["in", "--to", "jsonl", "--out", "out"]
        func run(_ more: String...) throws -> CommandResult {
            try CommandLineTool.run(["batch"] + words + more, in: folder.path)
        }
        #expect(try run().status == 0)
        let first = try modified("out/in/orders.jsonl")
        #expect(try run().errors.contains("3 done, 3 of these before"))
        #expect(try modified("out/in/orders.jsonl") == first)
        // Other options, a changed input, an output that is gone.
        #expect(try run("--goroutine", "1").errors.contains("3 done; "))
        #expect(try run().errors.contains("3 done; "))
        try FileManager.default.removeItem(atPath: folder.file("out/in/gc.jsonl"))
        try folder.write(folder.read("in/deep/mutex.trace"), to: "in/orders.trace")
        #expect(try run().errors.contains("3 done, 1 of these before"))
        #expect(
            try folder.text("out/in/orders.jsonl").split(separator: "\n").dropFirst().dropLast()
                == folder.text("out/in/deep/mutex.jsonl").split(separator: "\n").dropFirst().dropLast())
        // By content, a file that is only newer is the same.
        #expect(try run("--checksum").status == 0)
        try folder.write(folder.read("in/gc.trace"), to: "in/gc.trace")
        #expect(try run("--checksum").errors.contains("3 done, 3 of these before"))
    }

    @Test func nothingOfOthersIsReplaced() throws {
        try FileManager.default.createDirectory(atPath: folder.file("out/in"), withIntermediateDirectories: true)
        try folder.write("mine\n".utf8, to: "out/in/gc.jsonl")
        let refused = try batch("in", "--to", "jsonl", "--out", "out")
        #expect(refused.status == 1 && refused.errors.contains("a file that exists"))
        #expect(try folder.text("out/in/gc.jsonl") == "mine\n")
        #expect(try batch("in", "--to", "jsonl", "--out", "out", "-f").status == 0)
        // Nor what somebody has changed since.
        try folder.write("mine again\n".utf8, to: "out/in/gc.jsonl")
        #expect(try batch("in", "--to", "jsonl", "--out", "out").errors.contains("found it changed"))
        #expect(try batch("in", "--to", "jsonl", "--out", "out").status == 1)
        #expect(try folder.text("out/in/gc.jsonl") == "mine again\n")
    }

    @Test func templatesAndPatterns() throws {
        let one = try batch("in", "--to", "jsonl", "--out", "o/{format}/{name}-{file}{suffix}.zst", "--exclude", "gc*")
        #expect(one.status == 0)
        #expect(FileManager.default.fileExists(atPath: folder.file("o/jsonl/mutex-mutex.trace.jsonl.zst")))
        #expect(try report("o/batch-report.csv").count == 2)
        #expect(try batch("in", "--out", "o/{nam}").errors.contains("did you mean name?"))
        #expect(try batch("in", "--out", "o/{format}.json").status == 2)
        #expect(try batch("in", "--out", "o/x.json").status == 2)
        #expect(
            try batch("in", "--to", "jsonl", "--out", "p", "--include", "in/deep/*").errors.contains("1 output: 1 done")
        )
        #expect(try batch("in", "--to", "jsonl", "--out", "q", "--no-recursive").errors.contains("2 outputs: 2 done"))
        let list = "find in -name '*.trace' -print0 | vestige batch --files-from - --to jsonl --out r"
        #expect(try CommandLineTool.shell(list, in: folder.path).errors.contains("3 outputs: 3 done"))
        // Outputs among the inputs are no inputs.
        let beside = ["batch", "in", "--to", "jsonl", "--out", "in/{file}{suffix}"]
        #expect(try CommandLineTool.run(beside, in: folder.path).errors.contains("3 outputs: 3 done"))
        #expect(
            try CommandLineTool.run(beside, in: folder.path).errors.contains("3 outputs: 3 done, 3 of these before"))
    }

    @Test func entriesOfArchives() throws {
        #expect(try CommandLineTool.run(["archive", "create", "a.vestige", "in"], in: folder.path).status == 0)
        let result = try batch("a.vestige", "--to", "jsonl", "--out", "out")
        #expect(result.status == 0 && result.errors.contains("3 outputs: 3 done"))
        #expect(FileManager.default.fileExists(atPath: folder.file("out/a.vestige/in/deep/mutex.jsonl")))
        #expect(try batch("a.vestige", "--to", "jsonl", "--out", "out").errors.contains("3 of these before"))
    }

    @Test func tablesOfAllInputsInOne() throws {
        let words = ["in", "--to", "csv", "--out", "out", "--combine", "out/all"]
        #expect(try CommandLineTool.run(["batch"] + words, in: folder.path).status == 0)
        let combined = try folder.text("out/all/spans.csv")
        let lines = combined.split(separator: "\r\n")
        var expected = 0
        for name in ["orders", "gc", "deep/mutex"] {
            let rows = try folder.text("out/in/\(name)-csv/spans.csv").split(separator: "\r\n")
            #expect(lines[0] == "source,\(rows[0])")
            #expect(
                lines.filter { $0.hasPrefix("in/\(name).trace,") } == rows.dropFirst().map { "in/\(name).trace,\($0)" })
            expected += rows.count - 1
        }
        #expect(lines.count == expected + 1)
        // A field with line breaks stays one field.
        #expect(
            try folder.text("out/all/stacks.csv").contains("\"")
                || !folder.text("out/in/gc-csv/stacks.csv").contains("\""))
        let style = ["--delimiter", ";", "--no-header", "--table", "goroutines"]
        #expect(
            try CommandLineTool.run(
                ["batch", "in", "--to", "csv", "--out", "o2/{name}.csv", "--combine", "o2/all"] + style, in: folder.path
            ).status == 0)
        #expect(try folder.text("o2/all/goroutines.csv").hasPrefix("in/deep/mutex.trace;"))
    }

    @Test func twoBatchesExcludeEachOther() throws {
        try FileManager.default.createDirectory(atPath: folder.file("out"), withIntermediateDirectories: true)
        let descriptor = open(folder.file("out"), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        let result = try batch("in", "--to", "jsonl", "--out", "out")
        #expect(result.status == 2 && result.errors.contains("no other batch"))
    }

    /// A process that the system ends, such as for want of memory, is one failed line.
    @Test func aWorkerThatIsEndedStopsNothing() throws {
        // It waits for a writer.
        try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
        let process = try CommandLineTool.start(
            CommandLineTool.path, ["batch", "pipe", "in", "--to", "jsonl", "--out", "out", "--jobs", "2"],
            in: folder.path, input: "/dev/null", output: folder.file("o"), errors: folder.file("e"))
        let deadline = Date(timeIntervalSinceNow: 300)
        var worker: pid_t?
        while worker == nil, Date() < deadline {
            worker = Self.child(of: process, with: "pipe")
            usleep(10_000)
        }
        kill(try #require(worker), SIGKILL)
        #expect(CommandLineTool.end(of: process) == .exit(1))
        let rows = try report()
        #expect(rows.count { $0.contains(",done,") } == 3)
        #expect(rows.contains { $0.hasPrefix("pipe,jsonl,out/pipe.jsonl,failed,0,,") && $0.contains("signal 9") })
    }

    private static func child(of parent: pid_t, with argument: String) -> pid_t? {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.compactMap { pid_t($0) }.first { process in
            let read = { (name: String) in
                (try? String(contentsOfFile: "/proc/\(process)/\(name)", encoding: .utf8)) ?? ""
            }
            return read("status").contains("PPid:\t\(parent)\n")
                && read("cmdline").split(separator: "\0").map(String.init).dropFirst().starts(with: [
                    "convert", argument,
                ])
        }
    }

    /// Interrupted, it goes with its workers, leaves nothing half done, and goes on later.
    @Test func anInterruptedBatchGoesOn() throws {
        try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
        let words = ["batch", "in", "./pipe", "--to", "jsonl", "--out", "out", "--jobs", "1"]
        let process = try CommandLineTool.start(
            CommandLineTool.path, words, in: folder.path, input: "/dev/null", output: folder.file("o"),
            errors: folder.file("e"))
        let deadline = Date(timeIntervalSinceNow: 300)
        while Self.child(of: process, with: "./pipe") == nil, Date() < deadline { usleep(10_000) }
        kill(process, SIGINT)
        #expect(CommandLineTool.end(of: process) == .exit(130))
        #expect(try folder.text("e").contains("interrupted: 3 of 4 done"))
        #expect(!FileManager.default.fileExists(atPath: folder.file("out/batch-report.csv")))
        unlink(folder.file("pipe"))
        try FileManager.default.copyItem(atPath: PackagePaths.sample("orders"), toPath: folder.file("pipe"))
        let again = try CommandLineTool.run(words, in: folder.path)
        #expect(again.status == 0 && again.errors.contains("4 done, 3 of these before"))
    }

    /// What a crash has left of a line counts for nothing.
    @Test func aTornJournal() throws {
        #expect(try batch("in", "--to", "jsonl", "--out", "out").status == 0)
        let journal = try folder.read("out/.vestige-batch")
        for length in stride(from: 0, through: journal.count, by: max(1, journal.count / 6)) {
            try folder.write(journal.prefix(length), to: "out/.vestige-batch")
            #expect(try batch("in", "--to", "jsonl", "--out", "out", "-f").status == 0)
            #expect(try report().count == 3)
        }
        try folder.write("something else\n".utf8, to: "out/.vestige-batch")
        #expect(try batch("in", "--to", "jsonl", "--out", "out").status == 2)
    }
}
