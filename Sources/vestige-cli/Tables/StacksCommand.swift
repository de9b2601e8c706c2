import ArgumentParser
import Vestige

struct StacksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stacks", abstract: "Shows where goroutines waited and used the CPU, by stack.",
        discussion: """
            One row for each stack: how many CPU profile samples were taken there, how often goroutines waited \
            there, and how long in total.

            \(ExitStatus.help)
            """)

    @OptionGroup var analysis: AnalysisOptions
    @OptionGroup var table: TableOptions

    func run() throws { try analysis.report(show) }

    private func show(_ analysis: AnalysisOptions, _ part: ReportPart?) throws {
        let terminal = Terminal()
        let statistics = HeapValue(StackStatistics())
        let pointer = statistics.pointer
        var tables = TraceTables()
        let columns: [ReportColumn<StackStatistics.Row>] = [
            ReportColumn("samples", "samples") { .unsigned($0.sampleCount) },
            ReportColumn("waits", "waits") { .unsigned($0.waitCount) },
            ReportColumn("wait_ns", "waited") { .nanoseconds($0.waitNanoseconds) },
            ReportColumn("stack", "stack", isText: true) { .text(tables.text(of: $0.stack)) },
        ]
        var rows = try OrderedRecords(table.order(default: "-wait_ns", terminal), columns)
        let result = try analysis.run { batch throws(TraceError) in
            pointer.pointee.add(batch.events, batch.tables)
            for span in batch.spans { pointer.pointee.add(span, batch.tables) }
        }
        tables = result.tables
        for row in statistics.pointer.pointee.rows { rows.add(row) }
        var report = Report(name: "stacks", columns: columns)
        report.records = rows.finish()
        report.count = rows.count
        try analysis.show(report, table, terminal, part)
        try analysis.checkLoss(result)
    }
}
