import Testing
import Vestige
import VestigeTestSupport

/// Rules about how many there are.
@Suite struct CountRuleTests {
    /// Goroutines 10, 11 … wait from 10, 20 … on; those of a time list end.
    private func waiting(_ count: Int64, woken time: Int64? = nil, until end: Int64) -> EventScript {
        let script = EventScript()
        script.sync(at: 0)
        for index in 0..<count { script.life(10 + index, [index, index, 10 * (index + 1)]) }
        if let time { script.go(10, .waiting, .runnable, at: time, by: 1) }
        script.sync(at: end)
        return script
    }

    @Test(arguments: [("under: 5", true), ("at-most: 4", true), ("under: 4", false), ("at-most: 3", false)])
    func atOneTime(_ limit: String, _ holds: Bool) throws {
        let finding = try RuleCheck.finding("check: count, of: waiting, \(limit)", waiting(4, until: 100))
        #expect(finding.holds == holds && finding.value == 4 && finding.lookedAt == 4)
        if !holds {
            #expect(finding.examples[0].endNanoseconds == 40 && finding.brokenCount == 1)
            #expect(finding.examples[0].goroutines.map(\.rawValue) == [10, 11, 12, 13])
            #expect(finding.examples[0].evidence.map(\.event.timeNanoseconds) == [10, 20, 30, 40])
        }
    }

    /// Four wait from 40 on, until the first is woken or the recording ends.
    @Test(arguments: [
        (Int64?.none, Int64(100), "60ns", false), (nil, 100, "61ns", true), (90, 300, "50ns", false),
        (90, 300, "51ns", true),
    ])
    func forSomeTime(_ woken: Int64?, _ end: Int64, _ duration: String, _ holds: Bool) throws {
        let script = waiting(4, woken: woken, until: end)
        let finding = try RuleCheck.finding("check: count, of: waiting, under: 4, for: \(duration)", script)
        #expect(finding.holds == holds && finding.value == 4)
        if !holds { #expect(finding.examples[0].startNanoseconds == 10 && finding.examples[0].goroutines.count == 4) }
    }

    @Test func eachTimeCountsOnce() throws {
        let script = waiting(4, until: 100)
        for time in stride(from: Int64(110), to: 150, by: 10) {
            script.go(10, .waiting, .runnable, at: time, by: 1)
            script.go(10, .runnable, .waiting, at: time + 5)
        }
        #expect(try RuleCheck.finding("check: count, of: waiting, under: 4", script).brokenCount == 5)
        #expect(try RuleCheck.finding("check: count, of: waiting, under: 2", script).brokenCount == 1)
    }

    @Test func manyAreNotAllShown() throws {
        let finding = try RuleCheck.finding("check: count, of: waiting, under: 200", waiting(250, until: 9999))
        #expect(finding.brokenCount == 1 && finding.value == 250)
        let example = finding.examples[0]
        #expect(example.value == 200 && example.goroutines.count == 200)
        #expect(example.evidence.count == 8 && example.unshownCount == 192)
    }

    @Test(arguments: [
        ("reason: sync", UInt64(1)), ("reason: \"chan *\"", 2), ("function: main.other", 0), ("at: main.serve", 1),
        ("goroutine: 5", 1), ("where: \"not reason == sync\"", 2), ("system: true", 4),
    ])
    func scopes(_ scope: String, _ count: UInt64) throws {
        let script = EventScript()
        script.sync(at: 0)
        script.life(5, [0, 1, 2], reason: "sync")
        script.life(6, [0, 1, 2], at: ["main.serve", "main.worker"])
        script.life(7, [0, 1, 2])
        script.life(8, [0, 1, 2], function: "runtime.gcBgMarkWorker")
        let finding = try RuleCheck.finding("check: count, of: waiting, at-most: 99, \(scope)", script)
        #expect(finding.lookedAt == count && finding.value ?? 0 == Int64(count))
    }

    @Test func livingGoroutines() throws {
        let script = EventScript()
        script.sync(at: 0)
        for index in Int64(0)..<5 { script.life(10 + index, [index * 100, index * 100 + 1, 600]) }
        for index in Int64(0)..<5 { script.life(30 + index, [700 + index]) }
        for index in Int64(0)..<5 { script.go(30 + index, .runnable, .notExist, at: 705 + index) }
        #expect(try RuleCheck.finding("check: count, of: goroutine, at-most: 10", script).holds)
        let finding = try RuleCheck.finding("check: count, of: goroutine, at-most: 9", script)
        #expect(finding.brokenCount == 1 && finding.value == 10 && finding.lookedAt == 10)
    }

    @Test func openRegionsAndTasks() throws {
        let script = EventScript()
        script.sync(at: 0)
        script.mark(.regionEnd, "pack", at: 1, on: 8)
        for index in Int64(0)..<3 {
            script.mark(.regionBegin, "pack", at: 10 * (index + 1), on: 10 + index)
            script.mark(.taskBegin, "order", at: 10 * (index + 1), on: 1, task: UInt64(index), 0)
        }
        // At the same time one ends and one begins.
        script.mark(.regionEnd, "pack", at: 50, on: 10)
        script.mark(.regionBegin, "pack", at: 50, on: 10)
        script.mark(.taskEnd, "order", at: 60, on: 1, task: 0)
        script.mark(.regionBegin, "ship", at: 61, on: 10)
        for (rule, holds) in [
            ("of: region, region: pack, at-most: 3", true), ("of: region, region: pack, under: 3", false),
            ("of: region, at-most: 3", false), ("of: task, at-most: 3", true), ("of: task, at-most: 2", false),
            ("of: task, at-most: 2, for: 30ns", false), ("of: task, at-most: 2, for: 31ns", true),
        ] {
            #expect(try RuleCheck.finding("check: count, \(rule)", script).holds == holds, "\(rule)")
        }
    }

    // MARK: - Events in a window

    @Test func rate() throws {
        let script = EventScript()
        script.sync(at: 0)
        for time in [0, 100, 150, 199, 300, 400] as [Int64] {
            script.mark(.log, "order", at: time, on: 3, task: 1, UInt64(script.string("timed out").rawValue))
        }
        let events = "timeout: {kind: Log, message: '*timed out'}, other: {kind: Log, message: no}"
        func holds(_ rule: String) throws -> Bool {
            try RuleCheck.finding("check: rate, \(rule)", events: events, script).holds
        }
        #expect(try holds("of: timeout, at-most: 3, window: 100ns"))
        #expect(try !holds("of: timeout, under: 3, window: 100ns"))
        #expect(try holds("of: timeout, under: 3, window: 99ns"))
        #expect(try !holds("of: timeout, under: 4, window: 200ns"))
        #expect(try holds("of: other, at-most: 0, window: 1s"))
        #expect(try !holds("of: timeout, at-most: 0, window: 1s"))
        let finding = try RuleCheck.finding("check: rate, of: timeout, under: 3, window: 100ns", events: events, script)
        #expect(finding.examples[0].evidence.map(\.event.timeNanoseconds) == [100, 150, 199])
    }
}
