import Vestige

extension InfoReport {
    /// One JSON object and a line break. Times are nanoseconds; what is not known is left out.
    static func json(_ info: TraceInfo) -> String {
        let object = JSONObject()
        let (source, counts) = (info.source, info.counts)
        object.add("file", info.path)
        object.add("format", info.format)
        object.add("source_format", source.format == info.format ? nil : source.format)
        object.add("format_version", source.formatVersion)
        object.add("go_version", source.goVersion)
        object.add("file_bytes", info.fileSize.map(Int64.init(clamping:)))
        object.add("clock", source.clock.rawValue)
        object.add("ticks_per_second", source.ticksPerSecond.map(Int64.init(clamping:)))
        object.add("start_unix_ns", info.startUnixNanoseconds)
        object.add("first_ns", counts.firstNanoseconds)
        object.add("last_ns", counts.lastNanoseconds)
        object.add("duration_ns", info.durationNanoseconds)
        object.add("generations", source.generationCount.map(Int64.init))
        object.add("events", counts.eventCount)
        object.add("events_by_kind", kinds(counts))
        object.add("goroutines", goroutines(counts))
        object.add("observed", observed(counts.observed))
        object.add("procs", Int64(counts.procCount))
        object.add("threads", Int64(counts.threadCount))
        object.add("tasks", beginsAndEnds(counts.tasksBegun, counts.tasksEnded))
        object.add("regions", beginsAndEnds(counts.regionsBegun, counts.regionsEnded))
        object.add("logs", counts.logCount)
        object.add("has_loss", info.hasLoss)
        object.add("diagnostics", diagnostics(info.diagnostics))
        object.add("defects", info.diagnostics.errors.map(\.description))
        object.add("ends_early", info.failure?.description)
        return object.text + "\n"
    }

    private static func kinds(_ counts: TraceCounts) -> JSONObject {
        let object = JSONObject()
        let transitions = EventKind.goroutineTransition.rawValue...EventKind.procTransition.rawValue
        for kind in EventKind.allCases where !transitions.contains(kind.rawValue) {
            object.add("\(kind.name)", counts.number(of: kind))
        }
        object.add("StateTransition", transitions.reduce(0) { $0 + counts.eventsByKind[Int($1)] })
        return object
    }

    private static func goroutines(_ counts: TraceCounts) -> JSONObject {
        let object = JSONObject()
        object.add("total", counts.goroutineCount)
        object.add("created", counts.goroutinesCreated)
        object.add("ended", counts.goroutinesEnded)
        object.add("at_most", Int64(counts.goroutinesAtMost))
        let states = JSONObject()
        for state in GoroutineState.allCases where counts.goroutinesAtEnd[Int(state.rawValue)] > 0 {
            states.add("\(state.name)", counts.goroutinesAtEnd[Int(state.rawValue)])
        }
        object.add("at_end", states)
        return object
    }

    private static func observed(_ counts: ObservedCounts) -> JSONObject {
        let object = JSONObject()
        object.add("total", counts.total)
        object.add("groups", counts.groups)
        object.add("leaked", counts.leaked)
        let states = JSONObject()
        for state in GoroutineState.allCases where counts.byState[Int(state.rawValue)] > 0 {
            states.add("\(state.name)", counts.byState[Int(state.rawValue)])
        }
        object.add("by_state", states)
        return object
    }

    private static func beginsAndEnds(_ begun: UInt64, _ ended: UInt64) -> JSONObject {
        let object = JSONObject()
        object.add("begun", begun)
        object.add("ended", ended)
        return object
    }

    private static func diagnostics(_ diagnostics: Diagnostics) -> JSONObject {
        let object = JSONObject()
        for (counter, count) in diagnostics.nonZero { object.add(counter.rawValue, count) }
        return object
    }
}
