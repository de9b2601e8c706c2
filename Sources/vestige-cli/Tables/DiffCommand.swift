import ArgumentParser
import Vestige

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Shows what has changed between two recordings.",
        discussion: """
            Counts and times of both, their difference and ratio, the largest change first: the recording itself, \
            goroutines by start function and place of creation (how many, and how long they ran), waits by reason \
            and place, regions, tasks and ranges of the runtime (garbage collection, stopped worlds) by name \
            (how many, and how long they took together), metrics (how often they changed, and their greatest value: \
            heap, heap goal, GOMAXPROCS).

            Of archives with several entries one of each must be named: `vestige diff a.vestige/x b.vestige/x`.

            What is the same in both is left out without --all, goroutines of Go's runtime and their waits \
            without --system. Exit code 0 says that both were read, whether they differ or not.

            EXAMPLES
              vestige diff before.trace after.trace
              vestige diff before.trace after.trace --csv --top 0 > changes.csv

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("The recording to compare with; - for standard input.", valueName: "a"))
    var before: String

    @Argument(help: ArgumentHelp("The recording to compare.", valueName: "b"))
    var after: String

    @OptionGroup var table: TableOptions

    @Flag(help: "Show also what is the same in both.")
    var all = false

    @Flag(help: "Count also goroutines that belong to Go's runtime.")
    var system = false

    @Flag(help: "Exit with 4 if anything was lost.")
    var strict = false

    @OptionGroup(title: "Which part of both") var query: QueryOptions

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        if before == "-", after == "-" {
            throw TraceError(.usage, expected: "two recordings", found: "standard input twice")
        }
        try checkEntries()
        let terminal = Terminal()
        // A wrong column is said before two recordings are read.
        let columns = Self.columns
        let order = table.order(default: "-amount_difference", terminal)
        var ordered = try OrderedRecords(order, columns)
        let (a, lossA) = try read(before)
        let (b, lossB) = try read(after)
        let compared = RecordingChange.between(a, b)
        let changes = all ? compared : compared.filter(\.isChange)
        var report = Report(name: "changes", columns: columns)
        report.count = UInt64(changes.count)
        if table.sort == nil, !table.reverse {
            report.records = Self.firstOfEachSection(changes, limit: order.limit.map { max(1, $0 / 4) }, table.top)
        } else {
            for change in changes { ordered.add(change) }
            report.records = ordered.finish()
        }
        let writer = ReportWriter(report, table.style, terminal, nil)
        try writer.write(report)
        try writer.finish(report)
        if !reporting.quiet {
            let sameCount = compared.count { !$0.isChange }
            sayLeftOut(report, same: sameCount, isDifferent: sameCount < compared.count)
            AnalysisOptions.sayLeftOut(writer.leftOut)
        }
        if strict, lossA || lossB { throw EarlyExit(status: .loss) }
    }

    /// Of an archive of several entries one must be named: the message names one that both have, if there is.
    private func checkEntries() throws(TraceError) {
        let sides = [before, after]
        var entries: [[String]] = []
        for side in sides { entries.append(try InputPath.entries([side])) }
        guard let archive = entries.firstIndex(where: { !$0.isEmpty }) else { return }
        let names = zip(sides, entries).map { side, paths in paths.map { $0.dropFirst(side.count) } }
        let common = names[1].isEmpty ? names[0].first : names[0].first(where: Set(names[1]).contains) ?? names[0].first
        let name = common ?? names[1].first ?? ""
        let example = zip(sides, entries).map { side, paths in
            paths.isEmpty ? side : paths.contains(side + name) ? side + name : paths[0]
        }
        throw TraceError(
            .usage, file: sides[archive],
            expected: "one recording, e.g. vestige diff \(example[0]) \(example[1])",
            found: "an archive of \(Units.grouped(UInt64(entries[archive].count))) entries")
    }

    private func sayLeftOut(_ report: Report<RecordingChange>, same count: Int, isDifferent: Bool) {
        let hidden = report.count - UInt64(report.records.count)
        if hidden > 0 { Console.say("\(Units.grouped(hidden)) rows are left out; --top 0 shows all") }
        let isToldOf = count > 0 && !all
        let same = "--all shows the \(Units.counted(UInt64(count), "row")) that \(count == 1 ? "is" : "are") the same"
        if report.count == 0 || all && !isDifferent {
            Console.say("no difference between \(before) and \(after)\(isToldOf ? "; \(same)" : "")")
        } else if isToldOf {
            Console.say(same)
        }
    }

    private func read(_ input: String) throws(TraceError) -> (RecordingNumbers, hasLoss: Bool) {
        var analysis = Analysis(inputs: [input])
        analysis.query = try query.makeQuery()
        let bar = reporting.makeProgressBar()
        defer { bar?.clear() }
        analysis.onProgress = bar?.show
        let (numbers, result) = try RecordingNumbers.read(analysis, withSystem: system)
        bar?.clear()
        LossReport.warn(
            path: input, diagnostics: result.diagnostics, failure: result.failure, isEmpty: result.isInputEmpty)
        return (numbers, result.hasLoss)
    }

    /// As many of each section as asked for; without a request, fewer on a terminal, so that all sections are seen.
    private static func firstOfEachSection(
        _ changes: [RecordingChange], limit: Int?, _ top: UInt32?
    ) -> [RecordingChange] {
        guard let limit = top.map({ $0 == 0 ? Int.max : Int($0) }) ?? limit else { return changes }
        var counts: [RecordingNumbers.Section: Int] = [:]
        return changes.filter { change in
            counts[change.key.section, default: 0] += 1
            return counts[change.key.section, default: 0] <= limit
        }
    }

    private static var columns: [ReportColumn<RecordingChange>] {
        [
            ReportColumn("section", "of", isText: true) { .text($0.key.section.rawValue) },
            ReportColumn("name", "name", isText: true) { .text($0.key.name) },
            ReportColumn("place", "place", .ifItFits, isText: true) {
                $0.key.place.isEmpty ? .none : .text($0.key.place)
            },
            ReportColumn("count_a", "count A") { .unsigned($0.a.count) },
            ReportColumn("count_b", "count B") { .unsigned($0.b.count) },
            ReportColumn("count_difference", "change", .machines) { .number($0.countDifference) },
            ReportColumn("count_ratio", "count ratio", .ifItFits) { ratio(Double($0.a.count), Double($0.b.count)) },
            ReportColumn("amount_a", "A") { amount($0.a.amount, $0.unit) },
            ReportColumn("amount_b", "B") { amount($0.b.amount, $0.unit) },
            ReportColumn("amount_difference", "change") { amount($0.amountDifference, $0.unit) },
            ReportColumn("amount_ratio", "ratio") { ratio(Double($0.a.amount), Double($0.b.amount)) },
            ReportColumn("unit", "unit", .machines, isText: true) { .text($0.unit.rawValue) },
        ]
    }

    private static func amount(_ value: Int64, _ unit: RecordingNumbers.Unit) -> ReportValue {
        switch unit {
        case .nanoseconds: .nanoseconds(value)
        case .bytes: .bytes(value)
        case .count: .number(value)
        }
    }

    private static func ratio(_ a: Double, _ b: Double) -> ReportValue { a == 0 ? .none : .ratio(b / a) }
}
