import Foundation
import Testing
import Vestige

@Suite("Perfetto: states and scheduling")
struct PerfettoWriterTests {
    @Test("an empty trace is a valid file")
    func emptyTrace() throws {
        let file = try PerfettoFile(writing: [], TraceTables())
        #expect(file.defects == [])
        #expect(file.slices.isEmpty && file.states.isEmpty && file.tracks.isEmpty)
    }

    @Test("a goroutine's life is slices on its track, and of its proc's")
    func goroutineLife() throws {
        let recording = Recording.small
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(
            file.rows("Goroutines/main.worker/G18 main.worker") == [
                "1000–2000 runnable", "2000–5000 running", "5000–7123 waiting: chan receive", "7123–8000 runnable",
                "8000–9000 running",
            ])
        #expect(file.rows("Goroutines/main.main/G1 main.main") == ["0–9500 running"])
        #expect(file.rows("Procs/P1") == ["2000–5000 G18 main.worker", "8000–9000 G18 main.worker"])
        #expect(file.rows("Procs/P0") == ["0–9500 G1 main.main"])
        #expect(file.rows("Procs/P1/thread") == ["2000–9500 M101"])
    }

    @Test("goroutines are threads, with who woke them and what they waited for")
    func scheduling() throws {
        let recording = Recording.small
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(
            file.states(of: "G18 main.worker") == [
                "1000–2000 R by G1 main.main", "2000–5000 Running",
                "5000–7123 S (chan receive ← main.worker (main.worker.go:7))",
                "7123–8000 R by G1 main.main", "8000–9000 Running", "9000– X",
            ])
        #expect(file.states(of: "G1 main.main") == ["0–9500 Running", "9500– X"])
        // Goroutine 1 is the main thread of process 1.
        #expect(file.threads[1] == "G1 main.main")
    }

    @Test("slices say who created and woke the goroutine, and where it waits")
    func annotations() throws {
        let recording = Recording.small
        let slices = try PerfettoFile(writing: recording.events, recording.tables).slices
        let created = try #require(slices.first { $0.name == "runnable" })
        #expect(created.annotations["created_by"] == "G1 main.main")
        #expect(created.annotations["created_at"] == "main.main (main.main.go:7)")
        let waiting = try #require(slices.first { $0.name == "waiting: chan receive" })
        #expect(waiting.annotations["ended_by"] == "G1 main.main")
        #expect(waiting.annotations["ended_at"] == "main.main (main.main.go:7)")
        #expect(
            waiting.annotations["stack"]
                == "runtime.chanrecv1 (runtime.chanrecv1.go:7) ← main.worker (main.worker.go:7)")
        #expect(slices.first { $0.name == "running" && $0.start == 2000 }?.annotations["proc"] == "1")
    }

    @Test("arrows lead from the creator and the waker, and can be left out")
    func flows() throws {
        let recording = Recording.small
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.instants("Goroutines/main.main/G1 main.main") == ["1000 creates", "7123 channel hand-over"])
        for flow in file.slices.flatMap(\.flows) {
            let end = try #require(file.slices.first { $0.terminatedFlows.contains(flow) })
            #expect(file.path(end.track) == "Goroutines/main.worker/G18 main.worker")
            #expect(end.name == "runnable")
        }
        var options = OutputOptions.showingAll
        options.flows = []
        let without = try PerfettoFile(writing: recording.events, recording.tables, options: options)
        #expect(without.defects == [])
        #expect(without.slices.filter { $0.isInstant }.isEmpty)
        #expect(without.slices.flatMap(\.terminatedFlows).isEmpty)
        #expect(without.states(of: "G18 main.worker") == file.states(of: "G18 main.worker"))
    }

    @Test("arrows tell channels from other reasons, each kind for itself")
    func flowKinds() throws {
        let recording = Recording.wakeUps
        let all = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(all.instants("Goroutines/main.main/G1 main.main") == Recording.wakeUpNames)
        for (kinds, names) in Recording.wakeUpKinds {
            var options = OutputOptions.showingAll
            options.flows = kinds
            let file = try PerfettoFile(writing: recording.events, recording.tables, options: options)
            #expect(file.instants("Goroutines/main.main/G1 main.main") == Recording.wakeUpNames.filter(names.contains))
            #expect(file.defects == [])
        }
    }

    @Test("a goroutine in a system call is off its CPU, but has its proc until that is taken away")
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
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Procs/P0") == ["0–40 G5 syscall.read", "10–20 syscall", "30–40 syscall", "50–70 G6"])
        #expect(
            file.states(of: "G5 syscall.read") == [
                "0–10 Running", "10–20 D (syscall ← syscall.read (syscall.read.go:7))", "20–30 Running",
                "30–60 D (syscall)", "60– R by nobody",
            ])
        #expect(file.states(of: "G6") == ["50–70 Running", "70– S"])
    }

    @Test("states at the recording's begin are threads' states, too")
    func initialStates() throws {
        var recording = Recording()
        recording.transition(0, 2, .undetermined, .waiting, by: -1, reason: "select")
        recording.transition(1, 3, .undetermined, .runnable, by: -1)
        recording.transition(2, 4, .undetermined, .syscall, by: -1)
        recording.transition(10, 2, .waiting, .runnable, by: -1)
        recording.transition(20, 3, .runnable, .running, by: -1)
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.states(of: "G2") == ["0–10 S (select)", "10– R by nobody"])
        #expect(file.states(of: "G3") == ["1–20 R", "20–20 Running", "20– R"])
        #expect(file.states(of: "G4") == ["2– D (syscall)"])
    }

    @Test("goroutines are grouped by start function, also where it is learned late; the runtime's come last")
    func groups() throws {
        var recording = Recording()
        recording.transition(0, 7, .undetermined, .running)
        recording.transition(5, 8, .notExist, .runnable, by: 7, own: recording.stack("runtime.gcBgMarkWorker"))
        recording.transition(10, 7, .running, .waiting, own: recording.stack("sync.Wait", "main.late"))
        recording.transition(15, 9, .notExist, .runnable, by: -1, own: recording.stack("main.late"))
        recording.transition(20, 10, .undetermined, .waiting, by: -1)
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Goroutines/main.late/G7 main.late") == ["0–10 running", "10–20 waiting"])
        #expect(file.rows("Goroutines/start function not known/G10") == ["20–20 waiting"])
        let groups = file.tracks.filter { file.tracks[$0.value.parent]?.name == "Goroutines" }.values
        #expect(
            groups.sorted { $0.rank < $1.rank }.map(\.name) == [
                "main.late", "runtime.gcBgMarkWorker", "start function not known",
            ])
    }

    @Test("a goroutine id that is used again is another thread")
    func idUsedAgain() throws {
        var recording = Recording()
        for start: Int64 in [0, 1000] {
            recording.transition(start, 3, .notExist, .runnable, by: -1)
            recording.transition(start + 10, 3, .runnable, .running, by: -1)
            recording.transition(start + 20, 3, .running, .notExist)
        }
        // Created again while it is alive: the end is lost.
        recording.transition(2000, 3, .notExist, .runnable, by: -1)
        recording.transition(2010, 3, .notExist, .runnable, by: -1)
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.threads.values.filter { $0 == "G3" }.count == 4)
        #expect(Set(file.runningNanoseconds.values) == [10])
        #expect(file.slices.filter { $0.annotations["end_is_lost"] == "true" }.count == 1)
    }

    @Test("64-bit goroutine ids keep their names on small threads, and absurd procs are no CPUs")
    func hugeNumbers() throws {
        var recording = Recording()
        for (index, id) in [Int64.max, 1 << 40, 5].enumerated() {
            recording.transition(Int64(index), id, .undetermined, .running, by: -1, proc: [1023, 1024, .max][index])
        }
        recording.transition(100, 5, .running, .waiting, proc: .max)
        var options = OutputOptions.showingAll
        let diagnostics = Diagnostics()
        options.diagnostics = diagnostics
        let file = try PerfettoFile(writing: recording.events, recording.tables, options: options)
        #expect(diagnostics[.procsWithoutCPU] == 2)
        #expect(!diagnostics.hasLoss)
        #expect(file.instants("Runtime/Events") == ["0 procs from P1024 on are no CPUs here: 2"])
        #expect(file.defects == [])
        #expect(Set(file.threads.values) == ["G9223372036854775807", "G1099511627776", "G5"])
        #expect(file.threads.keys.allSatisfy { $0 < 100 })
        #expect(file.states(of: "G9223372036854775807") == ["0–100 Running", "100– R"])
        #expect(file.rows("Procs/P2147483647") == ["2–100 G5"])
    }
}

@Suite("Perfetto: regions, ranges, tasks")
struct PerfettoRegionTests {
    private let goroutine = "Goroutines/start function not known/G4"

    @Test("regions that end out of order keep their times, on tracks of one name")
    func outOfOrder() throws {
        var recording = Recording()
        recording.transition(0, 4, .undetermined, .running)
        for (time, kind, name) in [
            (10, EventKind.regionBegin, "a"), (20, .regionBegin, "b"), (25, .regionBegin, "b.1"),
            (28, .regionEnd, "b.1"), (30, .regionEnd, "a"), (40, .regionBegin, "c"), (50, .regionEnd, "b"),
            (60, .regionBegin, "d"), (70, .regionEnd, "c"), (80, .regionEnd, "d"),
        ] {
            recording.region(Int64(time), kind, name, on: 4, task: 9)
        }
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("\(goroutine)/regions") == ["10–30 a", "20–50 b", "25–28 b.1", "40–70 c", "60–80 d"])
        #expect(file.slices.filter { $0.category == "region" }.allSatisfy { $0.annotations["task"] == "9" })
    }

    @Test("regions without begin or end are cut where the recording or the goroutine is")
    func unended() throws {
        var recording = Recording()
        recording.transition(0, 4, .undetermined, .running)
        recording.region(10, .regionEnd, "before", on: 4)
        recording.region(20, .regionBegin, "after", on: 4)
        recording.transition(30, 4, .running, .notExist)
        recording.transition(40, 5, .undetermined, .running)
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("\(goroutine)/regions") == ["0–10 before", "20–30 after"])
        #expect(file.slices.first { $0.name == "before" }?.annotations["began_before_recording"] == "true")
        #expect(file.slices.first { $0.name == "after" }?.annotations["goes_on_after_recording"] == "true")
    }

    @Test("ranges stand with the runtime, their goroutine or their proc")
    func ranges() throws {
        var recording = Recording()
        recording.transition(0, 4, .undetermined, .running)
        recording.range(10, .rangeActive, "GC concurrent mark phase", .global)
        recording.range(20, .rangeBegin, "stop-the-world (GC mark termination)", .goroutine, 4, by: 4)
        recording.range(30, .rangeEnd, "stop-the-world (GC mark termination)", .goroutine, 4, by: 4)
        recording.range(35, .rangeActive, "GC concurrent mark phase", .global)
        recording.range(40, .rangeEnd, "GC concurrent mark phase", .global)
        recording.range(50, .rangeBegin, "GC mark assist", .goroutine, 4, by: 4)
        recording.range(60, .rangeEnd, "GC mark assist", .goroutine, 4, by: 4)
        recording.range(70, .rangeBegin, "GC incremental sweep", .proc, 0, by: 4)
        recording.range(80, .rangeEnd, "GC incremental sweep", .proc, 0, by: 4, attributes: (8192, 4096))
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Runtime/GC") == ["10–40 GC concurrent mark phase"])
        #expect(file.rows("Runtime/Stop the world") == ["20–30 stop-the-world (GC mark termination)"])
        #expect(file.rows("\(goroutine)/GC") == ["50–60 GC mark assist"])
        #expect(file.rows("Procs/P0/GC") == ["70–80 GC incremental sweep"])
        let sweep = try #require(file.slices.first { $0.name == "GC incremental sweep" })
        #expect(sweep.annotations["bytes_swept"] == "8192")
        #expect(sweep.annotations["bytes_reclaimed"] == "4096")
        #expect(sweep.annotations["goroutine"] == "G4")
    }

    @Test("tasks are tracks of their own, which mark their children and logs")
    func tasks() throws {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running)
        for (time, kind, task, parent, name) in [
            (10, EventKind.taskBegin, UInt64(1), UInt64.max, "request"), (20, .taskBegin, 2, 1, "query"),
            (40, .taskEnd, 2, 1, "query"), (50, .taskEnd, 7, UInt64.max, "older"),
        ] {
            recording.add(
                Int64(time),
                Event(
                    kind: kind, timeNanoseconds: 0, goroutine: GoroutineID(1), name: recording.string(name),
                    argument0: task, argument1: parent))
        }
        let message = recording.string("done")
        recording.add(
            55,
            Event(
                kind: .log, timeNanoseconds: 0, goroutine: GoroutineID(1), name: recording.string("db"), argument0: 1,
                argument1: UInt64(message.rawValue)))
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.rows("Tasks/request") == ["10–55 request"])
        #expect(file.instants("Tasks/request") == ["20 child: query", "55 db: done"])
        #expect(file.rows("Tasks/query") == ["20–40 query"])
        #expect(file.rows("Tasks/older") == ["0–50 older"])
        #expect(file.slices.first { $0.name == "request" }?.annotations["goes_on_after_recording"] == "true")
        let log = try #require(file.slices.first { file.path($0.track).hasSuffix("/G1/logs") })
        #expect(log.name == "db: done")
        #expect(log.annotations["message"] == "done" && log.annotations["task"] == "1")
    }
}

@Suite("Perfetto: counters, samples, bad input")
struct PerfettoDetailTests {
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
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        for name in ["goroutines running", "goroutines waiting", "heap live"] {
            let samples = try #require(file.counters[name])
            #expect((5...12).contains(samples.count), "\(name): \(samples)")
        }
        #expect(file.counters["goroutines running"]?.last?.value == 1)
        #expect(file.counters["goroutines waiting"]?.last?.value == 0)
        #expect(file.counters["heap live"]?.last?.value == 5000)
        #expect(file.counters["GOMAXPROCS"]?.map(\.value) == [8])
        #expect(file.counters["/custom:unit"]?.map(\.value) == [.max])
    }

    @Test("a CPU sample is a callstack of the goroutine's thread")
    func cpuSample() throws {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running)
        for time: Int64 in [10, 15] {
            recording.add(
                time,
                Event(
                    kind: .stackSample, timeNanoseconds: 0, goroutine: GoroutineID(1), proc: ProcID(0),
                    stack: recording.stack("main.hog", "main.main")))
        }
        recording.add(20, Event(kind: .stackSample, timeNanoseconds: 0, stack: recording.stack("runtime.idle")))
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.samples.map(\.thread) == [1, 1, 0])
        #expect(
            file.samples.map(\.functions) == [["main.hog", "main.main"], ["main.hog", "main.main"], ["runtime.idle"]])
    }

    @Test("labels are instants on their goroutine, and strings that are not UTF-8 are mended")
    func labels() throws {
        var recording = Recording()
        recording.transition(0, 8, .undetermined, .running)
        let broken: [UInt8] = [0x61, 0xff, 0xe7, 0x95, 0x00]
        let name = broken.withUnsafeBytes { recording.tables.strings.intern($0) }
        recording.add(
            5, Event(kind: .label, timeNanoseconds: 0, name: name, argument0: 8, detail: Event.pack(Scope.goroutine)))
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(
            file.instants("Goroutines/start function not known/G8/labels") == ["5 a\u{fffd}\u{fffd}\u{fffd}\u{2400}"])
    }

    @Test("the time of day is known where the input knows it")
    func wallTime() throws {
        var recording = Recording()
        let origin: Int64 = 1_000_000_000_000
        let wall: Int64 = 1_700_000_000_000_000_000
        let snapshot = recording.tables.add(
            ClockSnapshot(traceNanoseconds: origin + 30, monotonicNanoseconds: 1, wallUnixNanoseconds: wall))
        recording.add(0, Event(kind: .sync, timeNanoseconds: 0, argument0: 1, argument1: snapshot))
        let file = try PerfettoFile(writing: recording.events, recording.tables)
        let clocks = file.packets.compactMap { $0.message("clock_snapshot") }.last?.messages("clocks") ?? []
        #expect(clocks.map { $0.number("clock_id") } == [6, 1])
        #expect(clocks.map { $0.number("timestamp") } == [30, UInt64(wall)])
    }

    @Test(
        "whatever events say, the file is whole and does not depend on batches",
        arguments: 1...12 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        let recording = Recording.random(seed: seed, count: 3_000)
        let single = try PerfettoFile.bytes(writing: recording.events, recording.tables)
        let defects = try PerfettoFile(single).defects
        #expect(defects == [], "seed \(seed)")
        let bytes = try PerfettoFile.bytes(writing: recording.events, recording.tables, capacity: 7)
        #expect(bytes == single, "seed \(seed)")
    }

    @Test("times at the ends of what fits do not overflow")
    func extremeTimes() throws {
        let tables = TraceTables()
        let events = [Int64.max, .min, 0, .max].enumerated().map { index, time in
            Event(
                kind: .goroutineTransition, timeNanoseconds: time, goroutine: GoroutineID(1), proc: ProcID(0),
                argument0: 1,
                detail: Event.pack(
                    index % 2 == 0 ? GoroutineState.waiting : .running, index % 2 == 0 ? .running : .waiting))
        }
        for events in [events, events.reversed()] {
            let defects = try PerfettoFile(writing: events, tables).defects
            #expect(defects == [])
        }
    }

    @Test("compressed packets hold the same packets")
    func compressed() throws {
        let recording = Recording.random(seed: 5, count: 20_000)
        let plain = try PerfettoFile.bytes(writing: recording.events, recording.tables)
        let compressed = try PerfettoFile.bytes(writing: recording.events, recording.tables, isCompressed: true)
        #expect(compressed.count < plain.count / 3)
        var inflated: [UInt8] = []
        for packet in try ProtoMessage(compressed[...], "Trace").messages("packet") {
            #expect(Array(packet.fields.keys) == ["compressed_packets"])
            inflated += try inflate(packet.bytes("compressed_packets") ?? [])
        }
        #expect(inflated == plain)
    }
}
