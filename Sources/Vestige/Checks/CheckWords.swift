import VestigeCore
import VestigeStages

/// Says in words what rules demand and what has become of them. Names of the recording stand in it as they are.
public struct CheckWords {
    private let tables: TraceTables
    private let firstNanoseconds: Int64
    private let lastNanoseconds: Int64
    private var places = Places()

    public init(_ result: CheckResult) {
        tables = result.reading.tables
        firstNanoseconds = result.reading.firstNanoseconds
        lastNanoseconds = result.reading.lastNanoseconds
    }

    /// A time of the recording, since its first event.
    public func time(_ nanoseconds: Int64) -> String {
        "\(Units.decimal(Double(nanoseconds.subtractingClampedToRange(firstNanoseconds)) / 1e9, digits: 9)) s"
    }

    // MARK: - Rules

    /// What a rule demands.
    public static func demand(_ rule: CheckRule) -> String {
        switch rule.check {
        case .longest(let subject, let limit):
            "every \(noun(subject, rule)) takes \(words(limit, duration))"
        case .percentile(let percent, let subject, let limit):
            "\(Self.percent(percent)) of all \(noun(subject, rule))s take \(words(limit, duration))"
        case .count(let subject, let limit, let lasting):
            "\(words(limit, number)) \(plural(subject, rule)) at one time"
                + (lasting > 0 ? ", or more for less than \(duration(lasting))" : "")
        case .ends(let subject, let within):
            "every \(noun(subject, rule)) ends" + (within.map { " within \(duration($0))" } ?? "")
        case .growth(let limit):
            "of no place the number of living goroutines that it created grows by \(isBeyond(limit))"
        case .rate(let pattern, let limit, let window):
            "\(words(limit, number)) events \(pattern.name) in any \(duration(window))"
        case .machine(let machine): order(machine)
        }
    }

    /// What was seen.
    public func verdict(_ finding: CheckFinding) -> String {
        if finding.lacksSubjects {
            let (seen, least) = (Units.grouped(finding.lookedAt), Units.grouped(finding.rule.leastCount))
            return "\(seen) to look at, and \(least) wanted (min-count)"
        }
        if finding.lookedAt == 0 { return "nothing to look at" + otherNames(finding) }
        let all = Units.grouped(finding.lookedAt)
        let broken = Units.grouped(finding.brokenCount)
        let value = finding.value.map { finding.rule.check.measuresTime ? Units.duration($0) : Self.number($0) } ?? "0"
        switch finding.rule.check {
        case .longest:
            return finding.isBroken
                ? "\(broken) of \(all) take longer, at worst \(value)" : "\(value) at most, of \(all)"
        case .percentile(let percent, _, _):
            let seen = "\(Self.percent(percent)) of \(all) take up to \(value)"
            return finding.isBroken ? "\(seen), and \(broken) take too long" : seen
        case .count:
            return finding.isBroken ? "up to \(value), \(times(finding.brokenCount)) too many" : "up to \(value)"
        case .ends: return finding.isBroken ? "\(broken) of \(all) do not" : "all \(all) do"
        case .growth:
            return finding.isBroken
                ? "\(broken) places, by up to \(value)" : "none of \(all) goroutines is of such a place"
        case .rate:
            return finding.isBroken ? "\(times(finding.brokenCount)) too many, of \(all)" : "never more, of \(all)"
        case .machine:
            return finding.isBroken ? "not so \(times(finding.brokenCount)), in \(all) events" : "so in \(all) events"
        }
    }

    /// A name that is not there may be misspelt; empty if there are no names at all.
    private func otherNames(_ finding: CheckFinding) -> String {
        guard finding.looksForUnknownName, let subject = finding.rule.check.subject else { return "" }
        let wanted = finding.rule.names.map(\.description)
        let names = finding.otherNames.map { tables.strings.string($0) }
        let start = ": no \(subject.rawValue) is named \(wanted.map { "\"\($0)\"" }.joined(separator: " or "))"
        if let nearest = wanted.lazy.compactMap({ Suggestion.nearest(to: $0, among: names) }).first {
            return "\(start); did you mean \"\(nearest)\"?"
        }
        let more = names.count > 3 ? ", and \(names.count - 3) more" : ""
        return "\(start), but \(names.prefix(3).map { "\"\($0)\"" }.joined(separator: ", "))\(more)"
    }

    /// What stands above the evidence of a counterexample; empty if it speaks for itself.
    public mutating func heading(_ example: CounterExample, _ finding: CheckFinding) -> String {
        switch finding.rule.check {
        case .longest, .percentile, .ends: return "\(Units.duration(example.value)):"
        case .count:
            return "\(Self.number(example.value)) at \(time(example.endNanoseconds)), of which the last began so:"
        case .rate:
            let duration = example.endNanoseconds.subtractingClampedToRange(example.startNanoseconds)
            return "\(Self.number(example.value)) within \(Units.duration(duration)):"
        case .growth:
            let more = "\(Self.number(example.value)) more in the last quarter than in the first"
            return "created at \(place(example.stack)): \(more); alive at the end are"
        case .machine(let machine):
            guard let state = example.state, machine.states.indices.contains(state) else { return "" }
            return "\(machine.states[state]):"
        }
    }

    private func times(_ count: UInt64) -> String { count == 1 ? "once" : "\(Units.grouped(count)) times" }
    private static func number(_ value: Int64) -> String { Units.grouped(UInt64(clamping: value)) }

    /// A duration as a person would write it: without zeros at its end.
    private static func duration(_ nanoseconds: Int64) -> String {
        let parts = Units.duration(nanoseconds).split(separator: " ")
        var number = parts[0]
        if number.contains(".") {
            while number.hasSuffix("0") { number.removeLast() }
            if number.hasSuffix(".") { number.removeLast() }
        }
        return "\(number) \(parts[1])"
    }

    private static func words(_ limit: CheckLimit, _ text: (Int64) -> String) -> String {
        "\(limit.isInclusive ? "at most" : "under") \(text(limit.value))"
    }

    private static func isBeyond(_ limit: CheckLimit) -> String {
        "\(limit.isInclusive ? "more than " : "")\(number(limit.value))\(limit.isInclusive ? "" : " or more")"
    }

    private static func percent(_ value: UInt64) -> String {
        value % 1000 == 0
            ? "\(value / 1000) %" : "\(Units.decimal(Double(value) / 1000, digits: value % 100 == 0 ? 1 : 3)) %"
    }

    private static func noun(_ subject: CheckSubject, _ rule: CheckRule) -> String {
        let names = rule.names.map(\.description).joined(separator: ", ")
        let suffix = names.isEmpty ? "" : " \(names)"
        return switch subject {
        case .running: "stretch of running"
        case .busy: "stretch of running without yielding"
        case .runnable: "wait for a processor"
        case .waiting: rule.scope.reasons.isEmpty && rule.places.isEmpty ? "wait" : "such wait"
        case .syscall: "system call"
        case .goroutine: "goroutine"
        case .region: "region\(suffix)"
        case .task: "task\(suffix)"
        case .range: "range\(suffix)"
        }
    }

    private static func plural(_ subject: CheckSubject, _ rule: CheckRule) -> String {
        switch subject {
        case .region, .task, .range, .busy: "\(noun(subject, rule))s open"
        case .goroutine: "goroutines alive"
        case .running, .runnable, .waiting: "goroutines \(subject.rawValue)"
        case .syscall: "goroutines in system calls"
        }
    }

    private static func order(_ machine: CheckMachine) -> String {
        let within = machine.withinNanoseconds.map { " within \(duration($0))" } ?? ""
        if let order = machine.orderNames {
            let before = order.before.map { " before \($0)" } ?? ""
            return "after \(order.after) comes \(order.comes)\(before)\(within) (of each \(machine.instance.rawValue))"
        }
        let states = machine.states.joined(separator: ", ")
        return "events of each \(machine.instance.rawValue) follow the states \(states)\(within)"
    }

    // MARK: - Evidence

    /// One line of evidence, without its time.
    public mutating func line(_ evidence: CheckEvidence) -> String {
        let event = evidence.event
        let what: String
        if event.kind == .goroutineTransition {
            what = transition(evidence)
        } else {
            let who = event.goroutine == .absent ? "" : "G\(event.goroutine.rawValue) "
            what = who + annotation(evidence)
        }
        let stack =
            event.kind == .goroutineTransition && event.transitionStack != .absent ? event.transitionStack : event.stack
        let place = place(stack)
        return place.isEmpty ? what : "\(what)  at \(place)"
    }

    /// The stack that belongs to a line, innermost frame first.
    public func stack(_ evidence: CheckEvidence) -> [String] {
        let event = evidence.event
        let isOwn = event.kind == .goroutineTransition && event.transitionStack != .absent
        return tables.stacks.frames(isOwn ? event.transitionStack : event.stack).map { tables.text(of: $0) }
    }

    private mutating func place(_ stack: StackID) -> String {
        let number = places.number(of: stack, tables)
        return tables.text(of: places.frame(number))
    }

    private func transition(_ evidence: CheckEvidence) -> String {
        let event = evidence.event
        let (from, to) = (event.fromGoroutineState, event.toGoroutineState)
        let other = event.goroutine != event.subjectGoroutine && event.goroutine != .absent ? event.goroutine : nil
        let by = other.map { " by G\($0.rawValue)" } ?? ""
        let who = "G\(event.subjectGoroutine.rawValue)"
        let reason = tables.strings.string(event.name)
        let why = reason.isEmpty ? "" : ": \(reason)"
        switch evidence.role {
        case .happens:
            if from == .notExist { return "\(who) is created\(by)" }
            if to == .notExist { return "\(who) ends" }
            return "\(who) goes from \(from.observedName) to \(to.observedName)\(why)\(by)"
        case .begins where from == .notExist: return "\(who) is created\(by)"
        case .begins: return "\(who) begins to \(Self.verb(to))\(proc(event))\(why)"
        case .beganBefore: return "\(who) is \(to.observedName)\(proc(event))\(why), since before"
        case .ends where to == .notExist: return "\(who) ends"
        case .ends:
            return other == nil
                ? "\(who) is \(from.observedName) no more" : "\(who) is \(from.observedName) no more, woken\(by)"
        case .goesOn: return "\(who) is still \(from.observedName) when the recording ends"
        }
    }

    private func proc(_ event: Event) -> String {
        event.toGoroutineState == .running && event.proc != .absent ? " on proc \(event.proc.rawValue)" : ""
    }

    private static func verb(_ state: GoroutineState) -> String {
        switch state {
        case .running: "run"
        case .runnable: "wait for a processor"
        case .waiting: "wait"
        case .syscall: "be in a system call"
        case .notExist, .undetermined: "be \(state.observedName)"
        }
    }

    private func annotation(_ evidence: CheckEvidence) -> String {
        let event = evidence.event
        let thing = thing(event)
        switch evidence.role {
        case .happens where event.kind == .log:
            return "logs \(tables.strings.string(event.name)): \(tables.strings.string(event.message))"
        case .happens where event.kind == .regionBegin || event.kind == .taskBegin: return "begins \(thing)"
        case .happens where event.kind == .regionEnd || event.kind == .taskEnd: return "ends \(thing)"
        case .happens: return thing
        case .begins: return "begins \(thing)"
        case .beganBefore: return "has begun \(thing) before"
        case .ends: return "ends \(thing)"
        case .goesOn where event.kind == .sync: return "the recording ends"
        case .goesOn:
            let isEnd = event.timeNanoseconds >= lastNanoseconds
            return isEnd
                ? "has not ended \(thing) when the recording ends" : "has not ended \(thing) when it ends itself"
        }
    }

    private func thing(_ event: Event) -> String {
        let name = tables.strings.string(event.name)
        let task = event.task == .background || event.task == .absent ? "" : " of task \(event.task.rawValue)"
        switch event.kind {
        case .regionBegin, .regionEnd: return "region \(name)\(task)"
        case .taskBegin, .taskEnd: return "task \(event.task.rawValue) \(name)"
        case .rangeBegin, .rangeActive, .rangeEnd: return "range \(name)"
        default: return "\(event.kind.name) \(name)"
        }
    }
}

extension Int64 {
    /// The difference, or the nearest that 64 bits hold.
    fileprivate func subtractingClampedToRange(_ other: Int64) -> Int64 {
        let (difference, isTooLarge) = subtractingReportingOverflow(other)
        return isTooLarge ? (other < 0 ? .max : .min) : difference
    }
}
