import ArgumentParser
import Glibc
import Vestige

/// `vestige batch`: many inputs, many outputs.
struct BatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "Converts many recordings, some at a time, and goes on where it was stopped.",
        discussion: """
            Inputs are files, everything in folders, what patterns fit, lists (--files-from), and all entries of \
            archives. Each is converted to each format of --to (csv,perfetto,archive …) by a process of its own: \
            one that is damaged, or too large for the memory, is a failed line of the report and stops nothing else. \
            At most --jobs processes work at a time. The options of `vestige convert` that select a part or shape the \
            output mean the same; each format gets those that it knows.

            --out is a folder, or a path with placeholders: {dir} the input's folder, {name} its name without and \
            {file} with the suffix, {format}, and {suffix} the format's (.json; of CSV -csv, a folder). A folder \
            alone means FOLDER/{dir}/{name}{suffix}, with {file} for {name} where two inputs have one (app.trace and \
            app.txt become app.trace.json and app.txt.json).

            Stopped (Ctrl-C, or killed) and started again, a batch goes on where it was. Inputs that have not changed \
            since, by size and time or with --checksum by content, are not converted again as long as the options are \
            the same and the output is there; what failed is tried again. Outputs that no batch has made, or that \
            have been changed, are replaced only with -f. What was done is kept in FOLDER/.vestige-batch; two batches \
            into one folder exclude each other.

            FOLDER/batch-report.csv and .json say of each input and format what became of it: the output, the result, \
            events, losses, time. The result is `done`; or `partial`: the output holds all that could be read, but \
            something of the input is lost; or `failed`: there is no output. --combine puts the CSV tables of all \
            inputs together, with a column `source` in front.

            EXAMPLES
              vestige batch traces/ --to csv,perfetto --out out
              vestige batch traces/ --include '*.trace' --to jsonl --out 'out/{name}{suffix}.zst' --jobs 4
              find . -name '*.trace' -print0 | vestige batch --files-from - --to perfetto --out out
              vestige batch runs.vestige --to csv --table summary --out 'out/{name}.csv' --combine out/all

            EXIT CODES
              0    done
              1    some inputs failed; the report says which
              2    the request makes no sense
              4    done, but something was lost; only with --strict
              5    an output cannot be written
              130  interrupted (Ctrl-C); started again, it goes on
            """)

    @OptionGroup var inputs: BatchInputs

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the outputs go: a folder, or a path with placeholders."))
    var out: String

    @Option(help: ArgumentHelp("How many processes at a time; as many as processors if not said.", valueName: "n"))
    var jobs: UInt16?

    @Flag(help: "Tell by their content whether inputs have changed, not by size and time.")
    var checksum = false

    @Option(
        help: ArgumentHelp("Also the CSV tables of all inputs in one, in this folder.", valueName: "folder"))
    var combine: String?

    @Option(
        help: ArgumentHelp("Where the report goes, without suffix; FOLDER/batch-report if not said.", valueName: "path")
    )
    var report: String?

    @Flag(name: .shortAndLong, help: "Replace outputs that no batch has made.")
    var force = false

    @Flag(help: "Exit with 4 if anything was lost.")
    var strict = false

    @OptionGroup var content: ContentOptions

    @OptionGroup var source: SourceOptions

    @OptionGroup(title: "Which part") var query: QueryOptions

    @OptionGroup var reporting: ReportingOptions

    func validate() throws {
        if jobs == 0 { throw ValidationError("--jobs must be at least 1") }
        if combine != nil, content.tableStyle.excel {
            throw ValidationError("--combine and --excel exclude each other: what spreadsheets open has its limit")
        }
    }

    mutating func run() throws {
        let formats = try takeFormats()
        let template = try BatchTemplate(out)
        let journal = try BatchJournal(in: template.root)
        var plan = BatchPlan(template: template, formats: formats, usesChecksums: checksum)
        try plan.add(inputs.collect(without: OwnFiles(journal)))
        try check(plan.tasks)
        let reportPath = report ?? "\(template.root)/batch-report"
        for path in ["\(reportPath).csv", "\(reportPath).json"] { try claim(path, journal) }
        if let combine { try claim(combine, journal) }
        Interruption.watch()
        let result = try Batch(
            tasks: plan.tasks, journal: journal, words: words(for:), jobCount: jobCount, overwrites: force,
            bar: reporting.makeProgressBar()
        ).run()
        let rows = zip(plan.tasks, result.outcomes).compactMap { task, outcome in outcome.map { (task, $0) } }
        if Interruption.signal != 0 {
            Console.say("interrupted: \(rows.count) of \(plan.tasks.count) done; started again, the batch goes on")
            throw EarlyExit(status: .interrupted)
        }
        let report = BatchReport(rows: rows)
        if let combine { try combineTables(report, into: combine, journal) }
        try report.write(to: reportPath)
        try journal.compact()
        try finish(report, result, reportPath)
    }

    private func finish(_ report: BatchReport, _ result: Batch.Result, _ path: String) throws {
        if !reporting.quiet {
            let number = { (count: Int) in Units.grouped(UInt64(count)) }
            var parts = ["\(number(report.count(.done))) done"]
            if report.count(.partial) > 0 {
                parts.append("\(number(report.count(.partial))) partial (made, but something of the input is lost)")
            }
            if result.skippedCount > 0 { parts.append("\(number(result.skippedCount)) of these before") }
            if report.count(.failed) > 0 { parts.append("\(number(report.count(.failed))) failed") }
            Console.say(
                "\(Units.counted(UInt64(report.rows.count), "output")): \(parts.joined(separator: ", ")); \(path).csv")
        }
        if report.count(.failed) > 0 { throw EarlyExit(status: .findings) }
        if strict, report.count(.partial) > 0 { throw EarlyExit(status: .loss) }
    }

    // MARK: - What is asked

    private mutating func takeFormats() throws(TraceError) -> [OutputFormat] {
        var formats: [OutputFormat] = []
        let names = query.takeFormatNames().flatMap { $0.split(separator: ",").map(String.init) }
        for name in names.isEmpty ? [Formats.defaultOutputName] : names {
            let format = try Formats.output(named: name)
            if !formats.contains(where: { $0.name == format.name }) { formats.append(format) }
        }
        if combine != nil, !formats.contains(where: { $0.name == CSVFormat.format.name }) {
            throw TraceError(.usage, expected: "csv in --to, for --combine", found: names.joined(separator: ","))
        }
        return formats
    }

    private var jobCount: Int { jobs.map(Int.init) ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// What a conversion to a format is told.
    private func words(for format: OutputFormat) -> [String] {
        if format.shape == .archive { return [] }
        return query.words + content.words(for: format) + (source.goVersion.map { ["--go-version=\($0)"] } ?? [])
    }

    /// Refuses at once what every conversion would refuse.
    private func check(_ tasks: [BatchTask]) throws(TraceError) {
        let query = try query.makeQuery()
        _ = try source.checkedGoVersion()
        var known: Set<String> = []
        for task in tasks where known.insert(task.format.name).inserted {
            if task.format.shape == .archive {
                guard query.isEmpty else {
                    throw TraceError(
                        .usage, expected: "no selection for archives, which keep recordings as they are",
                        found: "options that select a part")
                }
                continue
            }
            var conversion = Conversion(inputs: [task.input], plan: task.plan)
            try content.apply(to: &conversion)
            if task.format.viewer == nil {
                (conversion.options.flows, conversion.options.views, conversion.options.thinning) = (nil, nil, nil)
            }
            if task.format.tableNames.isEmpty {
                (conversion.options.tables, conversion.options.tableStyle) = (nil, TableStyle())
            }
            try conversion.checkOptions()
        }
    }

    /// Makes a place the batch's own.
    private func claim(_ path: String, _ journal: BatchJournal) throws(TraceError) {
        guard force || journal.owned.contains(path) || access(path, F_OK) != 0 else {
            throw TraceError(
                .usage, file: path, expected: "a name that is free (or -f to overwrite)", found: "a file that exists")
        }
        try FolderPath.make(FolderPath.parent(of: path))
        try journal.begin(output: path)
    }

    private func combineTables(_ report: BatchReport, into folder: String, _ journal: BatchJournal) throws(TraceError) {
        let style = try content.tableStyle.style()
        var combination = TableCombination()
        combination.delimiter = style.delimiter
        combination.hasHeader = style.hasHeader
        let rows = report.rows.filter { $0.task.format.name == CSVFormat.format.name && $0.outcome.result != .failed }
        // Only if something is new.
        let key = "combine\u{0}\(folder)"
        let state = journal.state(of: rows.map(\.task.key))
        let options = (style.hasHeader ? "" : "no-header ") + content.table.joined(separator: " ")
        if let known = journal.records[key], known.inputState == state, known.options == options,
            access(folder, F_OK) == 0
        {
            return
        }
        let isSingle = rows.contains { if case .file = $0.task.place { true } else { false } }
        let all = isSingle ? [CSVFormat.format.defaultTableName!] : CSVFormat.format.tableNames
        try combination.write(
            rows.map { TableCombination.Part(source: $0.task.input, place: $0.task.place) },
            tables: content.table.isEmpty ? all : content.table, to: folder, overwrites: true)
        try journal.end(
            key: key,
            BatchJournal.Record(
                inputState: state, options: options, outputState: "", outcome: BatchOutcome(result: .done)))
    }
}
