import VestigeCore
import VestigeStages

/// Waits by reason and place.
final class CSVWaitsTable: CSVTable {
    static let name = "waits"
    static let summary =
        "One row for each reason for which goroutines waited and place at which they did, the longest in total first."
    static let usesLifelines = true
    static let columns =
        [
            CSVColumn("reason", .string, "Why, in the Go runtime's own words, e.g. 'chan receive'."),
            CSVColumn(
                "place", .string,
                "Where: the innermost frame outside of the parts of Go's library that wait and lock for their callers "
                    + "(runtime, internal, sync, syscall, time, net, os, io, bufio), as 'function file:line'; empty if "
                    + "no stack tells."),
            CSVColumn("system", .boolean, "The goroutines belong to the Go runtime.", required: true),
        ] + CSVColumn.distribution("the waits") + [
            CSVColumn("open", .integer, "How many were not over when the recording was.", required: true, minimum: 0)
        ]

    private var statistics = WaitStatistics()

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for span in batch.spans { statistics.add(span, batch.tables) }
    }

    func finish(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for wait in statistics.rows.sorted(by: { $0.durations.total > $1.durations.total }) {
            row.text(wait.reason, batch.tables)
            row.message(batch.tables.text(of: wait.place))
            row.boolean(wait.isSystem)
            row.distribution(wait.durations)
            row.integer(wait.openCount)
            try row.end()
        }
    }
}
