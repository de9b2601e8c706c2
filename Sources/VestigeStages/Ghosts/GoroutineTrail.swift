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

    /// Where it has been woken, how often, after how long at most, and by whom last.
    struct Wakeups: BitwiseCopyable {
        var place: UInt32 = 0
        var count: UInt32 = 0
        var longest: Int64 = 0
        var waker: GoroutineID = .absent
        var wakerStack: StackID = .absent
        /// Several goroutines have woken it there.
        var hasSeveralWakers = false
    }

    var isOccupied = false
    var state: GoroutineState = .undetermined
    var flags: Flags = []
    var source: UInt8 = 0
    /// Of a waiting goroutine: what `WaitWords` says of the reason.
    var words: UInt8 = 0
    var site: UInt32 = 0
    /// Since when it is in its state.
    var since: Int64 = 0
    /// Where it was at its last own transition: where it waits.
    var stack: StackID = .absent
    var reason: StringID = .empty
    /// How long it has run since it last yielded, up to `since`.
    var run: Int64 = 0
    var number: GoroutineID = .absent

    // How it was woken.
    var lastWoken: Int64 = 0
    /// Index of `wakeups` that was used last, and of the one that is replaced next.
    var latest: UInt8 = 0
    var oldest: UInt8 = 0
    var wakeups: (Wakeups, Wakeups, Wakeups, Wakeups) = (Wakeups(), Wakeups(), Wakeups(), Wakeups())

    // What it did without a pause, and how long it had to wait for a proc.
    var preemptedStack: StackID = .absent
    /// Of one that was preempted: when it began to run.
    var runStart: Int64 = 0
    var longestRunStack: StackID = .absent
    var longestRun: Int64 = 0
    var longestRunStart: Int64 = 0
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
    var lastChildCreated = Int64.min
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

    var allWakeups: [Wakeups] { [wakeups.0, wakeups.1, wakeups.2, wakeups.3].filter { $0.count > 0 } }

    /// What is known of its waking at a place; nil if it has not been woken there.
    func wakeups(at place: UInt32) -> Wakeups? { allWakeups.first { $0.place == place } }

    /// Who woke it last, and where that one was; nil if it has never been woken.
    var lastWakeup: Wakeups? {
        guard lastWoken != 0 else { return nil }
        return [wakeups.0, wakeups.1, wakeups.2, wakeups.3][Int(latest & 3)]
    }

    /// - Returns: true if this was the first to differ from who had woken it there before.
    @inline(__always)
    mutating func wake(at place: UInt32, by waker: GoroutineID, _ stack: StackID, _ time: Int64) -> Bool {
        lastWoken = time
        let waited = time &- since
        if wakeups.0.place == place, wakeups.0.count > 0 {
            latest = 0
            return wakeups.0.add(waker, stack, waited)
        }
        if wakeups.1.place == place, wakeups.1.count > 0 {
            latest = 1
            return wakeups.1.add(waker, stack, waited)
        }
        return wakeElsewhere(place, waker, stack, waited)
    }

    @inline(never)
    private mutating func wakeElsewhere(
        _ place: UInt32, _ waker: GoroutineID, _ stack: StackID, _ waited: Int64
    ) -> Bool {
        if wakeups.2.place == place, wakeups.2.count > 0 {
            latest = 2
            return wakeups.2.add(waker, stack, waited)
        }
        if wakeups.3.place == place, wakeups.3.count > 0 {
            latest = 3
            return wakeups.3.add(waker, stack, waited)
        }
        let entry = Wakeups(place: place, count: 1, longest: waited, waker: waker, wakerStack: stack)
        latest = oldest & 3
        oldest &+= 1
        switch latest {
        case 0: wakeups.0 = entry
        case 1: wakeups.1 = entry
        case 2: wakeups.2 = entry
        default: wakeups.3 = entry
        }
        return false
    }
}

extension GoroutineTrail.Wakeups {
    /// - Returns: true if this was the first to differ from who had woken it there before.
    @inline(__always)
    mutating func add(_ waker: GoroutineID, _ stack: StackID, _ waited: Int64) -> Bool {
        longest = max(longest, waited)
        let isOther = waker != self.waker && waker != .absent && self.waker != .absent && !hasSeveralWakers
        if isOther { hasSeveralWakers = true }
        count &+= 1
        self.waker = waker
        wakerStack = stack
        return isOther
    }
}
