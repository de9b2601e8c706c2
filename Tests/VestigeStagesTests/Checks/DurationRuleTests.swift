import Testing
import Vestige
import VestigeTestSupport

/// Rules about how long something takes.
@Suite struct DurationRuleTests {
    private func lives() -> EventScript {
        let script = EventScript()
        script.sync(at: 0)
        script.life(5, [0, 10, 40, 140, 150, 160])
        script.life(
            6, [200, 210, 220, 270, 271, 300], reason: "sync", at: ["sync.(*Mutex).Lock", "main.pay", "main.worker"])
        return script
    }

    @Test(arguments: [
        ("check: longest, of: running, at-most: 30ns", true), ("check: longest, of: running, under: 30ns", false),
        ("check: longest, of: running, at-most: 29ns", false), ("check: longest, of: waiting, at-most: 100ns", true),
        ("check: longest, of: waiting, under: 100ns", false), ("check: longest, of: runnable, under: 11ns", true),
        ("check: longest, of: runnable, under: 10ns", false), ("check: longest, of: goroutine, at-most: 160ns", true),
        ("check: longest, of: goroutine, under: 160ns", false), ("check: longest, of: syscall, under: 0", true),
        ("check: longest, of: waiting, reason: sync, under: 51ns", true),
        ("check: longest, of: waiting, reason: sync, under: 50ns", false),
        ("check: longest, of: waiting, at: sync.Mutex.Lock, under: 50ns", false),
        ("check: longest, of: waiting, at: 'sync.(*Mutex).*', under: 50ns", false),
        ("check: longest, of: waiting, at: main.pay, under: 51ns", true),
        ("check: longest, of: waiting, at: sync.Mutex.Unlock, under: 1ns", true),
        ("check: longest, of: waiting, goroutine: 6, under: 51ns", true),
        ("check: longest, of: waiting, function: other, under: 1ns", true),
        ("check: longest, of: waiting, where: \"reason == sync or goroutine == 99\", under: 51ns", true),
        ("check: longest, of: waiting, where: \"not reason == sync\", under: 51ns", false),
        ("check: longest, of: waiting, where: \"state == waiting for 60ns\", under: 51ns", false),
        ("check: longest, of: waiting, where: \"state == waiting for 101ns\", under: 1ns", true),
        ("check: longest, of: syscall, under: 1s, min-count: 1", false),
        ("check: longest, of: waiting, under: 1s, min-count: 2", true),
        ("check: longest, of: waiting, under: 1s, min-count: 3", false),
    ])
    func longest(_ rule: String, _ holds: Bool) throws {
        #expect(try RuleCheck.finding(rule, lives()).holds == holds)
    }

    @Test func theWorstIsShownFirst() throws {
        let finding = try RuleCheck.finding("check: longest, of: waiting, under: 1ns", lives(), examples: 2)
        #expect(finding.lookedAt == 2 && finding.brokenCount == 2 && finding.value == 100)
        #expect(finding.examples.map(\.value) == [100, 50])
        let worst = finding.examples[0]
        #expect(worst.startNanoseconds == 40 && worst.endNanoseconds == 140)
        #expect(worst.evidence.map(\.role) == [.begins, .ends])
        // Who woke it belongs to it.
        #expect(worst.goroutines == [GoroutineID(1), GoroutineID(5)])
        #expect(
            try RuleCheck.finding("check: longest, of: waiting, under: 1ns", lives(), examples: 1).examples.count == 1)
    }

    @Test func goroutinesOfTheRuntimeAreLeftOut() throws {
        let script = EventScript()
        script.sync(at: 0)
        script.life(2, [0, 10, 40, 1000, 1001, 1002], function: "runtime.bgsweep")
        script.life(3, [0, 10, 41, 1000, 1001, 1002], function: "runtime/trace.Start.func1")
        let rule = "check: longest, of: waiting, under: 1ns"
        #expect(try RuleCheck.finding(rule, script).lookedAt == 0)
        #expect(try RuleCheck.finding(rule + ", system: true", script).brokenCount == 2)
    }

    /// Of a Go trace, who never shows a stack is the runtime's; of events made by hand it is not.
    @Test(arguments: [("gotrace-v2", UInt64(0)), ("jsonl", 1)])
    func goroutinesWithoutStack(_ format: String, _ count: UInt64) throws {
        let script = EventScript()
        script.tables.sources = [SourceInfo(path: "x", format: format)]
        script.go(7, .notExist, .runnable, at: 0)
        script.go(7, .runnable, .running, at: 5)
        script.go(7, .running, .waiting, at: 9)
        #expect(try RuleCheck.finding("check: longest, of: running, under: 1ns", script).brokenCount == count)
    }

    // MARK: - Percentiles

    /// A hundred regions of 1 to 100 ns, and of those that are cut off one that is short and one that is long.
    private func regions() -> EventScript {
        let script = EventScript()
        script.sync(at: 0)
        script.mark(.regionEnd, "step", at: 0, on: 9)
        for length in 1...100 {
            script.mark(.regionBegin, "step", at: Int64(1000 * length), on: 9)
            script.mark(.regionEnd, "step", at: Int64(1000 * length + length), on: 9)
        }
        script.mark(.regionBegin, "other", at: 200_000, on: 9)
        script.mark(.regionEnd, "other", at: 201_000, on: 9)
        return script
    }

    @Test(arguments: [
        ("p50", "at-most: 50ns", true), ("p50", "under: 50ns", false), ("p99", "at-most: 99ns", true),
        ("p99", "under: 99ns", false), ("p99.9", "at-most: 99ns", false), ("p99.9", "at-most: 100ns", true),
        ("p100", "under: 100ns", false), ("p0.001", "at-most: 1ns", true), ("p0.001", "under: 1ns", false),
    ])
    func percentile(_ percentile: String, _ limit: String, _ holds: Bool) throws {
        let finding = try RuleCheck.finding("check: \(percentile), of: region, region: step, \(limit)", regions())
        #expect(finding.holds == holds)
        #expect(finding.lookedAt == 100)
        #expect(holds == finding.examples.isEmpty)
    }

    @Test func aPercentileOfManyIsDecidedExactly() throws {
        let script = EventScript()
        script.sync(at: 0)
        // 1,000,003 ns lie in a class of the histogram with a bound above.
        for index in 0..<1000 {
            script.mark(.regionBegin, "step", at: Int64(index) * 10_000_000, on: 9)
            script.mark(.regionEnd, "step", at: Int64(index) * 10_000_000 + 1_000_003, on: 9)
        }
        #expect(try RuleCheck.finding("check: p99, of: region, under: 1000004ns", script).holds)
        #expect(try !RuleCheck.finding("check: p99, of: region, under: 1000003ns", script).holds)
    }

    @Test func whatIsCutOffCountsOnlyIfItIsTooLong() throws {
        let script = regions()
        script.mark(.regionBegin, "step", at: 300_000, on: 9)
        script.sync(at: 300_090)
        let rule = "check: p99, of: region, region: step"
        #expect(try RuleCheck.finding("\(rule), at-most: 99ns", script).lookedAt == 100)
        let broken = try RuleCheck.finding("\(rule), under: 90ns", script)
        #expect(broken.lookedAt == 101 && !broken.holds)
    }

    @Test func tasksAndRanges() throws {
        let script = EventScript()
        script.sync(at: 0)
        script.mark(.taskBegin, "order", at: 10, on: 3, task: 7, 0)
        script.range(.rangeBegin, "stop-the-world (GC mark termination)", at: 20)
        script.range(.rangeEnd, "stop-the-world (GC mark termination)", at: 25)
        script.mark(.taskEnd, "order", at: 60, on: 4, task: 7)
        #expect(try RuleCheck.finding("check: longest, of: task, task: ord*, at-most: 50ns", script).holds)
        let task = try RuleCheck.finding("check: longest, of: task, under: 50ns", script)
        #expect(task.examples.first?.goroutines == [GoroutineID(3), GoroutineID(4)])
        #expect(try RuleCheck.finding("check: longest, of: range, range: 'stop*', at-most: 5ns", script).holds)
        #expect(try !RuleCheck.finding("check: longest, of: range, range: 'stop*', under: 5ns", script).holds)
        #expect(try RuleCheck.finding("check: longest, of: range, range: GC*, under: 1ns", script).lookedAt == 0)
    }

    // MARK: - Running without yielding

    /// Runs 30, is preempted for 100, runs 40, and then does what is asked.
    private func preempted(_ then: GoroutineState, _ reason: String) -> EventScript {
        let script = EventScript()
        script.sync(at: 0)
        script.go(5, .notExist, .runnable, at: 0, by: 1, ownStack: ["main.hog"])
        script.go(5, .runnable, .running, at: 10)
        script.go(5, .running, .runnable, at: 40, "preempted")
        script.go(5, .runnable, .running, at: 140)
        script.go(5, .running, then, at: 180, reason)
        if then == .runnable || then == .syscall { script.go(5, then, .running, at: 200) }
        if then == .waiting {
            script.go(5, .waiting, .runnable, at: 190, by: 1)
            script.go(5, .runnable, .running, at: 200)
        }
        if then != .notExist { script.go(5, .running, .notExist, at: 205) }
        return script
    }

    @Test(arguments: [
        (GoroutineState.runnable, "preempted", Int64(75)), (.runnable, "runtime.Gosched", 70), (.waiting, "sync", 70),
        (.syscall, "", 70), (.notExist, "", 70),
    ])
    func whatRunsOnAfterPreemptionDoesNotYield(_ then: GoroutineState, _ reason: String, _ sum: Int64) throws {
        let script = preempted(then, reason)
        let finding = try RuleCheck.finding("check: longest, of: busy, at-most: 69ns", script)
        #expect(!finding.holds && finding.brokenCount == 1 && finding.value == sum)
        #expect(finding.examples[0].startNanoseconds == 10)
        #expect(try RuleCheck.finding("check: longest, of: busy, at-most: \(sum)ns", script).holds)
        #expect(try RuleCheck.finding("check: longest, of: running, at-most: 40ns", script).holds)
    }

    @Test func aHogThatTheRecordingEndsWith() throws {
        let script = EventScript()
        script.sync(at: 0)
        script.go(5, .notExist, .runnable, at: 0, by: 1, ownStack: ["main.hog"])
        script.go(5, .runnable, .running, at: 10)
        script.sync(at: 500)
        let finding = try RuleCheck.finding("check: longest, of: busy, under: 1ns", script)
        #expect(finding.value == 490)
        #expect(finding.examples[0].evidence.map(\.role) == [.begins, .goesOn])
    }
}
