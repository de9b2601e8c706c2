import VestigeCore
import VestigeStages

/// The user's log messages (`runtime/trace.Log`, `Logf`).
final class CSVLogsTable: CSVTable {
    static let name = "logs"
    static let summary = "One row for each message that the program logged into the recording, in order."
    static let usesLifelines = false
    static let columns = [
        CSVColumn("time_ns", .nanoseconds, "Nanoseconds since the recording's first event.", required: true),
        CSVColumn("clock_ns", .clock, "The time on the source's own clock, in nanoseconds.", required: true),
        CSVColumn("goroutine", .integer, "The goroutine that logged it."),
        CSVColumn("proc", .integer, "The proc it ran on."),
        CSVColumn("thread", .integer, "The thread it ran on."),
        CSVColumn("task", .integer, "The task it belongs to; 0 is the background task.", minimum: 0),
        CSVColumn("category", .string, "The message's category."),
        CSVColumn("message", .string, "The message's text."),
        .stack("stack", "Where it was logged."),
        .source,
    ]

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for event in batch.events where event.kind == .log {
            row.time(event.timeNanoseconds &- batch.firstNanoseconds)
            row.clock(event.timeNanoseconds)
            row.goroutine(event.goroutine)
            row.proc(event.proc)
            row.thread(event.thread)
            row.task(event.task)
            row.text(event.name, batch.tables)
            row.message(event.message, batch.tables)
            row.stack(event.stack, batch.tables)
            row.integer(UInt64(event.source))
            try row.end()
        }
    }
}
