import VestigeCore
import VestigeStages

/// The goroutines: one row a life.
final class CSVGoroutinesTable: CSVTable {
    static let name = "goroutines"
    static let summary =
        "One row for each life of a goroutine: those that ended in the order of their ends, then those alive at the "
        + "recording's end by number. A number that was used again has several rows."
    static let usesLifelines = true
    static let columns = [
        CSVColumn("goroutine", .integer, "The goroutine's number.", required: true),
        .function,
        CSVColumn(
            "system", .boolean,
            "It belongs to the Go runtime: function is unknown, or of package runtime and not runtime.main.",
            required: true),
        CSVColumn("created", .boolean, "Its creation is in the recording, at first_ns.", required: true),
        CSVColumn("created_by", .integer, "The goroutine that created it; empty if none did, or it is not known."),
        CSVColumn(
            "first_ns", .nanoseconds, "When it is first heard of: nanoseconds since the recording's first event.",
            required: true),
        CSVColumn(
            "last_ns", .nanoseconds,
            "When it ended, else when the recording did: nanoseconds since the recording's first event.",
            required: true),
        CSVColumn(
            "first_clock_ns", .clock, "first_ns on the source's own clock, in nanoseconds.", required: true),
        CSVColumn("ended", .boolean, "It ended in the recording.", required: true),
        CSVColumn(
            "final_state", .string, "Its state at last_ns.", required: true, values: CSVColumn.goroutineStates),
        CSVColumn("final_reason", .string, "Why it went into that state."),
        CSVColumn(
            "undetermined_ns", .nanoseconds,
            "Nanoseconds before first_ns: it was alive, the recording does not say how.",
            required: true, minimum: 0),
        CSVColumn("runnable_ns", .nanoseconds, "Nanoseconds ready to run without a proc.", required: true, minimum: 0),
        CSVColumn("running_ns", .nanoseconds, "Nanoseconds running.", required: true, minimum: 0),
        CSVColumn("waiting_ns", .nanoseconds, "Nanoseconds blocked.", required: true, minimum: 0),
        CSVColumn("syscall_ns", .nanoseconds, "Nanoseconds in system calls or C code.", required: true, minimum: 0),
        CSVColumn(
            "transitions", .integer, "How often it changed its state, its creation and its end included.",
            required: true, minimum: 0),
        CSVColumn("samples", .integer, "CPU profile samples taken of it.", required: true, minimum: 0),
        .stack("creation_stack", "Where its creator was."),
        .stack("final_stack", "Where it was when it went into its final state."),
        .source,
    ]

    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {
        for life in batch.lives {
            row.integer(life.goroutine.rawValue)
            row.text(life.startFunction, batch.tables)
            row.boolean(life.isSystem(batch.tables))
            row.boolean(life.isCreationKnown)
            row.goroutine(life.creator)
            row.nanoseconds(life.firstSeenNanoseconds &- batch.firstNanoseconds)
            row.nanoseconds(life.lastNanoseconds &- batch.firstNanoseconds)
            row.clock(life.firstSeenNanoseconds)
            row.boolean(life.hasEnded)
            row.word(life.finalState.name)
            row.text(life.finalReason, batch.tables)
            row.nanoseconds(life.undeterminedNanoseconds)
            row.nanoseconds(life.runnableNanoseconds)
            row.nanoseconds(life.runningNanoseconds)
            row.nanoseconds(life.waitingNanoseconds)
            row.nanoseconds(life.syscallNanoseconds)
            row.integer(UInt64(life.transitionCount))
            row.integer(UInt64(life.stackSampleCount))
            row.stack(life.creationStack, batch.tables)
            row.stack(life.finalStack, batch.tables)
            row.integer(UInt64(life.source))
            try row.end()
        }
    }
}
