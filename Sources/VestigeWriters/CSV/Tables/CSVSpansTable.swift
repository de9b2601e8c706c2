import VestigeCore
import VestigeStages

/// What each goroutine did when: one row a stretch of time in one state.
final class CSVSpansTable: CSVTable {
    static let name = "spans"
    static let summary =
        "One row for each stretch of time that a goroutine spent in one state, in the order in which they ended."
    static let usesLifelines = true
    static let columns =
        [
            CSVColumn("goroutine", .integer, "The goroutine's number.", required: true),
            .function,
            CSVColumn(
                "state", .string, "What it was doing; Undetermined before the recording tells.", required: true,
                values: CSVColumn.goroutineStates),
            CSVColumn(
                "reason", .string, "Why it went into the state, in the Go runtime's own words, e.g. 'chan receive'."),
        ] + CSVColumn.interval("the state") + [
            CSVColumn("proc", .integer, "The proc it ran on (Running)."),
            CSVColumn("thread", .integer, "The thread it was on (Running, Syscall)."),
            CSVColumn(
                "woken_by", .integer,
                "The goroutine that ended the state from outside, e.g. by sending to the channel that it waited for; "
                    + "empty if it did so itself, or a timer, the network or the scheduler did."),
            .stack("stack", "Where it was when the state began; of Waiting: where it blocks."),
            .stack("end_stack", "Where it was when the state ended."),
            .stack("woken_by_stack", "Where the goroutine in woken_by was."),
        ] + CSVColumn.flags("The state") + [.source]

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for span in batch.spans where span.kind == .goroutineState {
            row.integer(span.goroutine.rawValue)
            row.text(span.startFunction, batch.tables)
            row.word(span.state.name)
            row.text(span.name, batch.tables)
            row.interval(span, since: batch.firstNanoseconds)
            row.proc(span.proc)
            row.thread(span.thread)
            row.goroutine(span.endedBy)
            row.stack(span.startStack, batch.tables)
            row.stack(span.endStack, batch.tables)
            row.stack(span.endedByStack, batch.tables)
            row.flags(span.flags)
            row.integer(UInt64(span.source))
            try row.end()
        }
    }
}
