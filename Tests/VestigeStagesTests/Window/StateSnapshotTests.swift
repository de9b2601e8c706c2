import Foundation
import Testing
import VestigeCore
import VestigeStages
import VestigeTestSupport

/// The state at a moment, made into events.
@Suite struct StateSnapshotTests {
    // MARK: - By hand

    private func opening(at time: Int64, _ script: EventScript) -> [Event] {
        let snapshot = StateSnapshot()
        script.forEachBatch(of: 2) { snapshot.process($0, tables: script.tables) }
        return snapshot.events(at: time, tables: script.tables)
    }

    @Test func nothingBeforeIsNothing() {
        #expect(opening(at: 10, EventScript()).isEmpty)
    }

    @Test func whatIsAliveAndOpenIsEstablished() throws {
        let script = EventScript()
        script.mark(.metric, "/gc/heap/goal:bytes", at: 5, task: 4096)
        script.mark(.metric, "/gc/heap/goal:bytes", at: 6, task: 8192)
        script.proc(3, .idle, .running, at: 10, thread: 77)
        script.go(1, .undetermined, .running, at: 11, proc: 3, thread: 77)
        script.mark(.taskBegin, "order", at: 12, on: 1, task: 9, 0)
        script.mark(.regionBegin, "outer", at: 13, on: 1, task: 9)
        script.mark(.regionBegin, "inner", at: 14, on: 1, task: 9)
        script.mark(.regionBegin, "over", at: 15, on: 1, task: 9)
        script.mark(.regionEnd, "over", at: 16, on: 1, task: 9)
        script.go(2, .notExist, .runnable, at: 17, by: 1, ownStack: ["main.worker"])
        script.go(3, .notExist, .runnable, at: 18, by: 1, ownStack: ["main.short"])
        script.go(3, .runnable, .notExist, at: 19)
        script.range(.rangeBegin, "GC concurrent mark phase", at: 20)
        script.go(1, .running, .syscall, at: 21, ownStack: ["read", "main.main"], proc: 3, thread: 77)
        let events = opening(at: 100, script)
        #expect(events.allSatisfy { $0.isSynthetic && $0.timeNanoseconds == 100 })
        let words = events.map { event in
            "\(event.kind) \(script.tables.strings.string(event.name)) \(event.argument0) since \(event.sinceNanoseconds)"
        }
        #expect(
            words == [
                "sync  0 since 0", "metric /gc/heap/goal:bytes 8192 since 6", "procTransition  3 since 10",
                "goroutineTransition  1 since 21", "regionBegin outer 9 since 13", "regionBegin inner 9 since 14",
                "goroutineTransition  2 since 17", "taskBegin order 9 since 12",
                "rangeActive GC concurrent mark phase \(UInt64.max) since 20",
            ])
        let syscall = events[3]
        #expect(syscall.fromGoroutineState == .undetermined && syscall.toGoroutineState == .syscall)
        #expect((syscall.goroutine.rawValue, syscall.proc.rawValue, syscall.thread.rawValue) == (1, 3, 77))
        #expect(syscall.transitionStack == script.stack(["read", "main.main"]))
        #expect(events[2].thread.rawValue == 77)
        #expect(events[7].parentTask == .background && events[7].goroutine.rawValue == 1)
    }

    @Test func aProcTakenFromASystemCallIsNoLongerHeld() {
        let script = EventScript()
        script.proc(3, .idle, .running, at: 1, thread: 77)
        script.go(1, .runnable, .running, at: 2, proc: 3, thread: 77)
        script.go(1, .running, .syscall, at: 3, proc: 3, thread: 77)
        script.proc(3, .running, .idle, at: 4)
        let events = opening(at: 9, script)
        #expect(events.count == 3)
        #expect(events[1].toProcState == .idle && events[1].thread == .absent)
        #expect(events[2].proc == .absent && events[2].thread.rawValue == 77)
    }

    @Test func aStateWithoutStackTellsAtLeastTheStartFunction() throws {
        let script = EventScript()
        script.go(7, .notExist, .runnable, at: 1, by: 1, ownStack: ["main.worker"])
        script.go(7, .runnable, .waiting, at: 2, ownStack: ["recv", "main.worker"])
        script.go(7, .waiting, .running, at: 3)
        let state = try #require(opening(at: 4, script).last)
        #expect(state.toGoroutineState == .running)
        #expect(state.transitionStack == script.stack(["main.worker"]))
    }

    /// What a synthetic event says of the time before survives another cut.
    @Test func sinceIsPassedOn() throws {
        let script = EventScript()
        script.go(1, .runnable, .waiting, at: 5, "select")
        for event in opening(at: 10, script) { script.add(event) }
        let second = EventScript()
        for event in script.events.dropFirst() { second.add(event) }
        let state = try #require(opening(at: 20, second).last)
        #expect(state.timeNanoseconds == 20 && state.sinceNanoseconds == 5)
    }

    // MARK: - Truth

    static let recordings = Corpus.traces.filter { $0.must == "ok" && $0.stable != false }

    @Test(arguments: recordings) func recordingsAgreeWithTruthAndPartsMakeTheWhole(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        try expectStatesOfTruth(reading, trace)
        // The large ones take long in a debug build, and hold nothing that the others do not.
        if reading.events.count < 20_000 { try expectPartsMakeTheWhole(reading, seed: 2) }
    }

    private func expectStatesOfTruth(_ reading: Reading, _ trace: CorpusTrace) throws {
        let snapshot = StateSnapshot()
        var next = 0
        for sample in try trace.readTruth()["state_samples"] as? [[String: Any]] ?? [] {
            let time = try #require(sample["t"] as? NSNumber).int64Value
            let end = reading.events[next...].firstIndex { $0.timeNanoseconds > time } ?? reading.events.count
            reading.events[next..<end].withUnsafeBufferPointer { snapshot.process($0, tables: reading.tables) }
            next = end
            let states = snapshot.events(at: time, tables: reading.tables)
                .filter { $0.kind == .goroutineTransition }.map { "\($0.toGoroutineState.name)" }
            let expected = (sample["goroutines"] as? [String: Int] ?? [:]).filter { $0.key != "NotExist" }
            #expect(Dictionary(states.map { ($0, 1) }, uniquingKeysWith: +) == expected, "at \(time)")
        }
    }

    // MARK: - Parts make the whole

    @Test(arguments: Samples.files(in: "gotrace-v2", suffix: ".trace")) func partsOfSamplesMakeTheWhole(_ path: String)
        throws
    {
        try expectPartsMakeTheWhole(try Reading(path: path), seed: 1)
    }

    /// Cuts a recording at random places. Each part, which sees its opening and its own events only, has spans that
    /// add up to those of the whole, and the last one ends in the same states.
    private func expectPartsMakeTheWhole(_ reading: Reading, seed: UInt64) throws {
        guard reading.events.count > 1 else { return }
        let whole = SpanSums(reading.events, reading.tables)
        var random = SeededRandom(seed: seed)
        for count in [2, 5] {
            let cuts = (1..<count).map { _ in Int.random(in: 1..<reading.events.count, using: &random) }.sorted()
            var parts = SpanSums()
            let snapshot = StateSnapshot()
            var start = 0
            for end in cuts + [reading.events.count] where end > start {
                var part = snapshot.events(at: reading.events[start].timeNanoseconds, tables: reading.tables)
                part += reading.events[start..<end]
                if end < reading.events.count {
                    part.append(Event(kind: .sync, timeNanoseconds: reading.events[end].timeNanoseconds))
                }
                parts.add(part, reading.tables)
                reading.events[start..<end].withUnsafeBufferPointer { snapshot.process($0, tables: reading.tables) }
                start = end
            }
            #expect(parts.durations == whole.durations, "\(count) parts")
            #expect(parts.finalStates == whole.finalStates, "\(count) parts")
        }
    }
}

/// Sums of span durations by what they are spans of. Those whose begin no event tells are left out: a part
/// cannot know of them before their end.
private struct SpanSums {
    private(set) var durations: [String: Int64] = [:]
    private(set) var finalStates: [String] = []

    init() {}

    init(_ events: [Event], _ tables: TraceTables) { add(events, tables) }

    mutating func add(_ events: [Event], _ tables: TraceTables) {
        var lifelines = CollectedLifelines()
        events.withUnsafeBufferPointer { lifelines.process($0, tables) }
        lifelines.finish(tables)
        for span in lifelines.spans where !span.flags.contains(.beganBefore) || span.sinceNanoseconds != nil {
            let subject =
                switch span.kind {
                case .goroutineState: "\(span.goroutine.rawValue) \(span.state) \(span.name.rawValue)"
                case .procState: "\(span.proc.rawValue) \(span.procState)"
                case .region: "\(span.goroutine.rawValue) \(span.identifier) \(span.name.rawValue)"
                case .task: "\(span.identifier) \(span.name.rawValue)"
                case .range: "\(span.scope) \(span.identifier) \(span.name.rawValue)"
                }
            durations["\(span.kind) \(subject)", default: 0] += span.durationNanoseconds
        }
        durations = durations.filter { $0.value > 0 }
        finalStates = lifelines.lives.filter { !$0.hasEnded }.map {
            "\($0.goroutine.rawValue) \($0.finalState) \($0.finalReason.rawValue) \($0.startFunction.rawValue)"
        }.sorted()
    }
}
