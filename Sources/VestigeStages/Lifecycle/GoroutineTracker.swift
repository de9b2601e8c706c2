import VestigeCore

/// Follows the states, lives and regions of goroutines.
struct GoroutineTracker: ~Copyable {
    private typealias Record = UnsafeMutablePointer<GoroutineRecord>

    private var records = PagedTable<GoroutineRecord>()
    private var regions = OpenRegions()

    // MARK: - States

    @inline(__always)
    mutating func transition(
        _ event: UnsafePointer<Event>, _ tables: TraceTables, _ output: inout LifelineOutput
    ) {
        let (from, to) = (event.pointee.fromGoroutineState, event.pointee.toGoroutineState)
        guard let record = records.find(event.pointee.subjectGoroutine.rawValue), record.pointee.isKnown else {
            return discover(event, from, to, tables, &output)
        }
        let state = record.pointee.state
        let isLeaving = to == .undetermined && event.pointee.isSynthetic
        if from != state || from == to || from == .notExist || state == .undetermined || isLeaving {
            return status(record, event, from, to, tables, &output)
        }
        record.pointee.life.transitionCount &+= 1
        change(record, event, to, flags: [], tables, &output)
    }

    /// A transition that confirms the state, or one that contradicts it.
    @inline(never)
    private mutating func status(
        _ record: Record, _ event: UnsafePointer<Event>, _ from: GoroutineState, _ to: GoroutineState,
        _ tables: TraceTables, _ output: inout LifelineOutput
    ) {
        if record.pointee.isOut { return comeBack(record, event, to, tables, &output) }
        if event.pointee.isSynthetic, to == .undetermined { return leave(record, event, &output) }
        if to == record.pointee.state, from == to || from == .undetermined {
            if record.pointee.startStack == .absent { record.pointee.startStack = event.pointee.transitionStack }
            return noteStartFunction(record, event, tables)
        }
        if from == .notExist {
            // The id is created again while its goroutine is alive: the end of that one is lost.
            output.add(endedSpan(record, event, flags: .isBroken))
            end(record, record.pointee.life(endingAt: event.pointee.timeNanoseconds), &output)
            return discover(event, from, to, tables, &output)
        }
        if from != .undetermined, from != to { record.pointee.life.transitionCount &+= 1 }
        change(record, event, to, flags: .isBroken, tables, &output)
    }

    /// A synthetic transition to Undetermined: what follows of the goroutine has been left out.
    private func leave(_ record: Record, _ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        if event.pointee.timeNanoseconds > record.pointee.startNanoseconds {
            output.add(record.pointee.span(endingAt: event.pointee.timeNanoseconds, flags: .isOpen))
        }
        record.pointee.enter(.undetermined, event)
        record.pointee.isOut = true
    }

    /// The first transition of a goroutine after a part that has been left out.
    private mutating func comeBack(
        _ record: Record, _ event: UnsafePointer<Event>, _ to: GoroutineState, _ tables: TraceTables,
        _ output: inout LifelineOutput
    ) {
        guard to != .undetermined else { return }
        noteStartFunction(record, event, tables)
        record.pointee.isOut = false
        record.pointee.enter(to, event)
        if to == .notExist { end(record, record.pointee.life(endingAt: event.pointee.timeNanoseconds), &output) }
    }

    @inline(__always)
    private mutating func change(
        _ record: Record, _ event: UnsafePointer<Event>, _ to: GoroutineState, flags: LifelineSpan.Flags,
        _ tables: TraceTables, _ output: inout LifelineOutput
    ) {
        if !record.pointee.hasStartFunction { noteStartFunction(record, event, tables) }
        let span = endedSpan(record, event, flags: flags)
        // What a window's start establishes may end at once.
        if span.startNanoseconds < span.endNanoseconds || !span.flags.contains(.beganBefore) { output.add(span) }
        record.pointee.enter(to, event)
        if to == .notExist { end(record, record.pointee.life(endingAt: event.pointee.timeNanoseconds), &output) }
    }

    /// The first transition of a goroutine: its creation, or the first that is heard of it.
    @inline(never)
    private mutating func discover(
        _ event: UnsafePointer<Event>, _ from: GoroutineState, _ to: GoroutineState, _ tables: TraceTables,
        _ output: inout LifelineOutput
    ) {
        guard from != .notExist || to != .notExist else { return }
        let time = event.pointee.timeNanoseconds
        let record = record(of: event.pointee.subjectGoroutine)
        record.pointee.isKnown = true
        if event.pointee.isSynthetic, to == .undetermined { record.pointee.isOut = true }
        record.pointee.life.source = event.pointee.source
        record.pointee.life.firstSeenNanoseconds = time
        record.pointee.life.firstState = to
        noteStartFunction(record, event, tables)
        if from == .notExist {
            record.pointee.life.isCreationKnown = true
            record.pointee.life.creator = event.pointee.goroutine
            record.pointee.life.creationStack = event.pointee.stack
        } else if time > output.firstNanoseconds, !event.pointee.isSynthetic {
            record.pointee.startNanoseconds = output.firstNanoseconds
            record.pointee.source = event.pointee.source
            output.add(endedSpan(record, event, flags: .beganBefore))
        }
        if from != .undetermined, from != to { record.pointee.life.transitionCount &+= 1 }
        record.pointee.enter(to, event)
        if to == .notExist { end(record, record.pointee.life(endingAt: time), &output) }
    }

    @inline(__always)
    private func endedSpan(_ record: Record, _ event: UnsafePointer<Event>, flags: LifelineSpan.Flags) -> LifelineSpan {
        var span = record.pointee.span(endingAt: event.pointee.timeNanoseconds, flags: flags)
        span.endStack = event.pointee.transitionStack
        if event.pointee.goroutine != span.goroutine {
            span.endedBy = event.pointee.goroutine
            span.endedByStack = event.pointee.stack
            return span
        }
        if span.endStack == .absent { span.endStack = event.pointee.stack }
        // A span that a status event began does not say where it ran; its own end does.
        if span.thread == .absent, span.state == .running || span.state == .syscall {
            span.thread = event.pointee.thread
            if span.state == .running { span.proc = event.pointee.proc }
        }
        return span
    }

    @inline(never)
    private func noteStartFunction(_ record: Record, _ event: UnsafePointer<Event>, _ tables: TraceTables) {
        // A stack that the runtime could not resolve has frames without names.
        guard !record.pointee.hasStartFunction,
            let root = tables.stacks.rootFrame(event.pointee.transitionStack), root.function != .empty
        else { return }
        record.pointee.hasStartFunction = true
        record.pointee.startFrame = tables.stacks.root(event.pointee.transitionStack)
        record.pointee.life.startFunction = root.function
    }

    /// Ends a life; regions that it leaves open end with it.
    private mutating func end(_ record: Record, _ life: GoroutineLife, _ output: inout LifelineOutput) {
        var life = life
        life.hasEnded = true
        regions.removeAll(&record.pointee.regions, of: life.goroutine) { region in
            output.add(region.span(of: life, endingAt: life.lastNanoseconds, flags: .isOpen))
        }
        output.lives.append(life)
        records.remove(life.goroutine.rawValue)
    }

    private mutating func record(of goroutine: GoroutineID) -> Record {
        records.find(goroutine.rawValue) ?? records.insert(goroutine.rawValue, GoroutineRecord(goroutine))
    }

    // MARK: - Samples and regions

    mutating func stackSample(_ event: UnsafePointer<Event>) {
        guard event.pointee.goroutine != .absent else { return }
        record(of: event.pointee.goroutine).pointee.life.stackSampleCount &+= 1
    }

    mutating func regionBegin(_ event: UnsafePointer<Event>) {
        let record = record(of: event.pointee.goroutine)
        regions.begin(event, &record.pointee.regions)
    }

    mutating func regionEnd(_ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        let goroutine = event.pointee.goroutine
        let record = records.find(goroutine.rawValue)
        var span: LifelineSpan
        if let record, let region = regions.end(event, &record.pointee.regions) {
            span = region.span(of: record.pointee.life, endingAt: event.pointee.timeNanoseconds, flags: [])
        } else {
            // Nothing on a goroutine can have begun before its creation.
            let life = record?.pointee.life ?? GoroutineRecord(goroutine).life
            let start = life.isCreationKnown ? life.firstSeenNanoseconds : output.firstNanoseconds
            let region = OpenRegion(event, startingAt: start, depth: record?.pointee.regions.count ?? 0)
            span = region.span(of: life, endingAt: event.pointee.timeNanoseconds, flags: .beganBefore)
        }
        span.endStack = event.pointee.stack
        if event.pointee.isSynthetic { span.flags.insert(.isOpen) }
        output.add(span)
        if let record, !record.pointee.isKnown, record.pointee.regions.count == 0,
            record.pointee.life.stackSampleCount == 0
        {
            records.remove(goroutine.rawValue)
        }
    }

    /// Hands over what is known of each goroutine that is alive, in order of ids.
    func forEachAlive(_ body: (UnsafePointer<GoroutineRecord>) -> Void) {
        records.forEach { body($1) }
    }

    func forEachRegion(of record: UnsafePointer<GoroutineRecord>, _ body: (OpenRegion) -> Void) {
        regions.forEach(record.pointee.regions, body)
    }

    // MARK: - The end

    mutating func finish(_ output: inout LifelineOutput) {
        var alive: [Record] = []
        records.forEach { alive.append($1) }
        let time = output.lastNanoseconds
        for record in alive {
            let life = record.pointee.life
            regions.removeAll(&record.pointee.regions, of: life.goroutine) { region in
                output.add(region.span(of: life, endingAt: time, flags: .isOpen))
            }
            guard record.pointee.isKnown else { continue }
            if !record.pointee.isOut { output.add(record.pointee.span(endingAt: time, flags: .isOpen)) }
            output.lives.append(record.pointee.life(endingAt: time))
        }
        records = PagedTable()
    }

    /// What is known of a goroutine that is alive.
    mutating func known(_ goroutine: GoroutineID) -> UnsafePointer<GoroutineRecord>? {
        records.find(goroutine.rawValue).map { UnsafePointer($0) }
    }

    mutating func startFunction(of goroutine: GoroutineID) -> StringID {
        records.find(goroutine.rawValue)?.pointee.life.startFunction ?? .empty
    }
}
