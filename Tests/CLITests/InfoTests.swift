import Foundation
import Testing
import VestigeTestSupport

/// `vestige info` says the same as the events do.
@Suite struct InfoTests {
    @Test func jsonAgreesWithTheEvents() throws {
        let sample = PackagePaths.sample("orders")
        let info = try #require(
            try JSONSerialization.jsonObject(with: CommandLineTool.run(["info", "--json", sample]).output)
                as? [String: Any])
        let lines = try CommandLineTool.run(["convert", "-q", sample, "--to", "jsonl", "-o", "-"]).output
        let events = try lines.split(separator: UInt8(ascii: "\n")).compactMap {
            try JSONSerialization.jsonObject(with: $0) as? [String: Any]
        }.filter { $0["seq"] != nil }
        let kinds = Dictionary(grouping: events) { $0["kind"] as? String ?? "" }.mapValues(\.count)
        let reported = try #require(info["events_by_kind"] as? [String: Int])
        #expect(reported.filter { $0.value > 0 } == kinds)
        #expect(info["events"] as? Int == events.count)
        let times = events.compactMap { $0["t"] as? Int }
        #expect(info["first_ns"] as? Int == times.first)
        #expect(info["last_ns"] as? Int == times.last)
        #expect((info["tasks"] as? [String: Int])?["begun"] == 24)
        let transitions = events.filter { $0["resource"] as? String == "goroutine" }
        let goroutines = try #require(info["goroutines"] as? [String: Any])
        #expect(goroutines["total"] as? Int == Set(transitions.compactMap { $0["id"] as? Int }).count)
        #expect(goroutines["created"] as? Int == transitions.filter { $0["from"] as? String == "NotExist" }.count)
        #expect(goroutines["ended"] as? Int == transitions.filter { $0["to"] as? String == "NotExist" }.count)
    }

    @Test func severalInputsAreSeveralLines() throws {
        let samples = ["hog", "mutex", "gc"].map(PackagePaths.sample)
        let result = try CommandLineTool.run(["info", "--json"] + samples)
        #expect(result.status == 0)
        let files = try result.text.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }.map { $0?["file"] as? String }
        #expect(files == samples)
    }

    @Test func jsonLinesAreAFormOfARecording() throws {
        let folder = try TemporaryFolder()
        let result = try CommandLineTool.shell(
            "vestige convert -q '\(PackagePaths.sample("hog"))' -o hog.jsonl; vestige info hog.jsonl; "
                + "vestige info --json hog.jsonl", in: folder.path)
        #expect(result.text.contains("jsonl, made from gotrace-v2, go 1.26 trace"))
        #expect(result.text.contains("\"format\":\"jsonl\",\"source_format\":\"gotrace-v2\","))
    }

    @Test func textNamesTheEssentials() throws {
        let text = try CommandLineTool.run(["info", PackagePaths.sample("generations")]).text
        for line in ["gotrace-v2, go 1.26 trace, recorded by Go 1.26–1.27", "generations  ", "UTC\n", "lost  "] {
            #expect(text.contains(line))
        }
    }
}
