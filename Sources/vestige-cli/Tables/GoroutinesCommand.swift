import ArgumentParser
import Vestige

struct GoroutinesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "goroutines", abstract: "Shows each goroutine: who created it, what it did, how it ended.",
        discussion: """
            One row for each life of a goroutine: its start function, who created it and where, how long it was \
            alive in the recording, and how much of that it was running, ready to run, waiting (and for what \
            mainly) and in system calls. Percentiles are over all of them, also those that --top leaves out: \
            exact up to \(Distribution.exactCount), else at most 1 % more than exact.

            Of dumps and snapshots without a recording, one row for each goroutine that they saw, or for each group \
            of alike ones: its state, reason and place, and how long it had waited at least.

            Goroutines of Go's runtime are left out without --system.

            \(ExitStatus.help)
            """)

    @OptionGroup var analysis: AnalysisOptions
    @OptionGroup var table: TableOptions

    @Flag(help: "Show also goroutines that belong to Go's runtime.")
    var system = false

    private static let measured = ["lifetime_ns", "running_ns", "runnable_ns", "waiting_ns", "syscall_ns"]

    func run() throws { try analysis.report(show) }

    private func show(_ analysis: AnalysisOptions, _ part: ReportPart?) throws {
        let terminal = Terminal()
        let tracker = WaitReasonTracker()
        // Filled at the first batch: rows are put in order as they come.
        var tables = TraceTables()
        let columns = Self.columns { tables }
        let measures = columns.filter { Self.measured.contains($0.name) }.map(\.value)
        var distributions = measures.map { _ in Distribution() }
        let order = table.order(default: "goroutine", terminal)
        var rows = try EitherRecords(columns, by: order, or: ObservedColumns.ofGoroutines { tables }, by: order)
        var (lifeCount, systemCount) = (0, 0)
        var (observedCount, observedSystemCount) = (0, 0)
        let showsSystem = system
        let result = try analysis.run { batch throws(TraceError) in
            tables = batch.tables
            for event in batch.events where event.kind == .observed && event.observedCount > 0 {
                observedCount += 1
                guard showsSystem || !tables.isObservedSystemGoroutine(event) else {
                    observedSystemCount += 1
                    continue
                }
                rows.add(event)
            }
            tracker.add(batch.spans, batch.lives) { summary in
                // A query lets goroutines through that are only named by what it selects.
                guard summary.life.isSeen else { return }
                lifeCount += 1
                guard showsSystem || !tables.isSystemFunction(summary.life.startFunction) else {
                    systemCount += 1
                    return
                }
                rows.add(summary)
                for (index, measure) in measures.enumerated() {
                    if case .nanoseconds(let value) = measure(summary) { distributions[index].add(value) }
                }
            }
        }
        if lifeCount == 0, observedCount > 0 {
            try analysis.show(rows.reportOfB("goroutines"), of: result, table, terminal, part)
            SystemNote.say(observedSystemCount, "goroutines", analysis)
        } else {
            var report = try rows.reportOfA("goroutines")
            report.percentiles = Array(zip(Self.measured, distributions)).map { (column: $0.0, distribution: $0.1) }
            try analysis.show(report, of: result, table, terminal, part)
            SystemNote.say(systemCount, "goroutines", analysis)
        }
        try analysis.checkLoss(result)
    }

    private static func columns(_ tables: @escaping () -> TraceTables) -> [ReportColumn<GoroutineSummary>] {
        [
            ReportColumn("goroutine", "id") { .number($0.life.goroutine.rawValue) },
            ReportColumn("function", "function", isText: true) {
                .text(tables().strings.string($0.life.startFunction))
            },
            ReportColumn("created_by", "by") { $0.life.creator == .absent ? .none : .number($0.life.creator.rawValue) },
            ReportColumn("created_at", "at", .ifItFits, isText: true) { summary in
                let stack = summary.life.creationStack
                return stack == .absent ? .none : .text(tables().text(of: tables().stacks.node(stack).frame))
            },
            ReportColumn("lifetime_ns", "lifetime") { .nanoseconds($0.life.lifetimeNanoseconds) },
            ReportColumn("running_ns", "running") { .nanoseconds($0.life.runningNanoseconds) },
            ReportColumn("runnable_ns", "runnable", .ifItFits) { .nanoseconds($0.life.runnableNanoseconds) },
            ReportColumn("waiting_ns", "waiting") { .nanoseconds($0.life.waitingNanoseconds) },
            ReportColumn("main_wait", "mainly", .ifItFits, isText: true) {
                .text(tables().strings.string($0.mainReason))
            },
            ReportColumn("main_wait_ns", "for", .machines) { .nanoseconds($0.mainReasonNanoseconds) },
            ReportColumn("syscall_ns", "syscall", .ifItFits) { .nanoseconds($0.life.syscallNanoseconds) },
            ReportColumn("state", "state") { .text($0.life.hasEnded ? "Ended" : "\($0.life.finalState.name)") },
            ReportColumn("reason", "reason", .ifItFits, isText: true) {
                $0.life.hasEnded ? .none : .text(tables().strings.string($0.life.finalReason))
            },
        ]
    }
}

extension GoroutineLife {
    /// False if nothing is known of it but its number.
    var isSeen: Bool { finalState != .undetermined || transitionCount > 0 || lifetimeNanoseconds > 0 }

    /// How long it was alive in the recording, as far as that is known.
    var lifetimeNanoseconds: Int64 {
        GoroutineState.allCases.reduce(0) { $0.addingSaturating(nanoseconds(in: $1)) }
    }
}
