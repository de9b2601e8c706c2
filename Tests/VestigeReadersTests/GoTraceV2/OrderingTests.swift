import Testing
import Vestige
import VestigeTestSupport

/// Ordering across threads, on traces built by event name.
@Suite struct OrderingTests {
    @Test func sequenceNumbersBeatTimes() {
        var trace = GoTraceBuilder()
        // Thread 2 claims to start goroutine 5 before thread 1 has created it.
        trace.batch(thread: 2, time: 1) {
            $0.event("ProcStatus", 1, 1)
            $0.event("GoStart", 5, 1)
        }
        trace.batch(thread: 1, time: 10) {
            $0.event("ProcStatus", 0, 1)
            $0.event("GoStatus", 4, 1, 2)
            $0.event("GoCreate", 5, 0, 0)
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        #expect(reading.transitions(of: 5) == ["NotExist>Runnable", "Runnable>Running"])
    }

    @Test func timesNeverStandStillOrGoBack() {
        var trace = GoTraceBuilder()
        trace.batch(thread: 1, time: 100) {
            $0.event("ProcStatus", delta: 0, 0, 1)
            for _ in 0..<50 { $0.event("HeapAlloc", delta: 0, 7) }
        }
        trace.endGeneration()
        let times = Reading(bytes: trace.bytes).events.map(\.timeNanoseconds)
        #expect(times.count == 53)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func aSwitchIsThreeTransitions() {
        var trace = GoTraceBuilder()
        trace.batch(thread: 1) {
            $0.event("ProcStatus", 0, 1)
            $0.event("GoStatus", 1, 1, 2)
            $0.event("GoCreateBlocked", 2, 0, 0)
            $0.event("GoSwitch", 2, 1)
            $0.event("GoSwitchDestroy", 1, 1)
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.diagnostics.nonZero.isEmpty)
        #expect(
            reading.transitions(of: 2) == [
                "NotExist>Waiting", "Waiting>Runnable", "Runnable>Running", "Running>NotExist",
            ])
        #expect(
            reading.transitions(of: 1) == [
                "Undetermined>Running", "Running>Waiting", "Waiting>Runnable", "Runnable>Running",
            ])
    }

    @Test func aBlockedSystemCallWaitsUntilItsProcIsStolen() {
        var trace = GoTraceBuilder()
        trace.batch(thread: 1, time: 1) {
            $0.event("ProcStatus", 0, 1)
            $0.event("GoStatus", 1, 1, 2)
            $0.event("GoSyscallBegin", 1, 0)
            $0.event("GoSyscallEndBlocked")
        }
        trace.batch(thread: 2, time: 50) { $0.event("ProcSteal", 0, 2, 1) }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.diagnostics.nonZero.isEmpty)
        let end = reading.events.firstIndex { $0.kind == .goroutineTransition && $0.fromGoroutineState == .syscall }
        let steal = reading.events.firstIndex { $0.kind == .procTransition && $0.toProcState == .idle }
        #expect(end != nil && steal != nil && steal! < end!)
    }

    @Test func whatIsMissingIsForcedAndCounted() {
        var trace = GoTraceBuilder()
        trace.batch(thread: 1) {
            $0.event("ProcStatus", 0, 1)
            $0.event("GoStart", 9, 5)  // nobody ever made 9 runnable
            $0.event("GoBlock", 0, 0)
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.diagnostics[.transitionsForced] == 1)
        #expect(reading.transitions(of: 9) == ["Runnable>Running", "Running>Waiting"])
    }

    @Test func aGoroutineThatEndsElsewhereLeavesNoDanglingRecord() {
        // Goroutine numbers beyond any table, bound to two threads, ended on one of them.
        let huge: UInt64 = 1 << 60
        var trace = GoTraceBuilder()
        for thread in [UInt64(1), 2] {
            trace.batch(thread: thread, time: thread) {
                $0.event("ProcStatus", thread, 1)
                $0.event("GoStatus", huge, thread, 2)
                $0.event("GoDestroy", delta: thread * 10)
                $0.event("GoStop", delta: 5, 0, 0)
            }
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.transitions(of: Int64(huge)).contains("Running>NotExist"))
        #expect(reading.diagnostics[.eventsLost] > 0)
    }

    @Test func namesOfStopsGoOnIntoTheNextGeneration() {
        var trace = GoTraceBuilder()
        let kind = trace.string("test stop")
        trace.batch(thread: 1) {
            $0.event("ProcStatus", 0, 1)
            $0.event("GoStatus", 1, 1, 2)
            $0.event("STWBegin", kind, 0)
        }
        trace.endGeneration()
        trace.batch(thread: 1, time: 100) {
            $0.event("ProcStatus", 0, 1)
            $0.event("GoStatus", 1, 1, 2)
            $0.event("STWEnd")
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        let end = reading.events.first { $0.kind == .rangeEnd }
        #expect(end.map { reading.tables.strings.string($0.name) } == "stop-the-world (test stop)")
    }
}
