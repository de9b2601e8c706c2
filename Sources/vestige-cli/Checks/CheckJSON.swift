import Vestige

/// What `vestige check --json` prints; `Schemas/checks/report.schema.json` describes it.
enum CheckJSON {
    static func line(_ result: CheckResult, _ file: RuleFile) -> String {
        var words = CheckWords(result)
        let object = JSONObject()
        object.add("input", result.reading.name)
        object.add("rules", file.path)
        object.add("holds", result.brokenCount == 0)
        object.add("broken", UInt64(result.brokenCount))
        object.add("lossy", result.reading.hasLoss)
        object.add("start_ns", result.reading.firstNanoseconds)
        object.add("end_ns", result.reading.lastNanoseconds)
        object.add(
            "findings",
            result.findings.enumerated().map { index, finding in
                let paths = result.excerptPaths.indices.contains(index) ? result.excerptPaths[index] : []
                return self.finding(finding, paths, &words)
            })
        return object.text + "\n"
    }

    private static func finding(_ finding: CheckFinding, _ paths: [String], _ words: inout CheckWords) -> JSONObject {
        let object = JSONObject()
        object.add("rule", finding.rule.name)
        object.add("line", Int64(finding.rule.line))
        object.add("check", finding.rule.check.word)
        object.add("holds", finding.holds)
        object.add("demand", CheckWords.demand(finding.rule))
        object.add("verdict", words.verdict(finding))
        object.add("looked_at", finding.lookedAt)
        object.add("breaches", finding.brokenCount)
        object.add(finding.rule.check.measuresTime ? "value_ns" : "value", finding.value)
        object.add(
            "examples",
            finding.examples.enumerated().map { number, example in
                self.example(example, finding, paths.indices.contains(number) ? paths[number] : nil, &words)
            })
        return object
    }

    private static func example(
        _ example: CounterExample, _ finding: CheckFinding, _ path: String?, _ words: inout CheckWords
    ) -> JSONObject {
        let object = JSONObject()
        object.add("start_ns", example.startNanoseconds)
        object.add("end_ns", example.endNanoseconds)
        object.add(finding.rule.check.measuresTime ? "value_ns" : "value", example.value)
        object.add("goroutines", example.goroutines.map(\.rawValue))
        object.add("heading", words.heading(example, finding))
        object.add("unshown", example.unshownCount)
        object.add(
            "evidence",
            example.evidence.map { evidence in
                let item = JSONObject()
                item.add("t", evidence.event.timeNanoseconds)
                item.add("role", evidence.role.rawValue)
                item.add("kind", "\(evidence.event.kind.name)")
                let isTransition = evidence.event.kind == .goroutineTransition
                let goroutine = isTransition ? evidence.event.subjectGoroutine : evidence.event.goroutine
                item.add("g", goroutine.rawValue)
                item.add("text", words.line(evidence))
                item.add("stack", words.stack(evidence))
                return item
            })
        object.add("excerpt", path)
        return object
    }
}
