import VestigeCore

/// Goroutines that Delve shows at one stop, until all that belongs to them has been read: pages of a listing,
/// stacks and ancestors come separately.
struct DelveSnapshot {
    /// So many goroutines are held back at most; then what there is goes out. What comes later of the same
    /// goroutines makes further observations.
    static let limit = 1 << 18

    private let state: DelveState
    private(set) var goroutines: [DelveGoroutine] = []
    private var places: [Int64: Int] = [:]
    private var threadPlaces: [Int64: Int] = [:]
    /// When it was taken; 0 where it is not known.
    var timeNanoseconds: Int64 = 0
    /// Between which moments the target stopped, and after which it went on, on the log's clock.
    var stoppedAfter: Int64?
    var resumedAfter: Int64?

    init(_ state: DelveState) { self.state = state }

    var isEmpty: Bool { goroutines.isEmpty }

    subscript(id: Int64) -> DelveGoroutine? { places[id].map { goroutines[$0] } }

    /// Adds a goroutine, or what is new of one that is there.
    /// - Returns: its place in `goroutines`.
    @discardableResult
    mutating func add(_ goroutine: DelveGoroutine) -> Int {
        if goroutine.id != 0, let place = places[goroutine.id] {
            goroutines[place].merge(goroutine)
            return place
        }
        if goroutine.count == 0, let place = threadPlaces[goroutine.thread] {
            goroutines[place].merge(goroutine)
            return place
        }
        if goroutines.count >= Self.limit { flush() }
        let place = goroutines.count
        if goroutine.id != 0 { places[goroutine.id] = place }
        if goroutine.count == 0 { threadPlaces[goroutine.thread] = place }
        goroutines.append(goroutine)
        return place
    }

    mutating func update(at place: Int, _ change: (inout DelveGoroutine) -> Void) {
        if goroutines.indices.contains(place) { change(&goroutines[place]) }
    }

    /// Makes events of all there are, and begins anew with the same number.
    mutating func flush() {
        learn()
        let waits = waitSteps()
        for goroutine in goroutines { state.emit(event(goroutine, waits)) }
        goroutines.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        threadPlaces.removeAll(keepingCapacity: true)
    }

    /// Ends it: what follows is another.
    mutating func end() {
        let hadAny = !isEmpty
        flush()
        if hadAny { state.nextSnapshot() }
        (timeNanoseconds, stoppedAfter, resumedAfter) = (0, nil, nil)
    }

    // MARK: - Wait reasons

    private func given(_ goroutine: DelveGoroutine) -> WaitReasons.Given? {
        if let status = goroutine.status {
            let isValid = DelveStatus.hasReason(status) && goroutine.reasonCode != 0
            return isValid ? .code(goroutine.reasonCode) : nil
        }
        let isWaiting = goroutine.reasonWords != .empty && goroutine.thread == 0
        return isWaiting ? .words(state.tables.strings.string(goroutine.reasonWords)) : nil
    }

    /// Every goroutine that waits narrows down which versions these are.
    private func learn() {
        for goroutine in goroutines {
            if let given = given(goroutine) { state.reasons.learn(given, pin: pin(goroutine)) }
        }
    }

    private func pin(_ goroutine: DelveGoroutine) -> WaitReasonPin? {
        var depth = 0
        for frame in state.tables.stacks.frames(goroutine.stack) {
            if let pin = state.pin(frame: frame.function) { return pin }
            depth += 1
            if depth == 8 { break }
        }
        for location in [goroutine.userLocation, goroutine.runtimeLocation] where location != .absent {
            if let pin = state.pin(frame: state.tables.stacks.node(location).frame.function) { return pin }
        }
        // Also what the runtime's own goroutines run may be a user's: finalizers, for one.
        guard state.function(goroutine.userLocation).hasPrefix("runtime.") else { return nil }
        return WaitReasonPin.of(start: state.function(goroutine.startLocation))
    }

    // MARK: - How long they wait

    /// The values of `waitSince`, in order.
    private func waitSteps() -> [Int64] {
        Set(goroutines.lazy.map(\.waitSince).filter { $0 > 0 }).sorted()
    }

    /// The least time that a goroutine has waited, 0 if nothing is known.
    ///
    /// `waitSince` is not when it blocked: the collector writes the end of its cycle before into goroutines that
    /// it finds blocked. So one was blocked by the end of the next cycle, which is no later than the next larger
    /// value in this snapshot; and now is no earlier than the largest.
    private func leastWait(_ goroutine: DelveGoroutine, _ steps: [Int64]) -> UInt64 {
        guard let last = steps.last, goroutine.waitSince > 0, goroutine.waitSince < last else { return 0 }
        var (low, high) = (0, steps.count)
        while low < high {
            let middle = (low + high) / 2
            if steps[middle] > goroutine.waitSince { high = middle } else { low = middle + 1 }
        }
        return UInt64(last - steps[low])
    }

    // MARK: - Events

    private func event(_ goroutine: DelveGoroutine, _ steps: [Int64]) -> Event {
        var detail = ObservationDetail()
        var doubts = goroutine.doubts.map { state.tables.strings.string($0) }
        var facts = Facts(state: .undetermined)
        facts.waitNanoseconds = leastWait(goroutine, steps)
        if goroutine.status != nil {
            judge(status: goroutine, &facts, &doubts)
        } else {
            judge(text: goroutine, &facts, &doubts)
        }
        if facts.isLeaked { detail.flags.insert(.leaked) }
        if let status = goroutine.status, status & DelveStatus.scanBit != 0 { detail.flags.insert(.scan) }
        if goroutine.unreadable != .empty || goroutine.stackError != .empty && goroutine.frameCount == 0 {
            detail.flags.insert(.stackUnavailable)
        }
        if isSystem(goroutine) { detail.flags.insert(.system) }
        detail.labels = goroutine.labels
        detail.ancestors = goroutine.ancestors
        detail.strayLineCount = goroutine.strayLineCount
        if goroutine.goLocation != .absent {
            detail.creation = Creation(
                goroutine: goroutine.ancestors.first?.goroutine ?? .absent, stack: goroutine.goLocation)
        }
        let stack = stack(goroutine, &detail)
        detail.attributes = attributes(goroutine, facts, doubts)
        return Event(
            kind: .observed, timeNanoseconds: timeNanoseconds,
            goroutine: goroutine.id == 0 ? .absent : GoroutineID(goroutine.id),
            thread: goroutine.thread == 0 ? .absent : ThreadID(goroutine.thread), stack: stack, name: facts.reason,
            argument0: facts.waitNanoseconds, argument1: state.tables.observations.intern(detail),
            argument2: goroutine.count, detail: Event.pack(observed: facts.state))
    }

    private struct Facts {
        var state: GoroutineState
        var reason = StringID.empty
        var isLeaked = false
        var waitNanoseconds: UInt64 = 0
    }

    private func judge(status goroutine: DelveGoroutine, _ facts: inout Facts, _ doubts: inout [String]) {
        let status = (goroutine.status ?? 0) & ~DelveStatus.scanBit
        if goroutine.unreadable != .empty { return }
        facts.isLeaked = status == DelveStatus.leaked
        if let known = DelveStatus.state(status) {
            facts.state = known
        } else {
            doubts.append("status \(status) is not known")
        }
        if status == DelveStatus.preempted { facts.reason = state.intern("preempted") }
        if status == DelveStatus.deadExtra {
            doubts.append("not a goroutine: a spare structure of the runtime for threads of C")
        }
        findReason(goroutine, &facts, &doubts)
    }

    private func findReason(_ goroutine: DelveGoroutine, _ facts: inout Facts, _ doubts: inout [String]) {
        guard let given = given(goroutine) else { return }
        let finding = state.reasons.find(given, pin: pin(goroutine))
        if let reason = finding.reason { facts.reason = state.intern(reason) }
        if let doubt = finding.doubt { doubts.append(doubt) }
    }

    /// Text says no status: it is concluded from the thread and the reason that Delve shows, or left open.
    private func judge(text goroutine: DelveGoroutine, _ facts: inout Facts, _ doubts: inout [String]) {
        if goroutine.unreadable != .empty || goroutine.id == 0 || goroutine.isThread && goroutine.thread == 0 { return }
        let isOnThread = goroutine.thread != 0
        if goroutine.reasonWords != .empty {
            facts.state = isOnThread ? .syscall : .waiting
            findReason(goroutine, &facts, &doubts)
            if isOnThread {
                doubts.append("on a thread: the reason that Delve shows is left over from an earlier wait")
            }
            return
        }
        // A bare stack tells nothing of the state; a line of a listing without a thread, little.
        guard isOnThread else {
            let locations = [
                goroutine.userLocation, goroutine.runtimeLocation, goroutine.goLocation, goroutine.startLocation,
            ]
            if locations.contains(where: { $0 != .absent }) {
                doubts.append("the state is not said: runnable, preempted and leaked goroutines look the same")
            }
            return
        }
        let top =
            goroutine.stack != .absent
            ? goroutine.stack : [goroutine.runtimeLocation, goroutine.userLocation].first { $0 != .absent } ?? .absent
        facts.state = Self.stateOnThread(state.function(top))
        doubts.append(
            "the state is concluded from the place: running and in a system call look the same")
    }

    private static func stateOnThread(_ function: String) -> GoroutineState {
        if function.hasSuffix("Syscall6") || function.hasPrefix("syscall.") { return .syscall }
        // Also where the runtime itself waits or stops, with or without the goroutine.
        let isUnclear = ["runtime.futex", "runtime.usleep", "runtime.raise", ""].contains(function)
        return isUnclear ? .undetermined : .running
    }

    /// Whether its start function is the runtime's, by the rule of `goroutines -with user`.
    private func isSystem(_ goroutine: DelveGoroutine) -> Bool {
        let start = state.function(goroutine.startLocation)
        return start.hasPrefix("runtime.") && start != "runtime.main" && start != "runtime.handleAsyncEvent"
    }

    /// Its stack; where there is none, the innermost place that is known, and a mark that frames are missing.
    private func stack(_ goroutine: DelveGoroutine, _ detail: inout ObservationDetail) -> StackID {
        if goroutine.stack != .absent {
            if !goroutine.isStackComplete {
                (detail.elidedFrameCount, detail.elidedAfter) = (-1, Int64(goroutine.frameCount))
            }
            return goroutine.stack
        }
        if goroutine.runtimeLocation != .absent {
            (detail.elidedFrameCount, detail.elidedAfter) = (-1, 1)
            return goroutine.runtimeLocation
        }
        if goroutine.userLocation != .absent { (detail.elidedFrameCount, detail.elidedAfter) = (-1, 0) }
        return goroutine.userLocation
    }

    private func attributes(_ goroutine: DelveGoroutine, _ facts: Facts, _ doubts: [String]) -> AttributeListID {
        var list = [state.attribute("snapshot", "\(state.snapshotNumber)")]
        func add(_ name: String, _ value: StringID) {
            if value != .empty { list.append(state.attribute(name, value)) }
        }
        if let stoppedAfter { list.append(state.attribute("stopped_after_ns", "\(stoppedAfter)")) }
        if let resumedAfter { list.append(state.attribute("resumed_after_ns", "\(resumedAfter)")) }
        if goroutine.count == 0 { list.append(state.attribute("what", "thread")) }
        if goroutine.isSelected { list.append(state.attribute("selected", "true")) }
        if let status = goroutine.status { list.append(state.attribute("status", "\(status)")) }
        if goroutine.reasonCode != 0 { list.append(state.attribute("wait_reason_code", "\(goroutine.reasonCode)")) }
        if goroutine.reasonWords != facts.reason { add("delve_reason", goroutine.reasonWords) }
        if goroutine.waitSince != 0 { list.append(state.attribute("waitSince", "\(goroutine.waitSince)")) }
        if goroutine.userLocation != .absent { add("user_location", state.describe(goroutine.userLocation)) }
        if goroutine.startLocation != .absent { add("start_location", state.describe(goroutine.startLocation)) }
        add("group", goroutine.group)
        add("unreadable", goroutine.unreadable)
        add("stack_error", goroutine.stackError)
        for doubt in doubts { list.append(state.attribute("doubt", doubt)) }
        return state.tables.observations.intern(list)
    }
}
