import ArgumentParser
import Vestige

struct RegionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "regions", abstract: "Shows how long the program's regions took, by name.",
        discussion: NameReport.discussion("regions", "runtime/trace.WithRegion"))

    @OptionGroup var analysis: AnalysisOptions
    @OptionGroup var table: TableOptions

    func run() throws { try NameReport.run("regions", .region, analysis, table) }
}

struct TasksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Shows how long the program's tasks took, by name.",
        discussion: NameReport.discussion("tasks", "runtime/trace.NewTask"))

    @OptionGroup var analysis: AnalysisOptions
    @OptionGroup var table: TableOptions

    func run() throws { try NameReport.run("tasks", .task, analysis, table) }
}

/// Regions or tasks by name.
enum NameReport {
    static func discussion(_ what: String, _ maker: String) -> String {
        """
        One row for each name of \(what) (\(maker)): how many there were, how long they took in total, \
        and how long half, 90 %, 99 % and the longest of them took. These numbers are of those that began and \
        ended in the recording; the others are counted apart. Percentiles are exact up to \
        \(Distribution.exactCount) of a name, else at most 1 % more than exact.

        \(ExitStatus.help)
        """
    }

    static func run(
        _ name: String, _ kind: LifelineKind, _ analysis: AnalysisOptions, _ options: TableOptions
    ) throws {
        try analysis.report { analysis, part in try show(name, kind, analysis, options, part) }
    }

    private static func show(
        _ name: String, _ kind: LifelineKind, _ analysis: AnalysisOptions, _ options: TableOptions, _ part: ReportPart?
    ) throws {
        let terminal = Terminal()
        let statistics = HeapValue(NameStatistics(kind))
        let pointer = statistics.pointer
        // The names are looked up when rows are made, from tables that are complete by then.
        var tables = TraceTables()
        let columns = columns { tables.strings.string($0) }
        var rows = try OrderedRecords(options.order(default: "-total_ns", terminal), columns)
        let result = try analysis.run { batch throws(TraceError) in
            for span in batch.spans { pointer.pointee.add(span) }
        }
        tables = result.tables
        for row in statistics.pointer.pointee.rows { rows.add(row) }
        var report = Report(name: name, columns: columns)
        report.records = rows.finish()
        report.count = rows.count
        try analysis.show(report, of: result, options, terminal, part)
        try analysis.checkLoss(result)
    }

    private static func columns(_ text: @escaping (StringID) -> String) -> [ReportColumn<NameStatistics.Row>] {
        [
            ReportColumn("name", "name", isText: true) { .text(text($0.name)) },
            ReportColumn("count", "count") { .unsigned($0.durations.count) },
        ] + ReportColumn.distribution { $0.durations } + [
            ReportColumn("began_before", "before", .ifItFits) { .unsigned($0.beganBeforeCount) },
            ReportColumn("open", "open", .ifItFits) { .unsigned($0.openCount) },
        ]
    }
}

extension ReportColumn {
    /// Total, percentiles and maximum.
    static func distribution(_ of: @escaping (Record) -> Distribution) -> [ReportColumn] {
        [ReportColumn("total_ns", "total") { .nanoseconds(of($0).total) }]
            + Percentile.allCases.map { percentile in
                ReportColumn("\(percentile.rawValue)_ns", percentile.rawValue, .ifItFits) {
                    .nanoseconds(percentile.of(of($0)))
                }
            }
    }
}
