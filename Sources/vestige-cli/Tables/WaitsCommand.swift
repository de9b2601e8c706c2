import ArgumentParser
import Vestige

struct WaitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waits", abstract: "Shows what goroutines waited for, by reason and place.",
        discussion: """
            One row for each reason (in the words of Go's runtime) and place: how often goroutines waited there, \
            how long in total, and how long half, 90 %, 99 % and the longest of the waits took. Waits that were \
            not over at the end count as far as they lie in the recording, and are counted apart as well. The \
            place is the innermost frame outside of the parts of Go's library that wait for their callers. \
            Percentiles are exact up to \(Distribution.exactCount) waits of a row, else at most 1 % more than exact.

            Goroutines of Go's runtime are left out without --system.

            \(ExitStatus.help)
            """)

    @OptionGroup var analysis: AnalysisOptions
    @OptionGroup var table: TableOptions

    @Flag(help: "Show also the waits of goroutines that belong to Go's runtime.")
    var system = false

    func run() throws { try analysis.report(show) }

    private func show(_ analysis: AnalysisOptions, _ part: ReportPart?) throws {
        let terminal = Terminal()
        let statistics = HeapValue(WaitStatistics())
        let pointer = statistics.pointer
        var tables = TraceTables()
        let columns = Self.columns { tables }
        var rows = try OrderedRecords(table.order(default: "-total_ns", terminal), columns)
        let result = try analysis.run { batch throws(TraceError) in
            for span in batch.spans { pointer.pointee.add(span, batch.tables) }
        }
        tables = result.tables
        let all = statistics.pointer.pointee.rows
        for row in all where system || !row.isSystem { rows.add(row) }
        var report = Report(name: "waits", columns: columns)
        report.records = rows.finish()
        report.count = rows.count
        try analysis.show(report, of: result, table, terminal, part)
        SystemNote.say(all.count { $0.isSystem && !system }, "waits", analysis)
        try analysis.checkLoss(result)
    }

    private static func columns(_ tables: @escaping () -> TraceTables) -> [ReportColumn<WaitStatistics.Row>] {
        [
            ReportColumn("reason", "reason", isText: true) { .text(tables().strings.string($0.reason)) },
            ReportColumn("place", "place", isText: true) { .text(tables().text(of: $0.place)) },
            ReportColumn("count", "count") { .unsigned($0.durations.count) },
        ] + ReportColumn.distribution { $0.durations } + [
            ReportColumn("open", "open", .ifItFits) { .unsigned($0.openCount) },
            ReportColumn("system", "system", .machines) { .flag($0.isSystem) },
        ]
    }
}

/// Says that rows of the runtime's own goroutines are left out.
enum SystemNote {
    static func say(_ count: Int, _ what: String, _ analysis: AnalysisOptions) {
        guard count > 0, !analysis.reporting.quiet else { return }
        Console.say("\(Units.grouped(UInt64(count))) rows of \(what) of Go's runtime are left out; --system shows them")
    }
}
