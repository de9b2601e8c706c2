import VestigeCore
import VestigeStages

/// Says in plain words what is wrong, and how that is known.
struct GhostSentences {
    private let result: GhostResult
    private let tables: TraceTables

    init(_ result: GhostResult, _ tables: TraceTables) {
        self.result = result
        self.tables = tables
    }

    var hasOnlyObservations: Bool { result.hasOnlyObservations }

    func sinceFirst(_ time: Int64) -> Int64 { max(0, time &- result.firstNanoseconds) }

    func sentence(_ finding: GhostFinding) -> String {
        let parts = [what(finding), why(finding.cause, finding), when(finding), growth(finding)]
        let text = parts.filter { !$0.isEmpty }.joined(separator: "; ")
        return text.prefix(1).uppercased() + text.dropFirst() + "."
    }

    // MARK: - What

    private func what(_ finding: GhostFinding) -> String {
        let subject = subject(finding)
        let isOne = finding.count == 1
        switch finding.ghost {
        case .leaked, .stuck:
            let verb = isOne ? "waits" : "wait"
            let end = finding.ghost == .leaked ? "for ever " : ""
            return "\(subject) \(verb) \(end)\(purpose(finding))\(at(finding.stack))"
        case .pilingUp:
            if result.hasOnlyObservations {
                return "\(subject) \(isOne ? "is" : "are") in the same place\(at(finding.stack))"
            }
            return "\(subject) \(isOne ? "is" : "are") alive at the end, and there are only ever more"
        case .hog:
            return
                "\(subject) \(isOne ? "runs" : "run") for up to \(duration(finding.longestNanoseconds)) without yielding\(at(finding.stack))"
        case .starved:
            return
                "\(subject) \(isOne ? "is" : "are") ready to run for up to \(duration(finding.longestNanoseconds)) before \(isOne ? "it runs" : "they run")"
        case .orphan:
            return
                "\(subject) \(isOne ? "outlives" : "outlive") \(origin(finding.origin)) by up to \(duration(finding.longestNanoseconds))"
        }
    }

    private func subject(_ finding: GhostFinding) -> String {
        let function = tables.strings.string(finding.startFunction)
        let by = function.isEmpty ? "" : " of \(function)"
        let site = finding.creationStack == .absent ? nil : tables.stacks.node(finding.creationStack).frame
        let place = site.map { " created at \(short($0))" } ?? ""
        if finding.count == 1, let only = finding.members.first, only.goroutine != .absent {
            return "G\(only.goroutine.rawValue)\(by)\(place)"
        }
        return "\(Units.counted(finding.count, "goroutine"))\(by)\(place)"
    }

    private func purpose(_ finding: GhostFinding) -> String {
        switch GhostWait(finding.reason, finding.stack, tables) {
        case .send: "to send on a channel"
        case .receive: "to receive from a channel"
        case .select: "in a select"
        case .forever: "on a nil channel or in a select without cases"
        case .lock: "for a lock"
        case .group: "for a WaitGroup"
        case .condition: "for a sync.Cond"
        case .other: finding.reason == .empty ? "" : "for \(tables.strings.string(finding.reason))"
        }
    }

    private func origin(_ origin: GhostOrigin) -> String {
        switch origin {
        case .itself: return "what started it"
        case .ended(let isTask, let name, let goroutine, let time):
            let who = goroutine == .absent ? "" : " of G\(goroutine.rawValue)"
            return
                "the \(isTask ? "task" : "region") \"\(tables.strings.string(name))\"\(who), which ended at \(moment(time)),"
        case .creator(let goroutine, let time):
            return "the goroutine that started it, G\(goroutine.rawValue), which ended at \(moment(time)),"
        }
    }

    // MARK: - Why, and when

    private func why(_ cause: GhostCause, _ finding: GhostFinding) -> String {
        let isOne = finding.count == 1
        switch cause {
        case .none: return ""
        case .impossible: return "nothing can ever end that"
        case .proved:
            return
                "\(provers(finding)) prove\(provers(finding).contains(" and ") ? "" : "s") that nothing can wake \(isOne ? "it" : "them")"
        case .deadlock: return "the runtime says that all goroutines are asleep"
        case .neverWoken: return "in the whole recording nobody \(counterpart(finding)) there"
        case .wakerEnded(let goroutine, let time):
            let when = time.map { " at \(moment($0))" } ?? ""
            return "who \(counterpart(finding)) there last, G\(goroutine.rawValue), ended\(when)"
        case .overtaken(let count, let longest):
            return
                "\(Units.counted(count, "other wait")) at this place took at most \(duration(longest)), also some that began later"
        case .feederReturned(let goroutine):
            return "G\(goroutine.rawValue), which \(counterpart(finding)) before, has left the function in which it did"
        case .leftOver(let ended, let created):
            return
                "of the \(Units.counted(UInt64(created), "goroutine")) that its creator has started \(Units.grouped(UInt64(ended))) have ended"
        case .creatorEnded(let goroutine, let time):
            let when = time.map { " at \(moment($0))" } ?? ""
            return
                "nobody ever \(counterpart(finding)) there, and \(isOne ? "its creator" : "the creator of the last"), G\(goroutine.rawValue), ended\(when)"
        case .victim(let goroutine):
            return "G\(goroutine.rawValue), for which \(isOne ? "it waits" : "they wait"), is stuck itself"
        case .nobodyLeft: return "no goroutine is at work that could finish"
        case .timerStopped(let longest):
            return "its timer, which woke it after at most \(duration(longest)), does so no more"
        case .lockHeld: return "nobody gives it back: no goroutine at work is in a function that takes it"
        case .crowd: return ""
        }
    }

    /// What others do so that such a wait ends.
    private func counterpart(_ finding: GhostFinding) -> String {
        switch GhostWait(finding.reason, finding.stack, tables) {
        case .send: "received"
        case .receive, .select: "sent"
        case .condition: "signalled"
        default: "woke anyone"
        }
    }

    private func provers(_ finding: GhostFinding) -> String {
        var names: [String] = []
        for note in finding.members.lazy.flatMap(\.notes) where note.isLeaked {
            let name = Int(note.source) < tables.sources.count ? tables.sources[Int(note.source)].path : ""
            if !names.contains(name) { names.append(name) }
        }
        return names.isEmpty ? "a leak profile" : names.joined(separator: " and ")
    }

    private func when(_ finding: GhostFinding) -> String {
        if result.hasOnlyObservations {
            return finding.longestNanoseconds > 0 ? "for at least \(duration(finding.longestNanoseconds))" : ""
        }
        let first = moment(finding.firstNanoseconds)
        switch finding.ghost {
        case .leaked, .stuck:
            let word = finding.count == 1 ? "silent since" : "the first since"
            if finding.members.contains(where: \.beganBefore) {
                return
                    "\(word) before the recording, still there at its end, \(duration(finding.longestNanoseconds)) later"
            }
            return "\(word) \(first), still there at the end, \(duration(finding.longestNanoseconds)) later"
        case .pilingUp: return "the first since \(first)"
        case .hog, .starved: return "first at \(first)"
        case .orphan: return ""
        }
    }

    private func growth(_ finding: GhostFinding) -> String {
        guard !finding.growth.isEmpty else { return "" }
        let picked = stride(from: 0, to: finding.growth.count, by: max(1, finding.growth.count / 4)).map {
            finding.growth[$0]
        }
        let last = finding.growth[finding.growth.count - 1]
        return "alive over time: "
            + (picked.dropLast() + [last]).map { Units.grouped(UInt64($0)) }.joined(separator: ", ")
    }

    // MARK: - Words

    /// The innermost frame outside of the parts of Go's library that wait for their callers.
    func place(_ stack: StackID) -> Frame? {
        var places = Places()
        let number = places.number(of: stack, tables)
        return number == 0 ? nil : places.frame(number)
    }

    private func at(_ stack: StackID) -> String { place(stack).map { " at \(short($0))" } ?? "" }

    /// `file.go:41`, or the function where no file is known.
    func short(_ frame: Frame) -> String {
        let file = tables.strings.string(frame.file)
        guard !file.isEmpty else { return tables.strings.string(frame.function) }
        return "\(file.split(separator: "/").last.map(String.init) ?? file):\(frame.line)"
    }

    private func moment(_ time: Int64) -> String { duration(sinceFirst(time)) }

    private func duration(_ nanoseconds: Int64) -> String {
        let value = Double(nanoseconds)
        switch nanoseconds.magnitude {
        case ..<1_000: return "\(nanoseconds) ns"
        case ..<1_000_000: return "\(Units.decimal(value / 1e3, digits: 0)) µs"
        case ..<1_000_000_000:
            return "\(Units.decimal(value / 1e6, digits: nanoseconds.magnitude < 10_000_000 ? 1 : 0)) ms"
        default: return "\(Units.decimal(value / 1e9, digits: 2)) s"
        }
    }
}
