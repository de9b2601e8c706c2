import VestigeCore
import VestigeStages

/// The recording in numbers.
final class CSVSummaryTable: CSVTable {
    static let name = "summary"
    static let summary = "One row for each number that sums up the recording."
    static let usesLifelines = true
    static let columns = [
        CSVColumn(
            "section", .string, "What the number is about.", required: true,
            values: [
                "recording", "events", "goroutines", "goroutine time", "regions", "tasks", "ranges", "metrics", "lost",
            ]),
        CSVColumn(
            "name", .string,
            "What it is: the kind of events, the state of goroutines, the name of the region, task, range, metric or "
                + "counter of losses."),
        CSVColumn(
            "measure", .string,
            "What of it: how many there were; how many had begun before the recording or had not ended with it (count "
                + "is then of the others); nanoseconds in total; a metric's last and greatest value.", required: true,
            values: ["count", "began before", "open", "total", "last", "greatest"]),
        CSVColumn("value", .integer, "The number; with the unit s a decimal one.", required: true),
        CSVColumn("unit", .string, "Its unit: 'ns' (for spreadsheets 's'), 'bytes' and the like; empty for a count."),
    ]

    private var firstNanoseconds: Int64?
    private var lastNanoseconds: Int64 = 0
    private var eventCounts = [UInt64](repeating: 0, count: EventKind.allCases.count)
    private var createdCount: UInt64 = 0
    private var endedCount: UInt64 = 0
    private var lifeCount: UInt64 = 0
    private var finalStates = [UInt64](repeating: 0, count: GoroutineState.allCases.count)
    private var stateNanoseconds = [Int64](repeating: 0, count: GoroutineState.allCases.count)
    private var regions = NameStatistics(.region)
    private var tasks = NameStatistics(.task)
    private var ranges = NameStatistics(.range)
    private var metrics = MetricStatistics()

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for event in batch.events where !event.isSynthetic { eventCounts[Int(event.kind.rawValue)] += 1 }
        // Of several processes, this one may begin later.
        firstNanoseconds = firstNanoseconds ?? batch.events.first?.timeNanoseconds
        if let last = batch.events.last { lastNanoseconds = last.timeNanoseconds }
        metrics.add(batch.events)
        for span in batch.spans where span.kind != .goroutineState {
            regions.add(span)
            tasks.add(span)
            ranges.add(span)
        }
        for life in batch.lives { add(life) }
    }

    private func add(_ life: GoroutineLife) {
        lifeCount += 1
        if life.isCreationKnown { createdCount += 1 }
        if life.hasEnded { endedCount += 1 } else { finalStates[Int(life.finalState.rawValue)] += 1 }
        for state in GoroutineState.allCases {
            let index = Int(state.rawValue)
            stateNanoseconds[index] = stateNanoseconds[index].addingSaturating(life.nanoseconds(in: state))
        }
    }

    func finish(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        var writer = SummaryRows(row: row, tables: batch.tables)
        defer { row = writer.row }
        try writer.time(
            "recording", "duration", max(0, lastNanoseconds &- (firstNanoseconds ?? batch.firstNanoseconds)))
        try writer.count("recording", "inputs", UInt64(batch.tables.sources.count))
        try writer.count("events", "all", eventCounts.reduce(0, +))
        for kind in EventKind.allCases where kind != .procTransition {
            // Both kinds of transitions have the same name.
            let procs = kind == .goroutineTransition ? eventCounts[Int(EventKind.procTransition.rawValue)] : 0
            try writer.count("events", "\(kind.name)", eventCounts[Int(kind.rawValue)] + procs)
        }
        try writer.count("goroutines", "all", lifeCount)
        try writer.count("goroutines", "created", createdCount)
        try writer.count("goroutines", "ended", endedCount)
        for state in GoroutineState.allCases where state != .notExist {
            try writer.count("goroutines", "at the end \(state.name)", finalStates[Int(state.rawValue)])
        }
        for state in GoroutineState.allCases where state != .notExist {
            try writer.time("goroutine time", "\(state.name)", stateNanoseconds[Int(state.rawValue)])
        }
        try writer.names("regions", regions.rows)
        try writer.names("tasks", tasks.rows)
        try writer.names("ranges", ranges.rows)
        try writer.metrics(metrics.rows)
        for (counter, count) in batch.diagnostics?.nonZero ?? [] { try writer.count("lost", counter.rawValue, count) }
    }
}

extension GoroutineLife {
    /// Nanoseconds that it spent in a state.
    public func nanoseconds(in state: GoroutineState) -> Int64 {
        switch state {
        case .undetermined: undeterminedNanoseconds
        case .runnable: runnableNanoseconds
        case .running: runningNanoseconds
        case .waiting: waitingNanoseconds
        case .syscall: syscallNanoseconds
        case .notExist: 0
        }
    }
}

/// Writes rows of the summary.
private struct SummaryRows {
    var row: CSVRow
    let tables: TraceTables

    mutating func count(_ section: StaticString, _ name: String, _ value: UInt64) throws(TraceError) {
        row.word(section)
        row.message(name)
        row.word("count")
        row.integer(value)
        row.none()
        try row.end()
    }

    mutating func time(_ section: StaticString, _ name: String, _ nanoseconds: Int64) throws(TraceError) {
        row.word(section)
        row.message(name)
        row.word("total")
        row.nanoseconds(nanoseconds)
        row.timeUnit()
        try row.end()
    }

    mutating func names(_ section: StaticString, _ rows: [NameStatistics.Row]) throws(TraceError) {
        for statistics in rows {
            let name = tables.strings.string(statistics.name)
            try count(section, name, statistics.durations.count)
            if statistics.beganBeforeCount > 0 { try value(section, name, "began before", statistics.beganBeforeCount) }
            if statistics.openCount > 0 { try value(section, name, "open", statistics.openCount) }
            try time(section, name, statistics.durations.total)
        }
    }

    mutating func metrics(_ rows: [MetricStatistics.Row]) throws(TraceError) {
        for metric in rows {
            let name = tables.strings.string(metric.name)
            let unit = tables.metricUnit(metric.name)
            try count("metrics", name, metric.count)
            try value("metrics", name, "last", metric.last, unit)
            try value("metrics", name, "greatest", metric.greatest, unit)
        }
    }

    private mutating func value(
        _ section: StaticString, _ name: String, _ measure: StaticString, _ value: UInt64,
        _ unit: UnsafeBufferPointer<UInt8> = UnsafeBufferPointer(start: nil, count: 0)
    ) throws(TraceError) {
        row.word(section)
        row.message(name)
        row.word(measure)
        row.integer(value)
        row.message(unit)
        try row.end()
    }
}
