import Testing
import Vestige
import VestigeTestSupport

struct AlignmentSearchTests {
    /// Two goroutines of the program: G2 waits from 20 on, G1 is woken at 40 and waits again at 60.
    private func recording(stop: String? = nil) -> EventScript {
        let script = EventScript()
        script.go(1, .notExist, .runnable, at: 10, ownStack: ["main.main"])
        script.go(1, .runnable, .running, at: 12)
        script.go(2, .notExist, .runnable, at: 14, by: 1, ownStack: ["main.worker"])
        script.go(2, .runnable, .running, at: 16)
        script.go(2, .running, .waiting, at: 20, "chan receive", ownStack: ["main.worker"])
        script.go(1, .running, .waiting, at: 30, "sync", ownStack: ["main.main"])
        script.go(1, .waiting, .runnable, at: 40)
        script.go(1, .runnable, .running, at: 45)
        if let stop {
            script.range(.rangeBegin, "stop-the-world (\(stop))", at: 50, .goroutine, 1, on: 1)
            script.range(.rangeEnd, "stop-the-world (\(stop))", at: 54, .goroutine, 1, on: 1)
        }
        script.go(1, .running, .waiting, at: 60, "sync", ownStack: ["main.main"])
        return script
    }

    private func seen(
        _ goroutine: Int64, _ state: GoroutineState, _ reason: String = "", in script: EventScript,
        stack: [String] = []
    ) -> Event {
        Event(
            kind: .observed, timeNanoseconds: 0, goroutine: GoroutineID(goroutine), stack: script.stack(stack),
            name: script.string(reason), argument2: 1, detail: Event.pack(observed: state))
    }

    private func bestFit(_ events: [Event], in script: EventScript, debugger: Bool = false, batch: Int = 3) -> Fit? {
        let snapshots = ObservedSnapshot.divide(events, isDebugger: debugger, tables: script.tables)
        let search = AlignmentSearch(snapshots, tables: script.tables)
        script.forEachBatch(of: batch) { search.process($0) }
        return search.finish()[0]
    }

    @Test(arguments: [1, 2, 100])
    func theMomentIsTheOneWithTheSameStates(batch: Int) throws {
        let script = recording()
        let fit = try #require(
            bestFit(
                [seen(1, .runnable, in: script), seen(2, .waiting, "chan receive", in: script)], in: script,
                batch: batch))
        #expect(fit.place == .anyMoment)
        #expect(fit.startNanoseconds == 40)
        #expect(fit.endNanoseconds == 45)
        #expect((fit.matchCount, fit.mismatchCount, fit.missingCount) == (2, 0, 0))
        #expect((40..<45).contains(fit.momentNanoseconds))
    }

    @Test(arguments: ["all goroutines stack trace", "all goroutine stack trace"])
    func aDumpStopsTheWorld(reason: String) throws {
        let script = recording(stop: reason)
        let fit = try #require(
            bestFit([seen(1, .running, in: script), seen(2, .waiting, "chan receive", in: script)], in: script))
        #expect(fit.place == .stopTheWorld)
        #expect((50...54).contains(fit.momentNanoseconds))
        #expect(fit.agreement == 1)
    }

    @Test func wordsOfTheTwoToolsAreTranslated() throws {
        for (word, isSame) in [("sync.Mutex.Lock", true), ("semacquire", true), ("IO wait", false)] {
            let script = recording()
            let fit = try #require(
                bestFit(
                    [seen(1, .waiting, word, in: script), seen(2, .waiting, "chan receive", in: script)], in: script))
            #expect((fit.mismatchCount == 0) == isSame, "\(word)")
        }
    }

    @Test func aDebuggerLeavesASilence() throws {
        let script = recording()
        script.go(1, .waiting, .runnable, at: 5_000_000)
        script.go(1, .runnable, .running, at: 5_000_010)
        let states = [seen(1, .waiting, "sync.Mutex.Lock", in: script), seen(2, .waiting, "chan receive", in: script)]
        let fit = try #require(bestFit(states, in: script, debugger: true))
        #expect(fit.place == .silence)
        #expect((fit.startNanoseconds, fit.endNanoseconds) == (60, 5_000_000))
    }

    /// Two silences with the same states: before and after collections that leave their stamp.
    @Test(arguments: [true, false])
    func stampsOfTheCollectorTellSilencesApart(isStamped: Bool) throws {
        let script = recording()
        script.go(1, .waiting, .runnable, at: 2_000_000)
        script.go(1, .runnable, .running, at: 2_000_010)
        for start in [2_000_100, 2_000_200] as [Int64] {
            script.range(.rangeBegin, "GC concurrent mark phase", at: start, on: 1)
            script.range(.rangeEnd, "GC concurrent mark phase", at: start + 50, on: 1)
        }
        script.go(1, .running, .waiting, at: 2_000_300, "sync", ownStack: ["main.main"])
        script.go(1, .waiting, .runnable, at: 9_000_000)
        var worker = seen(2, .waiting, "chan receive", in: script)
        if isStamped {
            var detail = ObservationDetail()
            detail.attributes = script.tables.observations.intern([
                Attribute(name: script.string(ObservedSnapshot.waitSinceAttribute), value: script.string("7"))
            ])
            worker.argument1 = script.tables.observations.intern(detail)
        }
        let fit = try #require(
            bestFit([seen(1, .waiting, "sync.Mutex.Lock", in: script), worker], in: script, debugger: true))
        #expect(fit.place == .silence)
        // The later one is longer, and wins where nothing speaks against it.
        #expect(fit.startNanoseconds == (isStamped ? 2_000_300 : 60))
        #expect(fit.matchCount == 2)
    }

    /// A dump whose goroutines the recording never has in these states fits badly everywhere.
    @Test func whatDoesNotBelongFitsBadly() {
        let script = recording()
        let fit = bestFit(
            [seen(1, .syscall, in: script), seen(2, .waiting, "select", in: script), seen(3, .running, in: script)],
            in: script)
        #expect(fit?.agreement ?? 0 < 0.5)
    }

    /// Of two stops with the same states, the one from whose line the dump was written.
    @Test func theCallersLineTellsStopsApart() throws {
        let script = EventScript()
        script.go(1, .notExist, .running, at: 1, ownStack: ["main.main"])
        for (time, caller) in [(10, "main.first"), (20, "main.second")] as [(Int64, String)] {
            script.mark(.log, "", at: time - 1, on: 1, stack: ["main.dump", caller])
            script.range(.rangeBegin, "stop-the-world (all goroutines stack trace)", at: time, .goroutine, 1, on: 1)
            script.range(.rangeEnd, "stop-the-world (all goroutines stack trace)", at: time + 2, .goroutine, 1, on: 1)
        }
        for (caller, time) in [("main.first", 10), ("main.second", 20)] as [(String, Int64)] {
            let dump = [seen(1, .running, in: script, stack: ["runtime/pprof.write", "main.dump", caller])]
            let fit = try #require(bestFit(dump, in: script))
            #expect((time...(time + 2)).contains(fit.momentNanoseconds), "\(caller)")
            #expect(fit.rivalCount == 0)
        }
    }

    @Test func severalSnapshotsOfOneInputAreKeptApart() {
        let script = recording()
        let number = script.string(ObservedSnapshot.numberAttribute)
        let events = ["1", "1", "2"].map { text in
            var detail = ObservationDetail()
            detail.attributes = script.tables.observations.intern([Attribute(name: number, value: script.string(text))])
            return Event(
                kind: .observed, timeNanoseconds: 0, goroutine: GoroutineID(1),
                argument1: script.tables.observations.intern(detail), argument2: 1)
        }
        let snapshots = ObservedSnapshot.divide(events, isDebugger: true, tables: script.tables)
        #expect(snapshots.map(\.events.count) == [2, 1])
    }
}
