import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// `vestige archive`, as it is used.
@Suite struct ArchiveCommandTests {
    private let folder: TemporaryFolder
    private static let orders = Samples.folder.appendingPathComponent("gotrace-v2/orders/orders.trace").path

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("in/deep"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Self.orders, toPath: folder.file("in/orders.trace"))
        try folder.write("text\n".utf8, to: "in/deep/note.txt")
    }

    private func run(_ arguments: String...) throws -> CommandResult {
        try CommandLineTool.run(["archive"] + arguments, in: folder.path)
    }

    @Test func createListExtract() throws {
        #expect(try run("create", "a.vestige", "in").status == 0)
        let list = try run("list", "a.vestige")
        #expect(list.text.contains("in/orders.trace") && list.text.contains("in/deep/note.txt"))
        #expect(list.text.contains("gotrace-v2"))
        #expect(try run("extract", "a.vestige", "-o", "out").status == 0)
        #expect(try folder.read("out/in/orders.trace") == folder.read("in/orders.trace"))
        #expect(try folder.text("out/in/deep/note.txt") == "text\n")
        // Neither an archive nor a file gives way without -f.
        #expect(try run("create", "a.vestige", "in").status == 2)
        #expect(try run("extract", "a.vestige", "-o", "out").status == 2)
        #expect(try run("extract", "a.vestige", "-f", "-o", "out").status == 0)
        #expect(try run("cat", "a.vestige", "in/deep").text == "text\n")
        #expect(try run("verify", "a.vestige").status == 0)
        #expect(try run("list", "a.vestige", "in/deep/*").text.split(separator: "\n").count == 1)
        #expect(try run("list", "a.vestige", "nothing").status == 3)
    }

    @Test func filesFromAList() throws {
        let script =
            "find in -type f -print0 | vestige archive create a.vestige --files-from - && vestige archive list a.vestige"
        #expect(try CommandLineTool.shell(script, in: folder.path).text.split(separator: "\n").count == 2)
    }

    @Test func entriesAreInputs() throws {
        #expect(try run("create", "a.vestige", "in/orders.trace").status == 0)
        let direct = try CommandLineTool.run(["convert", Self.orders, "--to", "null"])
        let entry = try CommandLineTool.run(["convert", "a.vestige/in/orders.trace", "--to", "null"], in: folder.path)
        #expect(entry.status == 0 && entry.text == direct.text)
        let info = try CommandLineTool.run(["info", "a.vestige"], in: folder.path)
        #expect(info.text.hasPrefix("a.vestige/in/orders.trace\n"))
        let wrong = try CommandLineTool.run(["convert", "a.vestige/in/order.trace", "--to", "null"], in: folder.path)
        #expect(wrong.status == 3 && wrong.errors.contains("did you mean in/orders.trace?"))
    }

    @Test func addAndRemove() throws {
        #expect(try run("create", "a.vestige", "in/orders.trace").status == 0)
        #expect(try run("add", "a.vestige", "in/deep/note.txt").status == 0)
        #expect(try run("add", "a.vestige", "in/deep/note.txt").status == 2)
        #expect(try run("add", "-f", "a.vestige", "in/deep/note.txt").status == 0)
        let size = Samples.size(folder.file("a.vestige"))
        #expect(try run("remove", "a.vestige", "in/orders.trace", "--compact").status == 0)
        #expect(Samples.size(folder.file("a.vestige")) < size)
        #expect(try run("cat", "a.vestige").text == "text\n")
        #expect(try run("remove", "a.vestige").status == 2)
    }

    @Test func onlyGenerationsThatMentionAGoroutine() throws {
        #expect(try run("create", "a.vestige", "in/orders.trace").status == 0)
        let none = try run("cat", "a.vestige", "--goroutine", "987654321")
        #expect(none.status == 0 && none.output.count == 16)
        #expect(none.errors.contains("0 of"))
        let all = try run("cat", "a.vestige", "--region", "*")
        let original = try folder.read("in/orders.trace")
        #expect(all.output == original)
    }

    @Test func nothingLeavesTheFolder() throws {
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "/tmp")
        #expect(try run("create", "a.vestige", "in").status == 0)
        try FileManager.default.createDirectory(atPath: folder.file("out"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("out/in"), withDestinationPath: folder.file("in"))
        let result = try run("extract", "a.vestige", "-o", "out", "-f")
        #expect(result.status == 5)
        #expect(try folder.read("in/orders.trace") == Data(contentsOf: URL(fileURLWithPath: Self.orders)))
    }

    @Test func damageIsNamedAndCostsOneEntry() throws {
        #expect(try run("create", "a.vestige", "in/orders.trace").status == 0)
        #expect(try run("add", "a.vestige", "in/deep/note.txt").status == 0)
        var bytes = try folder.read("a.vestige")
        bytes[400] ^= 0x10
        try folder.write(bytes, to: "a.vestige")
        let verified = try run("verify", "a.vestige")
        #expect(verified.status == 1)
        #expect(verified.errors.contains("in/orders.trace") && verified.errors.contains("block 1 of 2"))
        let extracted = try run("extract", "a.vestige", "-o", "out")
        #expect(extracted.status == 3)
        #expect(try folder.text("out/in/deep/note.txt") == "text\n")
        #expect(!FileManager.default.fileExists(atPath: folder.file("out/in/orders.trace")))
    }

    /// Damage of a block that many small files share is said once.
    @Test func damageOfManyEntriesIsOneMessage() throws {
        try FileManager.default.createDirectory(atPath: folder.file("many"), withIntermediateDirectories: true)
        for number in 0..<50 { try folder.write("text \(number)\n".utf8, to: "many/\(number).txt") }
        #expect(try run("create", "a.vestige", "many").status == 0)
        var bytes = try folder.read("a.vestige")
        bytes[140] ^= 0x10
        try folder.write(bytes, to: "a.vestige")
        let verified = try run("verify", "a.vestige")
        #expect(verified.status == 1)
        #expect(verified.errors.split(separator: "\n").count == 3, "\(verified.errors)")
        #expect(verified.errors.contains("50 entries, ") && verified.errors.contains(" and 47 more"))
        #expect(try run("verify", "a.vestige", "--verbose").errors.contains("many/49.txt"))
    }

    @Test func anEntryByItsPath() throws {
        #expect(try run("create", "a.vestige", "in").status == 0)
        let info = try run("info", "a.vestige/in/orders.trace")
        #expect(info.status == 0 && info.text.contains("in/orders.trace\n") && !info.text.contains("note.txt"))
        #expect(try run("list", "a.vestige/in/deep").text.contains("note.txt"))
        #expect(try run("info", "a.vestige/none").status == 3)
        #expect(try run("remove", "a.vestige/in/deep/note.txt").status == 0)
        #expect(try !run("list", "a.vestige").text.contains("note.txt"))
    }

    @Test func aFullDisk() throws {
        #expect(try run("create", "a.vestige", "in/deep").status == 0)
        let before = try folder.read("a.vestige")
        // One block of 1024 bytes is less than either needs.
        let added = try CommandLineTool.shell(
            "ulimit -f 1; vestige archive add a.vestige in/orders.trace", in: folder.path)
        #expect(added.status == 5)
        #expect(try folder.read("a.vestige") == before)
        let made = try CommandLineTool.shell("ulimit -f 1; vestige archive create b.vestige in", in: folder.path)
        #expect(made.status == 5)
        #expect(folder.names.filter { $0.contains("b.vestige") }.isEmpty)
    }

    /// Killed at 50 moments each: what was there before is there, and the next command goes on.
    @Test func killedAtAnyMoment() throws {
        var random = SeededRandom(seed: 41)
        for index in 0..<12 {
            try FileManager.default.copyItem(atPath: Self.orders, toPath: folder.file("in/o\(index)"))
        }
        #expect(try run("create", "a.vestige", "in/deep").status == 0)
        let start = ContinuousClock.now
        #expect(try run("create", "full.vestige", "in").status == 0)
        let microseconds =
            Double((ContinuousClock.now - start).components.attoseconds) / 1e12
            + Double((ContinuousClock.now - start).components.seconds) * 1e6
        for round in 0..<50 {
            let isAdding = round.isMultiple(of: 2)
            let name = isAdding ? "a.vestige" : "b.vestige"
            let words = ["archive", isAdding ? "add" : "create", "-f", name, "in"]
            try folder.write([], to: "none")
            let process = try CommandLineTool.start(
                CommandLineTool.path, words, in: folder.path, input: folder.file("none"), output: folder.file("o"),
                errors: folder.file("e"))
            usleep(UInt32(Double.random(in: 0..<1, using: &random) * microseconds))
            kill(process, SIGKILL)
            _ = CommandLineTool.end(of: process)
            #expect(try run("verify", "a.vestige").status == 0)
            #expect(try run("cat", "a.vestige", "in/deep/note.txt").text == "text\n")
            if FileManager.default.fileExists(atPath: folder.file("b.vestige")) {
                #expect(try run("verify", "b.vestige").status == 0)
            }
        }
        #expect(try run("create", "-f", "b.vestige", "in").status == 0)
        #expect(folder.names.filter { $0.hasSuffix(".partial") }.isEmpty)
    }
}
