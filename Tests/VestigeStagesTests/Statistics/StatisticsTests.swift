import Testing
import VestigeCore
import VestigeStages
import VestigeTestSupport

@Suite struct StatisticsTests {
    let script = EventScript()

    /// What a stage makes of the script, batch by batch.
    private func forEachBatch(
        of size: Int = 3,
        _ body: (UnsafeBufferPointer<Event>, UnsafeBufferPointer<LifelineSpan>, [GoroutineLife]) -> Void
    ) {
        let stage = LifelineStage()
        script.forEachBatch(of: size) { events in
            stage.process(events, tables: script.tables)
            body(events, stage.spans, stage.lives)
        }
        stage.finish(tables: script.tables)
        body(UnsafeBufferPointer(start: nil, count: 0), stage.spans, stage.lives)
    }

    private func wait(_ goroutine: Int64, from start: Int64, to end: Int64, _ reason: String, at stack: [String]) {
        script.go(goroutine, .running, .waiting, at: start, reason, ownStack: stack)
        script.go(goroutine, .waiting, .running, at: end, by: -1)
    }

    @Test func waitsAreByReasonAndPlace() throws {
        script.go(1, .undetermined, .running, at: 0, ownStack: ["main.work"])
        script.go(2, .undetermined, .running, at: 1, ownStack: ["runtime.bgsweep"])
        wait(1, from: 10, to: 30, "sync", at: ["sync.(*Mutex).Lock", "main.a", "main.work"])
        wait(1, from: 40, to: 45, "sync", at: ["internal/sync.lockSlow", "sync.(*Mutex).Lock", "main.a", "main.other"])
        wait(1, from: 50, to: 51, "sync", at: ["sync.(*Mutex).Lock", "main.b"])
        wait(1, from: 60, to: 64, "sleep", at: ["time.Sleep", "main.a", "main.work"])
        wait(2, from: 70, to: 72, "sleep", at: ["runtime.goparkunlock", "runtime.bgsweep"])
        script.go(1, .running, .waiting, at: 80, "sync")
        script.sync(at: 90)
        var waits = WaitStatistics()
        forEachBatch { _, spans, _ in for span in spans { waits.add(span, script.tables) } }
        let rows = waits.rows.map { row in
            let place = script.tables.strings.string(row.place.function)
            return "\(script.tables.strings.string(row.reason)) \(place) \(row.durations.count) \(row.durations.total) "
                + "\(row.openCount) \(row.isSystem)"
        }
        #expect(
            rows == [
                "sync main.a 2 25 0 false", "sync main.b 1 1 0 false", "sleep main.a 1 4 0 false",
                "sleep runtime.goparkunlock 1 2 0 true", "sync  1 10 1 false",
            ])
    }

    @Test func namesCountWhatIsWholeApartFromTheRest() throws {
        script.sync(at: 0)
        for time: Int64 in [10, 20, 30] {
            script.mark(.regionBegin, "r", at: time, on: 1)
            script.mark(.regionEnd, "r", at: time + 4, on: 1)
        }
        script.mark(.regionEnd, "r", at: 40, on: 2)
        script.mark(.regionBegin, "r", at: 50, on: 3)
        script.mark(.taskBegin, "r", at: 60, on: 3, task: 9)
        script.mark(.regionBegin, "other", at: 70, on: 3)
        var regions = NameStatistics(.region)
        forEachBatch { _, spans, _ in for span in spans { regions.add(span) } }
        #expect(regions.rows.map { script.tables.strings.string($0.name) } == ["r", "other"])
        let row = try #require(regions.rows.first)
        #expect(row.durations.count == 3 && row.durations.total == 12 && row.durations.largest == 4)
        #expect(row.beganBeforeCount == 1 && row.openCount == 1)
        #expect(regions.rows[1].durations.count == 0 && regions.rows[1].openCount == 1)
    }

    @Test func stacksHaveSamplesAndWaits() {
        script.go(1, .undetermined, .running, at: 0)
        for time: Int64 in 1...3 { script.mark(.stackSample, "", at: time, on: 1, stack: ["main.hot"]) }
        wait(1, from: 10, to: 30, "sync", at: ["main.cold"])
        wait(1, from: 40, to: 50, "sleep", at: ["main.cold"])
        script.mark(.stackSample, "", at: 60, on: 1)
        var stacks = StackStatistics()
        forEachBatch { events, spans, _ in
            stacks.add(events, script.tables)
            for span in spans { stacks.add(span, script.tables) }
        }
        let rows = stacks.rows.map {
            "\(script.tables.text(of: $0.stack)) \($0.sampleCount) \($0.waitCount) \($0.waitNanoseconds)"
        }
        #expect(rows == [" 1 0 0", "main.hot /src/main.hot.go:7 3 0 0", "main.cold /src/main.cold.go:7 0 2 30"])
    }

    @Test func metricsHaveTheirExtremes() {
        for (time, value) in [(1, 5), (2, 9), (3, 7)] {
            script.mark(.metric, "/heap:bytes", at: Int64(time), task: UInt64(value))
        }
        var metrics = MetricStatistics()
        forEachBatch { events, _, _ in metrics.add(events) }
        #expect(metrics.rows.count == 1)
        let row = metrics.rows[0]
        #expect(row.count == 3 && row.first == 5 && row.last == 7 && row.least == 5 && row.greatest == 9)
        #expect(script.tables.metricUnit(row.name).elementsEqual("bytes".utf8))
    }

    /// What a goroutine mainly waited for; a number that is used again has its own waits, whatever the batches.
    @Test(arguments: [1, 2, 100]) func mainReasons(_ batchSize: Int) {
        script.go(7, .notExist, .runnable, at: 0, by: 1)
        script.go(7, .runnable, .running, at: 1, by: -1)
        wait(7, from: 10, to: 20, "sync", at: [])
        wait(7, from: 30, to: 36, "sleep", at: [])
        wait(7, from: 40, to: 46, "sleep", at: [])
        script.go(7, .running, .notExist, at: 50)
        script.go(7, .notExist, .runnable, at: 51, by: 1)
        script.go(7, .runnable, .running, at: 52, by: -1)
        wait(7, from: 60, to: 61, "select", at: [])
        script.go(8, .undetermined, .running, at: 62)
        let tracker = WaitReasonTracker()
        var found: [String] = []
        forEachBatch(of: batchSize) { _, spans, lives in
            tracker.add(spans, lives) { summary in
                found.append(
                    "\(summary.life.goroutine.rawValue) \(script.tables.strings.string(summary.mainReason)) "
                        + "\(summary.mainReasonNanoseconds)")
            }
        }
        #expect(found == ["7 sleep 12", "7 select 1", "8  0"])
    }

    @Test(arguments: [1, 2, 4, 100]) func theStoryIsInOrder(_ batchSize: Int) {
        script.sync(at: 0)
        script.go(7, .notExist, .runnable, at: 10, by: 1, ownStack: ["main.work"], stack: ["main.main"])
        script.go(9, .notExist, .runnable, at: 11, by: 1)
        script.go(7, .runnable, .running, at: 20, by: -1, proc: 3, thread: 101)
        script.mark(.regionBegin, "parse", at: 21, on: 7)
        script.mark(.log, "note", at: 22, on: 7, UInt64(script.string("hello").rawValue))
        script.mark(.log, "other", at: 23, on: 8)
        script.go(7, .running, .waiting, at: 30, "chan receive", ownStack: ["main.receive"])
        script.go(7, .waiting, .runnable, at: 50, by: 9, stack: ["main.send"])
        script.go(7, .runnable, .running, at: 51, by: -1)
        script.mark(.regionEnd, "parse", at: 60, on: 7)
        script.go(7, .running, .notExist, at: 70)
        var story = LifelineStory(of: GoroutineID(7))
        var lines: [String] = []
        let take = { (entry: LifelineEntry) in
            lines.append(
                "\(entry.timeNanoseconds) \(entry.kind) \(entry.durationNanoseconds ?? -1) "
                    + "\(script.tables.strings.string(entry.name))\(script.tables.strings.string(entry.message)) "
                    + "\(entry.other.rawValue)")
        }
        forEachBatch(of: batchSize) { events, spans, _ in story.add(events, spans, take) }
        story.finish(take)
        #expect(
            lines == [
                "10 created -1  1", "10 state(VestigeCore.GoroutineState.runnable) 10  -1",
                "20 state(VestigeCore.GoroutineState.running) 10  -1", "21 regionBegin -1 parse -1",
                "22 log -1 notehello -1", "30 state(VestigeCore.GoroutineState.waiting) 20 chan receive 9",
                "50 state(VestigeCore.GoroutineState.runnable) 1  -1",
                "51 state(VestigeCore.GoroutineState.running) 19  -1", "60 regionEnd 39 parse -1", "70 ended -1  -1",
            ])
        #expect(story.isKnown && story.nearestBelow == nil && story.nearestAbove == GoroutineID(9))
    }
}
