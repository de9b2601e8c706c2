import Vestige

/// What `vestige check` prints.
enum CheckText {
    static func report(_ result: CheckResult, _ file: RuleFile) -> String {
        var words = CheckWords(result)
        var lines: [String] = []
        for (index, finding) in result.findings.enumerated() where !finding.holds {
            lines += broken(finding, result, index, file, &words) + [""]
        }
        for finding in result.findings where finding.holds {
            lines.append("holds   \(finding.rule.name): \(words.verdict(finding))")
        }
        let count = Units.counted(UInt64(result.findings.count), "rule")
        lines.append(
            result.brokenCount == 0
                ? "\(result.reading.name): \(count), all hold"
                : "\(result.reading.name): \(count), \(Units.grouped(UInt64(result.brokenCount))) broken")
        return lines.map { Console.escaped($0) + "\n" }.joined()
    }

    private static func broken(
        _ finding: CheckFinding, _ result: CheckResult, _ index: Int, _ file: RuleFile, _ words: inout CheckWords
    ) -> [String] {
        var lines = ["BROKEN  \(finding.rule.name) (\(file.path):\(finding.rule.line))"]
        lines.append("  \(CheckWords.demand(finding.rule)): \(words.verdict(finding))")
        for (number, example) in finding.examples.enumerated() {
            lines += evidence(example, finding, &words).map { "  \($0)" }
            if result.excerptPaths.indices.contains(index), result.excerptPaths[index].indices.contains(number) {
                lines.append("    shown by \(result.excerptPaths[index][number])")
            }
        }
        return lines
    }

    /// The lines of a counterexample.
    static func evidence(
        _ example: CounterExample, _ finding: CheckFinding, _ words: inout CheckWords
    ) -> [String] {
        let heading = words.heading(example, finding)
        var lines = heading.isEmpty ? [] : [heading]
        for evidence in example.evidence {
            lines.append("  \(words.time(evidence.event.timeNanoseconds))  \(words.line(evidence))")
        }
        if example.unshownCount > 0 { lines.append("  and \(Units.grouped(example.unshownCount)) more") }
        return lines
    }
}
