import ArgumentParser
import Vestige

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Shows what is in recordings.",
        discussion: """
            Reads each recording once and shows its format, when and how long it was recorded, its events \
            by kind, its goroutines, procs, threads, tasks, regions and logs, and what of it is lost.

            An archive is all its entries.

            With --json each recording is one object on a line of its own; times are nanoseconds.

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("Recordings; - for standard input.", valueName: "input"))
    var inputs: [String]

    @Flag(help: "One JSON object a line, for scripts.")
    var json = false

    @Flag(help: "Exit with 4 if anything was lost.")
    var strict = false

    @OptionGroup var source: SourceOptions

    @OptionGroup(title: "Which part") var query: QueryOptions

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        var status = ExitStatus.done
        let query = try query.makeQuery()
        var isFirst = true
        for input in try InputPath.expand(inputs) {
            do throws(TraceError) {
                let info = try read(input, query)
                if !isFirst, !json { try Console.write("\n") }
                try Console.write(json ? InfoReport.json(info) : InfoReport.text(info))
                isFirst = false
                if info.isSelectionEmpty { Console.say("\(input): \(QueryOptions.emptyResult)") }
                if strict, info.hasLoss, status == .done { status = .loss }
            } catch {
                // One bad file does not keep the others from being shown.
                guard error.code != .outputClosed, error.code != .outputFailed else { throw error }
                status = Console.fail(error)
            }
        }
        if !reporting.quiet { ArchiveReading.say() }
        if status != .done { throw EarlyExit(status: status) }
    }

    private func read(_ input: String, _ query: Query) throws(TraceError) -> TraceInfo {
        let bar = reporting.makeProgressBar()
        defer { bar?.clear() }
        return try TraceInfo(
            input, query: query, goVersion: source.checkedGoVersion(), onProgress: bar?.show)
    }
}
