import ArgumentParser
import Vestige

struct GhostsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ghosts", abstract: "Finds goroutines that leak, hang, pile up, hog, starve or are orphaned.",
        discussion: """
            \(GhostClass.allCases.map { "\($0.name): \($0.summary)" }.joined(separator: "\n"))

            Goroutines with the same trouble in the same place, created at the same place, are one finding; worst come \
            first. Each goroutine is named once. The exit code is 1 if there are findings. With dumps and debugger \
            snapshots of the same run beside the recording, what these say stands with each goroutine; alone, they \
            are judged by what one moment can tell. docs/ghosts.md explains how ghosts are told from goroutines that \
            wait by design; --rules lists these rules, and --no-rule switches one off.

            Several recordings are those of one run. An archive is all its entries, each judged by itself.

            EXAMPLES
              vestige ghosts orders.trace
              vestige ghosts orders.trace goroutines.txt delve.json
              vestige ghosts orders.trace -o marked.pftrace
              vestige ghosts orders.trace --json > known.json
              vestige ghosts later.trace --baseline known.json --sarif > ghosts.sarif

            \(ExitStatus.help)
            """)

    @Argument(
        help: ArgumentHelp(
            "The recording, and dumps or snapshots of the same run; - for standard input.", valueName: "input"))
    var inputs: [String] = []

    @OptionGroup var times: TimeOptions

    @Flag(help: "One JSON object a recording, for scripts. Times are nanoseconds.")
    var json = false

    @Flag(help: "SARIF 2.1.0, for code scanning.")
    var sarif = false

    @Option(help: ArgumentHelp("Leave out what this earlier --json report knows.", valueName: "file"))
    var baseline: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Also convert the recording, with marks on the goroutines that were found; the suffix names the format.",
            valueName: "out"))
    var output: String?

    @Flag(name: .shortAndLong, help: "Replace an output that exists.")
    var force = false

    @OptionGroup(title: "What counts") var limits: GhostLimitOptions

    @Flag(help: "Exit with 4 if anything was lost and nothing found.")
    var strict = false

    @OptionGroup var source: SourceOptions

    @OptionGroup(title: "Which part") var query: QueryOptions

    @OptionGroup var reporting: ReportingOptions

    func validate() throws {
        if json, sarif { throw ValidationError("--json and --sarif exclude each other") }
        if inputs.isEmpty, !limits.listsRules { throw ValidationError("missing expected argument '<input> ...'") }
    }

    func run() throws {
        if limits.listsRules { return try Console.write(GhostLimitOptions.rulesText) }
        let known = try baseline.map { path throws(TraceError) in try GhostBaseline(file: path) }
        let runs = try recordings()
        if output != nil, runs.count > 1 {
            throw TraceError(.usage, expected: "one recording for -o", found: "an archive of \(runs.count) entries")
        }
        let plan = try output.map { _ in try makePlan(runs[0]) }
        var reports: [GhostReport] = []
        var status = ExitStatus.done
        for inputs in runs {
            do throws(TraceError) {
                var report = try search(inputs).run()
                reporting.sayWhatIsOdd(report.reading)
                if let known { report.removeKnown(known) }
                try show(report, isOneOfSeveral: runs.count > 1)
                reports.append(report)
            } catch {
                // One bad entry does not keep the others from being judged.
                guard runs.count > 1, error.code != .outputClosed, error.code != .outputFailed else { throw error }
                status = Console.fail(error)
            }
        }
        if sarif { try Console.write(GhostsSARIF.text(reports)) }
        if let plan, let report = reports.first { try writeMarked(report, plan) }
        if reports.contains(where: { !$0.items.isEmpty }) { throw EarlyExit(status: .findings) }
        if status != .done { throw EarlyExit(status: status) }
        if strict, reports.contains(where: \.reading.hasLoss) { throw EarlyExit(status: .loss) }
    }

    /// The inputs of each run: an archive has as many as entries.
    private func recordings() throws(TraceError) -> [[String]] {
        guard inputs.count == 1 else { return [inputs] }
        return try InputPath.expand(inputs).map { [$0] }
    }

    private func search(_ inputs: [String]) throws(TraceError) -> GhostSearch {
        var search = GhostSearch(inputs: inputs)
        search.times = times.values
        search.query = try selection().makeQuery()
        search.goVersion = try source.checkedGoVersion()
        search.thresholds = limits.thresholds
        search.rules = try limits.checkedRules()
        let bar = reporting.makeProgressBar()
        search.onProgress = bar?.show
        return search
    }

    private func show(_ report: GhostReport, isOneOfSeveral: Bool) throws(TraceError) {
        if sarif { return }
        if json { return try Console.write(GhostsJSON.text(report, limits)) }
        try Console.write(GhostsText(Terminal()).text(report, isOneOfSeveral: isOneOfSeveral))
    }

    /// The options of the query, of which --to may be the format of -o.
    private func selection() throws(TraceError) -> QueryOptions {
        var words = query
        if output != nil { _ = try words.takeFormatName() }
        return words
    }

    /// What -o asks for, refused before the search where it cannot be.
    private func makePlan(_ inputs: [String]) throws -> OutputPlan {
        var words = query
        let plan = try OutputPlan(inputs: inputs, output: output, formatName: words.takeFormatName())
        if inputs.contains("-") {
            throw TraceError(.usage, expected: "files for -o, since they are read twice", found: "standard input")
        }
        if case .file(let path) = plan.place { try OutputFile.check(path, overwrites: force) }
        return plan
    }

    private func writeMarked(_ report: GhostReport, _ plan: OutputPlan) throws {
        var conversion = Conversion(inputs: report.inputs, plan: plan)
        conversion.times = times.values
        conversion.query = try selection().makeQuery()
        conversion.goVersion = try source.checkedGoVersion()
        conversion.overwrites = force
        conversion.stages = [GhostMarks(report)]
        _ = try conversion.run()
        if !reporting.quiet { Console.say("\(output ?? ""): the recording with marks") }
    }
}

/// From when on something counts, and which rules spare goroutines.
struct GhostLimitOptions: ParsableArguments {
    @Option(
        name: .customLong("stuck-after"),
        help: ArgumentHelp(
            "How long silent makes stuck; a quarter of the recording, from 20ms to 1s, if not said.",
            valueName: "duration"))
    var stuck: DurationArgument?

    @Option(
        name: .customLong("hog-after"),
        help: ArgumentHelp(
            "How long running without yielding makes a hog: twice, or once twice as long (10ms).", valueName: "duration"
        ))
    var hog: DurationArgument?

    @Option(
        name: .customLong("starved-after"),
        help: ArgumentHelp("How long ready without running makes starved (50ms).", valueName: "duration"))
    var starved: DurationArgument?

    @Option(
        name: .customLong("orphan-after"),
        help: ArgumentHelp("How long outliving what started it makes an orphan (100ms).", valueName: "duration"))
    var orphan: DurationArgument?

    @Option(
        name: .customLong("pile-from"),
        help: ArgumentHelp("How many of a creation site make a pile (10).", valueName: "count"))
    var pile: UInt32?

    @Option(
        name: .customLong("dump-stuck-after"),
        help: ArgumentHelp(
            "How long waiting for a lock or to send makes stuck in a dump without a recording (1m).",
            valueName: "duration"))
    var dumpStuck: DurationArgument?

    @Option(
        name: .customLong("dump-pile-from"),
        help: ArgumentHelp(
            "How many goroutines in one place make a pile in a dump without a recording (100).", valueName: "count"))
    var dumpPile: UInt32?

    @Option(
        name: .customLong("no-rule"),
        help: ArgumentHelp("Switch off a rule that spares goroutines; may be repeated.", valueName: "rule"))
    var withoutRules: [String] = []

    @Flag(name: .customLong("rules"), help: "List the rules that spare goroutines which wait by design.")
    var listsRules = false

    var thresholds: GhostThresholds {
        var thresholds = GhostThresholds()
        thresholds.stuckNanoseconds = stuck?.nanoseconds
        if let hog { thresholds.hogNanoseconds = hog.nanoseconds }
        if let starved { thresholds.starvedNanoseconds = starved.nanoseconds }
        if let orphan { thresholds.orphanNanoseconds = orphan.nanoseconds }
        if let pile { thresholds.pileCount = max(1, pile) }
        if let dumpStuck { thresholds.dumpNanoseconds = dumpStuck.nanoseconds }
        if let dumpPile { thresholds.dumpCount = UInt64(max(1, dumpPile)) }
        return thresholds
    }

    /// - Throws: `usage` for a name that no rule has.
    func checkedRules() throws(TraceError) -> GhostRules {
        var rules = GhostRules.all
        for name in withoutRules {
            guard let rule = GhostRule.named(name) else {
                throw Suggestion.unknown(name, kind: "rule", among: GhostRule.allCases.map(\.name))
            }
            rules.remove(rule)
        }
        return rules
    }

    static var rulesText: String {
        let width = GhostRule.allCases.map(\.name.count).max() ?? 0
        return GhostRule.allCases.map { rule in
            rule.name + String(repeating: " ", count: width + 2 - rule.name.count) + rule.summary + "\n"
        }.joined()
    }
}
