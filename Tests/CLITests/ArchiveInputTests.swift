import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Archives as inputs of commands, and as outputs.
@Suite struct ArchiveInputTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["orders", "gc", "generations"] {
            try FileManager.default.copyItem(atPath: PackagePaths.sample(name), toPath: folder.file("\(name).trace"))
        }
        let words = ["archive", "create", "-q", "a.vestige", "orders.trace", "gc.trace", "generations.trace"]
        #expect(try run(words).status == 0)
    }

    private func run(_ arguments: [String]) throws -> CommandResult {
        try CommandLineTool.run(arguments, in: folder.path)
    }

    @Test(arguments: ["goroutines", "waits", "stacks", "regions", "tasks"])
    func tablesOfAllEntries(_ command: String) throws {
        let json = try run([command, "a.vestige", "--json"])
        #expect(json.status == 0)
        let objects = json.text.split(separator: "\n")
        #expect(objects.count == 3)
        for (name, object) in zip(["orders", "gc", "generations"], objects) {
            let one = try run([command, "\(name).trace", "--json"]).text
            let source = "\"source\":\"a.vestige/\(name).trace\","
            #expect(object.contains(source))
            #expect(object.replacingOccurrences(of: source, with: "") + "\n" == one)
        }
        let csv = try run([command, "a.vestige", "--csv"]).text.split(separator: "\r\n")
        #expect(csv[0].hasPrefix("source,"))
        #expect(csv.count { $0.hasPrefix("source,") } == 1)
        #expect(try run([command, "a.vestige"]).text.contains("a.vestige/generations.trace\n"))
    }

    /// Two recordings are compared: of archives with several, entries must be named.
    @Test func differencesOfEntries() throws {
        let words = ["diff", "a.vestige/orders.trace", "a.vestige/gc.trace", "--csv"]
        #expect(try run(words).text == run(["diff", "orders.trace", "gc.trace", "--csv"]).text)
        let refused = try run(["diff", "a.vestige", "gc.trace"])
        #expect(refused.status == 2 && refused.errors.contains("vestige diff a.vestige/orders.trace gc.trace"))
        let both = try run(["diff", "a.vestige", "a.vestige"])
        #expect(both.errors.contains("vestige diff a.vestige/orders.trace a.vestige/orders.trace"))
        #expect(both.errors.contains("an archive of 3 entries"))
    }

    @Test func lifelinesAndRegionsOfTheEntriesThatHaveThem() throws {
        let one = try run(["lifeline", "1", "gc.trace", "--csv"]).text.split(separator: "\r\n")
        let all = try run(["lifeline", "1", "a.vestige", "--csv"])
        #expect(all.status == 0)
        let prefix = "a.vestige/gc.trace,"
        #expect(
            all.text.split(separator: "\r\n").filter { $0.hasPrefix(prefix) } == one.dropFirst().map { prefix + $0 })
        #expect(try run(["lifeline", "987654", "a.vestige"]).status == 2)
        let regions = try run(["regions", "a.vestige", "--region", "pack", "--csv"])
        #expect(regions.status == 0 && regions.errors.contains("2 recordings without what is asked for"))
        #expect(regions.text.contains("a.vestige/orders.trace,pack,"))
        #expect(try run(["regions", "a.vestige", "--region", "none*"]).status == 2)
    }

    @Test func convertMakesAnOutputOfEachEntry() throws {
        #expect(try run(["convert", "a.vestige", "--to", "jsonl"]).status == 0)
        #expect(try run(["convert", "a.vestige", "--to", "csv", "-o", "tables"]).status == 0)
        let direct = try run(["convert", "gc.trace", "--to", "jsonl", "-o", "-"])
        let lines = { (text: String) in text.split(separator: "\n").dropFirst().dropLast() }
        #expect(try lines(folder.text("a/gc.jsonl")) == lines(direct.text))
        #expect(FileManager.default.fileExists(atPath: folder.file("tables/orders-csv/spans.csv")))
        #expect(try run(["convert", "a.vestige", "--to", "jsonl"]).status == 2)
        #expect(try run(["convert", "a.vestige", "-o", "x.json"]).status == 2)
        #expect(try run(["convert", "a.vestige", "--to", "jsonl", "-o", "-"]).status == 2)
    }

    /// Without -o the output of an entry stands beside the archive.
    @Test func anEntryGoesBesideItsArchive() throws {
        #expect(try run(["convert", "a.vestige/orders.trace"]).status == 0)
        #expect(folder.names.contains("orders.json"))
    }

    @Test func recordingsAsTheyAre() throws {
        #expect(try run(["convert", "orders.trace", "gc.trace", "-o", "b.vestige"]).status == 0)
        #expect(try run(["convert", "a.vestige/gc.trace", "--to", "archive"]).status == 0)
        let piped = try CommandLineTool.shell(
            "vestige convert - --to archive -o c.vestige < orders.trace; vestige archive cat c.vestige > c.trace",
            in: folder.path)
        #expect(piped.status == 0)
        #expect(try folder.read("c.trace") == folder.read("orders.trace"))
        #expect(try run(["archive", "extract", "-q", "gc.vestige", "-o", "out"]).status == 0)
        #expect(try folder.read("out/gc.trace") == folder.read("gc.trace"))
        #expect(try run(["archive", "list", "b.vestige"]).text.split(separator: "\n").count == 2)
        // A part of a recording is no recording as it is.
        let part = try run(["convert", "orders.trace", "-o", "d.vestige", "--goroutine", "1"])
        #expect(part.status == 2 && part.errors.contains("convert the part to jsonl"))
        #expect(try run(["convert", "orders.trace", "-o", "b.vestige"]).status == 2)
        #expect(try run(["convert", "orders.trace", "--to", "archive", "-o", "-"]).status == 2)
    }

    // MARK: - Only what is needed

    /// Writes a recording of generations that have a block each; goroutine 10 + n lives in generation n alone.
    private func writeLargeTrace() throws -> Int {
        var trace = GoTraceBuilder()
        let count = 4
        var random = SeededRandom(seed: 5)
        for number in 0..<count {
            let start = UInt64(1 + number * 1_000_000_000)
            let deep = number == 2 ? trace.string("deep") : 0
            trace.batch(thread: 1, time: start) {
                $0.event("ProcStatus", 0, 1)
                $0.event("GoStatus", 1, .max, 4)
                $0.event("GoUnblock", 1, 1, 0)
                $0.event("GoStart", 1, 2)
                $0.event("GoCreate", UInt64(10 + number), 0, 0)
                $0.event("GoBlock", 0, 0)
                $0.event("GoStart", UInt64(10 + number), 1)
                if number == 2 {
                    $0.event("UserRegionBegin", 0, deep, 0)
                    $0.event("UserRegionEnd", 0, deep, 0)
                }
            }
            // Each batch holds up to 64 KiB.
            for batch in 0..<24 {
                trace.batch(thread: 1, time: start + UInt64(1 + batch) * 10_000_000) {
                    for _ in 0..<4500 { $0.event("HeapAlloc", random.next() >> 8) }
                }
            }
            trace.batch(thread: 1, time: start + 900_000_000) { $0.event("GoDestroy") }
            trace.endGeneration(time: start + 950_000_000)
        }
        try folder.write(trace.bytes, to: "large.trace")
        return count
    }

    @Test func aQueryReadsOnlyTheBlocksThatTheIndexNames() throws {
        let count = try writeLargeTrace()
        #expect(try run(["archive", "create", "-q", "large.vestige", "large.trace"]).status == 0)
        let entry = "large.vestige/large.trace"
        func expectSame(_ arguments: [String], blocks: Int) throws {
            let direct = try run(arguments.map { $0 == "%" ? "large.trace" : $0 })
            let inside = try run(arguments.map { $0 == "%" ? entry : $0 })
            #expect(direct.status == 0 && inside.status == 0)
            // The last line of JSON Lines says how much was read.
            let lines = { (text: String) in text.split(separator: "\n").filter { !$0.contains("\"Trailer\"") } }
            let text = inside.text.replacingOccurrences(of: entry, with: "large.trace")
            #expect(lines(text) == lines(direct.text), "\(arguments)")
            // One more holds what the first two generations leave.
            #expect(inside.errors.contains("(\(blocks) of \(count + 1) blocks)"), "\(arguments): \(inside.errors)")
        }
        let window = [
            "--goroutine", "12", "--from", "2.1s", "--to", "2.2s", "--to", "csv", "-o", "-", "--table", "metrics",
        ]
        try expectSame(["convert", "%"] + window, blocks: 1)
        for number in 0..<count {
            let goroutine = ["--goroutine", "\(10 + number)"]
            try expectSame(["convert", "%", "--to", "jsonl", "-o", "-"] + goroutine, blocks: 1)
            try expectSame(["goroutines", "%", "--json"] + goroutine, blocks: 1)
        }
        let jsonl = ["convert", "%", "--to", "jsonl", "-o", "-"]
        try expectSame(jsonl + ["--goroutine", "11,12"], blocks: 2)
        try expectSame(jsonl + ["--goroutine", "1"], blocks: 4)
        try expectSame(jsonl + ["--goroutine", "99"], blocks: 1)
        let spans = ["convert", "%", "--to", "csv", "-o", "-", "--table", "spans"]
        try expectSame(spans + ["--to", "1.5s", "--kind", "StateTransition"], blocks: 2)
        // The window's generation, the one before, and what the others leave.
        for part in [["--from", "3.1s", "--to", "3.2s"], ["--from", "2.1s", "--to", "2.3s"]] {
            try expectSame(jsonl + part, blocks: 3)
            try expectSame(["goroutines", "%", "--json"] + part, blocks: 3)
            try expectSame(spans + part + ["--goroutine", "1"], blocks: 3)
        }
        // The region's generation, the one before, and what the first leaves.
        try expectSame(jsonl + ["--region", "deep"], blocks: 3)
        try expectSame(["regions", "%", "--json", "--around", "deep"], blocks: 3)
        try expectSame(jsonl + ["--where", "time >= 2.1s and kind == StateTransition"], blocks: 4)
    }

    /// A window reads what the generations before it leave, and gives the same as the recording itself.
    @Test func windowsOfRecordingsWithManyGenerations() throws {
        var traces = [PackagePaths.sample("generations")]
        if let live = Corpus.shared?.appendingPathComponent("corpus/gotrace/live") {
            traces += ["manygens-1.22", "manygens-1.25", "manygens-1.27"].map {
                live.appendingPathComponent("\($0).trace").path
            }
        }
        for trace in traces {
            try FileManager.default.copyItem(atPath: trace, toPath: folder.file("w.trace"))
            #expect(try run(["archive", "create", "-f", "-q", "w.vestige", "w.trace"]).status == 0)
            let last = try #require(ArchiveFile(folder.file("w.vestige")).entries[0].timeRange)
            let seconds = Double(last.upperBound - last.lowerBound) / 1e9
            for part in [0.55, 0.7, 0.85, 0.99] {
                let from = ["--from", "\(Int(seconds * part * 1e6))us"]
                for query in [from, from + ["--to", "\(Int(seconds * 1e6))us"], from + ["--kind", "StateTransition"]] {
                    let words = ["--to", "jsonl", "-o", "-"] + query
                    let direct = try run(["convert", "w.trace"] + words)
                    let inside = try run(["convert", "w.vestige/w.trace"] + words)
                    #expect(direct.status == inside.status)
                    // The last line says how much was read.
                    let lines = { (result: CommandResult) in
                        result.text.replacingOccurrences(of: "w.vestige/w.trace", with: "w.trace")
                            .split(separator: "\n").dropLast()
                    }
                    #expect(lines(inside) == lines(direct), "\(trace) \(query)")
                }
            }
            try FileManager.default.removeItem(atPath: folder.file("w.trace"))
        }
    }

    /// Carries that are damaged are named by verify; a window then reads the generations themselves.
    @Test func aDamagedCarryCostsNothing() throws {
        #expect(try run(["archive", "create", "-q", "g.vestige", "generations.trace"]).status == 0)
        let words = ["g.vestige/generations.trace", "--from", "2.1s", "--json"]
        let sound = try run(["goroutines"] + words)
        #expect(sound.status == 0)
        var bytes = try [UInt8](folder.read("g.vestige"))
        // The block of carries comes last; where the index begins, the first commit says.
        let index = bytes[72..<80].reversed().reduce(0) { $0 << 8 | Int($1) }
        bytes[index - 10] ^= 1
        try folder.write(bytes, to: "g.vestige")
        let verified = try run(["archive", "verify", "g.vestige"])
        #expect(verified.status == 1 && verified.errors.contains("block 2 of 2"))
        #expect(try run(["archive", "extract", "g.vestige", "-o", "out"]).status == 0)
        #expect(try run(["goroutines"] + words).text == sound.text)
    }

    /// Archives of the first version say nothing of carries.
    @Test func anArchiveOfTheFirstVersion() throws {
        let old = URL(fileURLWithPath: PackagePaths.root).appendingPathComponent("Tests/archive/version-1.vestige").path
        #expect(try run(["archive", "verify", old]).status == 0)
        for query in [["--from", "2.1s"], ["--goroutine", "1"], []] {
            let words = ["--to", "csv", "--table", "spans", "-o", "-"] + query
            let inside = try run(["convert", "\(old)/generations.trace"] + words)
            #expect(try inside.status == 0 && inside.text == run(["convert", "generations.trace"] + words).text)
        }
    }

    /// What the index of real recordings says is enough for every goroutine.
    @Test func everyGoroutineOfRecordingsWithManyGenerations() throws {
        guard let shared = Corpus.shared else { return }
        for version in ["1.22", "1.25", "1.27"] {
            let trace = shared.appendingPathComponent("corpus/gotrace/live/manygens-\(version).trace").path
            let input = [ArchiveInput(path: trace, name: "t")]
            let path = folder.file("m\(version).vestige")
            _ = try ArchiveWriter.knowingFormats(level: .fast).create(path, input, overwrites: true)
            let goroutines = Set(
                try ArchiveFile(path).entries[0].chunks.flatMap { $0.content?.goroutines ?? [] }.joined())
            #expect(goroutines.count > 20)
            for goroutine in goroutines {
                #expect(
                    try Self.events(trace, of: goroutine) == Self.events("\(path)/t", of: goroutine), "\(goroutine)")
            }
        }
    }

    /// The events of a goroutine, with their times.
    private static func events(_ path: String, of goroutine: UInt64) throws -> [String] {
        var query = Query()
        query.goroutines = [Int64(goroutine)...Int64(goroutine)]
        var events: [String] = []
        let input = try InputSet([path], query: query)
        try input.readAll { batch throws(TraceError) in
            for event in batch {
                let name = input.tables.strings.string(event.name)
                events.append("\(event.kind) \(event.timeNanoseconds) \(event.goroutine) \(name) \(event.argument0)")
            }
        }
        return events
    }
}
