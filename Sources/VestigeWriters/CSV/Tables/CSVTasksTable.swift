import VestigeCore
import VestigeStages

/// The user's tasks (`runtime/trace.NewTask`).
final class CSVTasksTable: CSVTable {
    static let name = "tasks"
    static let summary = "One row for each task that the program marked, in the order in which they ended."
    static let usesLifelines = true
    static let columns =
        [
            CSVColumn("task", .integer, "The task's number.", minimum: 0),
            CSVColumn(
                "parent_task", .integer,
                "The task it was created in; empty for none (Go 1.21 and earlier say 0 where the begin is lost).",
                minimum: 0),
            CSVColumn("name", .string, "The task's name (its type, in Go's words)."),
            CSVColumn("begun_by", .integer, "The goroutine that began it."),
            CSVColumn("ended_by", .integer, "The goroutine that ended it."),
        ] + CSVColumn.interval("the task") + [
            .stack("start_stack", "Where it began."),
            .stack("end_stack", "Where it ended."),
        ] + CSVColumn.flags("The task") + [.source]

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for span in batch.spans where span.kind == .task {
            row.task(TaskID(span.identifier))
            row.task(span.parentTask)
            row.text(span.name, batch.tables)
            row.goroutine(span.goroutine)
            row.goroutine(span.endedBy)
            row.interval(span, since: batch.firstNanoseconds)
            row.stack(span.startStack, batch.tables)
            row.stack(span.endedByStack, batch.tables)
            row.flags(span.flags)
            row.integer(UInt64(span.source))
            try row.end()
        }
    }
}
