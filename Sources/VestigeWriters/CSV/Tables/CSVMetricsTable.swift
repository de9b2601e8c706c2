import VestigeCore
import VestigeStages

/// The runtime's metrics: heap, heap goal, GOMAXPROCS.
final class CSVMetricsTable: CSVTable {
    static let name = "metrics"
    static let summary = "One row for each change of a metric of Go's runtime, in order."
    static let usesLifelines = false
    static let columns = [
        CSVColumn("time_ns", .nanoseconds, "Nanoseconds since the recording's first event.", required: true),
        CSVColumn("clock_ns", .clock, "The time on the source's own clock, in nanoseconds.", required: true),
        CSVColumn("name", .string, "The metric's name, e.g. '/memory/classes/heap/objects:bytes'."),
        CSVColumn("value", .integer, "Its value from then on.", required: true, minimum: 0),
        CSVColumn("unit", .string, "The value's unit: what follows the colon in the name, e.g. 'bytes'."),
        CSVColumn("goroutine", .integer, "The goroutine in whose context it changed."),
        CSVColumn("proc", .integer, "The proc on which it changed."),
        CSVColumn(
            "synthetic", .boolean, "It had that value before: derived, to give it where a time window begins.",
            required: true),
        .source,
    ]

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for event in batch.events where event.kind == .metric {
            row.time(event.timeNanoseconds &- batch.firstNanoseconds)
            row.clock(event.timeNanoseconds)
            row.text(event.name, batch.tables)
            row.integer(event.value)
            row.message(batch.tables.metricUnit(event.name))
            row.goroutine(event.goroutine)
            row.proc(event.proc)
            row.boolean(event.isSynthetic)
            row.integer(UInt64(event.source))
            try row.end()
        }
    }
}

extension TraceTables {
    /// What follows the last colon in a metric's name; empty if there is none.
    public func metricUnit(_ name: StringID) -> UnsafeBufferPointer<UInt8> {
        let bytes = strings.bytes(name)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return UnsafeBufferPointer(rebasing: bytes[(colon + 1)...])
    }
}
