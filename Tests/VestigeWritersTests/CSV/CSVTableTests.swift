import Testing
import VestigeCore
import VestigeTestSupport
import VestigeWriters

/// Rows of the tables that sum up, and of those beside the goroutines.
@Suite struct CSVTableTests {
    let script = EventScript()

    private func rows(_ table: String) throws -> [Substring] {
        Array(try CSVOutput(script).target.text(of: table + ".csv").split(separator: "\r\n").dropFirst())
    }

    @Test func logsAndMetrics() throws {
        script.mark(.log, "c", at: 10, on: 7, task: 4, UInt64(script.string("m, n").rawValue), stack: ["main.f"])
        script.mark(.metric, "/gc/heap/goal:bytes", at: 30, on: 8, task: 4096)
        #expect(try rows("logs") == ["0,10,7,0,100,4,c,\"m, n\",main.f /src/main.f.go:7,0"])
        #expect(try rows("metrics") == ["20,30,/gc/heap/goal:bytes,4096,bytes,8,0,false,0"])
    }

    @Test func ranges() throws {
        script.sync(at: 0)
        script.range(.rangeBegin, "GC", at: 10)
        script.range(.rangeBegin, "sweep", at: 20, .proc, 3, on: 7)
        script.range(.rangeEnd, "sweep", at: 30, .proc, 3, on: 7, swept: 8192, reclaimed: 512)
        script.range(.rangeActive, "assist", at: 35, .goroutine, 9)
        script.range(.rangeEnd, "GC", at: 40)
        #expect(
            try rows("ranges") == [
                "sweep,proc,3,7,20,30,10,20,8192,512,false,,,false,false,false,0",
                "GC,none,,,10,40,30,10,,,false,,,false,false,false,0",
                "assist,goroutine,9,9,35,40,5,35,,,true,,,false,true,false,0",
            ])
    }

    @Test func waitsAndStacks() throws {
        script.go(7, .undetermined, .running, at: 0, ownStack: ["main.work"])
        for time: Int64 in [10, 30, 50] {
            script.go(7, .running, .waiting, at: time, "sync", ownStack: ["sync.(*Mutex).Lock", "main.f"])
            script.go(7, .waiting, .running, at: time + time / 10, by: -1)
        }
        script.mark(.stackSample, "", at: 60, on: 7, stack: ["main.hot"])
        script.go(7, .running, .waiting, at: 70, "select", ownStack: ["main.g"])
        script.sync(at: 170)
        #expect(
            try rows("waits") == [
                "select,main.g /src/main.g.go:7,false,1,100,100,100,100,100,1",
                "sync,main.f /src/main.f.go:7,false,3,9,3,5,5,5,0",
            ])
        #expect(
            Set(try rows("stacks")) == [
                "0,3,9,sync.(*Mutex).Lock /src/sync.(*Mutex).Lock.go:7 < main.f /src/main.f.go:7",
                "1,0,0,main.hot /src/main.hot.go:7", "0,1,100,main.g /src/main.g.go:7",
            ])
    }

    @Test func summary() throws {
        script.sync(at: 0)
        script.go(7, .notExist, .runnable, at: 10, by: 1)
        script.go(7, .runnable, .running, at: 20, by: -1)
        script.mark(.regionBegin, "r,s", at: 21, on: 7)
        script.mark(.regionEnd, "r,s", at: 25, on: 7)
        script.mark(.regionBegin, "r,s", at: 26, on: 7)
        script.mark(.metric, "/m:threads", at: 30, task: 9)
        let rows = try rows("summary")
        for row in [
            "recording,duration,total,30,ns", "events,all,count,7,", "events,StateTransition,count,2,",
            "events,Log,count,0,", "goroutines,all,count,1,", "goroutines,created,count,1,",
            "goroutines,ended,count,0,",
            "goroutines,at the end Running,count,1,", "goroutine time,Runnable,total,10,ns",
            "goroutine time,Running,total,10,ns", "regions,\"r,s\",count,1,", "regions,\"r,s\",open,1,",
            "regions,\"r,s\",total,4,ns", "metrics,/m:threads,last,9,threads", "metrics,/m:threads,greatest,9,threads",
        ] { #expect(rows.contains { $0 == row }, "\(row)") }
    }

    /// The numbers that the truth has, from the tables.
    @Test(
        arguments: Corpus.traces.filter { $0.eventsFile != nil }.enumerated().filter { $0.offset % 8 == 3 }.map(
            \.element))
    func sumsEqualTheTruth(_ trace: CorpusTrace) throws {
        let listing = try TruthListing(path: trace.eventsPath!)
        let output = try CSVOutput(listing.events, listing.tables, batchSize: 1000)
        let truth = try trace.readTruth()
        let goroutines = truth["goroutines"] as? [[String: Any]] ?? []
        var expected: [String: Int] = [:]
        var waits: [String: Int] = [:]
        for goroutine in goroutines {
            for (state, value) in goroutine["ns"] as? [String: Any] ?? [:] {
                if let nanoseconds = value as? Int {
                    expected[state, default: 0] += nanoseconds
                } else if let reasons = value as? [String: Int] {
                    for (reason, nanoseconds) in reasons {
                        expected[state, default: 0] += nanoseconds
                        waits[reason, default: 0] += nanoseconds
                    }
                }
            }
        }
        let summary = try output.rows(of: "summary").filter { $0["section"] == "goroutine time" }
        for state in ["undetermined", "runnable", "running", "waiting", "syscall"] {
            let row = try #require(summary.first { $0["name"]?.lowercased() == state })
            #expect(row["value"] == "\(expected[state] ?? 0)", "\(state)")
        }
        var found: [String: Int] = [:]
        for row in try output.rows(of: "waits") { found[row["reason"]!, default: 0] += Int(row["total_ns"]!)! }
        #expect(found.filter { $0.value > 0 } == waits.filter { $0.value > 0 })
        let logs = (truth["logs"] as? [Any])?.count
        if let logs, !((truth["lists_cut"] as? [String]) ?? []).contains("logs") {
            #expect(try output.rows(of: "logs").count == logs)
        }
    }
}
