import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// The listings of the corpus, read, written and read again.
@Suite struct JSONLinesCorpusTests {
    static let listed = Corpus.traces.filter { $0.eventsFile != nil }

    /// Every field of every line of a listing stands in what is written, and nothing else that it could say.
    @Test(arguments: listed) func nothingOfAListingIsLost(_ trace: CorpusTrace) throws {
        let listing = try Corpus.bytes(of: trace.eventsPath!)
        let reading = Reading(bytes: listing, format: JSONLinesInputFormat.format, capacity: 1000)
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        let text = try JSONLinesText.write(reading.events, reading.tables)
        #expect(try JSONLinesText.rewritten(text, capacity: 999) == text)

        let ours = text.split(separator: "\n").filter { $0.hasPrefix(#"{"seq":"#) }
        let truth = listing.split(separator: 10)
        #expect(ours.count == truth.count)
        for (our, truth) in zip(ours, truth) {
            let (our, truth) = (try fields(Data(our.utf8)), try fields(Data(truth)))
            our.removeObjects(forKeys: ["stack_id", "tstack_id"])
            if our != truth {
                Issue.record("\(our) is not \(truth)")
                break
            }
        }
    }

    /// From the recording itself, where program counters and all else are known.
    @Test(arguments: listed) func recordingsMakeTheRoundTrip(_ trace: CorpusTrace) throws {
        let reading = Reading(bytes: try Corpus.bytes(of: trace.path))
        guard !reading.events.isEmpty else { return }
        let text = try JSONLinesText.write(reading.events, reading.tables, diagnostics: reading.diagnostics)
        #expect(try JSONLinesText.rewritten(text, capacity: 1000) == text)
        let again = Reading(bytes: Array(text.utf8))
        #expect(again.error == nil)
        #expect(again.hash().full == reading.hash().full)
    }

    /// The hashes of the truth, from a listing: an independent check of what was read.
    @Test(arguments: listed) func hashesOfAListing(_ trace: CorpusTrace) throws {
        let listing = try Corpus.bytes(of: trace.eventsPath!)
        // The hash is of exact bytes, which listings do not have of frames.
        let lossyFrame = #/"t?stack":\[[^\]]*\x{fffd}/#
        if String(decoding: listing, as: UTF8.self).contains(lossyFrame) { return }
        let truth = try trace.readTruth()["hash"] as? [String: Any]
        let reading = Reading(bytes: listing, format: JSONLinesInputFormat.format)
        #expect(reading.hash().full.hex == truth?["full"] as? String)
    }

    private func fields(_ line: Data) throws -> NSMutableDictionary {
        let object = try JSONSerialization.jsonObject(with: line) as? [String: Any]
        return NSMutableDictionary(dictionary: object ?? [:])
    }

    // MARK: - The corpus' own tool

    static let tool = Corpus.shared?.appendingPathComponent("tools/compare-events").path

    @Test(.enabled(if: tool.map(FileManager.default.isExecutableFile) ?? false), arguments: listed.prefix(6))
    func theToolFindsNoDifference(_ trace: CorpusTrace) throws {
        let reading = Reading(bytes: try Corpus.bytes(of: trace.eventsPath!), format: JSONLinesInputFormat.format)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(JSONLinesText.write(reading.events, reading.tables).utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.tool!)
        process.arguments = [trace.eventsPath!, file.path]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
