import VestigeCore

/// A goroutine that is alive at the end, and what has been found out about it.
struct LivingGoroutine {
    enum Verdict: Equatable {
        /// Waits, and nothing has been found yet that could wake it.
        case suspect
        /// Works, or will: it is no ghost for this reason. Nil if it does not wait at all, or not long enough.
        case live(GhostRule?)
        case leaked(GhostCause)
        case stuck(GhostCause)
    }

    let trail: GoroutineTrail
    let kind: WaitKind
    let place: WaitPlace
    let placeNumber: UInt32
    /// How long it has been in its state.
    let silence: Int64
    /// The innermost function of the program on its stack, and where that was called from.
    let function: ProgramFunction?
    /// The function that started it, on its creator's stack.
    let creatingFunction: ProgramFunction?
    var verdict: Verdict
    var hasLiveDescendant = false

    var isLive: Bool { if case .live = verdict { true } else { false } }
    var isSuspect: Bool { verdict == .suspect }

    /// How often it has been woken where it waits.
    var wakeups: GoroutineTrail.Wakeups? { trail.wakeups(at: placeNumber) }
    /// Others that began to wait at its place later have been woken: channels and condition variables serve in order,
    /// so it waits on one of its own. Mutexes may not, but hand over in order once somebody has waited for 1 ms.
    var isOvertaken: Bool { place.latestStart > trail.since }
}

/// A call of a function of the program: what it is and where it was called from.
struct ProgramFunction: Hashable {
    var function: StringID
    var caller: StackID

    /// The innermost on a stack; nil if it has none.
    init?(innermostOf stack: StackID, _ tables: TraceTables) {
        let own = GoLibrary.ofProgram(stack, tables)
        guard own != .absent else { return nil }
        let node = tables.stacks.node(own)
        function = node.frame.function
        caller = node.caller
    }

    private init(_ node: StackTable.Node) { (function, caller) = (node.frame.function, node.caller) }

    /// The innermost calls of the program on a stack.
    static func all(on stack: StackID, _ tables: TraceTables) -> [ProgramFunction] {
        var (position, calls) = (stack, [ProgramFunction]())
        while position != .absent, calls.count < 16 {
            let node = tables.stacks.node(position)
            if !GoLibrary.contains(tables.strings.bytes(node.frame.function)) { calls.append(ProgramFunction(node)) }
            position = node.caller
        }
        return calls
    }

    /// True if the call is on a stack: the same function, called from the same place.
    func isOn(_ stack: StackID, _ tables: TraceTables) -> Bool {
        var position = stack
        while position != .absent {
            let node = tables.stacks.node(position)
            if node.frame.function == function, node.caller == caller { return true }
            position = node.caller
        }
        return false
    }
}
