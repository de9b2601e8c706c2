import ArgumentParser
import Glibc
import Vestige

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Converts a recording to another format.",
        discussion: """
            The input's format is found by its content; gzip and zstd are peeled off. The output's format \
            is that of --to, else that of the suffix of -o, else chrome. Suffixes .gz and .zst compress.

            Without -o the output stands beside the input: orders.trace becomes orders.json. `-` is standard \
            input or standard output; what is read from standard input or another pipe is written to \
            standard output unless -o says otherwise. The output appears under its name only when it is \
            complete, and never takes the place of another without -f.

            CSV is a folder of tables. A single file, or standard output, holds one of them: spans, unless \
            --table names another. With -f an existing folder gets new tables; older ones that are not \
            written now are removed, other files stay, and a folder that holds only others is refused.

            A damaged or cut recording is converted as far as it can be read: the output is valid, warnings \
            count what is lost, and the exit code is 0, or 4 with --strict.

            EXAMPLES
              vestige convert orders.trace
              vestige convert orders.trace -o orders.json.gz
              vestige convert orders.trace --to csv
              vestige convert orders.trace -o spans.csv --table spans
              vestige convert - --to jsonl < orders.trace | jq .kind

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("The recording; - for standard input.", valueName: "input"))
    var input: String

    /// Caught to say so clearly.
    @Argument(help: .hidden)
    var furtherInputs: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write; - for standard output.", valueName: "out"))
    var output: String?

    @Option(help: ArgumentHelp("The output's format; `vestige formats` lists them.", valueName: "format"))
    var to: String?

    @Flag(name: .shortAndLong, help: "Replace an output that exists.")
    var force = false

    @Flag(help: "Exit with 4 if anything was lost.")
    var strict = false

    @Option(
        name: .long,
        help: ArgumentHelp("Write only this table (CSV); may be repeated for a folder.", valueName: "table"))
    var table: [String] = []

    @Flag(name: .customLong("no-flows"), help: "Leave out the arrows from who creates or wakes to whom (viewers).")
    var noFlows = false

    @Option(
        name: .customLong("max-events"),
        help: ArgumentHelp(
            "Refuse to write more events than this, e.g. 500k or 1M: more than a viewer can load.", valueName: "count"))
    var maxEvents: EventCount?

    @OptionGroup var source: SourceOptions

    @OptionGroup var reporting: ReportingOptions

    func validate() throws {
        guard let second = furtherInputs.first else { return }
        throw TraceError(.usage, expected: "one input at a time", found: "also \"\(second)\"")
    }

    func run() throws {
        let plan = try OutputPlan(input: input, output: output, formatName: to)
        var conversion = Conversion(input: input, plan: plan)
        conversion.overwrites = force
        conversion.maxEventCount = maxEvents?.value
        conversion.goVersion = try source.checkedGoVersion()
        conversion.options.tables = table.isEmpty ? nil : table
        conversion.options.writesFlows = !noFlows
        let bar = reporting.makeProgressBar()
        conversion.onProgress = bar?.show
        defer { bar?.clear() }
        let result = try conversion.run()
        bar?.clear()
        LossReport.warn(
            path: input, diagnostics: result.diagnostics, failure: result.failure, isEmpty: result.isInputEmpty)
        // On a terminal the summary says it already.
        let isSaid = !reporting.quiet && isatty(1) == 1 && isatty(2) == 1
        if case .nothing = plan.place, !isSaid {
            try Console.write(Units.plain(result.eventCount, "event") + "\n")
        }
        if !reporting.quiet { Console.say(summary(plan, result)) }
        if strict, result.hasLoss { throw EarlyExit(status: .loss) }
    }

    private func summary(_ plan: OutputPlan, _ result: ConversionResult) -> String {
        let place = plan.place.path.map { $0 == "-" ? "standard output" : $0 }
        var text = place.map { "\(input) → \($0): " } ?? "\(input): "
        text += Units.counted(result.eventCount, "event")
        text += tableNote(plan)
        let seconds = Units.seconds(result.elapsed)
        guard seconds >= 0.1 else { return text }
        text += " in \(Units.decimal(seconds, digits: 2)) s"
        if let size = result.inputSize { text += " (\(Units.bytes(UInt64(Double(size) / seconds)))/s)" }
        return text
    }

    /// That a single file is only one of several tables.
    private func tableNote(_ plan: OutputPlan) -> String {
        guard table.isEmpty, let name = plan.format.defaultTableName else { return "" }
        if case .folder = plan.place { return "" }
        return " (only the table \(name); -o FOLDER writes all, --table NAME another)"
    }
}

/// What a user knows of an input that it does not say itself.
struct SourceOptions: ParsableArguments {
    @Option(
        name: .customLong("go-version"),
        help: ArgumentHelp(
            "The Go version of the recorded program, e.g. 1.24, where Delve's output does not say it: wait reasons "
                + "depend on it.", valueName: "version"))
    var goVersion: String?

    /// - Throws: `usage` if it is no version of Go.
    func checkedGoVersion() throws(TraceError) -> String? {
        guard let goVersion else { return nil }
        if DelveFormats.isGoVersion(goVersion) { return goVersion }
        throw TraceError(.usage, expected: "a version of Go as --go-version, e.g. 1.24", found: "\"\(goVersion)\"")
    }
}

/// How much a command says about itself.
struct ReportingOptions: ParsableArguments {
    @Flag(name: .customLong("no-progress"), help: "Show no progress bar.")
    var noProgress = false

    @Flag(name: .shortAndLong, help: "Say nothing but errors and warnings.")
    var quiet = false

    func makeProgressBar() -> ProgressBar? { ProgressBar(isWanted: !noProgress && !quiet) }
}
