import VestigeCore

/// What one observer said of a process at one moment: the `observed` and `breakpoint` events that a
/// dump or a debugger's halt gave.
public struct ObservedSnapshot {
    public enum Observer: Sendable {
        /// The runtime itself wrote it, between stopping the world and starting it again.
        case dump
        /// The same, without goroutine numbers: alike goroutines are counted together.
        case profile
        /// A debugger held the process: its trace has a hole there.
        case debugger
    }

    public let observer: Observer
    public let events: [Event]
    /// The greatest reading of the monotonic clock that it holds: it cannot be older. Nil if there is none.
    public let latestMonotonicNanoseconds: Int64?
    /// Nanoseconds of Unix time, where it tells when it was taken.
    public let wallNanoseconds: Int64?
    /// True for a listing in groups, which names some goroutines of each, and leaves out further groups.
    public let isInGroups: Bool

    public init(
        observer: Observer, events: [Event], latestMonotonicNanoseconds: Int64? = nil, wallNanoseconds: Int64? = nil,
        isInGroups: Bool = false
    ) {
        self.wallNanoseconds = wallNanoseconds
        self.observer = observer
        self.events = events
        self.isInGroups = isInGroups
        self.latestMonotonicNanoseconds = latestMonotonicNanoseconds
    }

    /// How many goroutines it tells of.
    public var goroutineCount: UInt64 {
        events.reduce(0) { $1.kind == .observed ? $0 &+ $1.observedCount : $0 }
    }
}

extension ObservedSnapshot {
    /// The name of the attribute that keeps apart several snapshots of one input.
    public static let numberAttribute = "snapshot"
    /// The name of the attribute with a debugger's `waitSince`, nanoseconds of the monotonic clock.
    public static let waitSinceAttribute = "waitSince"

    /// The snapshots in the events of one input: they differ in time or in the attribute `snapshot`.
    ///
    /// - Parameter clock: what the times of the events are on.
    public static func divide(
        _ events: [Event], isDebugger: Bool, clock: ClockKind = .unknown, tables: TraceTables
    ) -> [ObservedSnapshot] {
        let number = tables.strings.intern(numberAttribute)
        let waitSince = tables.strings.intern(waitSinceAttribute)
        let group = tables.strings.intern("group")
        var snapshots: [ObservedSnapshot] = []
        var pending: [Event] = []
        var key: Key?
        var latest: Int64?
        var isInGroups = false
        func close() {
            guard !pending.isEmpty else { return }
            let hasNumbers = pending.contains { $0.kind == .breakpoint || $0.goroutine != .absent }
            snapshots.append(
                ObservedSnapshot(
                    observer: isDebugger ? .debugger : hasNumbers ? .dump : .profile, events: pending,
                    latestMonotonicNanoseconds: latest,
                    wallNanoseconds: clock == .wall ? pending[0].timeNanoseconds : nil, isInGroups: isInGroups))
            (pending, latest, isInGroups) = ([], nil, false)
        }
        for event in events {
            let attributes = attributes(of: event, tables)
            let next = Key(time: event.timeNanoseconds, number: attributes.first { $0.name == number }?.value)
            if next != key { close() }
            key = next
            pending.append(event)
            if attributes.contains(where: { $0.name == group }) { isInGroups = true }
            if let text = attributes.first(where: { $0.name == waitSince })?.value,
                let value = Int64(tables.strings.string(text))
            {
                latest = max(latest ?? value, value)
            }
        }
        close()
        return snapshots
    }

    /// Whether a debugger shows a stamp of the garbage collector in a goroutine; see `CollectorStamps`.
    func stamp(of event: Event, _ tables: TraceTables) -> CollectorStamps.Stamp {
        // Without a reason, or with this one, the runtime may have had no occasion for a stamp.
        guard observer == .debugger, event.toGoroutineState == .waiting, event.name != .empty,
            event.name != tables.strings.intern("preempted")
        else { return .unknown }
        let name = tables.strings.intern(Self.waitSinceAttribute)
        return Self.attributes(of: event, tables).contains { $0.name == name } ? .present : .absent
    }

    /// True for a listing, false for what a stop says of the goroutines on the program's few threads: so few
    /// point to no moment.
    public var isListing: Bool {
        var goroutines: Set<GoroutineID> = []
        for event in events where event.kind == .observed && event.goroutine != .absent {
            goroutines.insert(event.goroutine)
            if goroutines.count > 4 { return true }
        }
        return false
    }

    /// True for a profile of the goroutines that are proved to leak, which says nothing of others.
    func isOfLeaks(_ tables: TraceTables) -> Bool {
        let observed = events.filter { $0.kind == .observed }
        return observer == .profile && !observed.isEmpty
            && observed.allSatisfy { tables.observations.detail($0.observationDetail).flags.contains(.leaked) }
    }

    private struct Key: Equatable {
        let time: Int64
        let number: StringID?
    }

    private static func attributes(of event: Event, _ tables: TraceTables) -> [Attribute] {
        let observations = tables.observations
        switch event.kind {
        case .observed: return observations.attributes(observations.detail(event.observationDetail).attributes)
        case .breakpoint: return observations.attributes(event.breakpointAttributes)
        default: return []
        }
    }
}
