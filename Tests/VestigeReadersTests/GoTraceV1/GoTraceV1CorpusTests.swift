import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Every v1 trace of the corpus that Go's reader reads gives the same events here.
struct GoTraceV1CorpusTests {
    static let readable = Corpus.traces.filter { $0.format == "v1" && $0.must == "ok" }

    @Test(arguments: readable)
    func eventsAreThoseOfGosReader(_ trace: CorpusTrace) throws {
        let run = TraceRun(try Corpus.bytes(of: trace.path), format: GoTraceV1Format.format)
        let truth = try trace.readTruth()
        let hash = try #require(truth["hash"] as? [String: Any])
        #expect(run.failure == nil)
        #expect(run.diagnostics.nonZero.isEmpty, "\(run.diagnostics.nonZero)")
        #expect(run.hash.eventCount == (truth["events"] as? NSNumber)?.intValue)
        // Go's reader breaks ties at random in some; what each thread did does not depend on it.
        if trace.stable != false { #expect(run.hash.full.hex == hash["full"] as? String) }
        let byThread = try #require(hash["by_thread_no_time"] as? [String: String])
        #expect(run.hash.byThreadNoTime.count == byThread.count)
        for (thread, value) in run.hash.byThreadNoTime { #expect(value.hex == byThread["\(thread)"], "thread \(thread)") }
    }
}
