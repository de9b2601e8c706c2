import VestigeCore

/// One goroutine (or thread) as Delve shows it, put together from all that one stop says of it.
struct DelveGoroutine {
    /// Its number; 0 where Delve could not read it, or does not say whose stack it shows.
    var id: Int64 = 0
    /// How many goroutines it stands for: 0 for a bare thread, more than 1 for what a group leaves out.
    var count: UInt64 = 1
    /// The thread it is on; 0 none.
    var thread: Int64 = 0
    /// `g.status` of the runtime, with the scan bit. Only JSON has it.
    var status: Int64?
    /// Only JSON has the code, and only text the words.
    var reasonCode: Int64 = 0
    var reasonWords = StringID.empty
    /// Nanoseconds on the target's monotonic clock, or 0: see `DelveSnapshot.leastWait`.
    var waitSince: Int64 = 0

    // Places, each a stack of one frame; absent where they are not said.
    var runtimeLocation = StackID.absent
    var userLocation = StackID.absent
    var goLocation = StackID.absent
    var startLocation = StackID.absent

    var stack = StackID.absent
    /// Frames in `stack`, and whether the outermost is the bottom.
    var frameCount = 0
    var isStackComplete = true
    /// Why the stack ends early.
    var stackError = StringID.empty
    /// Lines of a stack that is not its own and was left out.
    var strayLineCount: Int64 = 0

    var labels = AttributeListID.empty
    var ancestors: [Ancestor] = []
    /// Name of the group that Delve puts it in.
    var group = StringID.empty
    /// Why Delve could not read it.
    var unreadable = StringID.empty
    var isSelected = false
    /// It stands for a thread, or was seen only as what a thread runs.
    var isThread = false
    /// What is doubtful about it, as far as the reader knows without the others.
    var doubts: [StringID] = []

    /// Adds what another part of the same stop says of the same goroutine.
    mutating func merge(_ other: DelveGoroutine) {
        if other.status != nil || other.reasonWords != .empty {
            (status, reasonCode, reasonWords) = (other.status ?? status, other.reasonCode, other.reasonWords)
            waitSince = other.waitSince
        }
        if other.thread != 0 { thread = other.thread }
        Self.take(other.runtimeLocation, into: &runtimeLocation)
        Self.take(other.userLocation, into: &userLocation)
        Self.take(other.goLocation, into: &goLocation)
        Self.take(other.startLocation, into: &startLocation)
        if other.frameCount > frameCount || other.frameCount == frameCount && other.isStackComplete {
            if other.stack != .absent {
                (stack, frameCount, isStackComplete) = (other.stack, other.frameCount, other.isStackComplete)
                stackError = other.stackError
            }
        }
        if other.labels != .empty { labels = other.labels }
        if !other.ancestors.isEmpty { ancestors = other.ancestors }
        if other.group != .empty { group = other.group }
        if other.unreadable != .empty { unreadable = other.unreadable }
        isSelected = isSelected || other.isSelected
        isThread = isThread && other.isThread
        for doubt in other.doubts where !doubts.contains(doubt) { doubts.append(doubt) }
    }

    private static func take(_ location: StackID, into place: inout StackID) {
        if location != .absent { place = location }
    }

    /// Whether two listings show the same moment, as far as one goroutine tells.
    func isSameMoment(as other: DelveGoroutine) -> Bool {
        status == other.status && reasonCode == other.reasonCode && waitSince == other.waitSince
            && thread == other.thread
            && (runtimeLocation == other.runtimeLocation || runtimeLocation == .absent
                || other.runtimeLocation == .absent)
    }
}

/// Numbers of `g.status` in `runtime/runtime2.go`; 10 and 11 since Go 1.26.
enum DelveStatus {
    static let scanBit: Int64 = 0x1000
    static let syscall: Int64 = 3
    static let waiting: Int64 = 4
    static let preempted: Int64 = 9
    static let leaked: Int64 = 10
    /// A spare structure for threads of C that Delve lists as if it were a goroutine.
    static let deadExtra: Int64 = 11

    /// The state in the terms of the IR, or nil for a number that no Go version has.
    static func state(_ status: Int64) -> GoroutineState? {
        switch status & ~scanBit {
        case 0: .undetermined
        case 1: .runnable
        case 2, 8: .running
        case syscall: .syscall
        case waiting, preempted, leaked: .waiting
        case 6, deadExtra: .notExist
        default: nil
        }
    }

    /// Whether the wait reason belongs to this status; elsewhere it is left over from an earlier wait.
    static func hasReason(_ status: Int64) -> Bool {
        [waiting, leaked].contains(status & ~scanBit)
    }
}
