import Vestige

/// Says where inputs were placed in time, and why there.
enum AlignmentReport {
    static func lines(_ tables: TraceTables, firstNanoseconds: Int64) -> [String] {
        tables.sources.flatMap { source in
            source.alignments.map { "\(source.path): \(line($0, firstNanoseconds))" }
        }
    }

    static func line(_ alignment: SourceAlignment, _ firstNanoseconds: Int64) -> String {
        let time = Units.duration(alignment.timeNanoseconds &- firstNanoseconds)
        var text = "placed at \(time): \(reason(alignment.method))"
        let total = alignment.agreeing + alignment.differing + alignment.unseen
        if total > 0 { text += "; \(alignment.agreeing) of \(total) \(things(alignment.method)) agree" }
        if alignment.rivals > 0 {
            let rival = alignment.rivalNanoseconds.map { ", e.g. \(Units.duration($0 &- firstNanoseconds))" } ?? ""
            text += "; \(Units.counted(alignment.rivals, "other place")) fit as well\(rival) (--at chooses)"
        }
        return text
    }

    private static func things(_ method: SourceAlignment.Method) -> String {
        method == .lifecycle ? "births and deaths" : "goroutines"
    }

    static func reason(_ method: SourceAlignment.Method) -> String {
        switch method {
        case .manual: "as --at says"
        case .stopTheWorld: "the recording stops the world there to write a dump"
        case .silence: "the recording is silent there, as under a debugger"
        case .lifecycle: "goroutines begin and end there as in the debugger's log"
        case .end: "the recording ends there"
        case .states: "the goroutines are in the states that the dump shows"
        case .monotonicClock: "both read the machine's monotonic clock"
        case .wallClock: "both know the wall clock"
        }
    }
}
