import Testing
import VestigeTestSupport

@testable import Vestige

/// `info` counts a big trace in parts; a compressed one, which cannot be divided, must give the same numbers.
@Suite struct InfoPartsTests {
    /// Every event that a trace may have, also those that are not counted where they are placed.
    @Test(arguments: Corpus.traces.filter { $0.format == "v2" && $0.must == "ok" })
    func countingGivesWhatDeliveringGives(_ trace: CorpusTrace) throws {
        let counted = try #require(try PartedCount.count(trace.path, smallest: 0))
        let input = try TraceInput(trace.path)
        var counter = TraceCounter()
        let failure = try input.readAll { events throws(TraceError) in counter.process(events, tables: input.tables) }
        #expect(failure == nil)
        #expect(counted.counts == counter.finish(tables: input.tables))
    }

    @Test func partsGiveWhatOnePassGives() throws {
        // Above the size from which traces are divided: four generations of many events.
        var trace = GoTraceBuilder()
        for generation in UInt64(0)..<4 {
            for batch in UInt64(0)..<40 {
                trace.batch(thread: 1, time: 1_000_000 * generation + 10_000 * batch) { events in
                    if batch == 0 {
                        events.event("ProcStatus", 0, 1)
                        events.event("GoStatus", 1, 1, 2)
                        for id in 0..<generation { events.event("GoStatus", 100 + id, UInt64.max, 4) }
                        events.event("GoCreateBlocked", 100 + generation, 0, 0)
                    }
                    for value in UInt64(0)..<9_000 { events.event("HeapAlloc", value << 21) }
                }
            }
            trace.endGeneration()
        }
        let folder = try TemporaryFolder()
        try folder.write(trace.bytes, to: "parts.trace")
        let compressed = try OutputFile(folder.file("whole.trace.gz"), overwrites: false)
        try trace.bytes.withUnsafeBytes { try compressed.sink.write($0) }
        try compressed.commit()
        let parts = try TraceInfo(folder.file("parts.trace"))
        let whole = try TraceInfo(folder.file("whole.trace.gz"))
        #expect(parts.counts == whole.counts)
        #expect(parts.source.generationCount == 4)
        #expect(parts.counts.goroutineCount == 5)
        #expect(parts.counts.goroutinesAtMost == 5)
        #expect(parts.counts.number(of: .metric) == 4 * 40 * 9_000)
    }
}
