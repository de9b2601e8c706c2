import VestigeCore

/// What a query needs to know of a goroutine.
struct QueryGoroutine: PagedElement {
    var isOccupied = false
    /// What it does now is selected, and the output knows its state.
    var isIn = false
    /// The output has heard of it.
    var isAnnounced = false
    var hasRegions = false
    var hasStartFunction = false
    var state: GoroutineState = .undetermined
    var creationNanoseconds = Int64.min
    /// The stretch in its state: which of all it is, and since when.
    var spanOrdinal: UInt64 = 0
    var spanStartNanoseconds: Int64 = 0
    /// Conditions that hold for all of its life, by its label, by its open regions, by its state.
    var fixed: UInt64 = 0
    var label: UInt64 = 0
    var regions: UInt64 = 0
    var span: UInt64 = 0

    static var vacant: QueryGoroutine { QueryGoroutine() }

    /// What holds whatever it does at the moment.
    var place: UInt64 { fixed | label | regions }
}

/// Follows what the conditions of a query depend on, event by event.
///
/// An event's effects come in two halves, so that a region's begin and end both belong to the region: `begin`
/// before the event is tried, `end` after that.
struct QueryTracker: ~Copyable {
    typealias Record = UnsafeMutablePointer<QueryGoroutine>

    let program: QueryProgram
    /// Nil while the survey finds them out.
    private let facts: QueryFacts?
    private var goroutines = PagedTable<QueryGoroutine>()
    private var regions: [Int64: QueryRegions] = [:]
    private var earlyRegions: [Int64: [(key: QueryRegions.Key, mask: UInt64)]]
    private var regionCount: UInt64 = 0
    private var spanCount: UInt64 = 0

    private var regionNames: NameMasks
    private var labelNames: NameMasks
    private var reasonNames: NameMasks
    private var aroundNames: NameMasks
    private let stateMasks: [UInt64]
    private let reasonMask: UInt64
    /// Span and region conditions that ask for a duration.
    private let lastingMask: UInt64
    private let taskMask: UInt64

    /// What the last `end` ended, for the survey.
    private(set) var endedRegion: (QueryRegions.Instance, isEarly: Bool)?
    private(set) var endedSpan: (ordinal: UInt64, startNanoseconds: Int64, names: UInt64)?

    init(_ program: QueryProgram, facts: QueryFacts?, around: [Glob] = [], tables: TraceTables) {
        self.program = program
        self.facts = facts
        earlyRegions = (facts?.earlyRegions ?? [:]).mapValues { regions in
            regions.map { (QueryRegions.Key(task: $0.task, name: tables.strings.intern($0.name)), $0.mask) }
        }
        regionNames = NameMasks(program) { if case .region(let globs, _) = $0 { globs } else { nil } }
        labelNames = NameMasks(program) { if case .label(let globs) = $0 { globs } else { nil } }
        reasonNames = NameMasks(program) { if case .reason(let globs, _) = $0 { globs } else { nil } }
        let aroundBit: UInt64 = 1
        aroundNames = NameMasks(patterns: around.isEmpty ? [] : [(bit: aroundBit, globs: around)])
        stateMasks = GoroutineState.allCases.map { state in
            program.mask { if case .state(let states, _) = $0 { states.contains(state) } else { false } }
        }
        reasonMask = program.mask { if case .reason = $0 { true } else { false } }
        lastingMask = program.mask { $0.leastDuration > 0 }
        taskMask = program.mask { if case .task = $0 { true } else { false } }
    }

    /// True if what is selected of a goroutine can change while it lives.
    static func isDynamic(_ program: QueryProgram) -> Bool {
        program.mask { condition in
            switch condition {
            case .kind, .goroutine, .function, .added: false
            case .time, .region, .task, .label, .state, .reason: true
            }
        } != 0
    }

    // MARK: - Goroutines

    mutating func record(_ goroutine: GoroutineID) -> Record? {
        if goroutine == .absent { return nil }
        return goroutines.find(goroutine.rawValue) ?? makeRecord(goroutine)
    }

    /// What is known of a goroutine that was heard of.
    mutating func known(_ goroutine: GoroutineID) -> Record? { goroutines.find(goroutine.rawValue) }

    func forEach(_ body: (GoroutineID, Record) -> Void) { goroutines.forEach { body(GoroutineID($0), $1) } }

    private mutating func makeRecord(_ goroutine: GoroutineID) -> Record {
        var record = QueryGoroutine()
        record.isOccupied = true
        record.fixed = fixedMask(goroutine)
        if !earlyRegions.isEmpty { openEarlyRegions(goroutine, &record) }
        return goroutines.insert(goroutine.rawValue, record)
    }

    private func fixedMask(_ goroutine: GoroutineID) -> UInt64 {
        let id = UInt64(bitPattern: goroutine.rawValue)
        var mask: UInt64 = 0
        for (index, condition) in program.conditions.enumerated() {
            let holds =
                switch condition {
                case .goroutine(let ranges): ranges.contains { $0.contains(goroutine.rawValue) }
                case .function: facts?.functions[index]?.contains(id) ?? false
                case .added: facts?.added.contains(id) ?? false
                default: false
                }
            if holds { mask |= 1 << UInt64(index) }
        }
        return mask
    }

    // MARK: - Effects

    /// What is in force from the event on, the event included.
    mutating func begin(_ event: Event, _ tables: TraceTables) {
        switch event.kind {
        case .regionBegin: beginRegion(event, tables)
        case .label where event.scope == .goroutine && !labelNames.isEmpty:
            record(GoroutineID(event.scopeID))?.pointee.label = labelNames.mask(of: event.name, tables)
        default: break
        }
    }

    /// What is in force no more after the event, and the state that a transition leads to.
    mutating func end(_ event: Event, _ tables: TraceTables) {
        switch event.kind {
        case .regionEnd: endRegion(event, tables)
        case .goroutineTransition: transition(event, tables)
        default: break
        }
    }

    /// Whether a transition ends one stretch and begins another, and does not only confirm a state.
    static func changes(_ event: Event, from state: GoroutineState) -> Bool {
        let (from, to) = (event.fromGoroutineState, event.toGoroutineState)
        return to != state || from != to && from != .undetermined
    }

    /// The state conditions that hold for the stretch which the transition begins.
    mutating func spanMask(begunBy event: Event, _ tables: TraceTables) -> UInt64 {
        names(event.toGoroutineState, event.name, tables).subtracting(tooShort: lastingMask, spanCount, facts?.spans)
    }

    /// The state conditions that a state and a reason satisfy.
    mutating func names(_ state: GoroutineState, _ reason: StringID, _ tables: TraceTables) -> UInt64 {
        stateMasks[Int(state.rawValue)] | (reasonMask == 0 ? 0 : reasonNames.mask(of: reason, tables))
    }

    private mutating func transition(_ event: Event, _ tables: TraceTables) {
        endedSpan = nil
        guard let record = record(event.subjectGoroutine) else { return }
        let state = record.pointee.state
        guard Self.changes(event, from: state) else { return }
        if state != .undetermined, state != .notExist {
            endedSpan = (record.pointee.spanOrdinal, record.pointee.spanStartNanoseconds, record.pointee.span)
        }
        if event.toGoroutineState == .notExist {
            regions[event.subjectGoroutine.rawValue] = nil
            goroutines.remove(event.subjectGoroutine.rawValue)
            return
        }
        if event.fromGoroutineState == .notExist {
            record.pointee.creationNanoseconds = event.timeNanoseconds
            // The id is used again, and the end of its last life is lost.
            if state != .undetermined, record.pointee.hasRegions {
                regions[event.subjectGoroutine.rawValue] = nil
                (record.pointee.hasRegions, record.pointee.regions) = (false, 0)
            }
        }
        record.pointee.state = event.toGoroutineState
        record.pointee.span = spanMask(begunBy: event, tables)
        record.pointee.spanOrdinal = spanCount
        record.pointee.spanStartNanoseconds = event.timeNanoseconds
        spanCount += 1
    }

    // MARK: - Regions and tasks

    /// The task conditions that hold for a task.
    func taskMask(_ task: TaskID) -> UInt64 {
        guard taskMask != 0, let facts else { return 0 }
        var mask: UInt64 = 0
        for (index, tasks) in facts.tasks where tasks.contains(task.rawValue) { mask |= 1 << UInt64(index) }
        return mask
    }

    private var followsRegions: Bool { !regionNames.isEmpty || taskMask != 0 || !aroundNames.isEmpty }

    private mutating func beginRegion(_ event: Event, _ tables: TraceTables) {
        defer { regionCount += 1 }
        guard followsRegions, let record = record(event.goroutine) else { return }
        var instance = QueryRegions.Instance(
            mask: 0, ordinal: regionCount, startNanoseconds: event.timeNanoseconds)
        instance.names = regionNames.mask(of: event.name, tables)
        instance.isAround = aroundNames.mask(of: event.name, tables) != 0
        instance.mask =
            instance.names.subtracting(tooShort: lastingMask, regionCount, facts?.regions) | taskMask(event.task)
        // Also one that is too short: its end must not close another of the same name.
        let isRelevant = instance.names != 0 || instance.mask != 0 || instance.isAround
        guard isRelevant || facts == nil && taskMask != 0 else { return }
        let key = QueryRegions.Key(task: event.task, name: event.name)
        regions[event.goroutine.rawValue, default: QueryRegions()].begin(key, instance)
        record.pointee.hasRegions = true
        record.pointee.regions = regions[event.goroutine.rawValue]!.mask
    }

    private mutating func endRegion(_ event: Event, _ tables: TraceTables) {
        endedRegion = nil
        guard followsRegions, let record = record(event.goroutine) else { return }
        let key = QueryRegions.Key(task: event.task, name: event.name)
        if record.pointee.hasRegions, let instance = regions[event.goroutine.rawValue]?.end(key) {
            record.pointee.regions = regions[event.goroutine.rawValue]!.mask
            endedRegion = (instance, isEarly: false)
        } else if facts == nil {
            var instance = QueryRegions.Instance(
                mask: 0, ordinal: 0, startNanoseconds: record.pointee.creationNanoseconds)
            instance.names = regionNames.mask(of: event.name, tables)
            instance.isAround = aroundNames.mask(of: event.name, tables) != 0
            if instance.names != 0 || instance.isAround || taskMask != 0 { endedRegion = (instance, isEarly: true) }
        }
    }

    /// Regions whose begin the recording does not have are open as soon as anything is heard of their goroutine.
    private mutating func openEarlyRegions(_ goroutine: GoroutineID, _ record: inout QueryGoroutine) {
        guard let early = earlyRegions.removeValue(forKey: goroutine.rawValue) else { return }
        var list = QueryRegions()
        // The first to end was the last to begin.
        for region in early.reversed() {
            let mask = region.mask | taskMask(region.key.task)
            list.begin(region.key, QueryRegions.Instance(mask: mask, ordinal: 0, startNanoseconds: .min))
        }
        regions[goroutine.rawValue] = list
        record.hasRegions = true
        record.regions = list.mask
    }

    /// What is open when the recording ends, for the survey.
    var openRegions: [QueryRegions.Instance] { regions.values.flatMap(\.all) }
    /// The open regions of a goroutine, for the survey when it ends.
    func openRegions(of goroutine: GoroutineID) -> [QueryRegions.Instance] { regions[goroutine.rawValue]?.all ?? [] }
}

extension UInt64 {
    /// The mask without conditions on durations that the thing of this number does not fulfil.
    fileprivate func subtracting(tooShort lasting: UInt64, _ ordinal: UInt64, _ long: [Int: IDSet]?) -> UInt64 {
        guard self & lasting != 0, let long else { return self }
        var mask = self
        for bit in 0..<64 where mask & lasting & 1 << UInt64(bit) != 0 {
            if !(long[bit]?.contains(ordinal) ?? false) { mask &= ~(1 << UInt64(bit)) }
        }
        return mask
    }
}

extension QueryCondition {
    /// How long what it selects must last.
    var leastDuration: Int64 {
        switch self {
        case .region(_, let lasting), .task(_, let lasting), .state(_, let lasting), .reason(_, let lasting): lasting
        default: 0
        }
    }
}
