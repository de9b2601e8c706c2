import VestigeCore

/// What is known of a goroutine that is alive.
struct GoroutineRecord: PagedElement {
    var isOccupied = false
    /// True once a transition was seen. Before that, only regions and samples name the goroutine.
    var isKnown = false
    /// True once a stack has told the start function.
    var hasStartFunction = false
    /// True while what it does has been left out (`QueryStage`).
    var isOut = false
    var state: GoroutineState = .undetermined
    /// Source of the transition into the state.
    var source: UInt8 = 0
    var proc: ProcID = .absent
    var thread: ThreadID = .absent
    /// The proc with which it entered the state, also a system call, which may lose it.
    var heldProc: ProcID = .absent
    var startNanoseconds: Int64 = 0
    var reason: StringID = .empty
    var startStack: StackID = .absent
    /// The stack of its start function alone.
    var startFrame: StackID = .absent
    var regions = RegionList()
    /// What a synthetic transition into the state said: it had begun before, and when.
    var spanFlags: LifelineSpan.Flags = []
    var began = Int64.min
    /// Grows as spans end; the rest is filled in when the life ends.
    var life = GoroutineLife()

    static var vacant: GoroutineRecord { GoroutineRecord() }

    init() {}

    init(_ goroutine: GoroutineID) {
        isOccupied = true
        life.goroutine = goroutine
    }

    /// The transition into `newState`.
    @inline(__always)
    mutating func enter(_ newState: GoroutineState, _ event: UnsafePointer<Event>) {
        state = newState
        source = event.pointee.source
        startNanoseconds = event.pointee.timeNanoseconds
        reason = event.pointee.name
        startStack = event.pointee.transitionStack
        (spanFlags, began) = event.pointee.isSynthetic ? ([.beganBefore], event.pointee.sinceNanoseconds) : ([], .min)
        // Whoever reports a goroutine in a system call need not be the thread that it blocks.
        let isOnThread = newState == .running || newState == .syscall && event.pointee.goroutine == life.goroutine
        thread = isOnThread ? event.pointee.thread : .absent
        heldProc = isOnThread ? event.pointee.proc : .absent
        proc = newState == .running ? event.pointee.proc : .absent
    }

    /// The span of the state, up to a time; adds it to the life's totals.
    @inline(__always)
    mutating func span(endingAt time: Int64, flags: LifelineSpan.Flags) -> LifelineSpan {
        var span = LifelineSpan()
        span.kind = .goroutineState
        span.state = state
        span.goroutine = life.goroutine
        span.startNanoseconds = startNanoseconds
        span.endNanoseconds = max(startNanoseconds, time)
        span.name = reason
        span.startFunction = life.startFunction
        span.startStack = startStack
        span.proc = proc
        span.thread = thread
        span.flags = flags.union(spanFlags)
        span.began = began
        span.source = source
        life.add(span.durationNanoseconds, in: state)
        return span
    }

    /// The life so far, as of the state it is in.
    func life(endingAt time: Int64) -> GoroutineLife {
        var ended = life
        ended.lastNanoseconds = max(life.firstSeenNanoseconds, time)
        ended.finalState = state
        ended.finalReason = reason
        ended.finalStack = startStack
        return ended
    }
}

extension GoroutineLife {
    @inline(__always)
    mutating func add(_ nanoseconds: Int64, in state: GoroutineState) {
        switch state {
        case .undetermined: undeterminedNanoseconds &+= nanoseconds
        case .runnable: runnableNanoseconds &+= nanoseconds
        case .running: runningNanoseconds &+= nanoseconds
        case .waiting: waitingNanoseconds &+= nanoseconds
        case .syscall: syscallNanoseconds &+= nanoseconds
        case .notExist: break
        }
    }
}
