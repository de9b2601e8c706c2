import Glibc
import Vestige

/// `TraceInfo` for people and for scripts.
enum InfoReport {
    static func text(_ info: TraceInfo) -> String {
        let rows =
            general(info) + contents(info.counts) + observations(info.counts) + events(info.counts) + losses(info)
        let body = rows.map { name, value in
            value.isEmpty
                ? "  \(name)\n"
                : "  \(name)\(String(repeating: " ", count: max(1, 32 - name.count)))\(Console.escaped(value))\n"
        }
        return Console.escaped(info.path) + "\n" + body.joined()
    }

    private static func general(_ info: TraceInfo) -> [(String, String)] {
        let source = info.source
        let version = [source.formatVersion, source.goVersion.map { "recorded by Go \($0)" }].compactMap { $0 }
        let original = source.format == info.format ? [] : ["made from \(source.format)"]
        var rows = [("format", ([info.format] + original + version).joined(separator: ", "))]
        if let size = info.fileSize { rows.append(("size", Units.bytes(size))) }
        if let start = info.startUnixNanoseconds { rows.append(("recorded", date(start))) }
        rows.append(("duration", Units.duration(info.durationNanoseconds)))
        rows.append(("clock", clock(source)))
        if let generations = source.generationCount { rows.append(("generations", "\(generations)")) }
        return rows
    }

    private static func clock(_ source: SourceInfo) -> String {
        let meaning =
            switch source.clock {
            case .monotonic: "monotonic, comparable among recordings of one boot"
            case .relative: "relative to the recording's beginning"
            case .wall: "wall clock"
            case .unknown: "unknown"
            }
        return source.ticksPerSecond.map { "\(meaning); \(Units.grouped($0)) ticks per second" } ?? meaning
    }

    private static func observations(_ counts: TraceCounts) -> [(String, String)] {
        let observed = counts.observed
        guard counts.number(of: .observed) > 0 else { return [] }
        let states = GoroutineState.allCases.compactMap { state in
            let count = observed.byState[Int(state.rawValue)]
            return count == 0 ? nil : "\(Units.grouped(count)) \(state == .undetermined ? "not said" : "\(state.name)")"
        }
        let groups = observed.groups == 0 ? "" : ", in \(Units.grouped(observed.groups)) groups without numbers"
        return [
            ("goroutines observed", Units.grouped(observed.total) + groups),
            ("  at that moment", states.isEmpty ? "none" : states.joined(separator: ", ")),
            ("  proved to leak", Units.grouped(observed.leaked)),
        ] + (holdsOnlyObservations(counts) ? others(counts) : [])
    }

    private static func others(_ counts: TraceCounts) -> [(String, String)] {
        // A debugger tells of threads, a dump does not.
        let threads = counts.threadCount == 0 ? [] : [("threads", Units.grouped(UInt64(counts.threadCount)))]
        return threads + [("logs", Units.grouped(counts.logCount))]
    }

    /// A dump or a snapshot, which tells nothing of what happened before or after.
    private static func holdsOnlyObservations(_ counts: TraceCounts) -> Bool {
        let kinds: [EventKind] = [.observed, .breakpoint, .log, .sync]
        return counts.number(of: .observed) > 0
            && kinds.reduce(0) { $0 + counts.number(of: $1) } == counts.eventCount
    }

    private static func contents(_ counts: TraceCounts) -> [(String, String)] {
        if holdsOnlyObservations(counts) { return [] }
        let states = GoroutineState.allCases.compactMap { state in
            let count = counts.goroutinesAtEnd[Int(state.rawValue)]
            return count == 0 ? nil : "\(Units.grouped(count)) \(state.name)"
        }
        let alive = "\(Units.grouped(counts.goroutinesAlive)) alive at the end"
        return [
            (
                "goroutines",
                "\(Units.grouped(counts.goroutineCount)): \(Units.grouped(counts.goroutinesCreated)) created and "
                    + "\(Units.grouped(counts.goroutinesEnded)) ended in the recording, \(alive)"
            ),
            ("  at the end", states.isEmpty ? "none" : states.joined(separator: ", ")),
            ("  at most", "\(Units.grouped(UInt64(counts.goroutinesAtMost))) at one time"),
            ("procs, threads", "\(counts.procCount), \(counts.threadCount)"),
            ("tasks", "\(Units.grouped(counts.tasksBegun)) begun, \(Units.grouped(counts.tasksEnded)) ended"),
            ("regions", "\(Units.grouped(counts.regionsBegun)) begun, \(Units.grouped(counts.regionsEnded)) ended"),
            ("logs", Units.grouped(counts.logCount)),
        ]
    }

    private static func events(_ counts: TraceCounts) -> [(String, String)] {
        let kinds = kindCounts(counts).map { ("  \($0.name)", Units.grouped($0.count)) }
        return [("events", Units.grouped(counts.eventCount))] + kinds
    }

    private static func losses(_ info: TraceInfo) -> [(String, String)] {
        var rows = info.diagnostics.nonZero.map {
            ("  ", "\(Units.grouped($0.count)) \($0.counter.meaning(of: $0.count))")
        }
        if info.isEmpty { rows.append(("  ", LossReport.noEvents)) }
        for error in info.diagnostics.errors { rows.append(("  ", "\(error)")) }
        let unlisted = info.diagnostics.errorCount - info.diagnostics.errors.count
        if unlisted > 0 { rows.append(("  ", "\(unlisted) more defects like these")) }
        if let failure = info.failure { rows.append(("  ", "ends early: \(failure)")) }
        return rows.isEmpty ? [("lost", "nothing")] : [("lost or doubtful", "")] + rows
    }

    /// Events by the name of their kind; the two kinds of state transition, which share one, apart.
    private static func kindCounts(_ counts: TraceCounts) -> [(name: String, count: UInt64)] {
        EventKind.allCases.compactMap { kind in
            let count = counts.number(of: kind)
            guard count > 0 else { return nil }
            return switch kind {
            case .goroutineTransition: ("StateTransition of goroutines", count)
            case .procTransition: ("StateTransition of procs", count)
            default: ("\(kind.name)", count)
            }
        }
    }

    /// Unix nanoseconds as `2026-11-24 08:51:02.123456789 UTC`.
    static func date(_ unixNanoseconds: Int64) -> String {
        var (seconds, fraction) = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if fraction < 0 { (seconds, fraction) = (seconds - 1, fraction + 1_000_000_000) }
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y-%m-%d %H:%M:%S", &parts)
        let whole = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        let digits = String(fraction)
        return "\(whole).\(String(repeating: "0", count: 9 - digits.count))\(digits) UTC"
    }
}
