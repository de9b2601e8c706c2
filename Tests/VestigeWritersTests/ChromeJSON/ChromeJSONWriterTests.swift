import Testing
import Vestige

@Suite("Chrome trace JSON")
struct ChromeJSONWriterTests {
    @Test("an empty trace is a valid file without rows")
    func emptyTrace() throws {
        let file = try ChromeFile(writing: [], TraceTables())
        #expect(file.events.isEmpty)
        #expect(file.top["displayTimeUnit"] as? String == "ns")
        #expect(file.text.hasPrefix("{\"displayTimeUnit\":\"ns\",\"traceEvents\":["))
        #expect((file.top["stackFrames"] as? [String: Any])?.isEmpty == true)
    }

    @Test("a goroutine's life is slices of its row, and of its proc's and thread's")
    func goroutineLife() throws {
        let recording = Recording.small
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(
            file.rows("Goroutines/G18 main.worker") == [
                "1000–2000 runnable", "2000–5000 running", "5000–7123 waiting: chan receive", "7123–8000 runnable",
                "8000–9000 running",
            ])
        #expect(file.rows("Goroutines/G1 main.main") == ["0–9500 running"])
        #expect(file.rows("Procs/P1") == ["2000–5000 G18 main.worker", "8000–9000 G18 main.worker"])
        #expect(file.rows("Procs/P0") == ["0–9500 G1 main.main"])
        #expect(file.rows("Threads/M101") == file.rows("Procs/P1"))
    }

    @Test("times are microseconds with three decimals, from the first event on")
    func timeFormat() throws {
        let recording = Recording.small
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.text.contains("\"ts\":7.123,\"dur\":0.877,\"name\":\"runnable\""))
        #expect(file.text.contains("\"ts\":0.000,\"dur\":9.500"))
    }

    @Test("slices say who created and woke the goroutine, and where it waits")
    func arguments() throws {
        let recording = Recording.small
        let slices = try ChromeFile(writing: recording.events, recording.tables).slices
        let created = try #require(slices.first { $0.name == "runnable" })
        #expect(created.arguments["created_by"] as? String == "G1 main.main")
        #expect(created.arguments["created_at"] as? String == "main.main (main.main.go:7)")
        let waiting = try #require(slices.first { $0.name == "waiting: chan receive" })
        #expect(waiting.arguments["ended_by"] as? String == "G1 main.main")
        #expect(waiting.arguments["ended_at"] as? String == "main.main (main.main.go:7)")
        #expect(
            waiting.arguments["stack"] as? String
                == "runtime.chanrecv1 (runtime.chanrecv1.go:7) ← main.worker (main.worker.go:7)")
        #expect(waiting.event["cname"] as? String == "thread_state_sleeping")
    }

    @Test("catapult's stack frames hold the whole stack, the argument its innermost frames")
    func deepStack() throws {
        var recording = Recording()
        let frames = (0..<30).map {
            Frame(programCounter: 0, function: recording.string("main.f\($0)"), file: .empty, line: UInt64($0))
        }
        let deep = recording.tables.stacks.intern(innermostFirst: frames)
        recording.transition(0, 1, .undetermined, .waiting, reason: "select", own: deep)
        recording.transition(10, 1, .waiting, .runnable, by: -1)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        let waiting = try #require(file.slices.first { $0.name == "waiting: select" })
        let text = try #require(waiting.arguments["stack"] as? String)
        #expect(text.hasPrefix("main.f0 (:0) ← main.f1 (:1) ← "))
        #expect(text.hasSuffix("main.f7 (:7) ← … 22 more"))
        let stackFrames = try #require(file.top["stackFrames"] as? [String: [String: Any]])
        var depth = 0
        var id = (waiting.event["sf"] as? Int).map(String.init)
        while let next = id {
            depth += 1
            id = stackFrames[next]?["parent"] as? String
        }
        #expect(depth == 30)
    }

    @Test("arrows lead from the creator and the waker, and can be left out")
    func flows() throws {
        let recording = Recording.small
        let file = try ChromeFile(writing: recording.events, recording.tables)
        let names = file.rowNames
        let arrows = file.events("s").map {
            "\($0["name"]!) \(names[ChromeFile.row($0)]!) \(ChromeFile.nanoseconds($0["ts"]))"
        }
        #expect(arrows == ["creates Goroutines/G1 main.main 1000", "channel hand-over Goroutines/G1 main.main 7123"])
        #expect(Set(file.events("f").map { names[ChromeFile.row($0)] }) == ["Goroutines/G18 main.worker"])
        #expect(file.events("f").allSatisfy { $0["bp"] as? String == "e" })
        var options = OutputOptions.showingAll
        options.flows = []
        let without = try ChromeFile(writing: recording.events, recording.tables, options: options)
        #expect(without.events("s").isEmpty && without.events("f").isEmpty)
        #expect(without.slices.count == file.slices.count)
    }

    @Test("arrows tell channels from other reasons, each kind for itself")
    func flowKinds() throws {
        let recording = Recording.wakeUps
        func arrows(_ options: OutputOptions) throws -> [String] {
            try ChromeFile(writing: recording.events, recording.tables, options: options).events("s").map {
                "\(ChromeFile.nanoseconds($0["ts"])) \($0["name"]!)"
            }
        }
        #expect(try arrows(.showingAll) == Recording.wakeUpNames)
        for (kinds, names) in Recording.wakeUpKinds {
            var options = OutputOptions.showingAll
            options.flows = kinds
            #expect(try arrows(options) == Recording.wakeUpNames.filter(names.contains))
        }
    }

    @Test("the run queue is counted by itself")
    func runQueue() throws {
        let recording = Recording.small
        let file = try ChromeFile(writing: recording.events, recording.tables)
        let samples = file.counter("run queue").map {
            "\(ChromeFile.nanoseconds($0["ts"])) \(($0["args"] as? [String: Int])?["goroutines"] ?? -1)"
        }
        #expect(samples == ["1000 1", "8000 0", "9500 0"])
    }

    @Test("an arrow from a goroutine that has no slice is left out")
    func flowFromNowhere() throws {
        var recording = Recording()
        recording.transition(0, 7, .notExist, .runnable, by: 99)
        recording.transition(5, 7, .runnable, .running, by: -1)
        recording.transition(9, 7, .running, .waiting)
        recording.transition(12, 7, .waiting, .runnable, by: -1)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.events("s").isEmpty)
    }

    @Test("a system call is nested on its proc until that is taken away")
    func syscall() throws {
        var recording = Recording()
        recording.transition(0, 5, .undetermined, .running)
        recording.transition(10, 5, .running, .syscall, own: recording.stack("syscall.read"))
        recording.transition(20, 5, .syscall, .running)
        recording.transition(30, 5, .running, .syscall)
        recording.procStops(40, 0)
        recording.transition(50, 6, .runnable, .running, by: -1)
        recording.transition(60, 5, .syscall, .runnable, proc: -1)
        recording.transition(70, 6, .running, .waiting)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(
            file.rows("Procs/P0") == ["0–40 G5 syscall.read", "10–20 syscall", "30–40 syscall", "50–70 G6"])
        #expect(file.rows("Goroutines/G5 syscall.read").contains("30–60 syscall"))
    }

    @Test("a goroutine id that is used again gets a row of its own")
    func idUsedAgain() throws {
        var recording = Recording()
        for start: Int64 in [0, 1000] {
            recording.transition(start, 3, .notExist, .runnable, by: -1)
            recording.transition(start + 10, 3, .runnable, .running, by: -1)
            recording.transition(start + 20, 3, .running, .notExist)
        }
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rowNames.values.filter { $0 == "Goroutines/G3" }.count == 2)
    }

    @Test("procs stand in order of their numbers, and absurd ones do not collide")
    func procOrder() throws {
        var recording = Recording()
        for (index, proc) in [3, 0, Int32.max, 1, 1 << 27].enumerated() {
            recording.transition(Int64(index), Int64(index), .undetermined, .running, proc: proc)
        }
        recording.metric(100, "m", 1)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        let procs = file.rowNames.filter { $0.value.hasPrefix("Procs/") }.sorted { $0.key < $1.key }.map(\.value)
        #expect(procs == ["Procs/P0", "Procs/P1", "Procs/P3", "Procs/P134217728", "Procs/P2147483647"])
    }

    @Test("64-bit goroutine ids keep their names on small tids")
    func hugeIDs() throws {
        var recording = Recording()
        for id in [Int64.max, 1 << 40, 5] { recording.transition(id & 7, id, .undetermined, .waiting, by: -1) }
        recording.transition(100, 5, .waiting, .runnable, by: -1)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(
            Set(file.rowNames.values) == [
                "Goroutines/G9223372036854775807", "Goroutines/G1099511627776", "Goroutines/G5",
            ])
        #expect(file.rowNames.keys.allSatisfy { $0.tid < 100 })
    }
}

@Suite("Chrome trace JSON: regions, ranges, tasks")
struct ChromeJSONRegionTests {
    @Test("regions nest in a row below their goroutine's states")
    func nested() throws {
        var recording = Recording()
        recording.transition(0, 4, .undetermined, .running)
        recording.region(1, .regionBegin, "outer", on: 4, task: 9)
        recording.region(2, .regionBegin, "inner", on: 4)
        recording.transition(3, 4, .running, .waiting)
        recording.transition(4, 4, .waiting, .runnable, by: -1)
        recording.transition(5, 4, .runnable, .running, by: -1)
        recording.region(6, .regionEnd, "inner", on: 4)
        recording.region(8, .regionEnd, "outer", on: 4, task: 9)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Goroutines/G4 regions") == ["1–8 outer", "2–6 inner"])
        #expect(file.slices.first { $0.name == "outer" }?.arguments["task"] as? Int == 9)
        let rows = file.rowNames.filter { $0.value.hasPrefix("Goroutines/") }.keys.sorted()
        #expect(rows.map { file.rowNames[$0] } == ["Goroutines/G4", "Goroutines/G4 regions"])
    }

    @Test("regions that end out of order keep their times, on rows of their own")
    func outOfOrder() throws {
        var recording = Recording()
        recording.transition(0, 4, .undetermined, .running)
        for (time, kind, name) in [
            (10, EventKind.regionBegin, "a"), (20, .regionBegin, "b"), (25, .regionBegin, "b.1"),
            (28, .regionEnd, "b.1"), (30, .regionEnd, "a"), (40, .regionBegin, "c"), (50, .regionEnd, "b"),
            (60, .regionBegin, "d"), (70, .regionEnd, "c"), (80, .regionEnd, "d"),
        ] {
            recording.region(Int64(time), kind, name, on: 4)
        }
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Goroutines/G4 regions") == ["10–30 a", "20–50 b", "25–28 b.1", "40–70 c", "60–80 d"])
        // Phases that hand over to each other take two rows, however many there are.
        #expect(file.rowNames.values.filter { $0 == "Goroutines/G4 regions" }.count == 2)
    }

    @Test("regions without begin or end are cut where the recording or the goroutine is")
    func unended() throws {
        var recording = Recording()
        recording.transition(0, 4, .undetermined, .running)
        recording.region(10, .regionEnd, "before", on: 4)
        recording.region(20, .regionBegin, "after", on: 4)
        recording.transition(30, 4, .running, .notExist)
        recording.transition(40, 5, .undetermined, .running)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Goroutines/G4 regions") == ["0–10 before", "20–30 after"])
        #expect(file.slices.first { $0.name == "before" }?.arguments["began_before_recording"] as? Bool == true)
        #expect(file.slices.first { $0.name == "after" }?.arguments["not_ended"] as? Bool == true)
    }

    @Test("ranges stand with the runtime, their goroutine or their proc")
    func ranges() throws {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running)
        recording.range(10, .rangeActive, "GC concurrent mark phase", .global)
        recording.range(20, .rangeBegin, "stop-the-world (GC mark termination)", .goroutine, 1, by: 1)
        recording.range(30, .rangeEnd, "stop-the-world (GC mark termination)", .goroutine, 1, by: 1)
        recording.range(35, .rangeActive, "GC concurrent mark phase", .global)
        recording.range(40, .rangeEnd, "GC concurrent mark phase", .global)
        recording.range(50, .rangeBegin, "GC mark assist", .goroutine, 1, by: 1)
        recording.range(60, .rangeEnd, "GC mark assist", .goroutine, 1, by: 1)
        recording.range(70, .rangeBegin, "GC incremental sweep", .proc, 0, by: 1)
        recording.range(80, .rangeEnd, "GC incremental sweep", .proc, 0, by: 1, attributes: (8192, 4096))
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Runtime/GC") == ["10–40 GC concurrent mark phase"])
        #expect(file.rows("Runtime/Stop the world") == ["20–30 stop-the-world (GC mark termination)"])
        #expect(file.rows("Goroutines/G1 GC") == ["50–60 GC mark assist"])
        #expect(file.rows("Procs/P0 GC") == ["70–80 GC incremental sweep"])
        let sweep = try #require(file.slices.first { $0.name == "GC incremental sweep" })
        #expect(sweep.arguments["bytes_swept"] as? Int == 8192)
        #expect(sweep.arguments["bytes_reclaimed"] as? Int == 4096)
    }

    @Test("tasks are tracks of their process, which mark their children and logs")
    func tasks() throws {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running)
        for (time, kind, task, parent, name) in [
            (10, EventKind.taskBegin, UInt64(1), UInt64.max, "request"), (20, .taskBegin, 2, 1, "query"),
            (40, .taskEnd, 2, 1, "query"),
        ] {
            recording.add(
                Int64(time),
                Event(
                    kind: kind, timeNanoseconds: 0, goroutine: GoroutineID(1), name: recording.string(name),
                    argument0: task, argument1: parent))
        }
        let message = recording.string("done")
        recording.add(
            45,
            Event(
                kind: .log, timeNanoseconds: 0, goroutine: GoroutineID(1), name: recording.string("db"), argument0: 1,
                argument1: UInt64(message.rawValue)))
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        let tracks = (file.events("b") + file.events("n") + file.events("e")).map {
            "\($0["ph"]!)\(($0["id2"] as! [String: Any])["local"]!) \(ChromeFile.nanoseconds($0["ts"])) \($0["name"]!)"
        }
        #expect(
            Set(tracks) == [
                "b1 10 request", "n1 20 child: query", "n1 45 db: done", "e1 45 request", "b2 20 query", "e2 40 query",
            ])
        let request = try #require(file.events("b").first { $0["name"] as? String == "request" })
        #expect((request["args"] as? [String: Any])?["goes_on_after_recording"] as? Bool == true)
        #expect(file.events("b").allSatisfy { $0["cat"] as? String == "task" })
        let log = try #require(file.events("i").first)
        #expect(file.rowNames[ChromeFile.row(log)] == "Goroutines/G1 logs")
        #expect((log["args"] as? [String: Any])?["message"] as? String == "done")
    }
}

@Suite("Chrome trace JSON: counters, samples, strings, bad input")
struct ChromeJSONDetailTests {
    @Test("counters keep what stays, and at most two samples in 100 µs of a burst")
    func counters() throws {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running)
        for step: Int64 in 1...5000 {
            recording.transition(
                step * 100, 1, step % 2 == 1 ? .running : .waiting, step % 2 == 1 ? .waiting : .running)
            recording.metric(step * 100 + 1, "/memory/classes/heap/objects:bytes", UInt64(step))
        }
        recording.metric(900_000, "/sched/gomaxprocs:threads", 8)
        recording.metric(900_001, "/custom:unit", .max)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        for name in ["goroutines", "heap live"] {
            let times = file.counter(name).map { ChromeFile.nanoseconds($0["ts"]) }
            #expect((5...12).contains(times.count), "\(name): \(times)")
            #expect(times.last == 900_001)
        }
        let last = try #require(file.counter("goroutines").last?["args"] as? [String: Int])
        #expect(last == ["running": 1, "runnable": 0, "waiting": 0, "syscall": 0])
        #expect(file.counter("heap live").last?["args"] as? [String: Int] == ["bytes": 5000])
        #expect(file.counter("GOMAXPROCS").last?["args"] as? [String: Int] == ["procs": 8])
        #expect(file.counter("/custom:unit").last?["args"] as? [String: Int] == ["value": .max])
    }

    @Test("a CPU sample is an instant on the proc, with its stack")
    func cpuSample() throws {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running)
        recording.add(
            10,
            Event(
                kind: .stackSample, timeNanoseconds: 0, goroutine: GoroutineID(1), proc: ProcID(0),
                stack: recording.stack("main.hog", "main.main")))
        recording.add(20, Event(kind: .stackSample, timeNanoseconds: 0, stack: recording.stack("runtime.idle")))
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        let samples = file.events("i")
        #expect(samples.map { file.rowNames[ChromeFile.row($0)] } == ["Procs/P0", "Runtime/Events"])
        #expect(
            (samples[0]["args"] as? [String: Any])?["stack"] as? String
                == "main.hog (main.hog.go:7) ← main.main (main.main.go:7)")
    }

    @Test("labels are instants on their goroutine")
    func labels() throws {
        var recording = Recording()
        recording.transition(0, 8, .undetermined, .running)
        recording.add(
            5,
            Event(
                kind: .label, timeNanoseconds: 0, goroutine: GoroutineID(8), name: recording.string("GC (idle)"),
                argument0: 8, detail: Event.pack(.goroutine)))
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.events("i").map { file.rowNames[ChromeFile.row($0)] } == ["Goroutines/G8 labels"])
    }

    @Test("bytes that are not UTF-8 become U+FFFD, each time the string is written")
    func invalidUTF8() throws {
        var recording = Recording()
        let bytes: [UInt8] = [0x61, 0xff, 0xc3]
        let name = bytes.withUnsafeBytes { recording.tables.strings.intern($0) }
        for time: Int64 in [10, 20] {
            recording.add(time, Event(kind: .regionBegin, timeNanoseconds: 0, goroutine: GoroutineID(1), name: name))
            recording.add(time + 5, Event(kind: .regionEnd, timeNanoseconds: 0, goroutine: GoroutineID(1), name: name))
        }
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.slices.map(\.name) == ["a\u{fffd}\u{fffd}", "a\u{fffd}\u{fffd}"])
    }

    @Test("times that go back or jump to the ends of the clock do no harm")
    func hostileTimes() throws {
        var recording = Recording()
        recording.transition(.min / 2, 1, .undetermined, .running)
        recording.region(500, .regionBegin, "r", on: 1)
        recording.transition(.max / 2, 1, .running, .waiting)
        recording.region(3, .regionEnd, "r", on: 1)
        recording.transition(0, 1, .waiting, .runnable, by: -1)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Goroutines/G1 regions").count == 1)
    }

    @Test("whatever events come, slices nest and arrows fit, and batches do not matter", arguments: 1...40)
    func randomEvents(_ seed: Int) throws {
        let recording = Recording.random(seed: UInt64(seed), count: 600)
        let dialect = seed % 2 == 0 ? ChromeDialect.catapult : .perfetto
        let bytes = try ChromeFile.bytes(writing: recording.events, recording.tables, dialect: dialect)
        let defects = try ChromeFile(bytes).defects
        #expect(defects == [], "seed \(seed)")
        let single = try ChromeFile.bytes(writing: recording.events, recording.tables, dialect: dialect, capacity: 1)
        // Of each batch what concerns goroutines comes first.
        #expect(Self.lines(bytes) == Self.lines(single), "seed \(seed)")
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
            .map { $0.hasSuffix(",") ? String($0.dropLast()) : $0 }.sorted()
    }

    @Test("many regions that are never ended, and ends without begin, take no long time")
    func unendedRegions() throws {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running)
        for index: Int64 in 1...4_000 { recording.region(index, .regionBegin, "r", on: 1) }
        for index: Int64 in 1...4_000 { recording.region(4_000 + index, .regionEnd, "s", on: 1) }
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.slices.filter { $0.name == "r" }.count == 4_000)
    }
}

extension Recording {
    /// Events that contradict each other as often as not.
    static func random(seed: UInt64, count: Int) -> Recording {
        var recording = Recording()
        var state = seed
        func number(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var time: Int64 = 0
        for _ in 0..<count {
            time += Int64(number(5)) - (number(50) == 0 ? 10 : 0)
            let (goroutine, context) = (Int64(number(4)), Int64(number(5)) - 1)
            let states = GoroutineState.allCases
            switch number(10) {
            case 0...4:
                recording.transition(
                    time, goroutine, states[number(6)], states[number(6)], by: number(2) == 0 ? nil : context,
                    proc: Int32(number(3)) - 1, thread: Int64(number(3)) - 1, own: recording.stack("main.f\(number(3))")
                )
            case 5: recording.procStops(time, Int32(number(2)))
            case 6: recording.region(time, .regionBegin, "r\(number(4))", on: goroutine)
            case 7: recording.region(time, .regionEnd, "r\(number(4))", on: goroutine)
            case 8:
                let scope = Scope.allCases[number(3)]
                let name = ["GC mark assist", "stop-the-world (x)", "GC concurrent mark phase"][number(3)]
                let kind = [EventKind.rangeBegin, .rangeActive, .rangeEnd, .rangeEnd][number(4)]
                recording.range(time, kind, name, scope, Int64(number(3)) - 1, by: context)
            default:
                recording.add(
                    time,
                    Event(
                        kind: EventKind.allCases[number(16)], timeNanoseconds: 0, goroutine: GoroutineID(context),
                        proc: ProcID(Int32(number(3)) - 1), name: recording.string("n\(number(3))"),
                        argument0: UInt64(number(4)), argument1: UInt64(number(4)), detail: UInt16(number(3))))
            }
        }
        return recording
    }
}
