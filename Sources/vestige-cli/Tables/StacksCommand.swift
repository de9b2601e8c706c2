import ArgumentParser
import Vestige

struct StacksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stacks", abstract: "Shows where goroutines waited and used the CPU, by stack.",
        discussion: """
            One row for each stack: how many CPU profile samples were taken there, how often goroutines waited \
            there, and how long in total.

            Of dumps and snapshots without a recording, one row for each stack, state and reason: how many \
            goroutines they saw there, and how long one of these had waited at least.

            Stacks that begin with a function of Go's runtime other than runtime.main are left out without --system.

            \(ExitStatus.help)
            """)

    @OptionGroup var analysis: AnalysisOptions
    @OptionGroup var table: TableOptions

    @Flag(help: "Show also stacks of goroutines and threads that belong to Go's runtime.")
    var system = false

    func run() throws { try analysis.report(show) }

    private func show(_ analysis: AnalysisOptions, _ part: ReportPart?) throws {
        let terminal = Terminal()
        let statistics = HeapValue(StackStatistics())
        let observed = HeapValue(ObservedStacks())
        let (pointer, observedPointer) = (statistics.pointer, observed.pointer)
        var tables = TraceTables()
        var rows = try EitherRecords(
            Self.columns { tables }, by: table.order(default: "-wait_ns", terminal),
            or: ObservedColumns.ofStacks { tables }, by: table.order(default: "-goroutines", terminal))
        let result = try analysis.run { batch throws(TraceError) in
            pointer.pointee.add(batch.events, batch.tables)
            observedPointer.pointee.add(batch.events, batch.tables)
            for span in batch.spans { pointer.pointee.add(span, batch.tables) }
        }
        tables = result.tables
        let (all, seen) = (statistics.pointer.pointee.rows, observed.pointer.pointee.rows)
        if all.isEmpty, !seen.isEmpty {
            for row in seen where system || !row.isSystem { rows.add(row) }
            try analysis.show(rows.reportOfB("stacks"), of: result, table, terminal, part)
            SystemNote.say(system ? 0 : seen.count(where: \.isSystem), "stacks", analysis)
        } else {
            let hidden = system ? [] : all.filter { tables.isSystemFunction(tables.startFunction(of: $0.stack)) }
            let hiddenStacks = Set(hidden.map(\.stack))
            for row in all where !hiddenStacks.contains(row.stack) { rows.add(row) }
            try analysis.show(rows.reportOfA("stacks"), of: result, table, terminal, part)
            SystemNote.say(hidden.count, "stacks", analysis)
        }
        try analysis.checkLoss(result)
    }

    private static func columns(_ tables: @escaping () -> TraceTables) -> [ReportColumn<StackStatistics.Row>] {
        [
            ReportColumn("samples", "samples") { .unsigned($0.sampleCount) },
            ReportColumn("waits", "waits") { .unsigned($0.waitCount) },
            ReportColumn("wait_ns", "waited") { .nanoseconds($0.waitNanoseconds) },
            ReportColumn("stack", "stack", isText: true) { .text(tables().text(of: $0.stack)) },
        ]
    }
}
