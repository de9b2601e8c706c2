import Testing
import Vestige
import VestigeTestSupport

/// What must hold for any input.
@Suite struct GoTraceV1PropertyTests {
    static let samples = Samples.files(in: "gotrace-v1", suffix: ".trace")
    /// Small whole traces of every version, where the corpus is there.
    static let old = GoTraceV1CorpusTests.all.map(\.path).filter { Samples.size($0) < 9_000 }

    /// The hash is over what Go's own reader gives, by the recipe of `TruthHash`.
    @Test func theSampleIsReadAsGoReadsIt() throws {
        let path = try #require(Self.samples.first { $0.hasSuffix("workshop.trace") })
        let reading = try Reading(path: path)
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        #expect(reading.hash().full.hex == "707129dfd1a7b026")
        let source = reading.tables.sources[0]
        #expect(source.formatVersion == "go 1.21 trace" && source.clock == .relative && source.ticksPerSecond != nil)
        expectLegal(reading.events)
    }

    @Test(arguments: samples + old) func batchCapacityAndPipesChangeNothing(_ path: String) throws {
        let whole = try Reading(path: path)
        let pipe = Reading(bytes: try Corpus.bytes(of: path))
        #expect(pipe.lines == whole.lines)
        for capacity in [8, 9, 63] {
            let other = try Reading(path: path, capacity: capacity)
            #expect(other.lines == whole.lines)
            #expect(other.error.map(\.expected) == whole.error.map(\.expected))
        }
    }

    @Test(arguments: samples) func truncationAtEveryByteGivesEventsAndAnError(_ path: String) throws {
        let bytes = try Corpus.bytes(of: path)
        var most = 0
        for length in 0..<bytes.count {
            let reading = Reading(bytes: Array(bytes[..<length]), format: GoTraceV1Format.format)
            let isWhole = reading.error == nil && !reading.diagnostics.hasLoss
            // Once the frequency is there, a cut between two stacks cannot be seen but by who needs one.
            if reading.diagnostics[.frequencyAssumed] > 0 { #expect(reading.error != nil) }
            if !isWhole { #expect(reading.error?.byteOffset ?? 0 <= UInt64(length)) }
            expectLegal(reading.events, "length \(length)")
            most = max(most, reading.events.count)
        }
        #expect(most > 400)
    }

    /// Seeded, so that a failure can be repeated; the seed is in the message.
    @Test(arguments: samples + old, [UInt64(1), 2]) func damageNeverCrashes(_ path: String, _ seed: UInt64) throws {
        let bytes = try Corpus.bytes(of: path)
        guard bytes.count > 100 else { return }
        var random = SeededRandom(seed: seed)
        for round in 0..<60 {
            var damaged = bytes
            for _ in 0...Int(random.next() % 4) { random.damage(&damaged) }
            let reading = Reading(bytes: damaged, format: GoTraceV1Format.format)
            let times = reading.events.map(\.timeNanoseconds)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed) round \(round)")
            #expect(!reading.events.isEmpty || reading.error != nil, "seed \(seed) round \(round)")
        }
    }

    @Test func varintsWithoutEndAreDamage() {
        for tail in [1, 9, 10, 11, 40, 200] {
            var trace = GoTraceV1Builder.started()
            for head: UInt8 in [13 | 3 << 6, 14 | 2 << 6, 3 | 3 << 6, 37, 2, 35, 0x41, 48 | 3 << 6, 49 | 3 << 6] {
                trace.raw([head] + [UInt8](repeating: 0xff, count: tail))
            }
            let reading = Reading(bytes: trace.bytes)
            #expect(reading.error != nil)
            #expect(reading.diagnostics[.bytesLost] > 0)
        }
    }

    @Test func damageInABatchLeavesTheNextOnes() throws {
        var trace = GoTraceV1Builder.started()
        for value in 0..<10 { trace.event("HeapAlloc", UInt64(value)) }
        let offset = trace.bytes.count
        trace.raw([63, 1, 2, 3] + [UInt8](repeating: 0, count: 500))
        trace.batch(proc: 1, ticks: 2000)
        trace.event("ProcStart", 8)
        for value in 0..<10 { trace.event("HeapAlloc", UInt64(value)) }
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error?.byteOffset == UInt64(offset))
        #expect(reading.error?.code == .damaged)
        #expect(reading.diagnostics[.bytesLost] == 504)
        #expect(reading.diagnostics[.batchesLost] == 1)
        #expect(reading.events.filter { $0.kind == .metric }.count == 20)
        #expect(reading.diagnostics[.frequencyAssumed] == 0)
    }

    /// A time that is far too late must not make the batches behind the damage look implausible.
    @Test func aWildTimeBeforeTheDamageHidesNothing() throws {
        var trace = GoTraceV1Builder.started()
        trace.event("HeapAlloc", delta: UInt64.max - 5000, 1)
        trace.raw([63])
        trace.batch(proc: 1, ticks: 2000)
        for value in 0..<10 { trace.event("HeapAlloc", UInt64(value)) }
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error != nil)
        #expect(reading.diagnostics[.bytesLost] == 1)
        #expect(reading.events.filter { $0.kind == .metric }.count == 11)
    }

    @Test func anotherTraceBehindThisOneIsNamed() throws {
        var trace = GoTraceV1Builder.started()
        trace.end()
        let reading = Reading(bytes: trace.bytes + trace.bytes)
        #expect(reading.error?.found == "another trace; cut the file here")
        #expect(reading.error?.byteOffset == UInt64(trace.bytes.count))
        #expect(reading.diagnostics[.trailingBytes] == UInt64(trace.bytes.count))
    }

    /// A goroutine number that none has, more procs than there can be: neither traps, nor hangs, nor
    /// costs more than the input's size.
    @Test func hostileNumbersAreRefused() throws {
        var trace = GoTraceV1Builder.started()
        for id in [UInt64.max, 0, 1 << 63, UInt64(Int64.max)] {
            trace.event("GoCreate", id, id, id)
            trace.event("GoUnblock", id, id, id)
            trace.event("GoStart", id, id)
            trace.event("GoSysExit", id, id, id)
            trace.event("HeapAlloc", delta: id, id)
        }
        for proc in 0..<20_000 {
            trace.batch(proc: UInt64(proc), ticks: 5000)
            trace.event("GoStart", 77, 5)
        }
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error != nil)
        #expect(reading.diagnostics[.eventsLost] > 0)
        let times = reading.events.map(\.timeNanoseconds)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test(arguments: [5, 7, 8, 9, 10, 11, 19, 21]) func versionsAreDetected(_ version: Int) {
        var trace = GoTraceV1Builder.started(version: version)
        trace.end()
        let reading = Reading(bytes: trace.bytes)
        #expect(reading.error == nil)
        #expect(reading.tables.sources[0].formatVersion == "go 1.\(version) trace")
        #expect(reading.transitions(of: 1) == ["Undetermined>Running"])
    }
}
