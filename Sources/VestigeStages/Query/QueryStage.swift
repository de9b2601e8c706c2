import VestigeCore

/// Lets through what a query selects.
///
/// What it leaves out, it makes good: where a window begins, or a goroutine comes back into the selection,
/// synthetic events establish the state; where one leaves the selection in the middle, synthetic events say that
/// nothing more is known. So whoever reads the result sees the right states, and spans clipped to what is selected.
/// A synthetic sync event stands at the begin and at the end.
public final class QueryStage: Stage {
    private let query: Query
    private let facts: QueryFacts?
    private var core: HeapBox<QuerySelector>?
    private let snapshot = StateSnapshot()
    private var clock: QueryClock?
    private var windows: ArraySlice<Range<Int64>> = []
    private var isOpen = false
    private var isFollowing = false
    private var lastNanoseconds = Int64.min
    private var lastWritten = Int64.min
    /// Events of the batch from here on the snapshot has not seen.
    private var unseen = 0

    /// True once nothing more can come: what follows need not be read.
    public private(set) var isDone = false
    /// Whether `isDone` can become true before the recording's end.
    public var canEndEarly: Bool { query.to != nil || !query.around.isEmpty }
    /// True if something of the recording has been selected.
    public private(set) var hasSelected = false

    /// - Parameter facts: what the surveys have found; nil where they are not needed.
    public init(_ query: Query, facts: QueryFacts? = nil) {
        self.query = query
        self.facts = facts
    }

    /// The begin of the first window; nil if there is none, or it begins with the recording.
    /// - Throws: `usage` for a window that cannot be.
    public func begin(of recording: TraceStart) throws(TraceError) -> Int64? {
        guard let start = try span(of: recording)?.lowerBound, start > recording.firstNanoseconds else { return nil }
        return start
    }

    /// From the begin of the first window to the end of the last; nil if there is none.
    /// - Throws: `usage` for a window that cannot be.
    public func span(of recording: TraceStart) throws(TraceError) -> Range<Int64>? {
        let windows = try QueryClock(recording, facts: facts).windows(of: query, facts: facts)
        guard let first = windows.first, let last = windows.last else { return nil }
        return first.lowerBound..<last.upperBound
    }

    public func process(
        _ input: UnsafeBufferPointer<Event>, tables: TraceTables, into output: inout EventBatch,
        emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        guard let first = input.first, let last = input.last, !isDone else { return }
        if core == nil { try begin(first, tables) }
        lastNanoseconds = last.timeNanoseconds
        unseen = 0
        var index = 0
        while index < input.count {
            let event = input[index]
            if try moveWindow(to: event.timeNanoseconds, input, index, tables, &output, emit) {
                if isDone { return }
            }
            if isFollowing {
                try take(input, index, tables, &output, emit)
                index += 1
            } else if isOpen {
                index = try pass(input, from: index, tables, &output, emit)
            } else {
                index = skip(input, from: index, tables)
            }
        }
        see(input, upTo: input.count, tables)
    }

    public func finish(
        tables: TraceTables, into output: inout EventBatch, emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        guard let clock, !isDone else { return }
        if !isOpen, let next = windows.first { try clock.check(next.lowerBound, endingAt: lastNanoseconds) }
        if isOpen { try close(at: lastNanoseconds, tables, &output, emit) }
        isDone = true
    }

    private func begin(_ first: Event, _ tables: TraceTables) throws(TraceError) {
        let clock = QueryClock(first: first, facts: facts, tables: tables)
        self.clock = clock
        windows = try clock.windows(of: query, facts: facts)[...]
        let selector = try QuerySelector(query.expression, facts: facts, clock: clock, tables: tables)
        isFollowing = selector.isDynamic || windows.count > 1
        core = HeapBox(selector)
        if windows.isEmpty { isDone = true }
    }

    private var selector: UnsafeMutablePointer<QuerySelector> { core!.pointer }

    // MARK: - Windows

    /// Closes and opens windows that end or begin at a time or before.
    private func moveWindow(
        to time: Int64, _ input: UnsafeBufferPointer<Event>, _ index: Int, _ tables: TraceTables,
        _ output: inout EventBatch, _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) -> Bool {
        guard let window = windows.first, time >= (isOpen ? window.upperBound : window.lowerBound) else { return false }
        see(input, upTo: index, tables)
        if isOpen {
            try close(at: window.upperBound, tables, &output, emit)
            windows = windows.dropFirst()
            isOpen = false
            isDone = windows.isEmpty
            if isDone { return true }
            return try moveWindow(to: time, input, index, tables, &output, emit)
        }
        isOpen = true
        try open(at: max(window.lowerBound, clock!.firstNanoseconds), tables, &output, emit)
        if time >= window.upperBound { return try moveWindow(to: time, input, index, tables, &output, emit) }
        return true
    }

    private func open(
        at time: Int64, _ tables: TraceTables, _ output: inout EventBatch,
        _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        // Without events before, only the moment is told.
        var events = snapshot.events(at: time, tables: tables)
        if events.isEmpty { events = [Self.sync(at: time, source: 0)] }
        for event in events { try establish(event, tables, &output, emit) }
    }

    private func establish(
        _ event: Event, _ tables: TraceTables, _ output: inout EventBatch,
        _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        if event.kind == .sync {
            // The moment is told whatever is selected: times count from it.
        } else if !selector.pointee.selectsSynthetic(event, tables) {
            return
        }
        if event.kind == .goroutineTransition, let record = selector.pointee.tracker.record(event.subjectGoroutine) {
            (record.pointee.isIn, record.pointee.isAnnounced) = (true, true)
            hasSelected = true
        }
        try write(event, &output, emit)
    }

    /// Ends what is open, with a sync event if it is the last window: that limits what writers show.
    private func close(
        at time: Int64, _ tables: TraceTables, _ output: inout EventBatch,
        _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        if windows.count > 1 {
            for event in snapshot.events(at: time, tables: tables).reversed() {
                guard let end = event.closing, selector.pointee.selectsSynthetic(event, tables) else { continue }
                try write(end, &output, emit)
            }
            selector.pointee.tracker.forEach { _, record in record.pointee.isIn = false }
        } else {
            let last = min(time, lastNanoseconds)
            if last > lastWritten { try write(Self.sync(at: last, source: 0), &output, emit) }
        }
    }

    private static func sync(at time: Int64, source: UInt8) -> Event {
        var event = Event(kind: .sync, timeNanoseconds: time, source: source)
        event.isSynthetic = true
        event.sinceNanoseconds = time
        return event
    }

    // MARK: - Events

    /// Passes over events before a window.
    private func skip(_ input: UnsafeBufferPointer<Event>, from start: Int, _ tables: TraceTables) -> Int {
        guard let next = windows.first?.lowerBound else { return input.count }
        var index = start
        while index < input.count, input[index].timeNanoseconds < next { index += 1 }
        return index
    }

    /// Lets events through where the selection does not change while goroutines live.
    private func pass(
        _ input: UnsafeBufferPointer<Event>, from start: Int, _ tables: TraceTables, _ output: inout EventBatch,
        _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) -> Int {
        let end = windows.first!.upperBound
        let isSelective = selector.pointee.isSelective
        var index = start
        while index < input.count, input[index].timeNanoseconds < end {
            let event = input[index]
            index += 1
            if isSelective {
                let context = selector.pointee.tracker.record(event.goroutine)
                let isTransition = event.kind == .goroutineTransition
                let subject = isTransition ? selector.pointee.tracker.record(event.subjectGoroutine) : nil
                let isSelected = selector.pointee.selects(event, context, subject, tables)
                if isSelected, let subject {
                    let isOwn = selector.pointee.selectsState(subject, at: event.timeNanoseconds)
                    try write(event, of: subject, isOwn: isOwn, &output, emit)
                    if !isOwn, event.toGoroutineState != .notExist { try write(event.closing!, &output, emit) }
                }
                if isTransition, event.toGoroutineState == .notExist { selector.pointee.tracker.end(event, tables) }
                guard isSelected, subject == nil else { continue }
            }
            hasSelected = true
            try write(event, &output, emit)
        }
        // Nothing will be asked of the snapshot any more.
        unseen = index
        return index
    }

    /// One event, where what is selected of a goroutine may change with it.
    private func take(
        _ input: UnsafeBufferPointer<Event>, _ index: Int, _ tables: TraceTables, _ output: inout EventBatch,
        _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        let event = input[index]
        let isTransition = event.kind == .goroutineTransition
        let context = selector.pointee.tracker.record(event.goroutine)
        let subject = isTransition ? selector.pointee.tracker.record(event.subjectGoroutine) : nil
        let places = (context?.pointee.place ?? 0, subject?.pointee.place ?? 0)
        selector.pointee.tracker.begin(event, tables)
        guard isOpen else { return selector.pointee.tracker.end(event, tables) }
        func settle(_ end: Int, isWritten: Bool) throws(TraceError) {
            if event.goroutine != .absent {
                let isOwn = isWritten && isTransition && event.goroutine == event.subjectGoroutine
                try self.settle(
                    event.goroutine, event.timeNanoseconds, places.0, isWritten: isOwn, input, end, tables, &output,
                    emit)
            }
            if isTransition, event.subjectGoroutine != event.goroutine {
                try self.settle(
                    event.subjectGoroutine, event.timeNanoseconds, places.1, isWritten: isWritten, input, end, tables,
                    &output, emit)
            }
        }
        try settle(index, isWritten: false)
        let isSelected = selector.pointee.selects(event, context, subject, tables)
        if isSelected {
            if let subject {
                let isOwn = selector.pointee.selectsTransition(
                    event, selector.pointee.mask(of: event, tables), subject, tables)
                try write(event, of: subject, isOwn: isOwn, &output, emit)
            } else {
                hasSelected = true
                try write(event, &output, emit)
            }
        }
        selector.pointee.tracker.end(event, tables)
        try settle(index + 1, isWritten: isSelected)
    }

    /// Lets a goroutine enter or leave the output where its selection has changed.
    ///
    /// - Parameters:
    ///   - place: what held of it before.
    ///   - isWritten: its last transition is in the output, and tells the state.
    ///   - end: up to where the snapshot must have seen the batch.
    private func settle(
        _ goroutine: GoroutineID, _ time: Int64, _ place: UInt64, isWritten: Bool,
        _ input: UnsafeBufferPointer<Event>, _ end: Int, _ tables: TraceTables, _ output: inout EventBatch,
        _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        guard let record = selector.pointee.tracker.known(goroutine) else { return }
        let isSelected =
            record.pointee.state != .undetermined && selector.pointee.selectsState(record, at: time)
        guard isSelected != record.pointee.isIn || isWritten && !isSelected else { return }
        record.pointee.isIn = isSelected
        if isWritten, isSelected { return }
        see(input, upTo: end, tables)
        let events = snapshot.events(of: goroutine, at: time, tables: tables)
        if isSelected {
            record.pointee.isAnnounced = true
            for event in events where event.kind == .goroutineTransition || holds(event, record.pointee.place) {
                try write(event, &output, emit)
            }
        } else {
            for event in events.reversed() where event.kind == .goroutineTransition || holds(event, place) {
                if let closing = event.closing { try write(closing, &output, emit) }
            }
        }
    }

    private func holds(_ event: Event, _ place: UInt64) -> Bool {
        selector.pointee.holds(event.kind, at: event.timeNanoseconds, place)
    }

    /// Writes a transition. Before the first of a goroutine that was alive already, or that only another one's
    /// selection shows, it is said that nothing of it is known.
    ///
    /// - Parameter isOwn: it is selected for the sake of the goroutine whose state changes.
    private func write(
        _ event: Event, of subject: QuerySelector.Record, isOwn: Bool, _ output: inout EventBatch,
        _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        hasSelected = true
        if !subject.pointee.isAnnounced {
            subject.pointee.isAnnounced = true
            let from = event.fromGoroutineState
            if from != .notExist, from != .undetermined || !isOwn { try write(Self.unknown(event), &output, emit) }
        }
        try write(event, &output, emit)
    }

    private static func unknown(_ event: Event) -> Event {
        var unknown = Event(
            kind: .goroutineTransition, timeNanoseconds: event.timeNanoseconds, argument0: event.argument0,
            source: event.source, detail: Event.pack(GoroutineState.undetermined, .undetermined))
        unknown.isSynthetic = true
        unknown.sinceNanoseconds = event.timeNanoseconds
        return unknown
    }

    private func see(_ input: UnsafeBufferPointer<Event>, upTo end: Int, _ tables: TraceTables) {
        guard unseen < end else { return }
        snapshot.process(UnsafeBufferPointer(rebasing: input[unseen..<end]), tables: tables)
        unseen = end
    }

    private func write(
        _ event: Event, _ output: inout EventBatch, _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        if output.room == 0 { try emit(&output) }
        output.append(event)
        lastWritten = event.timeNanoseconds
    }
}
