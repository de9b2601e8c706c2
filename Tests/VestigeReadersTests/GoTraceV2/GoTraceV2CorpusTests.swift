import Testing
import Vestige
import VestigeTestSupport

/// The truth of every v2 trace of the corpus.
@Suite struct GoTraceV2CorpusTests {
    /// Traces whose ties this reader breaks otherwise than the reference: the hash by thread must hold.
    /// None so far.
    static let tieBreaksDiffer: Set<String> = []

    static let readable = Corpus.traces.filter { $0.format == "v2" && $0.must == "ok" }
    static let damaged = Corpus.traces.filter { $0.format == "v2" && $0.must != "ok" }

    @Test(arguments: readable) func everyEventIsAsTheTruthHasIt(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        let truth = try trace.readTruth()
        let hashes = try #require(truth["hash"] as? [String: Any])
        let hash = reading.hash()
        #expect(hash.eventCount == truth["events"] as? Int)
        let byThread = hashes["by_thread_no_time"] as? [String: String]
        #expect(Dictionary(uniqueKeysWithValues: hash.byThreadNoTime.map { ("\($0)", $1.hex) }) == byThread)
        if !Self.tieBreaksDiffer.contains(trace.name) {
            #expect(hash.full.hex == hashes["full"] as? String)
            #expect(hash.noStack.hex == hashes["no_stack"] as? String)
            #expect(hash.byKind.mapValues(\.hex) == hashes["by_kind"] as? [String: String])
        }
    }

    @Test(arguments: damaged) func damageCostsNoMoreThanTheReferenceLoses(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        let truth = try trace.readTruth()
        let reference = truth["events"] as? Int ?? 0
        #expect(reading.events.count >= reference)
        #expect(reading.events.count >= trace.recoverable?.events ?? 0)
        if trace.must == "err" {
            #expect(reading.error != nil || reading.diagnostics.nonZero.contains { $0.counter.severity == .loss })
        }
    }

    /// The complete generations at the front of a cut trace are exactly those of the prefix read alone.
    @Test(arguments: damaged.filter { $0.recoverable != nil }) func whatIsRecoverableIsUntouched(
        _ trace: CorpusTrace
    ) throws {
        let recoverable = try #require(trace.recoverable)
        guard recoverable.events > 0 else { return }
        let reading = try Reading(path: trace.path)
        let prefix = Array(try Corpus.bytes(of: trace.path).prefix(recoverable.bytes))
        let alone = Reading(bytes: prefix)
        #expect(alone.hash().full.hex == recoverable.hashFull)
        // The last event of the prefix is the Sync that ends every trace.
        #expect(Array(reading.lines.prefix(recoverable.events - 1)) == Array(alone.lines.dropLast()))
    }
}
