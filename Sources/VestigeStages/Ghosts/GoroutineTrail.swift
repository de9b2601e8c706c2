import VestigeCore

/// What a living goroutine has left in the recording so far: as much as a judgement needs.
struct GoroutineTrail: PagedElement {
    struct Flags: OptionSet, BitwiseCopyable {
        var rawValue: UInt8
        /// Its creation is in the recording.
        static let isCreated = Flags(rawValue: 1)
        /// It has been in its state since before the recording.
        static let beganBefore = Flags(rawValue: 2)
        /// Several goroutines have woken it where it waits for what others may give, as a worker does for work.
        static let hasSeveralWakers = Flags(rawValue: 4)
        /// It was preempted, so what it does next goes on without a pause.
        static let isPreempted = Flags(rawValue: 8)
        /// What it does is left out by a query.
        static let isOut = Flags(rawValue: 16)
    }

    /// Where it has been woken, how often, and by whom last.
    struct Wakeups: BitwiseCopyable {
        var place: UInt32 = 0
        var count: UInt32 = 0
        var waker: GoroutineID = .absent
        var wakerStack: StackID = .absent
        /// Several goroutines have woken it there.
        var hasSeveralWakers = false
    }

    var isOccupied = false
    var state: GoroutineState = .undetermined
    var flags: Flags = []
    var source: UInt8 = 0
    var site: UInt32 = 0
    /// Since when it is in its state.
    var since: Int64 = 0
    /// Where it was at its last own transition: where it waits.
    var stack: StackID = .absent
    var reason: StringID = .empty
    /// How long it has run since it last yielded, up to `since`.
    var run: Int64 = 0
    /// For how long the process had been stopped as a whole, up to `since`.
    var stopped: Int64 = 0
    var number: GoroutineID = .absent

    // How it was woken.
    var lastWoken: Int64 = 0
    var lastWaker: GoroutineID = .absent
    var lastWakerStack: StackID = .absent
    /// Index of `wakeups` that is replaced next.
    var oldest: UInt8 = 0
    var wakeups: (Wakeups, Wakeups, Wakeups, Wakeups) = (Wakeups(), Wakeups(), Wakeups(), Wakeups())

    // What it did without a pause, and how long it had to wait for a proc.
    var preemptedStack: StackID = .absent
    var longestRunStack: StackID = .absent
    var longestRun: Int64 = 0
    var longestRunEnd: Int64 = 0
    var longestReady: Int64 = 0
    var longestReadyEnd: Int64 = 0
    var readyTotal: Int64 = 0
    var runCount: UInt32 = 0
    var readyCount: UInt32 = 0

    // Where it comes from.
    var created: Int64 = 0
    var creator: GoroutineID = .absent
    var creationStack: StackID = .absent
    var startFunction: StringID = .empty
    var childrenCreated: UInt32 = 0
    var childrenEnded: UInt32 = 0
    /// The task or region in which it was started, or whoever started it; 0 is none.
    var scope: UInt32 = 0
    /// Its innermost open task or region; 0 is none.
    var openScope: UInt32 = 0

    static var vacant: GoroutineTrail { GoroutineTrail() }

    init() {}

    init(_ number: GoroutineID) {
        isOccupied = true
        self.number = number
    }

    /// What is known of its waking at a place; nil if it has not been woken there.
    func wakeups(at place: UInt32) -> Wakeups? {
        for entry in [wakeups.0, wakeups.1, wakeups.2, wakeups.3] where entry.place == place && entry.count > 0 {
            return entry
        }
        return nil
    }

    @inline(__always)
    mutating func wake(at place: UInt32, by waker: GoroutineID, _ stack: StackID, _ time: Int64) {
        lastWoken = time
        lastWaker = waker
        lastWakerStack = stack
        if wakeups.0.place == place, wakeups.0.count > 0 {
            Self.count(&wakeups.0, waker, stack)
        } else {
            wakeElsewhere(place, waker, stack)
        }
    }

    @inline(never)
    private mutating func wakeElsewhere(_ place: UInt32, _ waker: GoroutineID, _ stack: StackID) {
        if wakeups.1.place == place, wakeups.1.count > 0 { return Self.count(&wakeups.1, waker, stack) }
        if wakeups.2.place == place, wakeups.2.count > 0 { return Self.count(&wakeups.2, waker, stack) }
        if wakeups.3.place == place, wakeups.3.count > 0 { return Self.count(&wakeups.3, waker, stack) }
        let entry = Wakeups(place: place, count: 1, waker: waker, wakerStack: stack)
        switch oldest & 3 {
        case 0: wakeups.0 = entry
        case 1: wakeups.1 = entry
        case 2: wakeups.2 = entry
        default: wakeups.3 = entry
        }
        oldest &+= 1
    }

    @inline(__always)
    private static func count(_ entry: inout Wakeups, _ waker: GoroutineID, _ stack: StackID) {
        entry.count &+= 1
        if waker != entry.waker, waker != .absent, entry.waker != .absent { entry.hasSeveralWakers = true }
        entry.waker = waker
        entry.wakerStack = stack
    }
}
