import VestigeCore

/// Events come in an order that a state machine accepts.
final class MachineRule: RuleEvaluator {
    /// One that has left the first state.
    private struct Run: PagedElement {
        var isOccupied = false
        var state = 0
        /// What made it leave the first state, and what brought it to the one that it is in.
        var first = Event(kind: .sync, timeNanoseconds: 0)
        var last = Event(kind: .sync, timeNanoseconds: 0)

        static var vacant: Run { Run() }
    }

    /// The state of one that has broken the rule: nothing more is asked of it.
    private static let broken = -1

    private let machine: CheckMachine
    /// A breach is the last that is said of an instance: from then on it is not known where it stands.
    private let isOver: Bool
    private let exampleLimit: Int
    private let runs = HeapBox(PagedTable<Run>())
    private var matcher: EventMatcher
    private var finding: CheckFinding
    private let within: Int64

    init(_ rule: CheckRule, _ machine: CheckMachine, _ exampleLimit: Int, _ tables: TraceTables) {
        self.machine = machine
        self.exampleLimit = exampleLimit
        matcher = EventMatcher(machine.events)
        isOver = machine.orderNames == nil && machine.instance != .recording
        within = machine.withinNanoseconds ?? .max
        finding = CheckFinding(rule)
    }

    func process(_ batch: CheckBatch) {
        for index in 0..<batch.events.count {
            let event = batch.events.baseAddress! + index
            var mask = matcher.mask(of: event, batch.tables)
            while mask != 0 {
                take(event, mask.trailingZeroBitCount)
                mask &= mask - 1
            }
            if endsInstance(event) { end(event) }
        }
    }

    private func instance(of event: UnsafePointer<Event>) -> Int64? {
        switch machine.instance {
        case .recording: return 0
        case .goroutine:
            let isTransition = event.pointee.kind == .goroutineTransition
            let goroutine = isTransition ? event.pointee.subjectGoroutine : event.pointee.goroutine
            return goroutine == .absent ? nil : goroutine.rawValue
        case .task:
            switch event.pointee.kind {
            case .taskBegin, .taskEnd, .regionBegin, .regionEnd, .log:
                // The background task is nobody's.
                let task = event.pointee.task
                return task == .absent || task == .background ? nil : Int64(bitPattern: task.rawValue)
            default: return nil
            }
        }
    }

    private func take(_ event: UnsafePointer<Event>, _ number: Int) {
        guard let id = instance(of: event) else { return }
        finding.lookedAt &+= 1
        let run = runs.pointer.pointee.find(id)
        let state = run?.pointee.state ?? 0
        if state == Self.broken { return }
        if let run, event.pointee.timeNanoseconds.subtractingClamped(run.pointee.first.timeNanoseconds) > within {
            note(run.pointee, CheckEvidence(.happens, event.pointee))
            return restart(id, run, event, number)
        }
        switch machine.arrows[state][number] {
        case .stays: break
        case .to(let target): move(id, run, to: target, event)
        case .breaks:
            note(run?.pointee ?? Run(), CheckEvidence(.happens, event.pointee))
            restart(id, run, event, number)
        }
    }

    /// After a breach.
    private func restart(
        _ id: Int64, _ run: UnsafeMutablePointer<Run>?, _ event: UnsafePointer<Event>, _ number: Int
    ) {
        if isOver {
            if let run { return run.pointee.state = Self.broken }
            runs.pointer.pointee.insert(id, Run(isOccupied: true, state: Self.broken))
            return
        }
        if run != nil { runs.pointer.pointee.remove(id) }
        // What must not come there may be a beginning.
        if case .to(let target) = machine.arrows[0][number] { move(id, nil, to: target, event) }
    }

    private func move(_ id: Int64, _ run: UnsafeMutablePointer<Run>?, to target: Int, _ event: UnsafePointer<Event>) {
        guard target != 0 else {
            if run != nil { runs.pointer.pointee.remove(id) }
            return
        }
        guard let run else {
            let run = Run(isOccupied: true, state: target, first: event.pointee, last: event.pointee)
            runs.pointer.pointee.insert(id, run)
            return
        }
        run.pointee.state = target
        run.pointee.last = event.pointee
    }

    private func endsInstance(_ event: UnsafePointer<Event>) -> Bool {
        switch machine.instance {
        case .recording: false
        case .goroutine:
            event.pointee.kind == .goroutineTransition && event.pointee.toGoroutineState == .notExist
        case .task: event.pointee.kind == .taskEnd && !event.pointee.isSynthetic
        }
    }

    private func end(_ event: UnsafePointer<Event>) {
        guard let id = instance(of: event), let run = runs.pointer.pointee.find(id) else { return }
        let age = event.pointee.timeNanoseconds.subtractingClamped(run.pointee.first.timeNanoseconds)
        let isBroken = !machine.finals.contains(run.pointee.state) || age > within
        if run.pointee.state != Self.broken, isBroken {
            note(run.pointee, CheckEvidence(.ends, event.pointee))
        }
        runs.pointer.pointee.remove(id)
    }

    /// - Parameter last: the event that must not come, or by which another should have come.
    private func note(_ run: Run, _ last: CheckEvidence) {
        let end = last.event
        let start = run.isOccupied ? run.first.timeNanoseconds : end.timeNanoseconds
        let duration = end.timeNanoseconds.subtractingClamped(start)
        finding.add(duration, limit: exampleLimit) {
            var evidence = [last]
            if run.isOccupied {
                if run.last.timeNanoseconds != run.first.timeNanoseconds || run.last.kind != run.first.kind
                    || run.last.name != run.first.name
                {
                    evidence.insert(CheckEvidence(.happens, run.last), at: 0)
                }
                evidence.insert(CheckEvidence(.happens, run.first), at: 0)
            }
            let goroutines = evidence.map(\.event).flatMap {
                $0.kind == .goroutineTransition ? [$0.subjectGoroutine] : [$0.goroutine]
            }
            var example = CounterExample(
                from: start, to: end.timeNanoseconds, value: duration, goroutines: goroutines, evidence)
            example.state = run.state
            return example
        }
    }

    /// What is under way when the recording ends may still come, if it has the time.
    func finish(_ batch: CheckBatch) -> CheckFinding {
        runs.pointer.pointee.forEach { _, run in
            if run.pointee.state == Self.broken { return }
            let age = batch.lastNanoseconds.subtractingClamped(run.pointee.first.timeNanoseconds)
            let isDue = machine.withinNanoseconds == nil && !machine.finals.contains(run.pointee.state)
            guard isDue || age > within else { return }
            var end = Event(kind: .sync, timeNanoseconds: batch.lastNanoseconds, source: run.pointee.last.source)
            end.goroutine = .absent
            note(run.pointee, CheckEvidence(.goesOn, end))
        }
        return finding
    }
}
