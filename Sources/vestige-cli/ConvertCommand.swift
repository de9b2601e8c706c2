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
            written now are removed, other files stay, and a folder that holds only others is refused. --excel \
            writes them as a spreadsheet wants them.

            Several inputs of one run of a program become one timeline: goroutine dumps and debugger snapshots \
            are placed where the recording has the goroutines in the same states, and how each was found is \
            said. --at places an input by hand. Inputs of several processes are kept apart by --process; their clocks \
            are compared.

            --split makes several files that can each be opened by itself, since each begins with the states in \
            which everything was: -o orders.json gives orders-001.json, orders-002.json … and orders-index.html, \
            which lists them. With -f, files of these names give way, and more than are written now are removed. \
            Sizes are those before .gz and .zst, and about right only.

            Times, goroutines, functions, regions, tasks, states, reasons and kinds choose a part of the recording; \
            what is not selected is left out, spans are clipped, and the states at the start are established. Names \
            are patterns with * and ?. docs/query.md tells exactly what each option selects, and the grammar \
            of --where and --query.

            --min-span makes files smaller that are too large for a viewer: states of a goroutine, and stays on \
            a proc or thread, that follow each other and are shorter become one slice such as "37 short spans", \
            with their count and the time in each state; it is shorter than a hundred times the limit. A short \
            one between long ones stays. Regions, tasks, logs, ranges of the runtime, counters and the \
            scheduler's tables of the perfetto format are left as they are.

            An archive (.vestige) as the output keeps the inputs as they are; options that select a part are refused. \
            As the input it is all its entries: each is converted by itself, into the folder of -o, or one that is \
            called like the archive.

            A damaged or cut recording is converted as far as it can be read: the output is valid, warnings \
            count what is lost, and the exit code is 0, or 4 with --strict.

            EXAMPLES
              vestige convert orders.trace
              vestige convert orders.trace -o orders.json.gz
              vestige convert orders.trace --to csv
              vestige convert orders.trace -o spans.csv --table spans
              vestige convert orders.trace --from 120ms --to 180ms --to csv
              vestige convert orders.trace --where "state == waiting for 10ms" -o waits.json
              vestige convert orders.trace goroutines.txt -o both.pftrace
              vestige convert --process api=api.trace,api-dump.txt --process db=db.trace -o all.pftrace
              vestige convert orders.trace --split 1M-events --min-span 10us
              vestige convert - --to jsonl < orders.trace | jq .kind

            \(ExitStatus.help)
            """)

    @Argument(
        help: ArgumentHelp(
            "The recording, and dumps or snapshots of the same run; - for standard input.", valueName: "input"))
    var inputs: [String] = []

    @Option(
        name: .customLong("process"),
        help: ArgumentHelp(
            "Inputs of one of several processes, e.g. api=api.trace,api-dump.txt; at least once for each process.",
            valueName: "name=file,…"))
    var processes: [ProcessArgument] = []

    @OptionGroup var times: TimeOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write; - for standard output.", valueName: "out"))
    var output: String?

    @Flag(name: .shortAndLong, help: "Replace an output that exists.")
    var force = false

    @Flag(help: "Exit with 4 if anything was lost.")
    var strict = false

    @OptionGroup var content: ContentOptions

    @Option(
        help: ArgumentHelp(
            "Write parts of at most this size, e.g. 1M-events or 64MB, and an index page.", valueName: "size"))
    var split: SplitArgument?

    @OptionGroup var source: SourceOptions

    @OptionGroup(title: "Which part") var query: QueryOptions

    @OptionGroup var reporting: ReportingOptions

    /// Set by `vestige batch`, whose process it is: what becomes of the conversion is for that to know.
    @Option(help: .hidden)
    var batchProcess: Int32?

    func validate() throws {
        if inputs.isEmpty, processes.isEmpty { throw ValidationError("Missing expected argument '<input> ...'") }
        if !inputs.isEmpty, !processes.isEmpty {
            throw ValidationError("All inputs must belong to a --process, or none: '\(inputs[0])'")
        }
    }

    mutating func run() throws {
        let formatName = try query.takeFormatName()
        let processes = ProcessArgument.processes(processes)
        if inputs.isEmpty { inputs = processes.flatMap(\.inputs) }
        let entries = processes.isEmpty ? try InputPath.entries(inputs) : []
        if entries.count > 1 { return try convertAll(entries, formatName) }
        let plan = try OutputPlan(inputs: inputs, output: output, formatName: formatName)
        if plan.format.shape == .archive { return try archive(plan) }
        var conversion = Conversion(inputs: inputs, plan: plan)
        conversion.query = try query.makeQuery()
        conversion.times = times.values
        conversion.processes = processes
        conversion.overwrites = force
        conversion.goVersion = try source.checkedGoVersion()
        conversion.split = split?.limit
        try content.apply(to: &conversion)
        if let batchProcess { return try WorkerReport(for: batchProcess).run(conversion) }
        let bar = reporting.makeProgressBar()
        conversion.onProgress = bar?.show
        defer { bar?.clear() }
        let result = try conversion.run()
        bar?.clear()
        LossReport.warn(
            path: inputs.joined(separator: " + "), diagnostics: result.diagnostics, failure: result.failure,
            isEmpty: result.isInputEmpty)
        // On a terminal the summary says it already.
        let isSaid = !reporting.quiet && isatty(1) == 1 && isatty(2) == 1
        if case .nothing = plan.place, !isSaid {
            try Console.write(Units.plain(result.eventCount, "event") + "\n")
        }
        if result.isSelectionEmpty { Console.say(QueryOptions.emptyResult) }
        if !reporting.quiet {
            ArchiveReading.say()
            let lines = AlignmentReport.lines(result.tables, firstNanoseconds: result.firstNanoseconds)
            for line in lines { Console.say(line) }
            Console.say(summary(plan, result) + thinningNote(conversion.options.thinning))
        }
        if strict, result.hasLoss { throw EarlyExit(status: .loss) }
    }

    /// Converts each entry of an archive by itself, into a folder.
    private func convertAll(_ entries: [String], _ formatName: String?) throws {
        let format = try Formats.output(named: formatName ?? Formats.defaultOutputName)
        let folder = output ?? OutputPlan.stem(of: inputs[0])
        guard folder != "-", formatName != nil || Formats.output(forPath: folder) == nil, format.shape != .archive
        else {
            let found = folder == "-" ? "standard output" : format.shape == .archive ? "an archive" : folder
            throw TraceError(
                .usage, file: inputs[0],
                expected: "a folder for the outputs of \(entries.count) entries (-o FOLDER, --to FORMAT)", found: found)
        }
        var status = ExitStatus.done
        for entry in entries {
            var one = self
            one.inputs = [entry]
            one.query.to.append(format.name)
            let stem = "\(folder)/\(OutputPlan.stem(of: EntryName.forPath(String(entry.dropFirst(inputs[0].count)))))"
            switch format.shape {
            case .nothing: one.output = nil
            case .folder: one.output = "\(stem)-\(format.name)"
            case .file, .archive: one.output = stem + format.suffix
            }
            if let output = one.output { try FolderPath.make(FolderPath.parent(of: output)) }
            // One bad entry does not keep the others from being converted.
            do { try one.run() } catch let error as TraceError where error.code != .outputFailed {
                status = Console.fail(error)
            } catch let exit as EarlyExit {
                if status == .done { status = exit.status }
            }
        }
        if status != .done { throw EarlyExit(status: status) }
    }

    /// Keeps the inputs as they are.
    private func archive(_ plan: OutputPlan) throws {
        guard case .file(let path) = plan.place else { return }
        let query = try query.makeQuery()
        guard query.isEmpty, content.words.isEmpty, times.values.isEmpty, split == nil, processes.isEmpty else {
            throw TraceError(
                .usage, file: path,
                expected: "no selection for an archive, which keeps recordings as they are (convert the part to jsonl, "
                    + "and `vestige archive create` an archive of that)", found: "options that select or change")
        }
        var archiving = InputArchiving(inputs: inputs, path: path)
        archiving.overwrites = force
        if let batchProcess { return try WorkerReport(for: batchProcess).run(archiving) }
        let progress = ArchiveProgress(reporting)
        defer { progress.clear() }
        archiving.onProgress = progress.show
        let outcome = try archiving.run()
        progress.clear()
        if !reporting.quiet { Console.say("\(path): \(ArchiveCreateCommand.summary(outcome, progress))") }
    }

    private func summary(_ plan: OutputPlan, _ result: ConversionResult) -> String {
        let names = inputs.joined(separator: " + ")
        var text = place(plan, result).map { "\(names) → \($0): " } ?? "\(names): "
        text += Units.counted(result.eventCount, "event")
        text += tableNote(plan)
        let seconds = Units.seconds(result.elapsed)
        guard seconds >= 0.1 else { return text }
        text += " in \(Units.decimal(seconds, digits: 2)) s"
        if let size = result.inputSize { text += " (\(Units.bytes(UInt64(Double(size) / seconds)))/s)" }
        return text
    }

    private func place(_ plan: OutputPlan, _ result: ConversionResult) -> String? {
        guard let path = plan.place.path else { return nil }
        if path == "-" { return "standard output" }
        guard split != nil, let first = result.outputPaths.first, let index = result.outputPaths.last else {
            return path
        }
        let count = UInt64(result.outputPaths.count - 1)
        let last = count > 1 ? " … \(result.outputPaths[result.outputPaths.count - 2])" : ""
        return "\(first)\(last) (\(Units.counted(count, "part"))) and \(index)"
    }

    /// What short spans have become.
    private func thinningNote(_ thinning: Thinning?) -> String {
        guard let thinning else { return "" }
        let limit = Units.duration(thinning.minSpanNanoseconds)
        guard thinning.spanCount > 0 else { return "; no spans shorter than \(limit) to merge" }
        var text = "; \(Units.counted(thinning.spanCount, "span")) shorter than \(limit) merged into "
        text += Units.counted(thinning.blockCount, "block")
        if thinning.flowCount > 0 { text += ", without \(Units.counted(thinning.flowCount, "arrow")) to them" }
        return text
    }

    /// That a single file is only one of several tables.
    private func tableNote(_ plan: OutputPlan) -> String {
        guard content.table.isEmpty, let name = plan.format.defaultTableName else { return "" }
        if case .folder = plan.place { return "" }
        return " (only the table \(name); -o FOLDER writes all, --table NAME another)"
    }
}

/// What of a recording an output shows, and how; the same for one conversion and for many.
struct ContentOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Write only this table (CSV); may be repeated for a folder.", valueName: "table"))
    var table: [String] = []

    @OptionGroup var tableStyle: TableStyleOptions

    @OptionGroup var shown: ViewerOptions

    @Option(
        name: .customLong("max-events"),
        help: ArgumentHelp(
            "Refuse to write more events than this, e.g. 500k or 1M: more than a viewer can load.", valueName: "count"))
    var maxEvents: EventCount?

    func apply(to conversion: inout Conversion) throws(TraceError) {
        conversion.maxEventCount = maxEvents?.value
        shown.apply(to: &conversion.options)
        conversion.options.tables = table.isEmpty ? nil : table
        conversion.options.tableStyle = try tableStyle.style()
    }

    /// The options as words, for another process.
    var words: [String] {
        tableWords + shown.words + (maxEvents.map { ["--max-events=\($0.value)"] } ?? [])
    }

    /// Those of them that mean something for a format.
    func words(for format: OutputFormat) -> [String] {
        (format.tableNames.isEmpty ? [] : tableWords) + (format.viewer != nil ? shown.words : [])
            + (maxEvents.map { ["--max-events=\($0.value)"] } ?? [])
    }

    private var tableWords: [String] { table.map { "--table=\($0)" } + tableStyle.words }
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
