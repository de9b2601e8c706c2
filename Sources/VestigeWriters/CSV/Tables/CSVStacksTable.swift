import VestigeCore
import VestigeStages

/// Stacks with what happened there.
final class CSVStacksTable: CSVTable {
    static let name = "stacks"
    static let summary = "One row for each stack at which a goroutine waited or a CPU profile sample was taken."
    static let usesLifelines = true
    static let columns = [
        CSVColumn("samples", .integer, "CPU profile samples taken there.", required: true, minimum: 0),
        CSVColumn("waits", .integer, "How often a goroutine waited there.", required: true, minimum: 0),
        CSVColumn("wait_ns", .nanoseconds, "Nanoseconds waited there, of all goroutines.", required: true, minimum: 0),
        .stack("stack", "The stack; empty for waits and samples that have none."),
    ]

    private var statistics = StackStatistics()

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        statistics.add(batch.events, batch.tables)
        for span in batch.spans { statistics.add(span, batch.tables) }
    }

    func finish(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for stack in statistics.rows {
            row.integer(stack.sampleCount)
            row.integer(stack.waitCount)
            row.nanoseconds(stack.waitNanoseconds)
            row.stack(stack.stack, batch.tables)
            try row.end()
        }
    }
}
