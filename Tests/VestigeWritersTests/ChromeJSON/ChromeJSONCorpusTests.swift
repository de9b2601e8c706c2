import Testing
import Vestige
import VestigeTestSupport

@Suite("Chrome trace JSON of the corpus")
struct ChromeJSONCorpusTests {
    static let traces = Corpus.traces.filter { $0.must == "ok" && $0.eventsFile != nil }

    @Test(
        "every listed trace becomes a file that viewers take whole", arguments: traces,
        [ChromeDialect.catapult, .perfetto])
    func converts(_ trace: CorpusTrace, _ dialect: ChromeDialect) throws {
        let listing = try TruthListing(path: try #require(trace.eventsPath))
        let file = try ChromeFile(writing: listing.events, listing.tables, dialect: dialect)
        #expect(file.defects == [])
        let states = listing.events.filter { $0.kind == .goroutineTransition }.map(\.toGoroutineState)
        if states.contains(.running) {
            #expect(file.slices.contains { $0.name == "running" })
            #expect(file.rowNames.values.contains { $0.hasPrefix("Procs/P") })
        }
    }
}
