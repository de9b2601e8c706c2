import VestigeCore

/// What started an orphan, and is gone.
public enum GhostOrigin: Sendable {
    /// Not an orphan.
    case itself
    /// A task or region that has ended.
    case ended(isTask: Bool, name: StringID, goroutine: GoroutineID, nanoseconds: Int64)
    /// A goroutine that has ended, one of many of its kind.
    case creator(GoroutineID, nanoseconds: Int64)

    static func scope(_ scope: StartScope) -> GhostOrigin {
        .ended(isTask: scope.kind == .task, name: scope.name, goroutine: scope.goroutine, nanoseconds: scope.ended)
    }

    static func creator(_ goroutine: EndedGoroutine) -> GhostOrigin {
        .creator(goroutine.number, nanoseconds: goroutine.ended)
    }
}

/// Why nothing can end a wait.
public enum GhostCause: Hashable, Sendable {
    /// Says nothing beside the class.
    case none
    /// Nobody can send on or receive from a nil channel, or fulfil a select without cases.
    case impossible
    /// An observer has proved it.
    case proved
    /// The runtime has found that all goroutines are asleep.
    case deadlock
    /// In the whole recording nobody was woken at that place.
    case neverWoken
    /// Who used to wake goroutines there has ended: the last one, and when, where that is known.
    case wakerEnded(GoroutineID, nanoseconds: Int64?)
    /// Others that began to wait at that place later have been woken: so many, after at most so long.
    case overtaken(count: UInt64, longestNanoseconds: Int64)
    /// The function that started it and fed it has returned; it was called on this goroutine.
    case feederReturned(GoroutineID)
    /// Of the goroutines that its creator started so many have ended, of so many.
    case leftOver(ended: UInt32, of: UInt32)
    /// The creator has ended.
    case creatorEnded(GoroutineID, nanoseconds: Int64?)
    /// It waits for a goroutine that is stuck or leaked itself.
    case victim(GoroutineID)
    /// No goroutine is alive that it could wait for.
    case nobodyLeft
    /// It waits for a timer that used to wake it after at most so long.
    case timerStopped(longestNanoseconds: Int64)
    /// A lock that nobody has given back.
    case lockHeld
    /// So many goroutines are the same in a dump.
    case crowd
}

/// What one source says of a goroutine.
public struct GhostNote: BitwiseCopyable, Sendable {
    public var source: UInt8
    public var timeNanoseconds: Int64
    public var state: GoroutineState
    public var reason: StringID
    /// It has waited at least so long; 0 where that is not said.
    public var leastWaitNanoseconds: UInt64
    public var isLeaked: Bool
    public var stack: StackID
}

/// One goroutine of a finding, or several that an observer does not tell apart.
public struct GhostMember: Sendable {
    /// Absent for goroutines without numbers.
    public var goroutine: GoroutineID
    public var count: UInt64 = 1
    /// The stretch of time that is wrong: its silence, its longest run, its wait for a proc, the time that it has
    /// outlived what started it.
    public var startNanoseconds: Int64
    public var endNanoseconds: Int64
    /// When it was created; nil if before the recording.
    public var createdNanoseconds: Int64?
    public var creator: GoroutineID = .absent
    public var hasEnded = false
    /// What is wrong began before the recording, at a time that is not known.
    public var beganBefore = false
    /// Who woke it last, when, and where that one was; 0 if it has never been woken.
    public var lastWaker: GoroutineID = .absent
    public var lastWokenNanoseconds: Int64?
    public var lastWakerStack: StackID = .absent
    /// What observers say, in order of time.
    public var notes: [GhostNote] = []

    public var durationNanoseconds: Int64 { max(0, endNanoseconds.subtractingSaturating(startNanoseconds)) }
}

/// Goroutines that have the same wrong with them, for the same cause: they are in the same place and come from the
/// same place.
public struct GhostFinding: Sendable {
    public var ghost: GhostClass
    /// Other classes that apply to some of them.
    public var also: [GhostClass] = []
    public var cause = GhostCause.none
    public var origin = GhostOrigin.itself
    public var startFunction: StringID = .empty
    /// In the words of the runtime or of the observer.
    public var reason: StringID = .empty
    /// Where they wait, or were when it was noticed.
    public var stack: StackID = .absent
    public var creationStack: StackID = .absent
    /// How many goroutines; `members` may hold fewer.
    public var count: UInt64 = 0
    public var members: [GhostMember] = []
    /// When it began with the first of them, and the longest of their durations.
    public var firstNanoseconds: Int64 = 0
    public var longestNanoseconds: Int64 = 0
    /// How many goroutines of the creation site were alive, at even distances to the end: of a pile.
    public var growth: [UInt32] = []
}

/// What there is in a recording.
public struct GhostResult: Sendable {
    /// Worst first.
    public var findings: [GhostFinding] = []
    /// By rule: how many goroutines it has spared.
    public var spared: [(rule: GhostRule, count: UInt64)] = []
    public var firstNanoseconds: Int64 = 0
    public var lastNanoseconds: Int64 = 0
    /// The silence from which on a goroutine counted as stuck.
    public var stuckNanoseconds: Int64 = 0
    /// True if nothing but observations was read.
    public var hasOnlyObservations = false
}
