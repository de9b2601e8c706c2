import Testing
import Vestige
import VestigeTestSupport

/// Holds events that were made by hand against one rule.
enum RuleCheck {
    /// The finding of a rule in the flow style of YAML, without its name. Batches of any size give the same.
    static func finding(
        _ rule: String, events: String = "", _ script: EventScript, examples: Int = 3
    ) throws -> CheckFinding {
        let text = (events.isEmpty ? "" : "events: {\(events)}\n") + "rules:\n  - {name: r, \(rule)}\n"
        let rules = try RuleFile(bytes: Array(text.utf8), path: "r.yaml").rules
        #expect(rules.allSatisfy { !$0.needsSelection }, "\(rule)")
        let findings = [1, 2, 3, EventBatch.defaultCapacity].map { size in
            let group = CheckGroup(rules, isSelected: false, exampleLimit: examples)
            script.forEachBatch(of: size) { group.process($0, tables: script.tables) }
            return group.finish(tables: script.tables)[0]
        }
        for finding in findings {
            #expect(words(finding) == words(findings[0]), "\(rule)")
        }
        return findings[0]
    }

    private static func words(_ finding: CheckFinding) -> [String] {
        ["\(finding.lookedAt) \(finding.brokenCount) \(finding.holds) \(String(describing: finding.value))"]
            + finding.examples.map { example in
                let events = example.evidence.map { "\($0.role)@\($0.event.timeNanoseconds)" }
                return "\(example.startNanoseconds)–\(example.endNanoseconds) \(example.goroutines) \(events)"
            }
    }
}

extension EventScript {
    /// A goroutine of the program runs, waits and ends: times are where it is created, runs, waits, is woken, runs, ends.
    func life(
        _ goroutine: Int64, _ times: [Int64], function: String = "main.worker", reason: String = "chan receive",
        at place: [String] = ["main.worker"], by creator: Int64 = 1, from site: [String] = ["main.main"]
    ) {
        go(goroutine, .notExist, .runnable, at: times[0], by: creator, ownStack: [function], stack: site)
        if times.count > 1 { go(goroutine, .runnable, .running, at: times[1]) }
        if times.count > 2 { go(goroutine, .running, .waiting, at: times[2], reason, ownStack: place) }
        if times.count > 3 { go(goroutine, .waiting, .runnable, at: times[3], by: creator) }
        if times.count > 4 { go(goroutine, .runnable, .running, at: times[4]) }
        if times.count > 5 { go(goroutine, .running, .notExist, at: times[5]) }
    }
}
