/// Counts of events that a reader has counted instead of delivering them, for work that asks only how many there are.
///
/// A reader that is given one may leave out any event but: the first of each thread and each proc, the first of a
/// goroutine, its creation and its end, and what observers saw. Since the states in between are left out, it tells at
/// the end of a recording which state each goroutine that is alive is in, by a synthetic transition.
public final class EventTally {
    /// By the raw value of the kind; valid as long as the tally.
    public let counts: UnsafeMutablePointer<UInt64>

    public init() {
        counts = .allocate(capacity: 256)
        counts.initialize(repeating: 0, count: 256)
    }

    deinit { counts.deallocate() }

    public var total: UInt64 { EventKind.allCases.reduce(0) { $0 &+ counts[Int($1.rawValue)] } }
}
