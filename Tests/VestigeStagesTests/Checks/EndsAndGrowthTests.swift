import Testing
import Vestige
import VestigeTestSupport

/// Rules about what must end.
@Suite struct EndsAndGrowthTests {
    @Test func whatIsOpenHasNotEnded() throws {
        let script = EventScript()
        script.sync(at: 0)
        script.life(5, [0, 1])
        script.mark(.regionBegin, "a", at: 10, on: 5)
        script.mark(.regionBegin, "b", at: 20, on: 5)
        script.mark(.regionEnd, "b", at: 30, on: 5)
        script.mark(.taskBegin, "order", at: 40, on: 5, task: 9, 0)
        script.sync(at: 100)
        let regions = try RuleCheck.finding("check: ends, of: region", script)
        #expect(!regions.holds && regions.lookedAt == 2 && regions.brokenCount == 1)
        #expect(regions.examples[0].evidence.map(\.role) == [.begins, .goesOn])
        #expect(try RuleCheck.finding("check: ends, of: region, region: b", script).holds)
        #expect(try !RuleCheck.finding("check: ends, of: task", script).holds)
        #expect(try !RuleCheck.finding("check: ends, of: goroutine", script).holds)
        // It may still end in time.
        #expect(try RuleCheck.finding("check: ends, of: task, within: 60ns", script).holds)
        #expect(try !RuleCheck.finding("check: ends, of: task, within: 59ns", script).holds)
        #expect(try RuleCheck.finding("check: ends, of: region, within: 90ns", script).holds)
        #expect(try !RuleCheck.finding("check: ends, of: region, region: b, within: 9ns", script).holds)
        #expect(try RuleCheck.finding("check: ends, of: goroutine, within: 100ns", script).holds)
    }

    /// A region whose goroutine is gone ends no more, however young it is.
    @Test func regionsOfGoroutinesThatEnd() throws {
        let script = EventScript()
        script.sync(at: 0)
        script.life(5, [0, 1])
        script.mark(.regionBegin, "a", at: 10, on: 5)
        script.go(5, .running, .notExist, at: 12)
        script.sync(at: 13)
        #expect(try !RuleCheck.finding("check: ends, of: region, within: 1s", script).holds)
        #expect(try RuleCheck.finding("check: ends, of: goroutine", script).holds)
    }

    // MARK: - Growth

    /// Goroutines of a place, each from a time to a time; nil for one that stays.
    private func script(_ lives: [(Int64, Int64?)], until end: Int64 = 100_000) -> EventScript {
        let script = EventScript()
        script.sync(at: 0)
        var steps: [(time: Int64, id: Int64, isBegin: Bool)] = []
        for (index, life) in lives.enumerated() {
            steps.append((life.0, Int64(index) + 10, true))
            if let end = life.1 { steps.append((end, Int64(index) + 10, false)) }
        }
        for step in steps.sorted(by: { $0.time < $1.time }) {
            if step.isBegin {
                script.life(step.id, [step.time])
            } else {
                script.go(step.id, .runnable, .notExist, at: step.time)
            }
        }
        script.sync(at: end)
        return script
    }

    @Test func aLeakGrows() throws {
        let script = script((0..<10).map { (Int64($0) * 10_000, nil) })
        let finding = try RuleCheck.finding("check: growth", script)
        #expect(!finding.holds && finding.brokenCount == 1)
        let example = finding.examples[0]
        #expect(example.goroutines.count == 10 && example.evidence.count == 6 && example.unshownCount == 4)
        #expect(example.evidence.map(\.event.timeNanoseconds) == [0, 10_000, 20_000, 70_000, 80_000, 90_000])
        #expect(try !RuleCheck.finding("check: growth, at-most: \((finding.value ?? 0) - 1)", script).holds)
        #expect(try RuleCheck.finding("check: growth, at-most: \(finding.value ?? 0)", script).holds)
        #expect(try RuleCheck.finding("check: growth, function: main.other", script).holds)
    }

    @Test func whatComesAndGoesDoesNotGrow() throws {
        // A pool that is filled once; goroutines one after the other; bursts.
        #expect(try RuleCheck.finding("check: growth", script((0..<50).map { (Int64($0), nil) })).holds)
        let turns = (0..<90).map { life(Int64($0) * 1000, lasting: 5000) }
        #expect(try RuleCheck.finding("check: growth", script(turns)).holds)
        let bursts = (0..<90).map { life(Int64($0 / 30) * 30_000 + Int64($0 % 30), lasting: 900) }
        #expect(try RuleCheck.finding("check: growth", script(bursts)).holds)
    }

    private func life(_ start: Int64, lasting duration: Int64) -> (Int64, Int64?) { (start, start + duration) }

    /// A few of many that come and go stay.
    @Test func aSmallLeakAmongMany() throws {
        let lives: [(Int64, Int64?)] = (0..<900).map { index in
            let start = Int64(index) * 100
            return index % 50 == 0 ? (start, nil) : life(start, lasting: 2000)
        }
        #expect(try !RuleCheck.finding("check: growth, at-most: 5", script(lives)).holds)
    }

    @Test func hostileTimes() throws {
        let script = EventScript()
        for (index, time) in [Int64.min, -5, 0, .max, 3, .min, .max].enumerated() {
            script.life(Int64(index) + 10, [time])
            script.go(Int64(index) + 9, .runnable, .notExist, at: time)
        }
        _ = try RuleCheck.finding("check: growth", script)
        _ = try RuleCheck.finding("check: count, of: goroutine, under: 1, for: 1s", script)
        _ = try RuleCheck.finding("check: longest, of: runnable, under: 1ns", script)
        _ = try RuleCheck.finding("check: ends, of: goroutine, within: 1ns", script)
    }
}
