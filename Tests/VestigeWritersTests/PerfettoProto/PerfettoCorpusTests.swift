import Testing
import Vestige
import VestigeTestSupport

@Suite("Perfetto files of the corpus")
struct PerfettoCorpusTests {
    static let traces = Corpus.traces.filter { $0.must == "ok" && $0.eventsFile != nil }

    @Test("every listed trace becomes a whole file, in which threads run as long as goroutines do", arguments: traces)
    func converts(_ trace: CorpusTrace) throws {
        let listing = try TruthListing(path: try #require(trace.eventsPath))
        let file = try PerfettoFile(writing: listing.events, listing.tables)
        #expect(file.defects == [])
        let ran = file.runningNanoseconds.values.reduce(0, +)
        #expect(ran == Self.runningNanoseconds(listing.events))
        let regions = listing.events.filter { $0.kind == .regionBegin }.count
        #expect(file.slices.filter { $0.category == "region" }.count >= regions)
    }

    /// How long goroutines ran on procs that can be CPUs.
    private static func runningNanoseconds(_ events: [Event]) -> UInt64 {
        var starts: [GoroutineID: Int64] = [:]
        var sum: Int64 = 0
        let last = events.last?.timeNanoseconds ?? 0
        for event in events where event.kind == .goroutineTransition {
            let (from, to) = (event.fromGoroutineState, event.toGoroutineState)
            let isRunning = starts[event.subjectGoroutine] != nil
            if isRunning, to == .running, from == .running || from == .undetermined { continue }
            if let start = starts.removeValue(forKey: event.subjectGoroutine) { sum += event.timeNanoseconds - start }
            if to == .running, (0..<1024).contains(event.proc.rawValue) {
                starts[event.subjectGoroutine] = event.timeNanoseconds
            }
        }
        return UInt64(sum + starts.values.reduce(0) { $0 + last - $1 })
    }
}
