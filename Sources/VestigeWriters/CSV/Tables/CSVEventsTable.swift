import VestigeCore
import VestigeStages

/// Every event, as it is.
final class CSVEventsTable: CSVTable {
    static let name = "events"
    static let summary = "One row for each event of the recording, in order."
    static let usesLifelines = false
    static let isDivisible = true
    static let columns = [
        CSVColumn("sequence", .integer, "The event's place in the recording, from 0.", required: true, minimum: 0),
        CSVColumn("time_ns", .nanoseconds, "Nanoseconds since the recording's first event.", required: true),
        CSVColumn("clock_ns", .clock, "The time on the source's own clock, in nanoseconds.", required: true),
        CSVColumn(
            "kind", .string, "What happened, in the words of Go's trace reader.", required: true,
            values: EventKind.allCases.map { "\($0.name)" }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }),
        CSVColumn("goroutine", .integer, "The goroutine in whose context it happened, as it was before the event."),
        CSVColumn("proc", .integer, "The proc it happened on."),
        CSVColumn("thread", .integer, "The thread it happened on."),
        CSVColumn(
            "resource", .string, "What changes state, or what a range or label is bound to; 'none' is the program.",
            values: ["goroutine", "proc", "none"]),
        CSVColumn("resource_id", .integer, "The number of that goroutine or proc."),
        CSVColumn("from", .string, "Of a StateTransition: the state before.", values: stateNames),
        CSVColumn("to", .string, "Of a StateTransition: the state after.", values: stateNames),
        CSVColumn(
            "name", .string,
            "Name of the range, metric, label or experimental event; type of the task or region; category of the log "
                + "message; reason of the transition."),
        CSVColumn(
            "task", .integer, "The task, of tasks, regions and log messages; 0 is the background task.", minimum: 0),
        CSVColumn("parent_task", .integer, "Of a task: the task it was created in.", minimum: 0),
        CSVColumn("value", .integer, "Value of a metric; number of a Sync.", minimum: 0),
        CSVColumn("message", .string, "Text of a log message."),
        CSVColumn(
            "arguments", .string,
            "What else an event tells, as 'name=value' joined by '; ': bytes of a sweep, the clocks of a Sync, "
                + "arguments of experimental events (of an ExperimentalBatch only the number of its bytes)."),
        .stack("stack", "Where the goroutine of the context was."),
        .stack("resource_stack", "Of a StateTransition: where the goroutine that changes state was."),
        CSVColumn(
            "synthetic", .boolean, "No input says this: it was derived, to give the states where a time window begins.",
            required: true),
        .source,
    ]
    private static let stateNames =
        CSVColumn.goroutineStates
        + ProcState.allCases.map { "\($0.name)" }.filter { !CSVColumn.goroutineStates.contains($0) }

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        var sequence = batch.firstSequence
        for event in batch.events {
            row.integer(sequence)
            sequence += 1
            row.time(event.timeNanoseconds &- batch.firstNanoseconds)
            row.clock(event.timeNanoseconds)
            row.word(event.kind.name)
            row.goroutine(event.goroutine)
            row.proc(event.proc)
            row.thread(event.thread)
            writeResource(event, &row)
            row.text(event.name, batch.tables)
            writeDetails(event, batch.tables, &row)
            row.stack(event.stack, batch.tables)
            event.kind == .goroutineTransition ? row.stack(event.transitionStack, batch.tables) : row.none()
            row.boolean(event.isSynthetic)
            row.integer(UInt64(event.source))
            try row.end()
        }
    }

    /// The four fields from `resource` to `to`.
    private func writeResource(_ event: Event, _ row: inout CSVRow) {
        switch event.kind {
        case .goroutineTransition:
            row.word("goroutine")
            row.goroutine(event.subjectGoroutine)
            row.word(event.fromGoroutineState.name)
            return row.word(event.toGoroutineState.name)
        case .procTransition:
            row.word("proc")
            row.proc(event.subjectProc)
            row.word(event.fromProcState.name)
            return row.word(event.toProcState.name)
        case .rangeBegin, .rangeActive, .rangeEnd, .label:
            row.word(event.scope.name)
            event.scope == .global ? row.none() : row.integer(event.scopeID)
        default:
            row.none()
            row.none()
        }
        row.none()
        row.none()
    }

    /// The five fields from `task` to `arguments`.
    private func writeDetails(_ event: Event, _ tables: TraceTables, _ row: inout CSVRow) {
        let isTask = event.kind == .taskBegin || event.kind == .taskEnd
        let isInTask = isTask || event.kind == .regionBegin || event.kind == .regionEnd || event.kind == .log
        isInTask ? row.task(event.task) : row.none()
        isTask ? row.task(event.parentTask) : row.none()
        switch event.kind {
        case .metric: row.integer(event.value)
        case .sync: row.integer(UInt64(bitPattern: event.syncNumber))
        default: row.none()
        }
        event.kind == .log ? row.message(event.message, tables) : row.none()
        let arguments = Self.arguments(of: event, tables)
        arguments.isEmpty ? row.none() : row.message(arguments)
    }

    /// Empty for nearly all events; the others are rare enough to build a String.
    private static func arguments(of event: Event, _ tables: TraceTables) -> String {
        switch event.kind {
        case .rangeEnd where event.attributeCount > 0:
            let reclaimed = event.attributeCount > 1 ? "; bytes reclaimed=\(event.bytesReclaimed)" : ""
            return "bytes swept=\(event.bytesSwept)" + reclaimed
        case .sync:
            guard let index = event.clockSnapshotIndex, tables.clockSnapshots.indices.contains(index) else { return "" }
            let clock = tables.clockSnapshots[index]
            return "trace=\(clock.traceNanoseconds); monotonic=\(clock.monotonicNanoseconds); "
                + "wall=\(clock.wallUnixNanoseconds)"
        case .experimental:
            let shapes = tables.experimentalShapes
            guard shapes.indices.contains(event.experimentalShapeIndex) else { return "" }
            let shape = shapes[event.experimentalShapeIndex]
            let values = [event.argument0, event.argument1, event.argument2]
            let experiment = "experiment=\(tables.strings.string(shape.experiment))"
            return zip(shape.argumentNames, values)
                .reduce(experiment) { "\($0); \(tables.strings.string($1.0))=\($1.1)" }
        case .experimentalBatch:
            return "bytes=\(tables.strings.bytes(event.payload).count)"
        default: return ""
        }
    }
}
