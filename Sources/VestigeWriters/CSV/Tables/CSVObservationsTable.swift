import VestigeCore

/// Goroutines as dumps and debuggers saw them.
final class CSVObservationsTable: CSVTable {
    static let name = "observations"
    static let summary =
        "One row for each goroutine that an observer outside the program saw at one instant, a dump or a debugger, or "
        + "for each group of alike ones, in their order."
    static let usesLifelines = false
    static let columns = [
        CSVColumn(
            "sequence", .integer, "Number of the event in the recording, counted from 0, as in JSON lines.",
            required: true, minimum: 0),
        CSVColumn("time_ns", .nanoseconds, "Nanoseconds since the recording's first event.", required: true),
        CSVColumn("clock_ns", .clock, "The time on the source's own clock, in nanoseconds.", required: true),
        CSVColumn("goroutine", .integer, "The goroutine's number; empty for a group, which has none."),
        CSVColumn("count", .integer, "How many goroutines the row stands for.", required: true, minimum: 0),
        CSVColumn("state", .string, "What it was doing.", required: true, values: CSVColumn.goroutineStates),
        CSVColumn("reason", .string, "The observer's own words for that, e.g. what it waits for."),
        CSVColumn(
            "wait_ns_at_least", .nanoseconds, "Nanoseconds that it has waited at least; empty where nothing is known.",
            minimum: 0),
        CSVColumn("minutes", .integer, "The same in the whole minutes of a dump."),
        CSVColumn("leaked", .boolean, "It is proved that it waits for ever.", required: true),
        CSVColumn("durable", .boolean, "Durably blocked, in the words of testing/synctest.", required: true),
        CSVColumn("scan", .boolean, "The garbage collector was scanning its stack.", required: true),
        CSVColumn("locked", .boolean, "Locked to its thread.", required: true),
        CSVColumn("system", .boolean, "It belongs to the runtime, as the observer says.", required: true),
        CSVColumn("stack_unavailable", .boolean, "The observer could not read its stack.", required: true),
        CSVColumn("bubble", .integer, "Number of its synctest bubble."),
        CSVColumn("created_by", .integer, "The goroutine that created it; empty where that is not said."),
        .stack("created_at", "The go statement that created it."),
        CSVColumn("ancestors", .string, "Numbers of its creator, that one's creator and so on, joined by ' < '."),
        CSVColumn("labels", .string, "pprof labels, as 'name=value' joined by '; '."),
        CSVColumn(
            "attributes", .string,
            "All else that the observer says, and what is doubtful about it, as 'name=value' joined by '; '."),
        CSVColumn("elided", .integer, "How many frames are left out of the stack; -1: it is not said how many."),
        CSVColumn("elided_after", .integer, "After how many frames, from the innermost, they are left out."),
        CSVColumn("stray", .integer, "How many lines in its stack belong to no frame; the stack is cut there."),
        .stack("stack", "Where it was."),
        .source,
    ]

    private var sequence: UInt64 = 0

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for event in batch.events {
            defer { sequence += 1 }
            guard event.kind == .observed else { continue }
            let detail = batch.tables.observations.detail(event.observationDetail)
            row.integer(sequence)
            row.time(event.timeNanoseconds &- batch.firstNanoseconds)
            row.clock(event.timeNanoseconds)
            row.goroutine(event.goroutine)
            row.integer(event.observedCount)
            row.word(event.toGoroutineState.name)
            row.text(event.name, batch.tables)
            let wait = event.leastWaitNanoseconds
            wait == 0 ? row.none() : row.nanoseconds(Int64(clamping: wait))
            writeFlags(detail, &row)
            writeOrigin(detail, batch.tables, &row)
            writeLists(detail, batch.tables, &row)
            row.integer(detail.elidedFrameCount, unless: 0)
            detail.elidedFrameCount == 0 ? row.none() : row.integer(detail.elidedAfter)
            row.integer(detail.strayLineCount, unless: 0)
            row.stack(event.stack, batch.tables)
            row.integer(UInt64(event.source))
            try row.end()
        }
    }

    /// The eight fields from `minutes` to `bubble`.
    private func writeFlags(_ detail: ObservationDetail, _ row: inout CSVRow) {
        if let minutes = detail.minutes { row.integer(minutes) } else { row.none() }
        for flag: ObservationDetail.Flags in [.leaked, .durable, .scan, .locked, .system, .stackUnavailable] {
            row.boolean(detail.flags.contains(flag))
        }
        if let bubble = detail.bubble { row.integer(bubble) } else { row.none() }
    }

    /// The three fields from `created_by` to `ancestors`.
    private func writeOrigin(_ detail: ObservationDetail, _ tables: TraceTables, _ row: inout CSVRow) {
        row.goroutine(detail.creation.goroutine)
        row.stack(detail.creation.stack, tables)
        guard !detail.ancestors.isEmpty else { return row.none() }
        row.message(detail.ancestors.map { "\($0.goroutine.rawValue)" }.joined(separator: " < "))
    }

    /// The fields `labels` and `attributes`.
    private func writeLists(_ detail: ObservationDetail, _ tables: TraceTables, _ row: inout CSVRow) {
        for list in [detail.labels, detail.attributes] {
            guard list != .empty else {
                row.none()
                continue
            }
            let items = tables.observations.attributes(list).map { item in
                "\(tables.strings.string(item.name))=\(tables.strings.string(item.value))"
            }
            row.message(items.joined(separator: "; "))
        }
    }
}
