import VestigeCore

/// What has happened at one place where goroutines wait: the calls that led there, from the innermost frame outside
/// of the library's parts that wait for their callers.
struct WaitPlace: BitwiseCopyable {
    /// The stack without what waits for its caller.
    var stack: StackID = .absent
    var means = Means.other
    /// Waits that were ended, and how many of these by no goroutine: by a timer, the network, the scheduler.
    var wakeCount: UInt64 = 0
    var timerCount: UInt64 = 0
    /// When the last of them was ended, and when the latest of them had begun.
    var lastWoken: Int64 = .min
    var latestStart: Int64 = .min
    var longest: Int64 = 0
    /// How many were ended by whoever had created the goroutine that waited.
    var creatorCount: UInt64 = 0
    /// Who woke someone there, each once for every site: of the first eight wakes and of every sixteenth, the last.
    var wakers: (Waker, Waker, Waker, Waker) = (Waker(), Waker(), Waker(), Waker())
    var next: UInt8 = 0
    var last = Waker()
    var lastWakerStack: StackID = .absent

    /// By what of sync it is waited.
    enum Means: UInt8, BitwiseCopyable { case other, lock, group }

    /// A goroutine that has woken others, and the site at which one of these was created.
    struct Waker: BitwiseCopyable, Equatable {
        var goroutine: GoroutineID = .absent
        var site: UInt32 = 0
    }

    var lastWaker: GoroutineID { last.goroutine }

    @inline(__always)
    mutating func wake(_ trail: UnsafePointer<GoroutineTrail>, _ time: Int64, by waker: GoroutineID, _ stack: StackID) {
        let start = trail.pointee.since
        wakeCount &+= 1
        lastWoken = time
        latestStart = max(latestStart, start)
        longest = max(longest, time &- start)
        if waker == .absent {
            timerCount &+= 1
        } else {
            if waker == trail.pointee.creator { creatorCount &+= 1 }
            last = Waker(goroutine: waker, site: trail.pointee.site)
            lastWakerStack = stack
            if wakeCount & 15 == 0 || wakeCount < 8 { note(last) }
        }
    }

    @inline(never)
    private mutating func note(_ waker: Waker) {
        if waker == wakers.0 || waker == wakers.1 || waker == wakers.2 || waker == wakers.3 { return }
        switch next & 3 {
        case 0: wakers.0 = waker
        case 1: wakers.1 = waker
        case 2: wakers.2 = waker
        default: wakers.3 = waker
        }
        next &+= 1
    }

    var knownWakers: [Waker] {
        [last, wakers.0, wakers.1, wakers.2, wakers.3].filter { $0.goroutine != .absent }
    }

    /// Who has woken goroutines of a site there; or of any, where nobody is known for that one.
    func wakers(ofSite site: UInt32) -> [GoroutineID] {
        let known = knownWakers
        let own = known.filter { $0.site == site }
        return (own.isEmpty ? known : own).map(\.goroutine)
    }
}

/// All places where goroutines wait, by number; 0 is that of goroutines of which no stack is known.
struct WaitPlaces: ~Copyable {
    /// Without program counters, which differ between a transition and a status.
    private struct Key: Hashable {
        var function: StringID
        var line: UInt64
        var caller: StackID
        /// Who has been woken on a condition takes its lock in the same place.
        var means: WaitPlace.Means
    }

    private(set) var places: UnsafeMutablePointer<WaitPlace>
    private(set) var count = 1
    private var capacity = 256
    private var numbers: [Key: UInt32] = [:]
    /// By stack: the number of its place plus one; 0 where it was not looked for yet.
    private var known: UnsafeMutablePointer<UInt32>
    private var knownCount = 1024

    init() {
        places = .allocate(capacity: capacity)
        places.initialize(repeating: WaitPlace(), count: capacity)
        known = .allocate(capacity: knownCount)
        known.initialize(repeating: 0, count: knownCount)
    }

    deinit {
        places.deallocate()
        known.deallocate()
    }

    @inline(__always)
    mutating func number(of stack: StackID, _ tables: TraceTables) -> UInt32 {
        let index = Int(stack.rawValue)
        if index < knownCount, known[index] > 0 { return known[index] &- 1 }
        return find(stack, tables)
    }

    @inline(never)
    private mutating func find(_ stack: StackID, _ tables: TraceTables) -> UInt32 {
        guard stack != .absent, Int(stack.rawValue) < tables.stacks.count else { return 0 }
        let outer = GoLibrary.withoutPlumbing(stack, tables)
        let node = tables.stacks.node(outer)
        let key = Key(
            function: node.frame.function, line: node.frame.line, caller: node.caller,
            means: Self.means(stack, upTo: outer, tables))
        let number = numbers[key] ?? add(key, outer)
        if Int(stack.rawValue) >= knownCount { growKnown(toHold: tables.stacks.count) }
        known[Int(stack.rawValue)] = number + 1
        return number
    }

    private static func means(_ stack: StackID, upTo outer: StackID, _ tables: TraceTables) -> WaitPlace.Means {
        var position = stack
        while position != .absent, position != outer {
            let node = tables.stacks.node(position)
            let name = tables.strings.bytes(node.frame.function)
            if GoLibrary.isLock(name) { return .lock }
            if GoLibrary.starts(name, with: "sync.(*WaitGroup).") { return .group }
            position = node.caller
        }
        return .other
    }

    private mutating func add(_ key: Key, _ stack: StackID) -> UInt32 {
        if count == capacity {
            let larger = UnsafeMutablePointer<WaitPlace>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: places, count: count)
            (larger + count).initialize(repeating: WaitPlace(), count: capacity)
            places.deallocate()
            (places, capacity) = (larger, capacity * 2)
        }
        places[count].stack = stack
        places[count].means = key.means
        numbers[key] = UInt32(truncatingIfNeeded: count)
        count += 1
        return UInt32(truncatingIfNeeded: count - 1)
    }

    private mutating func growKnown(toHold wanted: Int) {
        let size = max(wanted, knownCount * 2)
        let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: size)
        larger.moveInitialize(from: known, count: knownCount)
        (larger + knownCount).initialize(repeating: 0, count: size - knownCount)
        known.deallocate()
        (known, knownCount) = (larger, size)
    }
}
