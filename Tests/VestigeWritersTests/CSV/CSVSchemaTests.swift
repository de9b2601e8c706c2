import Foundation
import Testing
import VestigeCore
import VestigeTestSupport
import VestigeWriters

@Suite struct CSVSchemaTests {
    /// `VESTIGE_RECORD=1` writes the files from the columns, and fails so that nobody forgets to look at them.
    @Test(arguments: CSVSchemaFile.tables) func theSchemaFileSaysWhatTheColumnsSay(_ table: String) throws {
        let url = CSVSchemaFile.url(of: table)
        let schema = try #require(CSVFormat.schema(ofTable: table))
        if ProcessInfo.processInfo.environment["VESTIGE_RECORD"] == "1" {
            try schema.write(to: url, atomically: true, encoding: .utf8)
            Issue.record("recorded \(url.lastPathComponent)")
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == schema)
    }

    @Test(arguments: CSVSchemaFile.tables) func everyColumnIsDescribedOnce(_ table: String) throws {
        let schema = try CSVSchemaFile.read(table)
        #expect(schema.name == table)
        #expect(Set(schema.fields.map(\.name)).count == schema.fields.count)
        for field in schema.fields {
            #expect(field.description.hasSuffix(".") && field.description.count > 15, "\(field.name)")
            #expect(["integer", "string", "boolean"].contains(field.type))
        }
    }

    @Test func thereIsNoSchemaOfAnUnknownTable() { #expect(CSVFormat.schema(ofTable: "nonsense") == nil) }

    @Test func thereIsAFileForEachTableAndNoOther() throws {
        let folder = CSVSchemaFile.url(of: "spans").deletingLastPathComponent()
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(files) == Set(CSVSchemaFile.tables.map { $0 + ".json" }))
    }

    /// All kinds of events with all kinds of values, the absurd too.
    @Test func whatIsWrittenKeepsToTheSchema() throws {
        let script = EventScript()
        var state: UInt64 = 1
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        let texts = ["", "plain", "a,b", "say \"hi\"", "two\r\nlines", "=1+1", "ж", "\u{0}", " blank "].map(
            script.string)
        let stacks = [["main.f", "main.main"], ["=cmd|'/c calc'!A1"], []].map(script.stack)
        for index in 0..<5000 {
            let kind = EventKind.allCases[Int(random(UInt64(EventKind.allCases.count)))]
            script.add(
                Event(
                    kind: kind, timeNanoseconds: Int64(index) * 10, goroutine: GoroutineID(Int64(random(9)) - 1),
                    proc: ProcID(Int32(random(5)) - 1), thread: ThreadID(Int64(random(5)) - 1),
                    stack: stacks[Int(random(3))], name: texts[Int(random(UInt64(texts.count)))],
                    argument0: random(20) == 0 ? .max : random(9), argument1: random(3) == 0 ? .max : random(5),
                    argument2: random(1000), source: UInt8(random(3)), detail: UInt16(random(1 << 16))))
        }
        let output = try CSVOutput(script, batchSize: 100)
        for table in CSVSchemaFile.tables {
            let rows = try #require(output.files[table + ".csv"])
            // Waits need a goroutine that waits, which few of random transitions say.
            #expect(rows.count > (["waits", "stacks"].contains(table) ? 2 : 20), "\(table)")
            #expect(try CSVSchemaFile.read(table).complaint(about: rows) == nil, "\(table)")
        }
    }

    /// Checking each cell is slow in a debug build: those with odd strings, and one in eight of the rest.
    private static let traces = Corpus.traces.filter { $0.eventsFile != nil }.enumerated()
        .filter { $0.offset % 8 == 0 || $0.element.name.hasPrefix("strings") }.map(\.element)

    @Test(arguments: traces)
    func whatComesOfRealTracesKeepsToTheSchema(_ trace: CorpusTrace) throws {
        let listing = try TruthListing(path: trace.eventsPath!)
        let output = try CSVOutput(listing.events, listing.tables, batchSize: 1000)
        #expect(output.files["events.csv"]?.count == listing.events.count + 1)
        let truth = try trace.readTruth()
        let lives = (truth["goroutines"] as? [[String: Any]] ?? []).reduce(0) { $0 + ($1["lives"] as? Int ?? 0) }
        #expect(output.files["goroutines.csv"]?.count == lives + 1)
        #expect(output.files["regions.csv"]?.count == (truth["region_count"] as? Int ?? 0) + 1)
        #expect(output.files["tasks.csv"]?.count == (truth["task_count"] as? Int ?? 0) + 1)
        for table in CSVSchemaFile.tables {
            #expect(try CSVSchemaFile.read(table).complaint(about: output.files[table + ".csv"]!) == nil, "\(table)")
        }
    }
}
