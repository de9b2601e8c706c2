import Testing
import VestigeCore
import VestigeStages
import VestigeTestSupport

@Suite struct RegionLifelineTests {
    let script = EventScript()

    private func regions() -> [String] {
        CollectedLifelines(script).spans(of: .region).map { span in
            "\(script.tables.strings.string(span.name))/\(span.identifier) g\(span.goroutine.rawValue) "
                + "\(span.startNanoseconds)…\(span.endNanoseconds) depth \(span.depth) \(span.flags.rawValue)"
        }
    }

    @Test func anEndClosesTheInnermostOfItsNameAndTask() {
        script.mark(.regionBegin, "a", at: 1, on: 7)
        script.mark(.regionBegin, "b", at: 2, on: 7, task: 5)
        script.mark(.regionBegin, "a", at: 3, on: 7)
        script.mark(.regionBegin, "a", at: 4, on: 8)
        script.mark(.regionBegin, "a", at: 5, on: 7, task: 5)
        script.mark(.regionEnd, "a", at: 10, on: 7)
        script.mark(.regionEnd, "b", at: 11, on: 7, task: 5)
        script.mark(.regionEnd, "a", at: 12, on: 7)
        script.mark(.regionEnd, "a", at: 13, on: 7, task: 5)
        script.mark(.regionEnd, "a", at: 14, on: 8)
        #expect(
            regions() == [
                "a/0 g7 3…10 depth 2 0", "b/5 g7 2…11 depth 1 0", "a/0 g7 1…12 depth 0 0", "a/5 g7 5…13 depth 3 0",
                "a/0 g8 4…14 depth 0 0",
            ])
    }

    @Test func anEndAloneBeganBefore() {
        script.sync(at: 0)
        script.mark(.regionEnd, "older", at: 10, on: 7)
        script.go(8, .notExist, .runnable, at: 20, by: 7)
        script.mark(.regionEnd, "begin lost", at: 30, on: 8)
        #expect(regions() == ["older/0 g7 0…10 depth 0 1", "begin lost/0 g8 20…30 depth 0 1"])
    }

    @Test func whatIsOpenEndsWithItsGoroutineOrTheRecording() {
        script.go(7, .undetermined, .running, at: 0, by: -1)
        script.mark(.regionBegin, "outer", at: 1, on: 7)
        script.mark(.regionBegin, "inner", at: 2, on: 7)
        script.mark(.regionBegin, "other", at: 3, on: 8)
        script.go(7, .running, .notExist, at: 10)
        script.sync(at: 20)
        #expect(
            regions() == ["inner/0 g7 2…10 depth 1 2", "outer/0 g7 1…10 depth 0 2", "other/0 g8 3…20 depth 0 2"])
    }

    @Test func stacksOfBothEnds() throws {
        script.mark(.regionBegin, "r", at: 1, on: 7, stack: ["main.begin"])
        script.mark(.regionEnd, "r", at: 2, on: 7, stack: ["main.end"])
        let span = try #require(CollectedLifelines(script).spans.first)
        #expect(span.startStack == script.stack(["main.begin"]))
        #expect(span.endStack == script.stack(["main.end"]))
    }

    /// Long lists are searched through an index; what closes what must be the same as in short ones.
    @Test(arguments: [31, 32, 33, 200, 5000]) func manyOpenRegions(_ count: Int) {
        script.mark(.regionBegin, "run", at: 1, on: 7)
        for index in 0..<count {
            script.mark(.regionBegin, index % 2 == 0 ? "even" : "odd", at: Int64(index) + 2, on: 7)
        }
        let end = Int64(count) + 10
        script.mark(.regionEnd, "run", at: end, on: 7)
        script.mark(.regionEnd, "even", at: end + 1, on: 7)
        script.mark(.regionEnd, "never begun", at: end + 2, on: 7)
        script.mark(.regionBegin, "even", at: end + 3, on: 7)
        script.mark(.regionEnd, "even", at: end + 4, on: 7)
        let closed = regions().prefix(4)
        let lastEven = (count - 1) / 2 * 2
        #expect(
            closed == [
                "run/0 g7 1…\(end) depth 0 0", "even/0 g7 \(lastEven + 2)…\(end + 1) depth \(lastEven + 1) 0",
                "never begun/0 g7 1…\(end + 2) depth \(count - 1) 1",
                "even/0 g7 \(end + 3)…\(end + 4) depth \(count - 1) 0",
            ])
        #expect(regions().count == count + 3)
    }

    /// Ends that match nothing, on a goroutine with very many open regions: quadratic search would hang here.
    @Test func deepNestingIsNotSlow() {
        for index in 0..<100_000 { script.mark(.regionBegin, "r", at: Int64(index), on: 7, task: UInt64(index)) }
        for index in 0..<100_000 { script.mark(.regionEnd, "x", at: 100_000 + Int64(index), on: 7) }
        #expect(CollectedLifelines(script, batchSize: 8192).spans.count == 200_000)
    }
}

@Suite struct TaskLifelineTests {
    let script = EventScript()

    private func tasks() -> [String] {
        CollectedLifelines(script).spans(of: .task).map { span in
            let parent = span.parentTask == .absent ? "-" : "\(span.parentTask.rawValue)"
            return "\(span.identifier)<\(parent) \(script.tables.strings.string(span.name)) "
                + "\(span.startNanoseconds)…\(span.endNanoseconds) g\(span.goroutine.rawValue)"
                + "→\(span.endedBy.rawValue) \(span.flags.rawValue)"
        }
    }

    @Test func theFirstEndCounts() {
        script.sync(at: 0)
        script.mark(.taskBegin, "request", at: 1, on: 7, task: 5)
        script.mark(.taskBegin, "part", at: 2, on: 7, task: 6, 5)
        script.mark(.taskEnd, "part", at: 5, on: 8, task: 6, 5)
        script.mark(.taskEnd, "part", at: 6, on: 9, task: 6, 5)
        script.mark(.taskEnd, "request", at: 7, on: 7, task: 5)
        script.mark(.taskEnd, "request", at: 8, on: 7, task: 5)
        #expect(tasks() == ["6<5 part 2…5 g7→8 0", "5<- request 1…7 g7→7 0"])
    }

    @Test func olderAndOpenTasks() {
        script.sync(at: 0)
        script.mark(.taskBegin, "late", at: 3, on: 7, task: 1 << 63)
        script.mark(.taskBegin, "open", at: 2, on: 7, task: 9)
        script.mark(.taskEnd, "older", at: 4, on: 8, task: 2, 0)
        script.mark(.taskEnd, "older", at: 5, on: 8, task: 2, 0)
        script.sync(at: 10)
        #expect(
            tasks() == [
                "2<0 older 0…4 g-1→8 1", "9<- open 2…10 g7→-1 2", "9223372036854775808<- late 3…10 g7→-1 2",
            ])
    }

    @Test func anIdThatBeginsAgain() {
        script.mark(.taskBegin, "first", at: 1, on: 7, task: 5)
        script.mark(.taskBegin, "second", at: 3, on: 8, task: 5)
        script.mark(.taskEnd, "second", at: 4, on: 8, task: 5)
        script.mark(.taskBegin, "third", at: 5, on: 8, task: 5)
        script.mark(.taskEnd, "third", at: 6, on: 8, task: 5)
        #expect(tasks() == ["5<- first 1…3 g7→-1 4", "5<- second 3…4 g8→8 0", "5<- third 5…6 g8→8 0"])
    }

    @Test func endedTasksAreRememberedForLong() {
        for task: UInt64 in 1...20_000 {
            script.mark(.taskBegin, "t", at: Int64(task), on: 7, task: task)
            script.mark(.taskEnd, "t", at: Int64(task), on: 7, task: task)
        }
        for task: UInt64 in 1...20_000 { script.mark(.taskEnd, "t", at: 30_000, on: 7, task: task) }
        #expect(tasks().count == 20_000)
    }
}

@Suite struct RangeAndProcLifelineTests {
    let script = EventScript()

    private func ranges() -> [String] {
        CollectedLifelines(script).spans(of: .range).map { span in
            "\(script.tables.strings.string(span.name)) \(span.scope) \(Int64(bitPattern: span.identifier)) "
                + "\(span.startNanoseconds)…\(span.endNanoseconds) \(span.flags.rawValue)\(span.wasActive ? " active" : "")"
        }
    }

    @Test func rangesAreToldApartByNameAndScope() {
        script.range(.rangeBegin, "GC", at: 1)
        script.range(.rangeBegin, "sweep", at: 2, .proc, 3)
        script.range(.rangeBegin, "sweep", at: 3, .goroutine, 3)
        script.range(.rangeEnd, "sweep", at: 4, .proc, 3)
        script.range(.rangeEnd, "sweep", at: 5, .goroutine, 3)
        script.range(.rangeEnd, "GC", at: 6)
        #expect(ranges() == ["sweep proc 3 2…4 0", "sweep goroutine 3 3…5 0", "GC global -1 1…6 0"])
    }

    @Test func anActiveRangeStartsWhenNoneIsOpen() {
        script.sync(at: 0)
        script.range(.rangeActive, "GC", at: 5)
        script.range(.rangeActive, "GC", at: 7)
        script.range(.rangeEnd, "GC", at: 9)
        script.range(.rangeBegin, "GC", at: 10)
        script.range(.rangeActive, "GC", at: 12)
        script.range(.rangeEnd, "assist", at: 13, .goroutine, 4)
        script.sync(at: 20)
        #expect(ranges() == ["GC global -1 5…9 0 active", "assist goroutine 4 0…13 1", "GC global -1 10…20 2"])
    }

    @Test func aBeginOfAnOpenRangeBreaksIt() {
        script.range(.rangeBegin, "GC", at: 1)
        script.range(.rangeBegin, "GC", at: 3)
        script.range(.rangeEnd, "GC", at: 4)
        #expect(ranges() == ["GC global -1 1…3 4", "GC global -1 3…4 0"])
    }

    @Test func whatASweepAchievedAndWhoseItIs() throws {
        script.range(.rangeBegin, "sweep", at: 1, .proc, 3, on: 7)
        script.range(.rangeEnd, "sweep", at: 2, .proc, 3, on: 7, swept: 8192, reclaimed: 512)
        script.range(.rangeBegin, "assist", at: 3, .goroutine, 5, on: 7)
        let spans = CollectedLifelines(script).spans
        #expect((spans[0].attribute0, spans[0].attribute1) == (8192, 512))
        #expect((spans[0].proc.rawValue, spans[0].goroutine.rawValue) == (3, 7))
        #expect((spans[1].proc, spans[1].goroutine.rawValue) == (.absent, 5))
    }

    @Test func procs() {
        script.sync(at: 0)
        script.proc(0, .undetermined, .running, at: 5, thread: 101)
        script.proc(0, .running, .running, at: 6, thread: 102)
        script.proc(0, .running, .idle, at: 10)
        script.proc(1_000_002, .undetermined, .running, at: 12)
        script.proc(0, .running, .idle, at: 15)
        script.proc(0, .idle, .notExist, at: 18)
        script.sync(at: 20)
        let rows = CollectedLifelines(script).spans(of: .procState).map { span in
            "p\(span.proc.rawValue) \(span.procState) \(span.startNanoseconds)…\(span.endNanoseconds) "
                + "m\(span.thread.rawValue) \(span.flags.rawValue)"
        }
        #expect(
            rows == [
                "p0 undetermined 0…5 m-1 1", "p0 running 5…10 m101 0", "p1000002 undetermined 0…12 m-1 1",
                "p0 idle 10…15 m-1 4", "p0 idle 15…18 m-1 0", "p1000002 running 12…20 m100 2",
            ])
    }
}
