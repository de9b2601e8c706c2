import VestigeCore

/// Not too many goroutines are in a state at one time.
final class StateCountRule: RuleEvaluator {
    private struct Record: PagedElement {
        var isOccupied = false
        var isCounted = false
        var source: UInt8 = 0
        var state = GoroutineState.undetermined
        var function = StringID.empty
        var reason = StringID.empty
        var stack = StackID.absent
        var sinceNanoseconds: Int64 = 0

        static var vacant: Record { Record() }
    }

    /// A counterexample shows so many of those that are too many.
    private static let shownCount = 8

    /// By state, whether it is one of those that count.
    private let counts: [Bool]
    private let exampleLimit: Int
    private let records = HeapBox(PagedTable<Record>())
    private var filter: RuleFilter
    private var watch: LevelWatch
    private var finding: CheckFinding

    init(
        _ rule: CheckRule, _ subject: CheckSubject, _ limit: CheckLimit, _ lasting: Int64, _ exampleLimit: Int,
        _ isSelected: Bool
    ) {
        counts = GoroutineState.allCases.map(subject.states.contains)
        self.exampleLimit = exampleLimit
        filter = RuleFilter(rule, subject, isSelected: isSelected)
        watch = LevelWatch(limit, lasting: lasting)
        finding = CheckFinding(rule)
    }

    func process(_ batch: CheckBatch) {
        for index in 0..<batch.events.count {
            let event = batch.events.baseAddress! + index
            if event.pointee.kind == .goroutineTransition { take(event, batch.tables) }
        }
    }

    @inline(__always) private func take(_ event: UnsafePointer<Event>, _ tables: TraceTables) {
        let to = event.pointee.toGoroutineState
        let id = event.pointee.subjectGoroutine.rawValue
        let table = records.pointer
        guard let record = table.pointee.find(id) ?? insert(id, to) else { return }
        if record.pointee.function == .empty, event.pointee.transitionStack != .absent {
            record.pointee.function = tables.stacks.rootFrame(event.pointee.transitionStack)?.function ?? .empty
            if record.pointee.isCounted { recount(record, event, tables) }
        }
        if to == record.pointee.state { return }
        record.pointee.state = to
        if record.pointee.isCounted || counts[Int(to.rawValue)] { change(record, event, to, tables) }
        if to == .notExist { table.pointee.remove(id) }
    }

    private func insert(_ id: Int64, _ state: GoroutineState) -> UnsafeMutablePointer<Record>? {
        state == .notExist ? nil : records.pointer.pointee.insert(id, Record(isOccupied: true))
    }

    private func change(
        _ record: UnsafeMutablePointer<Record>, _ event: UnsafePointer<Event>, _ to: GoroutineState,
        _ tables: TraceTables
    ) {
        let time = event.pointee.timeNanoseconds
        if watch.isBroken(at: time) { note(at: time) }
        let isNew = !record.pointee.isCounted || counts.count { $0 } == 1
        if isNew {
            record.pointee.sinceNanoseconds = time
            record.pointee.reason = event.pointee.name
            record.pointee.stack = event.pointee.transitionStack
            record.pointee.source = event.pointee.source
        }
        let isCounted = counts[Int(to.rawValue)] && accepts(record, event.pointee.subjectGoroutine, tables)
        if isCounted, !record.pointee.isCounted { finding.lookedAt &+= 1 }
        set(record, isCounted, at: time)
    }

    /// Its function is known only now.
    private func recount(
        _ record: UnsafeMutablePointer<Record>, _ event: UnsafePointer<Event>, _ tables: TraceTables
    ) {
        set(record, accepts(record, event.pointee.subjectGoroutine, tables), at: event.pointee.timeNanoseconds)
    }

    private func accepts(
        _ record: UnsafeMutablePointer<Record>, _ goroutine: GoroutineID, _ tables: TraceTables
    ) -> Bool {
        filter.accepts(
            goroutine, record.pointee.function, record.pointee.state, record.pointee.reason, record.pointee.stack,
            record.pointee.source, lasting: 0, tables)
    }

    private func set(_ record: UnsafeMutablePointer<Record>, _ isCounted: Bool, at time: Int64) {
        guard isCounted != record.pointee.isCounted else { return }
        record.pointee.isCounted = isCounted
        watch.change(by: isCounted ? 1 : -1, at: time)
        if watch.isBroken(at: time) { note(at: time) }
    }

    private func note(at time: Int64) {
        finding.add(watch.level, limit: exampleLimit) { example(at: time) }
    }

    /// All that are too many at a time; shown are those that came last.
    private func example(at time: Int64) -> CounterExample {
        var counted: [(id: Int64, record: Record)] = []
        records.pointer.pointee.forEach { id, record in
            if record.pointee.isCounted { counted.append((id, record.pointee)) }
        }
        counted.sort { ($0.record.sinceNanoseconds, $0.id) < ($1.record.sinceNanoseconds, $1.id) }
        let shown = counted.suffix(Self.shownCount)
        let evidence = shown.map { id, record in
            CheckEvidence(
                .begins,
                Event(
                    kind: .goroutineTransition, timeNanoseconds: record.sinceNanoseconds, goroutine: GoroutineID(id),
                    name: record.reason, argument0: UInt64(bitPattern: id),
                    argument1: UInt64(record.stack.rawValue), source: record.source,
                    detail: Event.pack(.undetermined, record.state)))
        }
        let start = min(watch.beyondSince ?? time, shown.first?.record.sinceNanoseconds ?? time)
        var example = CounterExample(
            from: start, to: time, value: watch.level, goroutines: counted.map { GoroutineID($0.id) }, evidence)
        example.unshownCount = UInt64(counted.count - shown.count)
        return example
    }

    func finish(_ batch: CheckBatch) -> CheckFinding {
        if watch.isBroken(at: batch.lastNanoseconds) { note(at: batch.lastNanoseconds) }
        if finding.lookedAt > 0 { finding.value = watch.highest }
        return finding
    }
}
