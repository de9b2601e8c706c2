import Testing
import Vestige
import VestigeTestSupport

/// The truth of every v1 trace of the corpus.
@Suite struct GoTraceV1CorpusTests {
    static let all = Corpus.traces.filter { $0.format == "v1" }
    static let readable = all.filter { $0.must == "ok" }
    /// What Go's reader refuses.
    static let refused = all.filter { $0.must != "ok" }
    /// Of these the ones that are whole, but too old for it.
    static let old = refused.filter { $0.name.hasSuffix("_good") }

    @Test(arguments: readable) func everyEventIsAsTheTruthHasIt(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        let truth = try trace.readTruth()
        let hashes = try #require(truth["hash"] as? [String: Any])
        let hash = reading.hash()
        #expect(hash.eventCount == truth["events"] as? Int)
        let byThread = hashes["by_thread_no_time"] as? [String: String]
        #expect(Dictionary(uniqueKeysWithValues: hash.byThreadNoTime.map { ("\($0)", $1.hex) }) == byThread)
        // Go's reader breaks ties at random in some.
        if trace.stable != false { #expect(hash.full.hex == hashes["full"] as? String) }
    }

    @Test(arguments: old) func versionsThatGoForgotAreReadInFull(_ trace: CorpusTrace) throws {
        let bytes = try Corpus.bytes(of: trace.path)
        let reading = Reading(bytes: bytes)
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        expectLegal(reading.events)
        let raw = RawCounts(bytes)
        let transitions = reading.events.filter { $0.kind == .goroutineTransition }
        func count(_ from: GoroutineState, _ to: GoroutineState) -> Int {
            transitions.count { $0.fromGoroutineState == from && $0.toGoroutineState == to }
        }
        #expect(count(.running, .notExist) == raw["GoEnd"])
        #expect(count(.waiting, .runnable) == raw["GoUnblock"])
        #expect(count(.running, .syscall) == raw["GoSysCall"])
        #expect(count(.syscall, .running) == raw["GoSysCall"] - raw["GoSysBlock"])
        #expect(count(.syscall, .runnable) == raw["GoSysExit"])
        #expect(count(.running, .waiting) == raw["GoBlock"])
        #expect(count(.running, .runnable) == raw["GoSched"])
        #expect(count(.undetermined, .waiting) == raw["GoWaiting"])
        #expect(count(.undetermined, .syscall) == raw["GoInSyscall"])
        #expect(count(.runnable, .running) + count(.undetermined, .running) == raw["GoStart"])
        #expect(reading.events.count { $0.kind == .procTransition } == raw["ProcStart"] + raw["ProcStop"])
        #expect(reading.events.count { $0.kind == .metric } == raw["Metric"] - 1)
        #expect(reading.events.count { $0.kind == .rangeBegin } == raw["RangeBegin"])
        #expect(reading.events.count { $0.kind == .rangeEnd } == raw["RangeEnd"])
        #expect(transitions.contains { $0.transitionStack != .absent })
    }

    @Test(arguments: refused) func whatGoRefusesIsReadAsFarAsItGoes(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        expectLegal(reading.events)
        if trace.name.hasPrefix("cut-") || trace.name.hasPrefix("killed-") {
            let offset = try #require(reading.error?.byteOffset)
            #expect(reading.error?.code == .truncated)
            #expect(offset <= UInt64(Samples.size(trace.path)))
        }
        switch trace.name {
        case "killed-busy-1.21": #expect(reading.events.count > 150_000)
        case "cut-1.21-mid-gen1": #expect(reading.events.count > 2000)
        case "cut-1.21-last-byte-off":
            // Only the last stack is cut.
            #expect(reading.diagnostics[.bytesLost] == 42)
            #expect(reading.events.count > 4000)
        default: break
        }
    }

    /// The runtime does not write that a thread made by C enters Go for the first time, and Go's reader gives up.
    @Test(arguments: refused.filter { $0.name.hasPrefix("cgo-c-threads") })
    func threadsOfCAppearWhenTheyEnterGo(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        #expect(reading.error == nil)
        #expect(!reading.diagnostics.hasLoss)
        #expect((1...5).contains(reading.diagnostics[.transitionsForced]))
    }

    /// The runtime cuts the message, but writes a length that reaches into the next batch.
    @Test(arguments: refused.filter { $0.name.hasPrefix("biglog") })
    func aLogMessageThatIsTooLongIsCutWhereTheRuntimeCutIt(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        let messages = reading.events.filter { $0.kind == .log }.map { reading.tables.strings.bytes($0.message) }
        #expect(messages.contains { $0.count > 60_000 && $0.allSatisfy { $0 >= 0x20 } })
    }

    /// Sequence numbers order the events; the clocks of the processors do not.
    @Test(arguments: refused.filter { $0.name == "stress_1_5_unordered" })
    func timesOutOfOrderAreClamped(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        #expect(reading.error == nil)
        #expect(reading.diagnostics[.timesClamped] > 0)
        #expect(reading.diagnostics.nonZero.count == 1)
    }
}
