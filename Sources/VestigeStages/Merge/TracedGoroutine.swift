import VestigeCore

/// What a recording says of a goroutine at the moment it has been read to.
public struct TracedGoroutine: PagedElement, Sendable {
    public var isOccupied: Bool
    public var state: GoroutineState
    public var reason = StringID.empty
    /// Where it was when it last changed its state; absent where the recording does not say.
    public var stack = StackID.absent
    /// True if it runs a function of the program, false for the runtime's own and where it is not known.
    public var isOfProgram = false
    /// True for a coroutine of `iter.Pull`, which Delve takes for one of the runtime's own.
    var isCoroutine = false
    /// Where it was when it last did anything that the recording has a stack of.
    var lastStack = StackID.absent
    /// Where it was created; absent if that was before the recording.
    var creationStack = StackID.absent
    public var isAlive: Bool { isOccupied && state != .notExist }

    public static let vacant = TracedGoroutine(isOccupied: false, state: .notExist)
}

/// All goroutines of a recording, as they are at the moment it has been read to.
struct TracedGoroutines: ~Copyable {
    private var goroutines = PagedTable<TracedGoroutine>()
    /// How many of the program's own are alive.
    private(set) var programCount = 0

    mutating func find(_ goroutine: GoroutineID) -> UnsafeMutablePointer<TracedGoroutine>? {
        goroutines.find(goroutine.rawValue)
    }

    /// Takes a transition in; returns the goroutine as it is now.
    mutating func transition(_ event: Event, _ tables: TraceTables) -> TracedGoroutine {
        let id = event.subjectGoroutine.rawValue
        let known =
            goroutines.find(id) ?? goroutines.insert(id, TracedGoroutine(isOccupied: true, state: .undetermined))
        update(known, event, tables)
        let now = known.pointee
        if now.state == .notExist {
            if now.isOfProgram { programCount -= 1 }
            goroutines.remove(id)
        }
        return now
    }

    /// Notes where the goroutine is in whose context an event happens.
    mutating func note(_ event: Event) {
        if event.stack != .absent, let known = goroutines.find(event.goroutine.rawValue) {
            known.pointee.lastStack = event.stack
        }
    }

    private mutating func update(
        _ known: UnsafeMutablePointer<TracedGoroutine>, _ event: Event, _ tables: TraceTables
    ) {
        let state = event.toGoroutineState
        if event.fromGoroutineState == .notExist { known.pointee.creationStack = event.stack }
        // A status at a generation's start confirms what is known, and does not say the reason again.
        if event.fromGoroutineState != state {
            known.pointee.reason = state == .waiting ? event.name : .empty
            known.pointee.stack = event.transitionStack
        }
        known.pointee.state = state
        guard event.transitionStack != .absent else { return }
        known.pointee.stack = event.transitionStack
        if let root = tables.stacks.rootFrame(event.transitionStack),
            tables.strings.bytes(root.function).elementsEqual("runtime.corostart".utf8)
        {
            known.pointee.isCoroutine = true
        }
        if !known.pointee.isOfProgram, isOfProgram(event.transitionStack, tables) {
            known.pointee.isOfProgram = true
            programCount += 1
        }
    }

    private func isOfProgram(_ stack: StackID, _ tables: TraceTables) -> Bool {
        guard let root = tables.stacks.rootFrame(stack) else { return false }
        let name = tables.strings.bytes(root.function)
        return !name.isEmpty
            && (!name.starts(with: "runtime.".utf8) || Self.programRoots.contains { name.elementsEqual($0.utf8) })
    }

    /// Functions of the runtime that run the program's own (`runtime/traceback.go`, `isSystemGoroutine`).
    private static let programRoots = ["runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"]

    mutating func forEach(_ body: (GoroutineID, TracedGoroutine) -> Void) {
        goroutines.forEach { body(GoroutineID($0), $1.pointee) }
    }
}
