import ArgumentParser
import Vestige

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks whether recordings keep to rules.",
        discussion: """
            Rules stand in a YAML file: how long goroutines may run, wait or live, how long regions and tasks may \
            take, how many there may be at one time, what must end, what must not grow, and in which order events \
            come. docs/checks.md describes them. A broken rule shows its counterexample: the fewest events that show \
            it. The exit code is 1 if a rule is broken, and 2 for a mistake in the rules.

            Several inputs are of one run of a program, as for `vestige convert`. With --each every input is checked \
            by itself, and an archive is all its entries.

            EXAMPLES
              vestige check rules.yaml orders.trace
              vestige check rules.yaml orders.trace --excerpt-dir broken
              vestige check rules.yaml --each traces/*.trace --junit checks.xml
              vestige check rules.yaml orders.trace --json | jq '.findings[] | select(.holds | not)'

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("The file of rules; - for standard input.", valueName: "rules"))
    var rules: String

    @OptionGroup var analysis: AnalysisOptions

    @Flag(help: "Check each input by itself.")
    var each = false

    @Flag(help: "One JSON object a line for each recording, for scripts.")
    var json = false

    @Option(help: ArgumentHelp("Write the results as JUnit XML, too.", valueName: "file"))
    var junit: String?

    @Option(
        name: .customLong("excerpt-dir"),
        help: ArgumentHelp(
            "Write each counterexample as a small trace, in the format of --to, else Perfetto's.", valueName: "dir"))
    var excerptDir: String?

    @Option(help: ArgumentHelp("Show so many counterexamples of a rule, worst first.", valueName: "n"))
    var examples: UInt16 = 1

    @Flag(name: .shortAndLong, help: "Replace outputs that exist.")
    var force = false

    mutating func run() throws {
        let formatName = try analysis.query.takeFormatName()
        let query = try analysis.query.makeQuery()
        let file = try readRules()
        guard (1...1000).contains(examples) else {
            throw TraceError(.usage, expected: "a number from 1 to 1000 for --examples", found: "\(examples)")
        }
        let excerpts = try excerptDir.map { (folder) throws(TraceError) in
            try CheckExcerpts(folder: folder, formatName: formatName, overwrites: force)
        }
        if excerpts == nil, let formatName {
            throw TraceError(.usage, expected: "--excerpt-dir beside --to", found: "only --to \(formatName)")
        }
        let xml = try junit.map { (path) throws(TraceError) in try OutputFile(path, overwrites: force) }
        var report = JUnitReport(rules: file)
        var status = ExitStatus.done
        let groups = each ? try InputPath.expand(analysis.inputs).map { [$0] } : [analysis.inputs]
        for (index, inputs) in groups.enumerated() {
            var run = CheckRun(inputs: inputs)
            (run.query, run.excerpts, run.exampleLimit) = (query, excerpts, Int(examples))
            if groups.count > 1 { run.excerpts?.prefix = "\(index + 1)-\(Self.lastName(inputs[0]))-" }
            status = try check(run, file, &report).combined(with: status)
        }
        if let xml {
            try report.write(to: xml.sink)
            try xml.commit()
        }
        if status != .done { throw EarlyExit(status: status) }
    }

    /// The name of a file without its folders, as part of another's.
    private static func lastName(_ path: String) -> String {
        CheckExcerpts.fileName(path.split(separator: "/").last.map(String.init) ?? path)
    }

    private func readRules() throws(TraceError) -> RuleFile {
        if rules == "-", analysis.inputs.contains("-") {
            throw TraceError(.usage, expected: "rules or a recording from standard input", found: "both")
        }
        if junit == "-" {
            throw TraceError(.usage, expected: "a file for --junit", found: "standard output, where the report goes")
        }
        do throws(TraceError) { return try RuleFile(rules) } catch {
            // Whoever gives the recording first has the rules among the inputs.
            guard let other = analysis.inputs.first(where: { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }),
                !rules.hasSuffix(".yaml"), !rules.hasSuffix(".yml")
            else { throw error }
            throw TraceError(
                .usage, file: rules, expected: "the rules first, then recordings: vestige check \(other) \(rules)",
                found: "a file that is no rules, before \(other)")
        }
    }

    private func check(
        _ run: CheckRun, _ file: RuleFile, _ report: inout JUnitReport
    ) throws(TraceError) -> ExitStatus {
        let name = run.inputs.joined(separator: " + ")
        do throws(TraceError) {
            let result = try finish(run, file)
            try Console.write(json ? CheckJSON.line(result, file) : CheckText.report(result, file))
            report.add(result)
            if result.brokenCount > 0 { return .findings }
            return analysis.strict && result.reading.hasLoss ? .loss : .done
        } catch {
            // One bad file does not keep the others from being checked.
            guard error.code != .outputClosed, error.code != .outputFailed else { throw error }
            report.add(error, of: name)
            return Console.fail(error)
        }
    }

    private func finish(_ prepared: CheckRun, _ file: RuleFile) throws(TraceError) -> CheckResult {
        var run = prepared
        run.times = analysis.times.values
        run.goVersion = try analysis.source.checkedGoVersion()
        let bar = analysis.reporting.makeProgressBar()
        defer { bar?.clear() }
        run.onProgress = bar?.show
        let result = try run.run(file.rules)
        bar?.clear()
        analysis.reporting.sayWhatIsOdd(result.reading)
        // In text it stands in the report.
        if json, !analysis.reporting.quiet {
            let words = CheckWords(result)
            for finding in result.findings where finding.looksForUnknownName {
                Console.say("\(finding.rule.name): \(words.verdict(finding))")
            }
        }
        return result
    }
}

extension ExitStatus {
    /// What one input makes of the whole: a broken rule is broken, whatever became of other inputs; of these, what is
    /// amiss with the request goes before what cannot be read, and that before losses.
    fileprivate func combined(with other: ExitStatus) -> ExitStatus {
        for status in [ExitStatus.outputFailed, .findings, .usage, .unreadable, .loss]
        where [self, other].contains(status) {
            return status
        }
        return .done
    }
}
