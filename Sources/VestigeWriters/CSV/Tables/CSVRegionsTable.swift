import VestigeCore
import VestigeStages

/// The user's regions (`runtime/trace.WithRegion`, `StartRegion`).
final class CSVRegionsTable: CSVTable {
    static let name = "regions"
    static let summary = "One row for each region that the program marked, in the order in which they ended."
    static let usesLifelines = true
    static let columns =
        [
            CSVColumn("name", .string, "The region's name (its type, in Go's words)."),
            CSVColumn("task", .integer, "The task it belongs to; 0 is the background task.", minimum: 0),
            CSVColumn("goroutine", .integer, "The goroutine it is on."),
            .function,
            CSVColumn(
                "depth", .integer, "How many regions of the goroutine were open when it began.", required: true,
                minimum: 0),
        ] + CSVColumn.interval("the region") + [
            .stack("start_stack", "Where it began."),
            .stack("end_stack", "Where it ended."),
        ] + CSVColumn.flags("The region") + [.source]

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for span in batch.spans where span.kind == .region {
            row.text(span.name, batch.tables)
            row.task(TaskID(span.identifier))
            row.goroutine(span.goroutine)
            row.text(span.startFunction, batch.tables)
            row.integer(UInt64(span.depth))
            row.interval(span, since: batch.firstNanoseconds)
            row.stack(span.startStack, batch.tables)
            row.stack(span.endStack, batch.tables)
            row.flags(span.flags)
            row.integer(UInt64(span.source))
            try row.end()
        }
    }
}
