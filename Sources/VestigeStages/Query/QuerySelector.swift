import VestigeCore

/// Tries an expression on events, for each goroutine that an event belongs to: the one in whose context it
/// happened and, of a transition, the one whose state changes.
struct QuerySelector: ~Copyable {
    typealias Record = QueryTracker.Record

    var tracker: QueryTracker
    private var program: QueryProgram
    /// By kind, the conditions on kinds that hold.
    private let kindMasks: [UInt64]
    private let times: [(bit: UInt64, range: Range<Int64>)]
    private let hasTasks: Bool
    private let labels: [(bit: UInt64, globs: [Glob])]
    private let functions: [(bit: UInt64, globs: [Glob])]

    init(
        _ expression: QueryExpression, facts: QueryFacts?, clock: QueryClock, tables: TraceTables
    ) throws(TraceError) {
        let program = QueryProgram(expression)
        self.program = program
        tracker = QueryTracker(program, facts: facts ?? QueryFacts(), tables: tables)
        kindMasks = EventKind.allCases.map { kind in
            program.mask { if case .kind(let kinds) = $0 { kinds.contains(kind) } else { false } }
        }
        var times: [(bit: UInt64, range: Range<Int64>)] = []
        var labels: [(bit: UInt64, globs: [Glob])] = []
        var functions: [(bit: UInt64, globs: [Glob])] = []
        var hasTasks = false
        for (index, condition) in program.conditions.enumerated() {
            let bit: UInt64 = 1 << UInt64(index)
            switch condition {
            case .time(let comparison, let bound): times.append((bit, try clock.range(comparison, bound)))
            case .label(let globs): labels.append((bit, globs))
            case .function(let globs): functions.append((bit, globs))
            case .task: hasTasks = true
            default: break
            }
        }
        (self.times, self.labels, self.functions, self.hasTasks) = (times, labels, functions, hasTasks)
    }

    var isDynamic: Bool { QueryTracker.isDynamic(program) }
    /// True if what is selected depends on the goroutine at all.
    var isSelective: Bool { !program.conditions.isEmpty }

    /// What holds of the event whatever goroutine it belongs to.
    mutating func mask(of event: Event, _ tables: TraceTables) -> UInt64 {
        var mask = mask(of: event.kind, at: event.timeNanoseconds)
        switch event.kind {
        case .taskBegin, .taskEnd, .regionBegin, .regionEnd, .log:
            if hasTasks { mask |= tracker.taskMask(event.task) }
        case .observed:
            mask |= observationMask(event, tables)
        default: break
        }
        return mask
    }

    private func mask(of kind: EventKind, at time: Int64) -> UInt64 {
        var mask = kindMasks[Int(kind.rawValue)]
        for (bit, range) in times where range.contains(time) { mask |= bit }
        return mask
    }

    /// An observation shows one instant of a stretch in a state; how long that has lasted at least, it may say.
    private mutating func observationMask(_ event: Event, _ tables: TraceTables) -> UInt64 {
        var mask = tracker.names(event.toGoroutineState, event.name, tables)
        let wait = Int64(clamping: event.leastWaitNanoseconds)
        for bit in mask.bits where program.conditions[bit].leastDuration > wait { mask &= ~(1 << UInt64(bit)) }
        if !labels.isEmpty {
            let detail = tables.observations.detail(event.observationDetail)
            for attribute in tables.observations.attributes(detail.labels) {
                let text = "\(tables.strings.string(attribute.name))=\(tables.strings.string(attribute.value))"
                for (bit, globs) in labels where globs.contains(where: { $0.matches(text) }) { mask |= bit }
            }
        }
        if event.goroutine == .absent, !functions.isEmpty, let root = tables.stacks.rootFrame(event.stack) {
            let name = tables.strings.bytes(root.function)
            for (bit, globs) in functions where globs.contains(where: { $0.matches(name) }) { mask |= bit }
        }
        return mask
    }

    /// Whether the event is selected. Asked between the two halves of its effects.
    mutating func selects(_ event: Event, _ context: Record?, _ subject: Record?, _ tables: TraceTables) -> Bool {
        let mask = mask(of: event, tables)
        if let context, program.holds(mask | context.pointee.place) { return true }
        if let subject { return selectsTransition(event, mask, subject, tables) }
        return context == nil && program.holds(mask)
    }

    /// A transition belongs to the stretch that it ends and to the one that it begins.
    mutating func selectsTransition(
        _ event: Event, _ mask: UInt64, _ subject: Record, _ tables: TraceTables
    ) -> Bool {
        let mask = mask | subject.pointee.place
        guard QueryTracker.changes(event, from: subject.pointee.state) else { return program.holds(mask) }
        if program.holds(mask | subject.pointee.span) { return true }
        return program.holds(mask | tracker.spanMask(begunBy: event, tables))
    }

    /// Whether the state that a goroutine is in at a time is selected.
    mutating func selectsState(_ record: Record, at time: Int64) -> Bool {
        program.holds(mask(of: .goroutineTransition, at: time) | record.pointee.place | record.pointee.span)
    }

    /// Whether a synthetic event is selected, which establishes what holds at its time.
    mutating func selectsSynthetic(_ event: Event, _ tables: TraceTables) -> Bool {
        if event.kind == .goroutineTransition {
            guard let record = tracker.record(event.subjectGoroutine) else { return false }
            return selectsState(record, at: event.timeNanoseconds)
        }
        let context = tracker.record(event.goroutine)
        return selects(event, context, nil, tables)
    }
}

extension QuerySelector {
    /// Whether the expression holds for a goroutine, apart from its states.
    mutating func holds(_ mask: UInt64, _ record: Record) -> Bool { program.holds(mask | record.pointee.place) }

    /// Whether it holds for an event of such a kind where a goroutine is in such a place.
    mutating func holds(_ kind: EventKind, at time: Int64, _ place: UInt64) -> Bool {
        program.holds(mask(of: kind, at: time) | place)
    }
}
