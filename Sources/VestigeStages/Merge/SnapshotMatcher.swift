import VestigeCore

/// Compares one snapshot with a recording as it is read: how many goroutines are in the state that the
/// observer saw is known at every moment, at the cost of one look-up for each transition.
struct SnapshotMatcher: ~Copyable {
    /// What the observer saw of one goroutine, and how that stands to the recording now.
    private struct Expectation: PagedElement, Sendable {
        var isOccupied: Bool
        var state: GoroutineState
        /// In the recording's words; empty where the observer's say nothing about them.
        var reason: StringID
        /// The observer stopped it within the tracer: the recording may be one event ahead.
        var mayBeAhead: Bool
        var isAlive = false
        var hasEnded = false
        var isOfProgram = false
        var isMatched = false
        var stamp = CollectorStamps.Stamp.unknown
        /// Since when it waits, while it does.
        var wait: CollectorStamps.Wait?
        /// Where the observer saw it; absent where that is doubtful.
        var stack = StackID.absent
        /// Where it was created.
        var creation = StackID.absent
        /// The best that is known of its places in the recording.
        var place = PlaceComparison.unknown
        var lastState = GoroutineState.undetermined
        var lastRun: CollectionCount?

        static let vacant = Expectation(isOccupied: false, state: .undetermined, reason: .empty, mayBeAhead: false)
    }

    private var expectations = PagedTable<Expectation>()
    /// Expected goroutines that are alive in the recording, those of the program among them, and those
    /// that are as the observer saw them.
    private var aliveCount = 0
    /// Expected goroutines that have ended in the recording: their numbers are not given again.
    private var endedCount = 0
    private var programCount = 0
    private var matchCount = 0
    private(set) var goroutineCount = 0
    private let isInGroups: Bool
    private var stamps = CollectorStamps()
    private var places = PlaceComparisons()
    private let tables: TraceTables

    init(_ snapshot: ObservedSnapshot, _ tables: TraceTables) {
        self.tables = tables
        isInGroups = snapshot.isInGroups
        for event in snapshot.events where event.kind == .observed && event.goroutine != .absent {
            guard expectations.find(event.goroutine.rawValue) == nil else { continue }
            let reason = WaitReasons.inTrace(tables.strings.string(event.name)) ?? ""
            let detail = tables.observations.detail(event.observationDetail)
            let isReadable = !detail.flags.contains(.stackUnavailable) && detail.strayLineCount == 0
            expectations.insert(
                event.goroutine.rawValue,
                Expectation(
                    isOccupied: true, state: event.toGoroutineState, reason: tables.strings.intern(reason),
                    mayBeAhead: Self.isInTracer(event.stack, tables), stamp: snapshot.stamp(of: event, tables),
                    stack: isReadable ? event.stack : .absent, creation: detail.creation.stack))
            goroutineCount += 1
        }
    }

    mutating func transition(_ goroutine: GoroutineID, _ now: TracedGoroutine) {
        guard let expectation = expectations.find(goroutine.rawValue) else { return }
        let isMatched = now.isAlive && Self.agrees(expectation.pointee, now)
        aliveCount += (now.isAlive ? 1 : 0) - (expectation.pointee.isAlive ? 1 : 0)
        let isOfProgram = now.isAlive && now.isOfProgram
        programCount += (isOfProgram ? 1 : 0) - (expectation.pointee.isOfProgram ? 1 : 0)
        matchCount += (isMatched ? 1 : 0) - (expectation.pointee.isMatched ? 1 : 0)
        if now.isAlive == expectation.pointee.hasEnded {
            expectation.pointee.hasEnded.toggle()
            endedCount += now.isAlive ? -1 : 1
        }
        if expectation.pointee.place < .agreeing { comparePlaces(expectation, now, isMatched) }
        if expectation.pointee.stamp != .unknown { followWait(expectation, now.state, isMatched) }
        expectation.pointee.isAlive = now.isAlive
        expectation.pointee.isOfProgram = isOfProgram
        expectation.pointee.isMatched = isMatched
    }

    private mutating func comparePlaces(
        _ expectation: UnsafeMutablePointer<Expectation>, _ now: TracedGoroutine, _ isMatched: Bool
    ) {
        let (stack, isWaiting) = (expectation.pointee.stack, expectation.pointee.state == .waiting)
        var place = places.compare(.creation, now.creationStack, expectation.pointee.creation, tables)
        if !isWaiting {
            place = max(place, places.compare(.running, now.stack, stack, tables))
        } else if isMatched, now.state == .waiting {
            place = max(place, places.compare(.waiting, now.stack, stack, tables))
        }
        expectation.pointee.place = max(expectation.pointee.place, place)
    }

    /// What the whole recording says of whether it is of the same program.
    var evidence: PlaceEvidence {
        mutating get {
            var evidence = PlaceEvidence()
            expectations.forEach { _, expectation in
                switch expectation.pointee.place {
                case .agreeing: evidence.agreeing += 1
                case .inMain: evidence.inMainOnly += 1
                case .differing: evidence.differing += 1
                case .unknown, .inLibrary: break
                }
            }
            return evidence
        }
    }

    static func isStackDoubtful(_ event: Event, _ tables: TraceTables) -> Bool {
        let detail = tables.observations.detail(event.observationDetail)
        return detail.flags.contains(.stackUnavailable) || detail.strayLineCount > 0 || detail.elidedFrameCount != 0
    }

    private mutating func followWait(
        _ expectation: UnsafeMutablePointer<Expectation>, _ state: GoroutineState, _ isMatched: Bool
    ) {
        let stamp = expectation.pointee.stamp
        let isPicked = state == .running && [.runnable, .waiting].contains(expectation.pointee.lastState)
        if isPicked { expectation.pointee.lastRun = stamps.collections }
        expectation.pointee.lastState = state
        let isWaiting = isMatched && state == .waiting
        guard isWaiting != (expectation.pointee.wait != nil) else { return }
        if let wait = expectation.pointee.wait {
            stamps.count(-1, stamp, wait)
            expectation.pointee.wait = nil
        } else {
            let wait = CollectorStamps.Wait(atBlock: stamps.collections, atRun: expectation.pointee.lastRun)
            stamps.count(1, stamp, wait)
            expectation.pointee.wait = wait
        }
    }

    mutating func collectionBegins() { stamps.collectionBegins() }

    mutating func collectionEnds() { stamps.collectionEnds() }

    private static func agrees(_ expected: Expectation, _ now: TracedGoroutine) -> Bool {
        agrees(
            state: expected.state, reason: expected.reason, mayBeAhead: expected.mayBeAhead, with: now)
    }

    /// True if what an observer saw can be what the recording says.
    static func agrees(
        state: GoroutineState, reason: StringID, mayBeAhead: Bool, with now: TracedGoroutine
    ) -> Bool {
        if mayBeAhead, state == .running { return true }
        guard state == now.state || state == .undetermined || now.state == .undetermined else { return false }
        return state != .waiting || reason == .empty || now.reason == .empty || reason == now.reason
    }

    /// True if the innermost frames belong to the tracer: the event is written, the state not changed yet.
    static func isInTracer(_ stack: StackID, _ tables: TraceTables) -> Bool {
        tables.stacks.frames(stack).prefix(8).contains { frame in
            let name = tables.strings.bytes(frame.function)
            return name.starts(with: "runtime.trace".utf8) || name.starts(with: "runtime.(*trace".utf8)
        }
    }

    /// How well the snapshot fits the present moment.
    ///
    /// - Parameter programCount: how many of the program's goroutines the recording has alive.
    func fit(_ place: Fit.Place, from start: Int64, to end: Int64, programCount: Int) -> Fit {
        // A listing that was asked for some goroutines only says nothing of others.
        let missing = isInGroups ? 0 : max(0, programCount - self.programCount)
        let matches = matchCount - stamps.contradictionCount
        return Fit(
            place: place, startNanoseconds: start, endNanoseconds: end, matchCount: matches,
            mismatchCount: aliveCount + endedCount - matches, missingCount: missing <= self.programCount ? missing : 0)
    }
}
