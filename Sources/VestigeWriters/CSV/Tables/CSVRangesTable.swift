import VestigeCore
import VestigeStages

/// What lasts in the runtime: garbage collection, sweeping, mark assists, stopped worlds.
final class CSVRangesTable: CSVTable {
    static let name = "ranges"
    static let summary =
        "One row for each stretch of garbage collection, sweeping, mark assist or stopped world, in the order in which "
        + "they ended."
    static let usesLifelines = true
    static let columns =
        [
            CSVColumn("name", .string, "What it is, e.g. 'GC concurrent mark phase'."),
            CSVColumn(
                "scope", .string, "What it is bound to; 'none' is the whole program.", required: true,
                values: Scope.allCases.map { "\($0.name)" }),
            CSVColumn("scope_id", .integer, "The number of that goroutine or proc."),
            CSVColumn("goroutine", .integer, "The goroutine it is bound to, else the one in whose context it began."),
        ] + CSVColumn.interval("it") + [
            CSVColumn("swept_bytes", .integer, "Of a sweep that ended: bytes swept.", minimum: 0),
            CSVColumn("reclaimed_bytes", .integer, "Of a sweep that ended: bytes reclaimed.", minimum: 0),
            CSVColumn(
                "was_active", .boolean, "It was reported as going on, at start_ns, and may have begun earlier.",
                required: true),
            .stack("start_stack", "Where it began."),
            .stack("end_stack", "Where it ended."),
        ] + CSVColumn.flags("It") + [.source]

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for span in batch.spans where span.kind == .range {
            row.text(span.name, batch.tables)
            row.word(span.scope.name)
            span.scope == .global ? row.none() : row.integer(Int64(bitPattern: span.identifier))
            row.goroutine(span.goroutine)
            row.interval(span, since: batch.firstNanoseconds)
            let isSweep = span.attribute0 > 0 || span.attribute1 > 0
            isSweep ? row.integer(span.attribute0) : row.none()
            isSweep ? row.integer(span.attribute1) : row.none()
            row.boolean(span.wasActive)
            row.stack(span.startStack, batch.tables)
            row.stack(span.endStack, batch.tables)
            row.flags(span.flags)
            row.integer(UInt64(span.source))
            try row.end()
        }
    }
}
