import Vestige

/// Findings for people.
struct GhostsText {
    private let terminal: Terminal
    private static let shownGoroutines = 12

    init(_ terminal: Terminal) { self.terminal = terminal }

    func text(_ report: GhostReport, isOneOfSeveral: Bool) -> String {
        var lines: [String] = []
        if isOneOfSeveral {
            lines.append(terminal.coloured(Console.escaped(report.inputs.joined(separator: " + ")), nil))
        }
        for (number, item) in report.items.enumerated() {
            if number > 0 { lines.append("") }
            lines += self.lines(item, number + 1, report)
        }
        if !report.items.isEmpty { lines.append("") }
        lines.append(summary(report))
        if isOneOfSeveral { lines.append("") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func summary(_ report: GhostReport) -> String {
        let known = report.knownCount > 0 ? ", \(Units.grouped(UInt64(report.knownCount))) known ones left out" : ""
        guard !report.items.isEmpty else { return "no ghosts\(known)" }
        let counts = GhostClass.allCases.compactMap { ghost -> String? in
            let count = report.items.lazy.filter { $0.finding.ghost == ghost }.reduce(UInt64(0)) {
                $0 + $1.finding.count
            }
            return count == 0 ? nil : "\(Units.grouped(count)) \(ghost.name)"
        }
        return "\(Units.counted(UInt64(report.items.count), "finding"))\(known): \(counts.joined(separator: ", "))"
    }

    private func lines(_ item: GhostItem, _ number: Int, _ report: GhostReport) -> [String] {
        let finding = item.finding
        let also = finding.also.isEmpty ? "" : ", " + finding.also.map(\.name).joined(separator: ", ")
        let title = "\(number). \(finding.ghost.name)\(also): \(Units.counted(finding.count, "goroutine"))"
        var lines = [terminal.coloured(title, Self.emphasis(finding.ghost)), "   " + Console.escaped(item.sentence)]
        let numbers = finding.members.prefix(Self.shownGoroutines).filter { $0.goroutine != .absent }
            .map { "G\($0.goroutine.rawValue)" }
        if !numbers.isEmpty {
            let rest = finding.count > UInt64(numbers.count) ? " … (\(Units.grouped(finding.count)))" : ""
            lines.append("   goroutines    \(numbers.joined(separator: " "))\(rest)")
        }
        lines += stack(finding.ghost == .hog ? "seen at" : "waits at", finding.stack, report)
        lines += stack("created at", finding.creationStack, report)
        if let first = finding.members.first { lines += evidence(first, report) }
        lines.append("   shown by      \(Console.escaped(item.command))")
        return lines
    }

    private func stack(_ title: String, _ stack: StackID, _ report: GhostReport) -> [String] {
        report.reading.tables.stacks.frames(stack).prefix(32).enumerated().map { index, frame in
            let head = index == 0 ? title : ""
            let text = Console.escaped(report.reading.tables.text(of: frame))
            return "   \(head)\(String(repeating: " ", count: 14 - head.count))\(text)"
        }
    }

    /// Who woke the first of them, and what each source says of it.
    private func evidence(_ member: GhostMember, _ report: GhostReport) -> [String] {
        var lines: [String] = []
        if let time = member.lastWokenNanoseconds {
            let waker =
                member.lastWaker == .absent ? "a timer, the network or the runtime" : "G\(member.lastWaker.rawValue)"
            let since = Units.duration(max(0, time &- report.result.firstNanoseconds))
            lines.append("   last woken    by \(waker) at \(since)")
        }
        for note in member.notes {
            let source =
                Int(note.source) < report.reading.tables.sources.count
                ? report.reading.tables.sources[Int(note.source)].path : "?"
            let time =
                report.result.hasOnlyObservations
                ? "" : " at " + Units.duration(max(0, note.timeNanoseconds &- report.result.firstNanoseconds))
            let who = member.goroutine == .absent ? "" : "G\(member.goroutine.rawValue) "
            lines.append(
                "   says          \(Console.escaped(source))\(time): \(who)\(Self.words(note, report.reading.tables))")
        }
        return lines
    }

    static func words(_ note: GhostNote, _ tables: TraceTables) -> String {
        var text = note.state == .undetermined ? "is there" : "is \(note.state.observedName)"
        let reason = tables.strings.string(note.reason)
        if !reason.isEmpty { text += " (\(Console.escaped(reason)))" }
        if note.leastWaitNanoseconds > 0 {
            text += ", for at least \(Units.duration(Int64(clamping: note.leastWaitNanoseconds)))"
        }
        if note.isLeaked { text += ", proved to be leaked" }
        return text
    }

    private static func emphasis(_ ghost: GhostClass) -> Emphasis {
        switch ghost {
        case .leaked, .stuck: .inSystemCall
        case .orphan, .pilingUp: .waiting
        case .hog: .running
        case .starved: .ready
        }
    }
}
