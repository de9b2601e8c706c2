import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Several inputs of one run, through the command.
@Suite struct MergeTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Self.recording.utf8, to: "run.jsonl")
        try folder.write(Self.dump.utf8, to: "dump.jsonl")
    }

    private static let recording = """
        {"t":1000,"kind":"StateTransition","resource":"goroutine","id":1,"from":"NotExist","to":"Running","tstack":["main.main m.go:1"]}
        {"t":1100,"kind":"StateTransition","resource":"goroutine","id":2,"from":"NotExist","to":"Running","tstack":["main.work m.go:9"]}
        {"t":1200,"kind":"StateTransition","resource":"goroutine","id":2,"from":"Running","to":"Waiting","reason":"chan receive","tstack":["main.work m.go:11"]}
        {"t":1400,"kind":"StateTransition","resource":"goroutine","id":2,"from":"Waiting","to":"Running"}

        """
    private static let dump = """
        {"t":0,"kind":"Observed","g":1,"state":"running","stack":["main.main m.go:3"]}
        {"t":0,"kind":"Observed","g":2,"state":"waiting","reason":"chan receive","stack":["main.work m.go:11"]}

        """

    private func convert(_ more: String...) throws -> CommandResult {
        try CommandLineTool.run(
            ["convert", "run.jsonl", "dump.jsonl", "--to", "jsonl", "-o", "-"] + more, in: folder.path)
    }

    private func times(_ text: String) -> [Int] {
        text.split(separator: "\n").filter { $0.contains("\"Observed\"") }.compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["t"] as? Int
        }
    }

    @Test func aDumpFindsItsPlace() throws {
        let result = try convert()
        #expect(result.status == 0)
        #expect(times(result.text) == [1300, 1300])
        #expect(result.text.contains(#""alignment":[{"by":"states","t":1300,"agreeing":2,"differing":0"#))
        #expect(result.errors.contains("dump.jsonl: placed at 300 ns: "))
        #expect(result.errors.contains("2 of 2 goroutines agree"))
        // Whoever reads the output again has the same.
        try folder.write(result.output, to: "both.jsonl")
        let again = try CommandLineTool.run(["convert", "both.jsonl", "--to", "jsonl", "-o", "-"], in: folder.path)
        #expect(again.output == result.output)
    }

    @Test func theUserKnowsBetter() throws {
        for (argument, time) in [("dump.jsonl=250ns", 1250), ("0.1us", 1100), ("-1us", 0)] {
            let result = try convert("--at=\(argument)")
            #expect(result.status == 0)
            #expect(times(result.text) == [time, time])
            #expect(result.text.contains(#""by":"manual""#))
        }
        let wrong = try convert("--at", "other.jsonl=1s")
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("other.jsonl"))
        #expect(try convert("--at", "soon").status == 2)
    }

    @Test func whatDoesNotBelongTogetherIsRefused() throws {
        try folder.write(
            Self.dump.replacingOccurrences(of: "\"g\":", with: "\"g\":70").utf8, to: "dump.jsonl")
        let result = try convert()
        #expect(result.status == 2)
        #expect(result.text.isEmpty)
        #expect(result.errors.contains("dump.jsonl: expected goroutines in the states that run.jsonl has"))
        #expect(try convert("--at", "dump.jsonl=0").status == 0)
    }

    @Test func agreeSaysWhetherBothSayTheSame() throws {
        let same = try CommandLineTool.run(["agree", "run.jsonl", "dump.jsonl"], in: folder.path)
        #expect(same.status == 0)
        #expect(same.text.contains("2 goroutines compared, no difference"))
        try folder.write(Self.dump.replacingOccurrences(of: "main.work", with: "main.play").utf8, to: "dump.jsonl")
        let other = try CommandLineTool.run(["agree", "run.jsonl", "dump.jsonl"], in: folder.path)
        #expect(other.status == 1)
        #expect(other.text.contains("main.work"))
        #expect(other.text.contains("main.play"))
        let json = try CommandLineTool.run(["agree", "--json", "run.jsonl", "dump.jsonl"], in: folder.path)
        #expect(json.status == 1)
        let object = try #require(JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        #expect(object["agree"] as? Bool == false)
        #expect(try CommandLineTool.run(["agree", "run.jsonl"], in: folder.path).status == 2)
        let words = ["archive", "create", "-q", "run.vestige", "run.jsonl", "dump.jsonl"]
        #expect(try CommandLineTool.run(words, in: folder.path).status == 0)
        let entries = try CommandLineTool.run(["agree", "run.vestige"], in: folder.path)
        #expect(entries.status == 1 && entries.text.contains("main.play"))
    }
}
