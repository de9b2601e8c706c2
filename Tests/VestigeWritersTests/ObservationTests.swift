import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// What observers say is visible in every writer: on the goroutine's own track, with its stack.
@Suite struct ObservationTests {
    private static let dump = """
        goroutine 18 [chan receive, 2 minutes] {tenant: blue}:
        main.receive(0x1)
        \t/src/main.go:7 +0x1
        main.work()
        \t/src/main.go:9 +0x1
        created by main.main in goroutine 1
        \t/src/main.go:3 +0x1

        goroutine 19 [select (leaked), locked to thread]:
        main.choose()
        \t/src/main.go:5 +0x1

        """
    private static let profile = "goroutine profile: total 3\n3 @ 0x1 0x2\n#\t0x1\tmain.work+0x1\t/src/main.go:9\n"

    @Test(arguments: [ChromeDialect.catapult, .perfetto]) func chrome(_ dialect: ChromeDialect) throws {
        let reading = Reading(bytes: Array(Self.dump.utf8))
        let file = try ChromeFile(writing: reading.events, reading.tables, dialect: dialect)
        #expect(file.defects == [])
        let instants = file.events("i")
        #expect(instants.map { $0["name"] as? String } == ["observed: chan receive", "observed: select"])
        #expect(file.rowNames[ChromeFile.row(instants[0])] == "Goroutines/G18 main.work observed")
        #expect(file.rowNames[ChromeFile.row(instants[1])] == "Goroutines/G19 main.choose observed")
        let arguments = try #require(instants[0]["args"] as? [String: Any])
        #expect("\(arguments["stack"] ?? "")".contains("main.receive"))
        #expect(arguments["state"] as? String == "waiting")
        #expect(arguments["wait_ns_at_least"] as? Int == 120_000_000_000)
        #expect(arguments["created_by"] as? String == "G1")
        #expect(arguments["created_at"] as? String == "main.main (main.go:3)")
        #expect(arguments["labels"] as? String == "tenant=blue")
        let flags = try #require(instants[1]["args"] as? [String: Any])
        #expect(flags["leaked"] as? Bool == true && flags["locked"] as? Bool == true)
    }

    @Test func perfetto() throws {
        let reading = Reading(bytes: Array(Self.dump.utf8))
        let file = try PerfettoFile(writing: reading.events, reading.tables)
        #expect(file.defects == [])
        #expect(file.slices.map(\.name) == ["observed: chan receive", "observed: select"])
        let slice = try #require(file.slices.first)
        #expect(slice.isInstant)
        let track = try #require(file.tracks[slice.track])
        #expect(track.name == "observed")
        #expect(file.tracks[track.parent]?.name == "G18 main.work")
        #expect(slice.annotations["state"] == "waiting")
        #expect(slice.annotations["labels"] == "tenant=blue")
        #expect(slice.annotations["created_by"] == "G1")
        #expect(slice.annotations["stack"]?.hasPrefix("main.receive (main.go:7)") == true)
        #expect(file.slices[1].annotations["leaked"] != nil)
    }

    @Test func groupsHaveRowsOfTheirOwn() throws {
        let reading = Reading(bytes: Array(Self.profile.utf8))
        let chrome = try ChromeFile(writing: reading.events, reading.tables)
        #expect(chrome.defects == [])
        #expect(chrome.rowNames[ChromeFile.row(try #require(chrome.events("i").first))] == "Goroutines/3 × main.work")
        let perfetto = try PerfettoFile(writing: reading.events, reading.tables)
        #expect(perfetto.defects == [])
        #expect(perfetto.tracks[try #require(perfetto.slices.first).track]?.name == "3 × main.work")
    }

    /// A goroutine that is traced too keeps its rows, and what is observed of it changes no state.
    @Test func anObservationChangesNoState() throws {
        let script = EventScript()
        script.go(18, .notExist, .runnable, at: 10, ownStack: ["main.work"])
        script.go(18, .runnable, .running, at: 20)
        let observed = Event(
            kind: .observed, timeNanoseconds: 25, goroutine: GoroutineID(18), name: script.string("chan receive"),
            argument2: 1, detail: Event.pack(observed: .waiting))
        script.add(observed)
        script.go(18, .running, .notExist, at: 30)
        let file = try ChromeFile(writing: script.events, script.tables)
        #expect(file.defects == [])
        #expect(file.rows("Goroutines/G18 main.work") == ["0–10 runnable", "10–20 running"])
        let instant = try #require(file.events("i").first)
        #expect(file.rowNames[ChromeFile.row(instant)] == "Goroutines/G18 observed")
        let perfetto = try PerfettoFile(writing: script.events, script.tables)
        #expect(perfetto.rows("Goroutines/main.work/G18 main.work") == ["0–10 runnable", "10–20 running"])
    }

    @Test func csv() throws {
        let reading = Reading(bytes: Array(Self.dump.utf8))
        let target = MemoryTarget()
        let writer = try CSVFormat.format.make(target, OutputOptions())
        try reading.events.withUnsafeBufferPointer { try writer.write($0, tables: reading.tables) }
        try writer.finish(tables: reading.tables)
        let rows = target.text(of: "observations.csv").split(separator: "\r\n")
        #expect(
            rows.dropFirst() == [
                "0,0,0,18,1,Waiting,chan receive,120000000000,2,false,false,false,false,false,false,,1,"
                    + "main.main /src/main.go:3,,tenant=blue,,,,,"
                    + "main.receive /src/main.go:7 < main.work /src/main.go:9,0",
                "1,0,0,19,1,Waiting,select,,,true,false,false,true,false,false,,,,,,,,,,main.choose /src/main.go:5,0",
            ])
    }
}
