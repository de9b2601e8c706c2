import Vestige

/// Findings for scripts: `Schemas/ghosts/report.schema.json` describes every field.
enum GhostsJSON {
    /// More members of a finding are listed by their numbers only.
    private static let detailLimit = 100

    /// One JSON object and a line break.
    static func text(_ report: GhostReport, _ limits: GhostLimitOptions) -> String {
        let object = JSONObject()
        object.add("version", Int64(1))
        object.add("inputs", report.inputs)
        object.add("duration_ns", max(0, report.result.lastNanoseconds &- report.result.firstNanoseconds))
        object.add("has_loss", report.reading.hasLoss)
        object.add("thresholds", thresholds(limits.thresholds, report.result))
        object.add("rules_off", limits.withoutRules)
        let spared = JSONObject()
        for (rule, count) in report.result.spared { spared.add(rule.name, count) }
        object.add("spared", spared)
        object.add("known", UInt64(report.knownCount))
        object.add("findings", report.items.map { finding($0, report) })
        return object.text + "\n"
    }

    private static func thresholds(_ thresholds: GhostThresholds, _ result: GhostResult) -> JSONObject {
        let object = JSONObject()
        object.add("stuck_after_ns", result.stuckNanoseconds)
        object.add("hog_after_ns", thresholds.hogNanoseconds)
        object.add("starved_after_ns", thresholds.starvedNanoseconds)
        object.add("orphan_after_ns", thresholds.orphanNanoseconds)
        object.add("pile_from", UInt64(thresholds.pileCount))
        object.add("dump_stuck_after_ns", thresholds.dumpNanoseconds)
        object.add("dump_pile_from", thresholds.dumpCount)
        return object
    }

    private static func finding(_ item: GhostItem, _ report: GhostReport) -> JSONObject {
        let (finding, tables) = (item.finding, report.reading.tables)
        let object = JSONObject()
        object.add("id", item.id)
        object.add("class", finding.ghost.name)
        object.add("also", finding.also.map(\.name))
        object.add("sentence", item.sentence)
        object.add("count", finding.count)
        let numbers = finding.members.lazy.map(\.goroutine).filter { $0 != .absent }
        object.addNumbers("goroutines", numbers.map(\.rawValue))
        object.add("function", tables.strings.string(finding.startFunction))
        object.add("reason", tables.strings.string(finding.reason))
        if let place = item.place { object.add("place", frame(place, tables)) }
        if let place = item.creationPlace { object.add("created_at", frame(place, tables)) }
        object.add("first_ns", since(finding.firstNanoseconds, report))
        object.add("longest_ns", finding.longestNanoseconds)
        if !finding.growth.isEmpty { object.addNumbers("growth", finding.growth.map(Int64.init)) }
        object.add("stack", frames(finding.stack, tables))
        object.add("creation_stack", frames(finding.creationStack, tables))
        object.add("view", item.command)
        object.add("members", finding.members.prefix(detailLimit).map { member($0, report) })
        return object
    }

    private static func member(_ member: GhostMember, _ report: GhostReport) -> JSONObject {
        let object = JSONObject()
        object.add("g", member.goroutine == .absent ? nil : member.goroutine.rawValue)
        object.add("count", member.count)
        object.add("from_ns", since(member.startNanoseconds, report))
        object.add("to_ns", since(member.endNanoseconds, report))
        if member.beganBefore { object.add("began_before", true) }
        object.add("created_ns", member.createdNanoseconds.map { since($0, report) })
        object.add("creator", member.creator == .absent ? nil : member.creator.rawValue)
        object.add("ended", member.hasEnded)
        if let time = member.lastWokenNanoseconds {
            let waker = JSONObject()
            waker.add("g", member.lastWaker == .absent ? nil : member.lastWaker.rawValue)
            waker.add("at_ns", since(time, report))
            waker.add("stack", frames(member.lastWakerStack, report.reading.tables))
            object.add("last_woken", waker)
        }
        object.add("says", member.notes.map { note($0, report) })
        return object
    }

    private static func note(_ note: GhostNote, _ report: GhostReport) -> JSONObject {
        let object = JSONObject()
        let sources = report.reading.tables.sources
        object.add("source", Int(note.source) < sources.count ? sources[Int(note.source)].path : "")
        object.add("at_ns", since(note.timeNanoseconds, report))
        object.add("state", "\(note.state.observedName)")
        object.add("reason", report.reading.tables.strings.string(note.reason))
        object.add("wait_ns_at_least", Int64(clamping: note.leastWaitNanoseconds))
        object.add("leaked", note.isLeaked)
        return object
    }

    private static func since(_ time: Int64, _ report: GhostReport) -> Int64 {
        report.result.hasOnlyObservations ? time : time &- report.result.firstNanoseconds
    }

    static func frames(_ stack: StackID, _ tables: TraceTables) -> [JSONObject] {
        tables.stacks.frames(stack).prefix(128).map { frame($0, tables) }
    }

    static func frame(_ frame: Frame, _ tables: TraceTables) -> JSONObject {
        let object = JSONObject()
        object.add("func", tables.strings.string(frame.function))
        object.add("file", tables.strings.string(frame.file))
        object.add("line", frame.line)
        return object
    }
}
