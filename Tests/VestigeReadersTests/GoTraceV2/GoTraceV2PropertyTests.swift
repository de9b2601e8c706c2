import Testing
import Vestige
import VestigeTestSupport

/// What must hold for any input.
@Suite struct GoTraceV2PropertyTests {
    static let samples = Samples.files(in: "gotrace-v2", suffix: ".trace")

    @Test(arguments: samples) func batchCapacityChangesNothing(_ path: String) throws {
        let whole = try Reading(path: path)
        for capacity in [8, 9, 63, 1000] {
            let other = try Reading(path: path, capacity: capacity)
            #expect(other.lines == whole.lines)
            #expect(other.error == whole.error)
        }
    }

    @Test(arguments: samples) func aPipeGivesWhatAFileGives(_ path: String) throws {
        let file = try Reading(path: path)
        let pipe = Reading(bytes: try Corpus.bytes(of: path))
        #expect(pipe.lines == file.lines)
        #expect(pipe.diagnostics.nonZero.map(\.count) == file.diagnostics.nonZero.map(\.count))
    }

    @Test func damageInOneBatchLeavesTheOthers() throws {
        var trace = GoTraceBuilder()
        for thread in UInt64(1)...3 {
            trace.batch(thread: thread, time: thread * 100) {
                $0.event("ProcStatus", thread, 1)
                $0.event("HeapAlloc", 1)
                if thread == 2 { $0.raw([120, 1, 2, 3]) }
                $0.event("HeapAlloc", 2)
            }
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.diagnostics[.batchesLost] == 1)
        #expect(reading.events.filter { $0.kind == .metric }.count == 5)
        #expect(reading.diagnostics.errors.first?.description.contains("event type 120") == true)
    }

    @Test func readingGoesOnBehindADamagedHeader() throws {
        var trace = GoTraceBuilder()
        func metrics(_ thread: UInt64, _ time: UInt64) {
            trace.batch(thread: thread, time: time) {
                $0.event("ProcStatus", thread, 1)
                for value in 0..<20 { $0.event("HeapAlloc", UInt64(value)) }
            }
        }
        metrics(1, 100)
        trace.raw([UInt8](repeating: 0, count: 3000))
        for thread in UInt64(2)...5 { metrics(thread, thread * 1000) }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.events.filter { $0.kind == .metric }.count == 100)
        #expect(reading.diagnostics[.bytesLost] == 3000)
    }

    @Test func theSearchBehindDamageNeverGoesBackToAnEarlierTrace() throws {
        var first = GoTraceBuilder(version: 25)
        first.batch(thread: 1) { $0.event("ProcStatus", 0, 1) }
        first.endGeneration()
        first.raw(Array("go 1.25 trace".utf8) + [0, 0, 0])
        first.raw([0xff, 0xff])
        let reading = Reading(bytes: first.bytes)
        #expect(reading.error != nil || reading.diagnostics.hasLoss)
        #expect(reading.events.filter { $0.kind == .procTransition }.count == 1)
    }

    /// A stream has forgotten the generation before, so the search behind damage cannot begin there.
    @Test func damageBehindALongGenerationOfAPipe() throws {
        var trace = GoTraceBuilder()
        func metrics(_ thread: UInt64, _ count: Int) {
            trace.batch(thread: thread, time: thread) {
                $0.event("ProcStatus", thread, 1)
                for _ in 0..<count { $0.event("HeapAlloc", 1) }
            }
        }
        for thread in UInt64(1)...120 { metrics(thread, 8000) }
        trace.endGeneration()
        trace.raw([UInt8](repeating: 0, count: 300))
        for thread in UInt64(1)...5 { metrics(thread, 10) }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.diagnostics[.bytesLost] == 300)
        #expect(reading.events.filter { $0.kind == .metric }.count == 120 * 8000 + 50)
    }

    @Test func theLargestNumbersAreSurvived() throws {
        var trace = GoTraceBuilder()
        trace.batch(thread: 1, time: .max) {
            $0.event("ProcStatus", 0, 1)
            for _ in 0..<500 { $0.event("HeapAlloc", delta: 31_000_000_000_000_000, 1) }
            $0.event("HeapAlloc", delta: .max, 1)
        }
        trace.endGeneration()
        // A batch of generation 2^64 - 1, and one that would have to be its successor's.
        for generation in [[UInt8](repeating: 0xff, count: 9) + [1], [1]] {
            trace.raw([1] + generation + [1, 1, 0])
        }
        let reading = Reading(bytes: trace.bytes)
        let times = reading.events.map(\.timeNanoseconds)
        #expect(times.count > 500)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(reading.diagnostics[.timesClamped] > 0)
    }

    @Test func veryManyBrokenBatchesOfOneThread() throws {
        var trace = GoTraceBuilder()
        for _ in 0..<30_000 { trace.batch(thread: 1) { $0.raw([16]) } }
        trace.batch(thread: 1, time: 2) {
            $0.event("ProcStatus", 0, 1)
            $0.event("HeapAlloc", 1)
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.diagnostics[.batchesLost] == 30_000)
        #expect(reading.events.filter { $0.kind == .metric }.count == 1)
    }

    /// With so many threads that all wait in vain, not all are asked each time; all events come all the same.
    @Test func veryManyBlockedThreads() throws {
        var trace = GoTraceBuilder()
        for thread in UInt64(1)...3000 {
            trace.batch(thread: thread, time: thread) {
                $0.event("ProcStatus", thread, 1)
                for _ in 0..<3 { $0.event("GoStart", 1, 5) }
            }
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.diagnostics[.transitionsForced] == 9000)
        #expect(reading.events.filter { $0.kind == .goroutineTransition }.count == 9000)
    }

    @Test func aLaterTraceInTheSameFileIsReadToo() throws {
        func trace(at time: UInt64) -> [UInt8] {
            var trace = GoTraceBuilder()
            trace.batch(thread: 1, time: time) {
                $0.event("ProcStatus", 0, 1)
                $0.event("GoStatus", 1, 1, 2)
                $0.event("HeapAlloc", 5)
            }
            trace.endGeneration()
            return trace.bytes
        }
        // Frequency and string batches of the builder start at 1, so the second trace needs no earlier ones.
        let both = Reading(bytes: trace(at: 100) + trace(at: 100))
        #expect(both.error?.description.contains("earlier one") == true)
        #expect(both.diagnostics[.bytesLost] > 0)
        #expect(both.events.filter { $0.kind == .metric }.count == 1)
    }

    @Test func aNewerVersionIsReadUntilItSaysSomethingNew() throws {
        var trace = GoTraceBuilder(version: 31)
        trace.batch(thread: 1) {
            $0.event("ProcStatus", 0, 1)
            $0.event("HeapAlloc", 1)
            $0.raw([90, 1, 1])
            $0.event("HeapAlloc", 2)
        }
        trace.endGeneration()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.diagnostics[.unknownVersion] == 1)
        #expect(reading.events.filter { $0.kind == .metric }.count == 1)
        #expect(reading.error?.description.contains("event type 90") == true)
    }
}
