import ArgumentParser
import Vestige

struct LifelineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lifeline", abstract: "Tells one goroutine's whole story, in order.",
        discussion: """
            Who created it and where; each stretch of time that it spent in one state, with the reason, where it \
            was, and who ended it (woke it) and where that one was; in between its regions, tasks, log messages \
            and CPU profile samples; and its end. A state comes before what happened in it. Places are the innermost \
            frames outside of the parts of Go's library that wait for their callers; JSON and CSV have whole stacks.

            EXAMPLES
              vestige lifeline 18 orders.trace
              vestige lifeline 18 orders.trace --json | jq '.rows[] | select(.what == "Waiting")'

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("The goroutine's number.", valueName: "goroutine"))
    var goroutine: Int64

    @OptionGroup var analysis: AnalysisOptions

    @Flag(help: "One JSON object, for scripts. Times are nanoseconds.")
    var json = false

    @Flag(help: "CSV, with the same columns as the JSON.")
    var csv = false

    func validate() throws {
        if json, csv { throw ValidationError("--json and --csv exclude each other") }
    }

    func run() throws {
        // Of an archive, the recordings that have such a goroutine.
        var wanted = analysis
        if try !InputPath.entries(analysis.inputs).isEmpty { wanted.query.goroutine.append("\(goroutine)") }
        try wanted.report(show)
    }

    private func show(_ analysis: AnalysisOptions, _ part: ReportPart?) throws {
        let terminal = Terminal()
        var tables = TraceTables()
        var first: Int64 = 0
        var report = Report(name: "lifeline", columns: Self.columns({ tables }, { first }))
        report.emphasis = Self.emphasis
        let writer = ReportWriter(report, json ? .json : csv ? .csv : .text, terminal, part)
        var story = LifelineStory(of: GoroutineID(goroutine))
        let result = try analysis.run { batch throws(TraceError) in
            (tables, first) = (batch.tables, batch.firstNanoseconds)
            story.add(batch.events, batch.spans) { report.records.append($0) }
            if batch.events.isEmpty { story.finish { report.records.append($0) } }
            // Portions of a size that a table's widths can be found for.
            guard report.records.count >= 4096 || batch.events.isEmpty else { return }
            report.count += UInt64(report.records.count)
            if story.isKnown { try writer.write(report) }
            report.records.removeAll(keepingCapacity: true)
        }
        guard story.isKnown else { throw Self.unknown(goroutine, story, analysis.inputs) }
        try writer.finish(report)
        if !analysis.reporting.quiet { AnalysisOptions.sayLeftOut(writer.leftOut) }
        try analysis.checkLoss(result)
    }

    private static func unknown(_ goroutine: Int64, _ story: LifelineStory, _ inputs: [String]) -> TraceError {
        let near = [story.nearestBelow, story.nearestAbove].compactMap { $0.map { "\($0.rawValue)" } }
        let hint = near.isEmpty ? "it has none" : "the nearest are \(near.joined(separator: " and "))"
        return TraceError(
            .usage, file: inputs.joined(separator: " + "), expected: "a goroutine of the recording (\(hint))",
            found: "\(goroutine)")
    }

    private static func columns(
        _ tables: @escaping () -> TraceTables, _ first: @escaping () -> Int64
    ) -> [ReportColumn<LifelineEntry>] {
        var places = Places()
        let place = { (stack: StackID) -> ReportValue in
            stack == .absent ? .none : .text(tables().text(of: places.frame(places.number(of: stack, tables()))))
        }
        let whole = { (stack: StackID) -> ReportValue in
            stack == .absent ? .none : .text(tables().text(of: stack))
        }
        return [
            ReportColumn("time_ns", "at") { .nanoseconds($0.timeNanoseconds &- first()) },
            ReportColumn("what", "what", isText: true) { .text(title(of: $0)) },
            ReportColumn("duration_ns", "for") { $0.durationNanoseconds.map { .nanoseconds($0) } ?? .none },
            ReportColumn("name", "of", isText: true) { .text(name(of: $0, tables())) },
            ReportColumn("at", "where", isText: true) { place($0.stack) },
            ReportColumn("by", "by") { $0.other == .absent ? .none : .number($0.other.rawValue) },
            ReportColumn("by_at", "from where", .ifItFits, isText: true) { place($0.otherStack) },
            ReportColumn("task", "task", .ifItFits) { $0.task == .absent ? .none : .unsigned($0.task.rawValue) },
            ReportColumn("proc", "proc", .ifItFits) { $0.proc == .absent ? .none : .number(Int64($0.proc.rawValue)) },
            ReportColumn("thread", "thread", .machines) { $0.thread == .absent ? .none : .number($0.thread.rawValue) },
            ReportColumn("began_before", "before", .machines) { .flag($0.flags.contains(.beganBefore)) },
            ReportColumn("open", "open", .machines) { .flag($0.flags.contains(.isOpen)) },
            ReportColumn("stack", "stack", .machines, isText: true) { whole($0.stack) },
            ReportColumn("by_stack", "by stack", .machines, isText: true) { whole($0.otherStack) },
        ]
    }

    private static func title(of entry: LifelineEntry) -> String {
        switch entry.kind {
        case .created: "Created"
        case .state(let state): "\(state.name)"
        case .regionBegin: "RegionBegin"
        case .regionEnd: "RegionEnd"
        case .taskBegin: "TaskBegin"
        case .taskEnd: "TaskEnd"
        case .log: "Log"
        case .rangeBegin: "RangeBegin"
        case .rangeEnd: "RangeEnd"
        case .sample: "StackSample"
        case .ended: "Ended"
        }
    }

    private static func name(of entry: LifelineEntry, _ tables: TraceTables) -> String {
        let name = tables.strings.string(entry.name)
        guard case .log = entry.kind else { return name }
        let message = tables.strings.string(entry.message)
        return name.isEmpty ? message : "\(name): \(message)"
    }

    private static func emphasis(_ entry: LifelineEntry) -> Emphasis {
        switch entry.kind {
        case .state(.running): .running
        case .state(.waiting): .waiting
        case .state(.runnable): .ready
        case .state(.syscall): .inSystemCall
        case .state: .faint
        default: .none
        }
    }
}
