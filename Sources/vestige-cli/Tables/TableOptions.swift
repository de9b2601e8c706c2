import ArgumentParser
import Vestige

/// What all commands that show a table take.
struct TableOptions: ParsableArguments {
    @Flag(help: "One JSON object, for scripts: rows, their count, percentiles. Times are nanoseconds.")
    var json = false

    @Flag(help: "CSV, with the same columns as the JSON.")
    var csv = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Order of the rows; -COLUMN for the greatest first.", valueName: "column"))
    var sort: String?

    @Flag(help: "The reverse order.")
    var reverse = false

    @Option(help: ArgumentHelp("Show so many rows; 0 for all. On a terminal 40, elsewhere all.", valueName: "n"))
    var top: UInt32?

    func validate() throws {
        if json, csv { throw ValidationError("--json and --csv exclude each other") }
    }

    var style: ReportStyle { json ? .json : csv ? .csv : .text }

    func order(default column: String, _ terminal: Terminal) -> ReportOrder {
        let limit = top.map(Int.init) ?? (terminal.isTerminal && style == .text ? 40 : 0)
        return ReportOrder(sort ?? column, reversed: reverse, limit: limit == 0 ? nil : limit)
    }
}

/// What all commands that read inputs as a whole take.
struct AnalysisOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The recording, and dumps or snapshots of the same run, or an archive; - for standard input.",
            valueName: "input"))
    var inputs: [String]

    @OptionGroup var times: TimeOptions

    @Flag(help: "Exit with 4 if anything was lost.")
    var strict = false

    @OptionGroup var source: SourceOptions

    @OptionGroup(title: "Which part") var query: QueryOptions

    @OptionGroup var reporting: ReportingOptions

    /// Makes a report of the inputs together, or of an archive one of each entry. One that cannot be read does not
    /// keep the others from being shown, and those that by the index have nothing of what is asked are passed over.
    func report(_ body: (AnalysisOptions, ReportPart?) throws -> Void) throws {
        defer { if !reporting.quiet { ArchiveReading.say() } }
        let entries = try InputPath.entries(inputs)
        guard !entries.isEmpty else { return try body(self, nil) }
        let query = try query.makeQuery()
        var status = ExitStatus.done
        var isFirst = true
        var unknown: [TraceError] = []
        var wanted = try entries.filter { (entry) throws(TraceError) in try InputPath.mayHold(entry, query) }
        // That none has it is for one of them to say.
        if wanted.isEmpty { wanted = [entries[0]] }
        for entry in wanted {
            var one = self
            one.inputs = [entry]
            do {
                try body(one, ReportPart(source: entry, isFirst: isFirst))
                isFirst = false
            } catch let error as TraceError where error.code == .usage {
                // A name that one recording does not have, and another may.
                unknown.append(error)
            } catch let error as TraceError where error.code != .outputClosed && error.code != .outputFailed {
                status = Console.fail(error)
            } catch let exit as EarlyExit {
                if status == .done { status = exit.status }
                isFirst = false
            }
        }
        if isFirst, status == .done, let error = unknown.last { throw error }
        let missingCount = entries.count - wanted.count + unknown.count
        if missingCount > 0, !reporting.quiet {
            Console.say("\(inputs[0]): \(Units.counted(UInt64(missingCount), "recording")) without what is asked for")
        }
        if status != .done { throw EarlyExit(status: status) }
    }

    /// Reads the inputs, and says on standard error what was lost.
    func run(_ body: (Analysis.Batch) throws(TraceError) -> Void) throws(TraceError) -> AnalysisResult {
        var analysis = Analysis(inputs: inputs)
        analysis.times = times.values
        analysis.query = try query.makeQuery()
        analysis.goVersion = try source.checkedGoVersion()
        let bar = reporting.makeProgressBar()
        defer { bar?.clear() }
        analysis.onProgress = bar?.show
        let result = try analysis.run(body)
        bar?.clear()
        reporting.sayWhatIsOdd(result)
        return result
    }

    static func sayLeftOut(_ columns: [String]) {
        if columns.isEmpty { return }
        Console.say("no room for the columns \(columns.joined(separator: ", ")); --json and --csv have them")
    }

    /// Ends the command as `--strict` demands.
    func checkLoss(_ result: AnalysisResult) throws(EarlyExit) {
        if strict, result.hasLoss { throw EarlyExit(status: .loss) }
    }

    /// Writes a table whose rows are all there, and says how many are not shown.
    func show<Record>(
        _ report: Report<Record>, of result: AnalysisResult, _ options: TableOptions, _ terminal: Terminal,
        _ part: ReportPart?
    ) throws(TraceError) {
        let writer = ReportWriter(report, options.style, terminal, part)
        try writer.write(report)
        try writer.finish(report)
        guard !reporting.quiet else { return }
        let shown = UInt64(report.records.count)
        if report.count == 0 {
            // That nothing was selected is said already.
            if !result.isSelectionEmpty { Console.say("no \(report.name) in \(inputs.joined(separator: " + "))") }
            return
        }
        if shown < report.count {
            Console.say("\(Units.grouped(shown)) of \(Units.grouped(report.count)) \(report.name); --top 0 shows all")
        }
        Self.sayLeftOut(writer.leftOut)
    }
}
