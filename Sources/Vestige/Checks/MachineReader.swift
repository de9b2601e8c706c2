import VestigeCore
import VestigeStages
import Yams

/// Reads what rules say of the order of events.
struct MachineReader {
    private let rule: RuleReader
    private var text: RuleText { rule.text }

    init(_ rule: RuleReader) { self.rule = rule }

    /// `after`, `comes` and `before`.
    func order(_ fields: inout RuleFields) throws(TraceError) -> CheckMachine {
        let after = try rule.event(try fields.require("after", "the name of an event"))
        let comes = try rule.event(try fields.require("comes", "the name of an event"))
        let before = try fields.take("before").map { (node) throws(TraceError) in try rule.event(node) }
        var machine = CheckMachine.order(
            after: after, comes: comes, before: before, instance: try instance(&fields))
        machine.withinNanoseconds = try within(&fields)
        return machine
    }

    /// `states`: by the name of each state, what events lead where.
    func machine(_ fields: inout RuleFields) throws(TraceError) -> CheckMachine {
        let node = try fields.require("states", "a mapping of states, the first of which all begin in")
        var states = try RuleFields(node, "states", text)
        let names = states.names.map(\.name)
        guard (1...CheckMachine.stateLimit).contains(names.count) else {
            throw text.error(
                at: node.place, expected: "1 to \(CheckMachine.stateLimit) states", found: "\(names.count)")
        }
        var events: [EventPattern] = []
        var targets: [(state: Int, event: Int, target: Int)] = []
        for (index, name) in names.enumerated() {
            guard let value = states.take(name), !value.isEmptyScalar else { continue }
            var arrows = try RuleFields(value, "a state", text)
            for (eventName, mark) in arrows.names {
                guard let target = arrows.take(eventName) else { continue }
                let number = try self.event(eventName, mark, &events)
                let targetName = try fields.choice(target, "state", among: names)
                targets.append((index, number, names.firstIndex(of: targetName) ?? 0))
            }
        }
        guard !events.isEmpty else {
            throw text.error(at: node.place, expected: "an event that leads from a state to another", found: "none")
        }
        var arrows = Array(
            repeating: Array(repeating: CheckMachine.Arrow.breaks, count: events.count), count: names.count)
        for (state, event, target) in targets { arrows[state][event] = .to(target) }
        var machine = CheckMachine(
            instance: try instance(&fields), events: events, states: names, arrows: arrows,
            finals: try finals(&fields, names))
        machine.withinNanoseconds = try within(&fields)
        return machine
    }

    private func event(_ name: String, _ mark: TextPlace?, _ events: inout [EventPattern]) throws(TraceError) -> Int {
        if let number = events.firstIndex(where: { $0.name == name }) { return number }
        guard events.count < CheckMachine.eventLimit else {
            throw text.error(
                at: mark, expected: "at most \(CheckMachine.eventLimit) events in a machine", found: "more")
        }
        guard let event = rule.events.first(where: { $0.name == name }) else {
            throw text.locate(
                Suggestion.unknown(name, kind: "named event", among: rule.events.map(\.name)), at: mark)
        }
        events.append(event)
        return events.count - 1
    }

    private func finals(_ fields: inout RuleFields, _ names: [String]) throws(TraceError) -> Set<Int> {
        guard let node = fields.take("end") else { return Set(names.indices) }
        var finals = Set<Int>()
        for (value, mark) in try fields.scalars(node, "a state") {
            guard let index = names.firstIndex(of: value) else {
                throw text.locate(Suggestion.unknown(value, kind: "state", among: names), at: mark)
            }
            finals.insert(index)
        }
        return finals
    }

    private func instance(_ fields: inout RuleFields) throws(TraceError) -> CheckMachine.Instance {
        guard let node = fields.take("per") else { return .goroutine }
        let names = CheckMachine.Instance.allCases.map(\.rawValue)
        return CheckMachine.Instance(rawValue: try fields.choice(node, "instance", among: names)) ?? .goroutine
    }

    private func within(_ fields: inout RuleFields) throws(TraceError) -> Int64? {
        guard let node = fields.take("within") else { return nil }
        return try fields.duration(node, of: "within")
    }
}

extension Node {
    fileprivate var isEmptyScalar: Bool { scalar?.string.isEmpty ?? false }
}
