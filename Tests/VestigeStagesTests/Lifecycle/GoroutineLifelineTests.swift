import Testing
import VestigeCore
import VestigeStages
import VestigeTestSupport

@Suite struct GoroutineLifelineTests {
    let script = EventScript()

    @Test func aWholeLife() throws {
        script.sync(at: 0)
        script.go(1, .undetermined, .running, at: 5, by: -1, ownStack: ["main.main"])
        script.go(7, .notExist, .runnable, at: 10, by: 1, ownStack: ["main.work"], stack: ["main.spawn", "main.main"])
        script.go(7, .runnable, .running, at: 15, by: -1, proc: 2, thread: 102)
        script.go(7, .running, .waiting, at: 25, "chan receive", ownStack: ["runtime.gopark", "main.work"])
        script.go(7, .waiting, .runnable, at: 55, by: 1, stack: ["main.send", "main.main"])
        script.go(7, .runnable, .running, at: 60, by: -1)
        script.go(7, .running, .syscall, at: 70, ownStack: ["syscall.read", "main.work"])
        script.go(7, .syscall, .running, at: 90)
        script.go(7, .running, .notExist, at: 100)
        let lifelines = CollectedLifelines(script)

        #expect(
            lifelines.states(of: 7) == [
                "runnable 10…15", "running 15…25", "waiting 25…55", "runnable 55…60", "running 60…70",
                "syscall 70…90", "running 90…100",
            ])
        let life = try #require(lifelines.lives.first)
        #expect(life.goroutine.rawValue == 7)
        #expect(life.isCreationKnown && life.hasEnded)
        #expect((life.firstSeenNanoseconds, life.lastNanoseconds) == (10, 100))
        #expect(life.creator.rawValue == 1)
        #expect(life.creationStack == script.stack(["main.spawn", "main.main"]))
        #expect(life.startFunction == script.string("main.work"))
        #expect((life.firstState, life.finalState) == (.runnable, .notExist))
        #expect((life.runnableNanoseconds, life.runningNanoseconds) == (10, 30))
        #expect((life.waitingNanoseconds, life.syscallNanoseconds, life.undeterminedNanoseconds) == (30, 20, 0))
        #expect(life.transitionCount == 8)
    }

    @Test func aSpanSaysWhereItRanAndWhoEndedIt() throws {
        script.go(7, .undetermined, .runnable, at: 0, by: -1)
        script.go(7, .runnable, .running, at: 15, by: -1, proc: 2, thread: 102)
        script.go(7, .running, .waiting, at: 25, "select", ownStack: ["main.work"], proc: 2, thread: 102)
        script.go(7, .waiting, .runnable, at: 55, by: 1, stack: ["main.send"])
        script.go(7, .runnable, .waiting, at: 56, "sleep")
        script.go(7, .waiting, .runnable, at: 58, by: -1)
        let spans = CollectedLifelines(script).spans

        let running = try #require(spans.first { $0.state == .running })
        #expect((running.proc.rawValue, running.thread.rawValue) == (2, 102))
        #expect(running.endStack == script.stack(["main.work"]))
        #expect(running.endedBy == .absent)
        let waits = spans.filter { $0.state == .waiting }
        #expect(waits.map(\.name) == [script.string("select"), script.string("sleep")])
        #expect(waits[0].startStack == script.stack(["main.work"]))
        #expect(waits[0].thread == .absent && waits[0].proc == .absent)
        #expect(waits[0].endedBy.rawValue == 1)
        #expect(waits[0].endedByStack == script.stack(["main.send"]))
        #expect(waits[1].endedBy == .absent)
    }

    @Test func whatIsOlderThanTheRecordingIsUndetermined() throws {
        script.sync(at: 100)
        script.go(3, .undetermined, .waiting, at: 130, "GC worker (idle)", by: -1, ownStack: ["a", "runtime.bg"])
        script.go(4, .running, .waiting, at: 140, ownStack: ["main.f"])
        script.sync(at: 150)
        let lifelines = CollectedLifelines(script)
        #expect(lifelines.states(of: 3) == ["undetermined 100…130 before", "waiting 130…150 open"])
        #expect(lifelines.states(of: 4) == ["undetermined 100…140 before", "waiting 140…150 open"])
        let life = try #require(lifelines.lives.first)
        #expect(!life.isCreationKnown && !life.hasEnded && life.creator == .absent)
        #expect((life.undeterminedNanoseconds, life.waitingNanoseconds, life.lastNanoseconds) == (30, 20, 150))
        #expect((life.finalState, life.finalReason) == (.waiting, script.string("GC worker (idle)")))
        #expect(life.finalStack == script.stack(["a", "runtime.bg"]))
        #expect(life.startFunction == script.string("runtime.bg"))
        #expect(life.transitionCount == 0)
    }

    @Test func aStateAtTheVeryBeginningHasNoUndeterminedSpan() {
        script.go(3, .undetermined, .running, at: 100, by: -1)
        script.sync(at: 150)
        #expect(CollectedLifelines(script).states(of: 3) == ["running 100…150 open"])
    }

    @Test func aStatusChangesNothingButMayBringAStack() throws {
        script.go(3, .undetermined, .waiting, at: 0, "select", by: -1)
        script.go(3, .waiting, .waiting, at: 10, "", by: 9, ownStack: ["main.first", "main.root"])
        script.go(3, .waiting, .waiting, at: 20, "", by: 9, ownStack: ["main.second"])
        script.go(3, .undetermined, .waiting, at: 25, "", by: 9)
        script.sync(at: 30)
        let lifelines = CollectedLifelines(script)
        #expect(lifelines.states(of: 3) == ["waiting 0…30 open"])
        let span = try #require(lifelines.spans.first)
        #expect(span.name == script.string("select"))
        #expect(span.startStack == script.stack(["main.first", "main.root"]))
        #expect(lifelines.lives.first?.startFunction == script.string("main.root"))
        #expect(lifelines.lives.first?.transitionCount == 0)
    }

    @Test func aThreadThatAStatusDoesNotTellComesFromTheEnd() throws {
        script.go(3, .undetermined, .syscall, at: 0, by: 9, thread: 55)
        script.go(3, .syscall, .running, at: 10, proc: 1, thread: 103)
        script.go(4, .undetermined, .syscall, at: 11, by: 9, thread: 55)
        let spans = CollectedLifelines(script).spans.filter { $0.state == .syscall }
        #expect(spans.map(\.thread.rawValue) == [103, -1])
        #expect(spans.allSatisfy { $0.proc == .absent })
    }

    @Test func spansAndRegionsKnowTheStartFunctionOnceAStackHasToldIt() {
        script.sync(at: 0)
        script.go(7, .undetermined, .running, at: 5, by: -1)
        script.go(7, .running, .runnable, at: 8)
        script.mark(.regionBegin, "r", at: 9, on: 7)
        script.go(7, .runnable, .waiting, at: 10, ownStack: ["runtime.gopark", "main.work"])
        script.mark(.regionEnd, "r", at: 12, on: 7)
        script.mark(.regionEnd, "unknown", at: 13, on: 8)
        script.sync(at: 20)
        let functions = CollectedLifelines(script).spans.map { script.tables.strings.string($0.startFunction) }
        #expect(functions == ["", "", "main.work", "main.work", "", "main.work"])
    }

    @Test func anIdThatIsUsedAgainHasTwoLives() {
        script.sync(at: 0)
        for start: Int64 in [10, 50] {
            script.go(7, .notExist, .syscall, at: start, by: -1)
            script.go(7, .syscall, .running, at: start + 10, ownStack: [start == 10 ? "main.one" : "main.two"])
            script.go(7, .running, .notExist, at: start + 20)
        }
        let lifelines = CollectedLifelines(script)
        #expect(lifelines.lives.map(\.firstSeenNanoseconds) == [10, 50])
        #expect(lifelines.lives.map(\.lastNanoseconds) == [30, 70])
        #expect(lifelines.lives.map(\.startFunction) == [script.string("main.one"), script.string("main.two")])
        #expect(lifelines.lives.allSatisfy { $0.runningNanoseconds == 10 && $0.syscallNanoseconds == 10 })
    }

    @Test func samplesAreCountedBeforeAndAfterTheFirstTransition() {
        script.mark(.stackSample, "", at: 1, on: 5)
        script.go(5, .undetermined, .running, at: 2, by: -1)
        script.mark(.stackSample, "", at: 3, on: 5)
        script.mark(.stackSample, "", at: 4, on: -1)
        script.mark(.stackSample, "", at: 5, on: 6)
        let lifelines = CollectedLifelines(script)
        #expect(lifelines.lives.map(\.goroutine.rawValue) == [5])
        #expect(lifelines.lives.map(\.stackSampleCount) == [2])
    }

    @Test func theStartFunctionOfALivingGoroutineCanBeAskedFor() {
        script.go(7, .notExist, .runnable, at: 10, by: 1, ownStack: ["main.work"])
        let stage = LifelineStage()
        script.forEachBatch { stage.process($0, tables: script.tables) }
        #expect(stage.startFunction(of: GoroutineID(7)) == script.string("main.work"))
        #expect(stage.startFunction(of: GoroutineID(8)) == .empty)
        stage.finish(tables: script.tables)
        #expect(stage.startFunction(of: GoroutineID(7)) == .empty)
    }

    // MARK: - Damaged input

    @Test func aTransitionFromAnotherStateEndsABrokenSpan() {
        script.go(7, .undetermined, .running, at: 0, by: -1)
        script.go(7, .waiting, .runnable, at: 10, by: 2)
        script.go(7, .running, .running, at: 20)
        script.go(7, .running, .waiting, at: 30)
        script.go(7, .syscall, .waiting, at: 40, "later")
        script.go(7, .undetermined, .running, at: 50, by: -1)
        let lifelines = CollectedLifelines(script)
        #expect(
            lifelines.states(of: 7) == [
                "running 0…10 broken", "runnable 10…20 broken", "running 20…30", "waiting 30…40 broken",
                "waiting 40…50 broken", "running 50…50 open",
            ])
    }

    @Test func aCreationOfALivingGoroutineEndsItsLife() {
        script.go(7, .notExist, .runnable, at: 0, by: 1)
        script.mark(.regionBegin, "r", at: 5, on: 7)
        script.go(7, .notExist, .runnable, at: 10, by: 2)
        script.go(7, .runnable, .running, at: 20, by: -1)
        let lifelines = CollectedLifelines(script)
        #expect(lifelines.states(of: 7) == ["runnable 0…10 broken", "runnable 10…20", "running 20…20 open"])
        #expect(lifelines.lives.map(\.hasEnded) == [true, false])
        #expect(lifelines.lives.map(\.finalState) == [.runnable, .running])
        #expect(lifelines.lives.map(\.creator.rawValue) == [1, 2])
        #expect(lifelines.spans(of: .region).map(\.endNanoseconds) == [10])
    }

    @Test func anEndWithoutALifeAndNothingAtAll() {
        script.sync(at: 0)
        script.go(7, .running, .notExist, at: 10)
        script.go(8, .notExist, .notExist, at: 20)
        let lifelines = CollectedLifelines(script)
        #expect(lifelines.states(of: 7) == ["undetermined 0…10 before"])
        #expect(lifelines.states(of: 8) == [])
        #expect(lifelines.lives.map(\.goroutine.rawValue) == [7])
        let empty = CollectedLifelines(EventScript())
        #expect(empty.spans.isEmpty && empty.lives.isEmpty)
    }

    /// Every field at its extremes and every order of times: nothing traps, no span is negative.
    @Test func hostileEventsDoNoHarm() {
        var random = SplitMix(seed: 0x5eed)
        let extremes: [UInt64] = [0, 1, 2, 3, 511, 512, 1 << 29, 1 << 63, .max, .max - 1, 1 << 62]
        for _ in 0..<50_000 {
            let kind = EventKind.allCases.randomElement(using: &random)!
            let time = extremes.randomElement(using: &random)! &+ UInt64.random(in: 0..<9, using: &random)
            script.add(
                Event(
                    kind: kind, timeNanoseconds: Int64(bitPattern: time),
                    goroutine: GoroutineID(Int64(bitPattern: extremes.randomElement(using: &random)!)),
                    proc: ProcID(Int32.random(in: .min ... .max, using: &random)),
                    stack: StackID(UInt32.random(in: 0..<9, using: &random)),
                    argument0: extremes.randomElement(using: &random)!,
                    argument1: extremes.randomElement(using: &random)!,
                    detail: UInt16.random(in: .min ... .max, using: &random)))
        }
        let lifelines = CollectedLifelines(script, batchSize: 100)
        #expect(lifelines.spans.count > 1000)
        #expect(lifelines.spans.allSatisfy { $0.endNanoseconds >= $0.startNanoseconds && $0.durationNanoseconds >= 0 })
    }

    @Test(arguments: [1, 2, 5, 1000]) func batchSizesDoNotMatter(_ size: Int) {
        for goroutine: Int64 in 0..<20 {
            script.go(goroutine, .notExist, .runnable, at: goroutine * 10, by: 1)
            script.go(goroutine, .runnable, .running, at: goroutine * 10 + 1, by: -1)
            for nesting: Int64 in 0..<100 {
                script.mark(.regionBegin, "r", at: goroutine * 10 + 2 + nesting, on: goroutine)
            }
            script.go(goroutine, .running, .notExist, at: goroutine * 10 + 200)
        }
        let (whole, parts) = (
            CollectedLifelines(script, batchSize: 10_000), CollectedLifelines(script, batchSize: size)
        )
        #expect(whole.spans.count == 20 * 102)
        #expect(whole.spans.elementsEqual(parts.spans) { bytes($0) == bytes($1) })
        #expect(whole.lives.map(\.goroutine) == parts.lives.map(\.goroutine))
    }

    private func bytes(_ span: LifelineSpan) -> String { "\(span)" }
}

/// A small generator with a seed, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
