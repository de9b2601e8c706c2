import VestigeCore

/// Finds out in a pass of its own what a selection must know before it begins: which goroutines began with a
/// function, which regions, tasks and spans last long enough, when the regions are that a window is around, and
/// when the recording ends.
public final class QuerySurvey {
    private struct OpenTask {
        var names: UInt64
        var startNanoseconds: Int64
    }

    public private(set) var facts = QueryFacts()
    private let query: Query
    private let program: QueryProgram
    private var tracker: HeapBox<QueryTracker>?
    private var functionNames: NameMasks
    private var taskNames: NameMasks
    private var openTasks: [UInt64: OpenTask] = [:]
    private var endedTasks = RecentTasks()
    private var aroundTimes: [ClosedRange<Int64>] = []
    private var isEmpty = true
    private let followsSpans: Bool

    public init(_ query: Query) {
        self.query = query
        program = QueryProgram(query.expression)
        functionNames = NameMasks(program) { if case .function(let globs) = $0 { globs } else { nil } }
        taskNames = NameMasks(program) { if case .task(let globs, _) = $0 { globs } else { nil } }
        followsSpans =
            program.mask { condition in
                switch condition {
                case .state, .reason: condition.leastDuration > 0
                default: false
                }
            } != 0
    }

    /// True if the query cannot be answered in one pass.
    public static func isNeeded(for query: Query) -> Bool {
        let conditions = query.expression.conditions
        let bounds = query.timeBounds
        return !query.around.isEmpty
            || bounds.contains { if case .beforeEnd = $0 { true } else { false } }
            || conditions.contains { condition in
                switch condition {
                case .time(_, .beforeEnd), .function, .region, .task, .added: true
                case .state, .reason: condition.leastDuration > 0
                default: false
                }
            }
    }

    public func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {
        guard let first = events.first, let last = events.last else { return }
        if isEmpty { facts.firstNanoseconds = first.timeNanoseconds }
        isEmpty = false
        facts.lastNanoseconds = last.timeNanoseconds
        if tracker == nil {
            tracker = HeapBox(QueryTracker(program, facts: nil, around: query.around, tables: tables))
        }
        let tracker = tracker!.pointer
        for event in events { take(event, tracker, tables) }
    }

    private func take(_ event: Event, _ tracker: UnsafeMutablePointer<QueryTracker>, _ tables: TraceTables) {
        switch event.kind {
        case .goroutineTransition: transition(event, tracker, tables)
        case .regionBegin:
            facts.regionNames.add(event.name, tables)
            tracker.pointee.begin(event, tables)
        case .regionEnd:
            facts.regionNames.add(event.name, tables)
            tracker.pointee.end(event, tables)
            if let (region, isEarly) = tracker.pointee.endedRegion { end(region, isEarly, event, tables) }
        case .taskBegin: beginTask(event, tables)
        case .taskEnd: endTask(event, tables)
        case .observed:
            learnFunction(of: event.goroutine, event.stack, tracker, tables)
        default: break
        }
    }

    /// Ends what is open at the recording's end.
    public func finish() -> QueryFacts {
        if let tracker {
            for region in tracker.pointer.pointee.openRegions { end(region, at: facts.lastNanoseconds) }
            tracker.pointer.pointee.forEach { _, record in
                guard followsSpans, record.pointee.state != .undetermined else { return }
                note(
                    &facts.spans, record.pointee.span, record.pointee.spanOrdinal,
                    from: record.pointee.spanStartNanoseconds, to: facts.lastNanoseconds)
            }
        }
        for (id, task) in openTasks { end(task, id, at: facts.lastNanoseconds) }
        facts.windows = windows()
        return facts
    }

    // MARK: - Goroutines

    private func transition(
        _ event: Event, _ tracker: UnsafeMutablePointer<QueryTracker>, _ tables: TraceTables
    ) {
        learnFunction(of: event.subjectGoroutine, event.transitionStack, tracker, tables)
        if event.toGoroutineState == .notExist {
            for region in tracker.pointee.openRegions(of: event.subjectGoroutine) {
                end(region, at: event.timeNanoseconds)
            }
        }
        tracker.pointee.end(event, tables)
        guard followsSpans, let span = tracker.pointee.endedSpan else { return }
        note(&facts.spans, span.names, span.ordinal, from: span.startNanoseconds, to: event.timeNanoseconds)
    }

    private func learnFunction(
        of goroutine: GoroutineID, _ stack: StackID, _ tracker: UnsafeMutablePointer<QueryTracker>,
        _ tables: TraceTables
    ) {
        guard !functionNames.isEmpty, let record = tracker.pointee.record(goroutine), !record.pointee.hasStartFunction,
            let root = tables.stacks.rootFrame(stack), root.function != .empty
        else { return }
        record.pointee.hasStartFunction = true
        facts.functionNames.add(root.function, tables)
        let mask = functionNames.mask(of: root.function, tables)
        for bit in mask.bits { facts.functions[bit, default: IDSet()].insert(UInt64(bitPattern: goroutine.rawValue)) }
    }

    // MARK: - Regions

    private func end(
        _ region: QueryRegions.Instance, _ isEarly: Bool, _ event: Event, _ tables: TraceTables
    ) {
        guard isEarly else { return end(region, at: event.timeNanoseconds) }
        var region = region
        region.startNanoseconds = max(facts.firstNanoseconds, region.startNanoseconds)
        noteAround(region, at: event.timeNanoseconds)
        let mask = region.names.bits.reduce(UInt64(0)) { mask, bit in
            isLong(bit, from: region.startNanoseconds, to: event.timeNanoseconds) ? mask | 1 << UInt64(bit) : mask
        }
        facts.earlyRegions[event.goroutine.rawValue, default: []].append(
            QueryFacts.EarlyRegion(task: event.task, name: tables.strings.string(event.name), mask: mask))
    }

    private func end(_ region: QueryRegions.Instance, at time: Int64) {
        noteAround(region, at: time)
        note(&facts.regions, region.names, region.ordinal, from: region.startNanoseconds, to: time)
    }

    private func noteAround(_ region: QueryRegions.Instance, at time: Int64) {
        let (start, end) = (region.startNanoseconds, max(region.startNanoseconds, time))
        guard region.isAround, end &- start >= query.minDurationNanoseconds else { return }
        // Regions come mostly in the order of their ends, and overlap: what the last one holds is no news.
        if let last = aroundTimes.last, last.lowerBound <= start, last.upperBound >= end { return }
        aroundTimes.append(start...end)
    }

    /// The end of a region belongs to it, so the windows reach one nanosecond beyond.
    private func windows() -> [Range<Int64>] {
        var windows: [Range<Int64>] = []
        for time in aroundTimes.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let start = max(facts.firstNanoseconds, time.lowerBound.subtractingClamped(query.marginNanoseconds))
            let end = time.upperBound.addingClamped(query.marginNanoseconds).addingClamped(1)
            if let last = windows.last, start <= last.upperBound {
                windows[windows.count - 1] = last.lowerBound..<max(last.upperBound, end)
            } else {
                windows.append(start..<end)
            }
        }
        return windows
    }

    // MARK: - Tasks

    private func beginTask(_ event: Event, _ tables: TraceTables) {
        facts.taskNames.add(event.name, tables)
        let names = taskNames.mask(of: event.name, tables)
        endedTasks.remove(event.task)
        guard names != 0 else { return }
        openTasks[event.task.rawValue] = OpenTask(names: names, startNanoseconds: event.timeNanoseconds)
    }

    private func endTask(_ event: Event, _ tables: TraceTables) {
        facts.taskNames.add(event.name, tables)
        if let task = openTasks.removeValue(forKey: event.task.rawValue) {
            end(task, event.task.rawValue, at: event.timeNanoseconds)
        } else if !taskNames.isEmpty, !endedTasks.contains(event.task) {
            let names = taskNames.mask(of: event.name, tables)
            let task = OpenTask(names: names, startNanoseconds: facts.firstNanoseconds)
            end(task, event.task.rawValue, at: event.timeNanoseconds)
        }
        if !taskNames.isEmpty { endedTasks.insert(event.task) }
    }

    private func end(_ task: OpenTask, _ id: UInt64, at time: Int64) {
        for bit in task.names.bits where isLong(bit, from: task.startNanoseconds, to: time) {
            facts.tasks[bit, default: IDSet()].insert(id)
        }
    }

    // MARK: - Durations

    private func note(_ long: inout [Int: IDSet], _ names: UInt64, _ ordinal: UInt64, from start: Int64, to end: Int64)
    {
        for bit in names.bits where program.conditions[bit].leastDuration > 0 && isLong(bit, from: start, to: end) {
            long[bit, default: IDSet()].insert(ordinal)
        }
    }

    private func isLong(_ bit: Int, from start: Int64, to end: Int64) -> Bool {
        end.subtractingClamped(start) >= program.conditions[bit].leastDuration
    }
}

extension UInt64 {
    /// The numbers of the bits that are set.
    var bits: [Int] {
        if self == 0 { return [] }
        return (0..<64).filter { self & 1 << UInt64($0) != 0 }
    }
}

extension Int64 {
    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, isTooLarge) = addingReportingOverflow(other)
        return isTooLarge ? (other < 0 ? .min : .max) : sum
    }

    func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, isTooLarge) = subtractingReportingOverflow(other)
        return isTooLarge ? (other < 0 ? .max : .min) : difference
    }
}
