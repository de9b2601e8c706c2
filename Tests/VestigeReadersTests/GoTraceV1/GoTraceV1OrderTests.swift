import Testing
import Vestige
import VestigeTestSupport

/// How the events of several procs become one order.
@Suite struct GoTraceV1OrderTests {
    private func transition(
        _ reading: Reading, _ from: GoroutineState, _ to: GoroutineState
    ) -> (index: Int, event: Event)? {
        let index = reading.events.firstIndex {
            $0.kind == .goroutineTransition && $0.fromGoroutineState == from && $0.toGoroutineState == to
        }
        return index.map { ($0, reading.events[$0]) }
    }

    private func times(_ reading: Reading, of goroutine: Int64) -> [Int64] {
        reading.events.filter { $0.kind == .goroutineTransition && $0.subjectGoroutine.rawValue == goroutine }
            .map(\.timeNanoseconds)
    }

    @Test func aStartWaitsForTheCreationOnAnotherProc() throws {
        var trace = GoTraceV1Builder.started()
        trace.event("GoCreate", delta: 50, 5, 0, 0)
        // The clock of this processor is 30 ticks behind.
        trace.batch(proc: 1, ticks: 1014)
        trace.event("ProcStart", 8)
        trace.event("GoStart", delta: 10, 5, 1)
        trace.event("GoEnd", delta: 100)
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.transitions(of: 5) == ["NotExist>Runnable", "Runnable>Running", "Running>NotExist"])
        #expect(reading.diagnostics[.transitionsForced] == 0)
        expectLegal(reading.events)
    }

    @Test func aStartWhoseWakeUpIsMissingIsPlacedByTime() throws {
        var trace = GoTraceV1Builder.started()
        trace.event("GoCreate", 5, 0, 0)
        trace.event("HeapAlloc", delta: 10_000_000, 1)
        trace.batch(proc: 1, ticks: 1100)
        trace.event("ProcStart", 8)
        trace.event("GoStart", 5, 3)
        trace.event("GoBlock", delta: 500, 0)
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.diagnostics[.transitionsForced] == 1)
        #expect(reading.transitions(of: 5) == ["NotExist>Runnable", "Runnable>Running", "Running>Waiting"])
        // It does not wait for the end of the other proc's events.
        #expect(times(reading, of: 5)[1] < 1000)
    }

    @Test func anExitFromASystemCallStandsWhereItHappened() throws {
        var trace = GoTraceV1Builder.started()
        trace.event("GoSysCall", delta: 10, 0)  // 1014
        trace.event("GoSysBlock", delta: 10)  // 1024
        trace.event("HeapAlloc", delta: 100, 1)  // 1124
        trace.event("HeapAlloc", delta: 100, 2)  // 1224
        trace.event("GoSysExit", delta: 100, 1, 2, 1200)
        trace.event("GoStart", delta: 5, 1, 3)
        trace.event("GoEnd")
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        let kinds = reading.events.suffix(6).map { ($0.kind, $0.timeNanoseconds) }
        #expect(
            kinds.map(\.0) == [
                .metric, .goroutineTransition, .metric, .goroutineTransition, .goroutineTransition, .sync,
            ])
        // The first event, at 1001 ticks, is at 0.
        #expect(kinds.map(\.1) == [123, 199, 223, 328, 329, 330])
        let exit = try #require(transition(reading, .syscall, .runnable)).event
        #expect(exit.proc.rawValue == 1_000_003 && exit.thread == .absent && exit.goroutine.rawValue == 1)
        expectLegal(reading.events)
    }

    @Test func aSystemCallThatDoesNotBlockLastsANanosecond() throws {
        var trace = GoTraceV1Builder.started()
        trace.event("GoSysCall", delta: 10, 0)
        trace.string(9, "in between")
        trace.event("GoSysCall", delta: 10, 0)
        trace.batch(proc: 0, ticks: 2000)
        trace.event("GoSysBlock")
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        #expect(
            reading.transitions(of: 1) == [
                "Undetermined>Running", "Running>Syscall", "Syscall>Running", "Running>Syscall",
            ])
        let times = times(reading, of: 1)
        #expect(times[2] == times[1] + 1)
    }

    /// A batch that is longer than any of the runtime's is read in parts, which must fit together.
    @Test func longBatchesAreReadInParts() throws {
        var trace = GoTraceV1Builder.started()
        var ticks: UInt64 = 1004
        for round in UInt64(0)..<15_000 {
            trace.event("GoSysCall", delta: 10, 0)
            trace.event("GoSysBlock", delta: 10)
            trace.event("HeapAlloc", delta: 10, round)
            ticks += 30
            trace.event("GoSysExit", delta: 10, 1, 2 * round + 2, ticks - 5)
            trace.event("GoStart", delta: 10, 1, 2 * round + 3)
            ticks += 20
        }
        trace.end()
        #expect(trace.bytes.count > 4 * 65_536)
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        expectLegal(reading.events)
        // Two syncs, what there was at the start, and four a round: all in their order.
        let rounds = Array(reading.events.dropFirst(3).dropLast())
        #expect(rounds.count == 4 * 15_000)
        let isInOrder = stride(from: 0, to: rounds.count, by: 4).allSatisfy { start in
            let (exit, metric) = (rounds[start + 1], rounds[start + 2])
            return rounds[start].toGoroutineState == .syscall && exit.fromGoroutineState == .syscall
                && metric.value == UInt64(start / 4) && metric.timeNanoseconds == exit.timeNanoseconds + 5
                && rounds[start + 3].toGoroutineState == .running
        }
        #expect(isInOrder)
    }

    @Test func whatWasThereIsToldFirst() throws {
        var trace = GoTraceV1Builder()
        trace.batch(proc: 0, ticks: 1000)
        for goroutine in [UInt64(9), 3, 7, 1, 4] { trace.event("GoCreate", goroutine, 0, 0) }
        trace.event("GoWaiting", 3)
        trace.event("GoInSyscall", 4)
        trace.event("ProcStart", 7)
        trace.event("GoStart", 1, 1)
        trace.event("Gomaxprocs", 2, 0)
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        let told = reading.events.filter { $0.kind == .goroutineTransition }
        #expect(told.map(\.subjectGoroutine.rawValue) == [3, 4, 1, 7, 9])
        #expect(told.map(\.toGoroutineState) == [.waiting, .syscall, .running, .runnable, .runnable])
        #expect(told.allSatisfy { $0.fromGoroutineState == .undetermined })
    }

    @Test func wakeUpsByTheNetworkAndByTimersHaveProcsOfTheirOwn() throws {
        var trace = GoTraceV1Builder.started(version: 11)
        trace.event("GoCreate", 5, 0, 0)
        trace.event("GoCreate", 6, 0, 0)
        trace.event("GoBlock", 0)
        for (goroutine, block) in [(UInt64(5), "GoBlockNet"), (6, "GoBlock")] {
            trace.event("GoStart", goroutine, 1)
            trace.event(block, 0)
        }
        trace.event("GoUnblock", 1, 2, 0)
        trace.event("GoStart", 1, 3)
        trace.event("GoUnblock", 5, 2, 0)
        trace.event("GoUnblock", 6, 2, 0)
        trace.raw([35, 1])
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        let procs = reading.events.filter { $0.fromGoroutineState == .waiting && $0.kind == .goroutineTransition }
            .map(\.proc.rawValue)
        #expect(procs == [0, 1_000_002, 1_000_001])
        expectLegal(reading.events)
    }

    /// Before Go 1.7 a global sequence number orders the events, whatever the clocks say.
    @Test func sequenceNumbersOrderTheOldestVersions() throws {
        var trace = GoTraceV1Builder(version: 5)
        trace.batch(proc: 0, ticks: 1000, sequence: 10)
        trace.event("GoCreate", 1, 0, 0)  // 11
        trace.event("ProcStart", 7)
        trace.event("GoStart", 1)
        trace.event("Gomaxprocs", 2, 0)  // 14
        trace.event("GoCreate", delta: 100, 5, 0x401000, 0)  // 15
        trace.event("HeapAlloc", sequence: 5, 3)  // 20
        trace.batch(proc: 1, ticks: 900, sequence: 15)
        trace.event("GoStart", 5)  // 16
        trace.event("GoSysCall", 0)
        trace.event("GoSysBlock")  // 18
        trace.event("GoSysExit", sequence: 7, 5, 19, 1104)  // 25, happened at 19
        trace.event("GoStart", 5)
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        expectLegal(reading.events)
        let exit = try #require(transition(reading, .syscall, .runnable)).index
        let metric = try #require(reading.events.firstIndex { $0.kind == .metric })
        #expect(exit < metric)
        let create = try #require(transition(reading, .notExist, .runnable)).event
        let frame = try #require(reading.tables.stacks.rootFrame(create.transitionStack))
        #expect(frame.programCounter == 0x401000)
        #expect(reading.tables.strings.string(frame.function) == "0x401000")
        #expect(reading.diagnostics[.timesClamped] > 0)
    }
}
