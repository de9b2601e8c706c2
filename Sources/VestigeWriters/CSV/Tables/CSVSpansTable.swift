import VestigeCore
import VestigeStages

/// What each goroutine did when: one row a stretch of time in one state.
final class CSVSpansTable: CSVTable {
    static let name = "spans"
    static let summary =
        "One row for each stretch of time that a goroutine spent in one state, in the order in which they ended."
    static let usesLifelines = true
    static let isDivisible = true
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
        guard row.isPlain else { return try Self.write(batch, to: &row) }
        // There are as many spans as events, so that their rows are worth a shorter way.
        var plain = row.plain()
        try Self.write(batch, to: &plain)
        row.resume(plain)
    }

    @inline(__always)
    private static func write(_ batch: CSVBatch, to row: inout some CSVFields) throws(TraceError) {
        guard let spans = batch.spans.baseAddress else { return }
        // By pointer: a copy of a span that methods are handed would lie in memory.
        for span in spans..<spans + batch.spans.count where span.pointee.kind == .goroutineState {
            row.number(of: span.pointee.goroutine.rawValue)
            row.text(span.pointee.startFunction, batch.tables)
            row.state(span.pointee.state)
            row.text(span.pointee.name, batch.tables)
            row.interval(span.pointee, since: batch.firstNanoseconds)
            row.proc(span.pointee.proc)
            row.thread(span.pointee.thread)
            row.goroutine(span.pointee.endedBy)
            row.stack(span.pointee.startStack, batch.tables)
            row.stack(span.pointee.endStack, batch.tables)
            row.stack(span.pointee.endedByStack, batch.tables)
            row.flags(span.pointee.flags)
            row.integer(UInt64(span.pointee.source))
            try row.end()
        }
    }
}
