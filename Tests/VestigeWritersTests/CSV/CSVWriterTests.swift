import Testing
import VestigeCore
import VestigeTestSupport
import VestigeWriters

@Suite struct CSVWriterTests {
    let script = EventScript()

    // MARK: - Files

    @Test func aFolderHoldsAllTablesAndASingleFileTheSpans() throws {
        script.go(1, .undetermined, .running, at: 5, by: -1)
        #expect(
            Set(try CSVOutput(script).files.keys)
                == Set(CSVFormat.format.tableNames.map { $0 + ".csv" }))
        let single = try CSVOutput(script, isFolder: false)
        #expect(Set(single.files.keys) == [""])
        #expect(single.target.bytes() == (try CSVOutput(script)).target.bytes(of: "spans.csv"))
    }

    @Test func onlyTheTablesAskedFor() throws {
        script.mark(.taskBegin, "t", at: 5, on: 1, task: 1)
        let output = try CSVOutput(script, tables: ["tasks", "events"])
        #expect(Set(output.files.keys) == ["events.csv", "tasks.csv"])
        let single = try CSVOutput(script, tables: ["tasks"], isFolder: false)
        #expect(single.target.bytes() == output.target.bytes(of: "tasks.csv"))
        #expect(
            try CSVOutput(script, tables: ["events"]).target.bytes(of: "events.csv")
                == output.target.bytes(of: "events.csv"))
    }

    @Test func requestsThatMakeNoSense() {
        #expect(throws: TraceError(.usage, expected: "one table for a single file", found: "2")) {
            try CSVOutput(script, tables: ["tasks", "events"], isFolder: false)
        }
        #expect { try CSVOutput(script, tables: ["goroutine"]) } throws: {
            ($0 as? TraceError)?.code == .usage && "\($0)".contains("goroutines, spans, events, regions, tasks")
        }
    }

    @Test func aTableWithoutRowsHasItsHeader() throws {
        for (name, rows) in try CSVOutput(script).files where name != "summary.csv" {
            #expect(rows.count == 1 && rows[0].count > 3, "\(name)")
        }
    }

    // MARK: - Rows

    @Test func spans() throws {
        script.sync(at: 1000)
        script.go(7, .notExist, .runnable, at: 1010, by: 1, ownStack: ["main.work"])
        script.go(7, .runnable, .running, at: 1015, by: -1, proc: 2, thread: 102)
        script.go(7, .running, .waiting, at: 1025, "chan receive", ownStack: ["runtime.gopark", "main.work"])
        script.go(7, .waiting, .runnable, at: 1055, by: 1, stack: ["main.send", "main.main"])
        let lines = try CSVOutput(script, isFolder: false).target.text().split(separator: "\r\n").dropFirst()
        let gopark = "runtime.gopark /src/runtime.gopark.go:7 < main.work /src/main.work.go:7"
        let send = "main.send /src/main.send.go:7 < main.main /src/main.main.go:7"
        #expect(
            lines == [
                "7,main.work,Runnable,,10,15,5,1010,,,,main.work /src/main.work.go:7,,,false,false,false,0",
                "7,main.work,Running,,15,25,10,1015,2,102,,,\(gopark),,false,false,false,0",
                "7,main.work,Waiting,chan receive,25,55,30,1025,,,1,\(gopark),,\(send),false,false,false,0",
                "7,main.work,Runnable,,55,55,0,1055,,,,,,,false,true,false,0",
            ])
    }

    @Test func goroutines() throws {
        script.sync(at: 100)
        script.go(1, .undetermined, .waiting, at: 130, "select", by: -1, ownStack: ["runtime.main"])
        script.go(2, .undetermined, .waiting, at: 140, by: -1, ownStack: ["runtime.bgsweep"])
        script.go(7, .notExist, .runnable, at: 150, by: 1, ownStack: ["main.work"], stack: ["main.spawn"])
        script.go(7, .runnable, .running, at: 160, by: -1)
        script.mark(.stackSample, "", at: 165, on: 7)
        script.go(7, .running, .notExist, at: 170)
        let lines = try CSVOutput(script).target.text(of: "goroutines.csv").split(separator: "\r\n").dropFirst()
        #expect(
            lines == [
                "7,main.work,false,true,1,50,70,150,true,NotExist,,0,10,10,0,0,3,1,main.spawn /src/main.spawn.go:7,,0",
                "1,runtime.main,false,false,,30,70,130,false,Waiting,select,30,0,0,40,0,0,0,,"
                    + "runtime.main /src/runtime.main.go:7,0",
                "2,runtime.bgsweep,true,false,,40,70,140,false,Waiting,,40,0,0,30,0,0,0,,"
                    + "runtime.bgsweep /src/runtime.bgsweep.go:7,0",
            ])
    }

    @Test func regionsAndTasks() throws {
        script.sync(at: 100)
        script.mark(.taskBegin, "request", at: 110, on: 7, task: 5, stack: ["main.new"])
        script.mark(.taskBegin, "part", at: 111, on: 7, task: 6, 5)
        script.mark(.regionBegin, "parse", at: 120, on: 7, task: 5, stack: ["main.parse"])
        script.mark(.regionEnd, "parse", at: 130, on: 7, task: 5, stack: ["main.parsed"])
        script.mark(.regionEnd, "older", at: 140, on: 8)
        script.mark(.taskEnd, "request", at: 150, on: 9, task: 5, stack: ["main.done"])
        let output = try CSVOutput(script)
        #expect(
            output.target.text(of: "regions.csv").split(separator: "\r\n").dropFirst() == [
                "parse,5,7,,0,20,30,10,120,main.parse /src/main.parse.go:7,main.parsed /src/main.parsed.go:7,"
                    + "false,false,false,0",
                "older,0,8,,0,0,40,40,100,,,true,false,false,0",
            ])
        #expect(
            output.target.text(of: "tasks.csv").split(separator: "\r\n").dropFirst() == [
                "5,,request,7,9,10,50,40,110,main.new /src/main.new.go:7,main.done /src/main.done.go:7,"
                    + "false,false,false,0",
                "6,5,part,7,,11,50,39,111,,,false,true,false,0",
            ])
    }

    @Test func eventsOfEachKind() throws {
        let clock = script.tables.add(
            ClockSnapshot(
                traceNanoseconds: 99, monotonicNanoseconds: 100, wallUnixNanoseconds: 1_700_000_000_000_000_000))
        script.add(Event(kind: .sync, timeNanoseconds: 100, argument0: 1, argument1: clock))
        script.go(7, .running, .waiting, at: 110, "select", ownStack: ["main.own"], stack: ["main.context"])
        script.proc(3, .running, .idle, at: 111)
        script.mark(.metric, "/memory", at: 112, on: 7, task: 1 << 63)
        script.mark(.log, "category", at: 113, on: 7, task: 4, UInt64(script.string("a message, quoted").rawValue))
        script.mark(.taskBegin, "request", at: 114, on: 7, task: 5)
        script.range(.rangeEnd, "GC sweep", at: 115, .proc, 3, on: 7, swept: 8192, reclaimed: 512)
        let shape = ExperimentalShape(
            name: script.string("HeapObject"), experiment: script.string("AllocFree"),
            argumentNames: ["id", "type"].map(script.string))
        let shapeIndex = try #require(script.tables.intern(shape))
        script.add(
            Event(
                kind: .experimental, timeNanoseconds: 116, name: script.string("HeapObject"), argument0: 11,
                argument1: 12, detail: Event.pack(shape: shapeIndex)))
        script.add(
            Event(kind: .experimentalBatch, timeNanoseconds: 117, argument0: UInt64(script.string("abc").rawValue)))
        var derived = Event(kind: .stackSample, timeNanoseconds: 118, source: 2)
        derived.isSynthetic = true
        script.add(derived)
        let lines = try CSVOutput(script).target.text(of: "events.csv").split(separator: "\r\n").dropFirst()
        #expect(
            lines == [
                "0,0,100,Sync,,,,,,,,,,,1,,trace=99; monotonic=100; wall=1700000000000000000,,,false,0",
                "1,10,110,StateTransition,7,0,100,goroutine,7,Running,Waiting,select,,,,,,"
                    + "main.context /src/main.context.go:7,main.own /src/main.own.go:7,false,0",
                "2,11,111,StateTransition,,3,100,proc,3,Running,Idle,,,,,,,,,false,0",
                "3,12,112,Metric,7,0,100,,,,,/memory,,,9223372036854775808,,,,,false,0",
                "4,13,113,Log,7,0,100,,,,,category,4,,,\"a message, quoted\",,,,false,0",
                "5,14,114,TaskBegin,7,0,100,,,,,request,5,,,,,,,false,0",
                "6,15,115,RangeEnd,7,0,100,proc,3,,,GC sweep,,,,,bytes swept=8192; bytes reclaimed=512,,,false,0",
                "7,16,116,Experimental,,,,,,,,HeapObject,,,,,experiment=AllocFree; id=11; type=12,,,false,0",
                "8,17,117,ExperimentalBatch,,,,,,,,,,,,,bytes=3,,,false,0",
                "9,18,118,StackSample,,,,,,,,,,,,,,,,true,2",
            ])
    }

    @Test func timesBeforeTheFirstEventAreNegative() throws {
        script.sync(at: 100)
        script.mark(.regionBegin, "r", at: 90, on: 7)
        script.mark(.regionEnd, "r", at: 95, on: 7)
        let row = try #require(try CSVOutput(script).rows(of: "regions").first)
        #expect(row["start_ns"] == "-10" && row["end_ns"] == "-5" && row["duration_ns"] == "5")
    }

    // MARK: - Text that is not friendly

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("\n=1", "'\n=1"), ("=HYPERLINK(\"http://x\",\"y\")", "'=HYPERLINK(\"http://x\",\"y\")"),
        ("\u{ff1d}1", "'\u{ff1d}1"), ("\u{ff20}x", "'\u{ff20}x"), ("\u{ff21}x", "\u{ff21}x"),
        ("a=1", "a=1"), (" =1", " =1"), ("'=1", "'=1"), ("", ""), ("x,y", "x,y"), ("say \"x\"", "say \"x\""),
        ("two\r\nlines", "two\r\nlines"), ("日本語", "日本語"), ("\u{0}", "\u{2400}"),
    ]) func noTextIsAFormula(_ text: String, _ cell: String) throws {
        script.mark(.regionBegin, text, at: 1, on: 7)
        script.mark(.regionEnd, text, at: 2, on: 7)
        script.mark(.log, text, at: 3, on: 7, UInt64(script.string(text).rawValue))
        let output = try CSVOutput(script)
        #expect(try output.rows(of: "regions").map { $0["name"] } == [cell])
        #expect(try output.rows(of: "events").map { $0["name"] } == [cell, cell, cell])
        #expect(try output.rows(of: "events").map { $0["message"] } == ["", "", cell])
    }

    @Test func aStackIsTextTooAndCachedCellsAreTheSame() throws {
        for time: Int64 in 1...3 { script.mark(.stackSample, "", at: time, on: 7, stack: ["=f,g", "main.main"]) }
        let cell = "'=f,g /src/=f,g.go:7 < main.main /src/main.main.go:7"
        #expect(try CSVOutput(script).rows(of: "events").map { $0["stack"] } == [cell, cell, cell])
    }

    @Test func bytesThatAreNotUTF8() throws {
        let name = [UInt8]([0x61, 0xe7, 0x95, 0xff]).withUnsafeBytes { script.tables.strings.intern($0) }
        script.add(Event(kind: .regionEnd, timeNanoseconds: 1, goroutine: GoroutineID(7), name: name))
        #expect(try CSVOutput(script).rows(of: "regions").first?["name"] == "a\u{fffd}\u{fffd}\u{fffd}")
    }

    /// More text than the cells that are kept: what is forgotten comes out the same again.
    @Test func cellsBeyondTheCache() throws {
        let names = (0..<40).map { "\($0)" + String(repeating: "x", count: 250_000) }
        for round in 0..<2 {
            for (index, name) in names.enumerated() {
                script.mark(.regionEnd, name, at: Int64(round * 100 + index), on: 7)
            }
        }
        let output = try CSVOutput(script, tables: ["regions"])
        #expect(try output.rows(of: "regions").map { $0["name"] } == names + names)
    }

    @Test(arguments: [1, 2, 1000]) func batchSizesDoNotMatter(_ size: Int) throws {
        for goroutine: Int64 in 1...50 {
            script.go(goroutine, .notExist, .runnable, at: goroutine * 10, by: 1, ownStack: ["main.f\(goroutine % 3)"])
            script.mark(.regionBegin, "r", at: goroutine * 10 + 1, on: goroutine)
            script.go(goroutine, .runnable, .running, at: goroutine * 10 + 2, by: -1)
            if goroutine % 2 == 0 { script.go(goroutine, .running, .notExist, at: goroutine * 10 + 3) }
        }
        let (whole, parts) = (try CSVOutput(script, batchSize: 7), try CSVOutput(script, batchSize: size))
        for name in whole.files.keys { #expect(whole.target.bytes(of: name) == parts.target.bytes(of: name)) }
        #expect(whole.files["spans.csv"]?.count == 101)
    }
}
