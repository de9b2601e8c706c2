import VestigeCore

/// Places what a debugger's log says of breakpoints in a recording: where it proves the birth or the death of a
/// goroutine, the recording has that too, and goroutine numbers are given once in a process's life.
public final class LifecycleSearch {
    /// An instant at which the recording has a birth or a death.
    private struct Instant {
        var timeNanoseconds: Int64
        /// Of a birth: who created it, and where.
        var stack = StackID.absent
    }

    private let hits: [Event]
    private let tables: TraceTables
    private var births: [GoroutineID: Instant] = [:]
    private var deaths: [GoroutineID: Instant] = [:]
    private let wanted: Set<GoroutineID>
    private var range: (first: Int64, last: Int64)?

    /// - Parameter hits: breakpoints, transitions, and what else the log says, in its order.
    public init(_ hits: [Event], tables: TraceTables) {
        self.hits = hits
        self.tables = tables
        wanted = Set(hits.lazy.filter { $0.kind == .goroutineTransition }.map(\.subjectGoroutine))
    }

    /// Takes the next events of the recording.
    public func process(_ events: UnsafeBufferPointer<Event>) {
        guard let first = events.first, let last = events.last else { return }
        range = (range?.first ?? first.timeNanoseconds, last.timeNanoseconds)
        for event in events where event.kind == .goroutineTransition && wanted.contains(event.subjectGoroutine) {
            let instant = Instant(timeNanoseconds: event.timeNanoseconds, stack: event.stack)
            if event.fromGoroutineState == .notExist {
                births[event.subjectGoroutine] = instant
            } else if event.toGoroutineState == .notExist {
                deaths[event.subjectGoroutine] = instant
            }
        }
    }

    /// - Parameter isOneClock: whether the log's times are on the recording's clock.
    public func finish(isOneClock: Bool) -> LifecyclePlacement {
        var placement = LifecyclePlacement()
        // The place of each breakpoint; nil where nothing tells.
        var places: [Int64?] = []
        for hit in hits {
            if hit.kind != .goroutineTransition {
                placement.events.append(hit)
                places.append(nil)
            } else if let time = match(hit, isOneClock, &placement), !places.isEmpty {
                // The breakpoint that proves it stands right before.
                places[places.count - 1] = time
            }
        }
        fill(&places, placement.events, isOneClock)
        for index in places.indices { placement.events[index].timeNanoseconds = places[index] ?? 0 }
        placement.isPlaced = placement.matchCount > 0 || isOneClock
        return placement
    }

    /// The instant at which the recording has what a transition of the log says.
    private func match(_ hit: Event, _ isOneClock: Bool, _ placement: inout LifecyclePlacement) -> Int64? {
        let isBirth = hit.fromGoroutineState == .notExist
        let goroutine = hit.subjectGoroutine
        let instant = isBirth ? births[goroutine] : deaths[goroutine]
        if let instant, !isBirth || StackComparison.agree(instant.stack, hit.stack, tables) {
            placement.matchCount += 1
            if isBirth {
                switch PlaceComparison(creation: instant.stack, hit.stack, tables) {
                case .agreeing: placement.evidence.agreeing += 1
                case .differing: placement.evidence.differing += 1
                case .unknown, .inLibrary, .inMain: break
                }
            }
            // It had not ended yet when the breakpoint was hit.
            return isBirth ? instant.timeNanoseconds : instant.timeNanoseconds &- 1
        }
        // Without a common clock it may have been before the recording began, or after its end.
        let isInRange = range.map { $0.first <= hit.timeNanoseconds && hit.timeNanoseconds <= $0.last } ?? false
        if isInRange && isOneClock || instant != nil {
            placement.missing.append((goroutine, isBirth, instant == nil))
        }
        return nil
    }

    /// Gives places to what lies between: by its clock, else beside the one before, or the first one after.
    private func fill(_ places: inout [Int64?], _ events: [Event], _ isOneClock: Bool) {
        var next: [Int64?] = places
        for index in places.indices.reversed() where index + 1 < places.count {
            next[index] = places[index] ?? next[index + 1]
        }
        var last: Int64?
        for index in places.indices {
            if places[index] == nil {
                let own = isOneClock ? events[index].timeNanoseconds : last ?? next[index]
                places[index] = own.map { max(last ?? .min, min($0, next[index] ?? .max)) }
            }
            last = places[index] ?? last
        }
    }
}

/// What became of a debugger's log.
public struct LifecyclePlacement {
    /// Breakpoints and all else, at their places. The transitions are left out: the recording has them.
    public fileprivate(set) var events: [Event] = []
    /// Births and deaths that the recording has too.
    public fileprivate(set) var matchCount = 0
    /// Those that it has not, or as somebody else's.
    public fileprivate(set) var missing: [(goroutine: GoroutineID, isBirth: Bool, isUnknown: Bool)] = []
    /// False if nothing says where it belongs.
    public fileprivate(set) var isPlaced = false

    /// Whether births are at the same lines.
    fileprivate(set) var evidence = PlaceEvidence()

    /// True if the recording contradicts it no more than one of the same run may.
    public var isCredible: Bool { isPlaced && matchCount >= missing.count && !evidence.speaksAgainst }

    /// What the recording does not say as the log does.
    public var agreement: Agreement {
        let differences = missing.map { item in
            Difference(
                goroutine: item.goroutine, subject: item.isUnknown ? .existence : .stack,
                recording: item.isUnknown
                    ? (item.isBirth ? "never created" : "never ended") : "created elsewhere",
                observer: item.isBirth ? "created" : "ended")
        }
        return Agreement(differences: differences, comparedCount: matchCount + missing.count)
    }
}
