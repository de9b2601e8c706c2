import VestigeCore

/// Placing one event: the dispatch, and what the steps share.
///
/// Every step decodes its arguments, checks that they lie within the batch, asks the state of the
/// scheduler whether the event fits, changes that state and writes the event. A step that does not
/// return `placed` has changed nothing.
///
/// Those of frequent events are inlined into the loop over ordinary events, some as `@_transparent` because the
/// inliner does not go on for as long as that takes.
extension Ordering {
    typealias Cursor = UnsafeMutablePointer<ThreadCursor>
    typealias CarefulTurn = Turn<Careful>
    typealias Output = UnsafeMutablePointer<Event>

    /// Places an event of the types that are frequent; others are not ordinary.
    @inline(__always) mutating func step<How>(_ turn: inout Turn<How>) -> Outcome {
        switch turn.type {
        case WireEvent.goStart: goStart(&turn)
        case WireEvent.goBlock: goStop(&turn, .waiting, WireGoroutineStatus.waiting)
        case WireEvent.goUnblock: goUnblock(&turn)
        case WireEvent.goStop: goStop(&turn, .runnable, WireGoroutineStatus.runnable)
        case WireEvent.procStart: procStart(&turn)
        case WireEvent.procStop: procStop(&turn)
        case WireEvent.goSyscallBegin: goSyscallBegin(&turn)
        case WireEvent.goSyscallEnd: goSyscallEnd(&turn)
        case WireEvent.userRegionBegin: region(&turn, .regionBegin)
        case WireEvent.userRegionEnd: region(&turn, .regionEnd)
        case WireEvent.goCreate: goCreate(&turn, .runnable, WireGoroutineStatus.runnable)
        case WireEvent.goDestroy: goDestroy(&turn)
        case WireEvent.userTaskBegin: taskBegin(&turn)
        case WireEvent.userTaskEnd: taskEnd(&turn)
        case WireEvent.userLog: log(&turn)
        case WireEvent.heapAlloc: heapMetric(&turn, names.heapLive)
        case WireEvent.gcSweepBegin: sweepBegin(&turn)
        case WireEvent.gcSweepEnd: sweepEnd(&turn)
        default: .malformed
        }
    }

    /// Places any event.
    @inline(never) mutating func carefulStep(_ turn: inout CarefulTurn) -> Outcome {
        switch turn.type {
        case WireEvent.procSteal: procSteal(&turn)
        case WireEvent.procStatus: procStatus(&turn)
        case WireEvent.goStatus, WireEvent.goStatusStack: goStatus(&turn)
        case WireEvent.goCreateBlocked: goCreate(&turn, .waiting, WireGoroutineStatus.waiting)
        case WireEvent.goCreateSyscall: goCreateSyscall(&turn)
        case WireEvent.goDestroySyscall: goDestroySyscall(&turn)
        case WireEvent.goSyscallEndBlocked: goSyscallEndBlocked(&turn)
        case WireEvent.goSwitch: goSwitch(&turn, isDestroying: false)
        case WireEvent.goSwitchDestroy: goSwitch(&turn, isDestroying: true)
        case WireEvent.goLabel: label(&turn)
        case WireEvent.procsChange: procsChange(&turn)
        case WireEvent.heapGoal: heapMetric(&turn, names.heapGoal)
        case WireEvent.stwBegin: stopTheWorldBegin(&turn)
        case WireEvent.stwEnd: stopTheWorldEnd(&turn)
        case WireEvent.gcActive: gcActive(&turn)
        case WireEvent.gcBegin: gcBegin(&turn)
        case WireEvent.gcEnd: gcEnd(&turn)
        case WireEvent.gcSweepActive: sweepActive(&turn)
        case WireEvent.gcMarkAssistActive: markAssistActive(&turn)
        case WireEvent.gcMarkAssistBegin: markAssist(&turn, .rangeBegin)
        case WireEvent.gcMarkAssistEnd: markAssist(&turn, .rangeEnd)
        case WireEvent.span...WireEvent.goroutineStackFree: experimental(&turn)
        default: step(&turn)
        }
    }

    /// A goroutine's record, which may be vacant. A vacant one has no status.
    @inline(__always) mutating func goroutine<How>(
        _ id: UInt64, _ turn: Turn<How>
    ) -> UnsafeMutablePointer<GoroutineRecord>? {
        How.isOrdinary
            ? goroutines.pagedSlot(Int64(bitPattern: id)) : goroutines.slot(Int64(bitPattern: id))
    }

    /// - Returns: false, and has changed nothing, if that is not ordinary.
    @inline(__always) mutating func insert<How>(_ goroutine: GoroutineRecord, _ turn: Turn<How>) -> Bool {
        if How.isOrdinary { return goroutines.insertWithinPage(goroutine.id, goroutine) }
        goroutines.insert(goroutine.id, goroutine)
        return true
    }

    @inline(__always) mutating func remove<How>(goroutine id: Int64, _ turn: Turn<How>) -> Bool {
        if How.isOrdinary { return goroutines.removeWithinPage(id) }
        goroutines.remove(id)
        return true
    }

    @inline(__always) mutating func insert<How>(_ task: TaskRecord, _ turn: Turn<How>) -> Bool {
        if How.isOrdinary { return activeTasks.insertWithinPage(task.id, task) }
        activeTasks.insert(task.id, task)
        return true
    }

    @inline(__always) mutating func remove<How>(task id: Int64, _ turn: Turn<How>) -> Bool {
        if How.isOrdinary { return activeTasks.removeWithinPage(id) }
        activeTasks.remove(id)
        return true
    }

    /// When forcing: the record of a goroutine, made if there is none, that expects this sequence number;
    /// nil for a goroutine's number that none can have.
    mutating func forcedGoroutine(_ id: UInt64, _ sequence: UInt64) -> UnsafeMutablePointer<GoroutineRecord>? {
        guard isForcing, id <= UInt64(Int64.max) else { return nil }
        let record =
            goroutines.find(Int64(bitPattern: id))
            ?? goroutines.insert(
                Int64(bitPattern: id),
                GoroutineRecord(
                    id: Int64(bitPattern: id), expected: generationTag | 1, stopTheWorld: .empty,
                    status: WireGoroutineStatus.waiting))
        skip(&record.pointee.expected, to: sequence)
        return record
    }

    /// The same for a proc; its numbers have 31 bits.
    mutating func forcedProc(_ id: UInt64, _ sequence: UInt64) -> UnsafeMutablePointer<ProcRecord>? {
        guard isForcing, id <= UInt64(Int32.max) else { return nil }
        let record =
            procs.find(Int64(bitPattern: id))
            ?? procs.insert(
                Int64(bitPattern: id),
                ProcRecord(id: Int64(bitPattern: id), expected: generationTag | 1, status: WireProcStatus.idle))
        skip(&record.pointee.expected, to: sequence)
        return record
    }

    /// When forcing: lets the sequence go on behind the event. One that comes too late turns nothing back.
    func skip(_ expected: inout UInt64, to sequence: UInt64) {
        expected = max(expected, tagged(sequence))
    }

    /// Writes a goroutine's transition in a thread's context.
    @inline(__always) mutating func emitTransition<How>(
        _ turn: inout Turn<How>, _ goroutine: GoroutineID, _ subject: Int64,
        _ from: GoroutineState, _ to: GoroutineState, reason: StringID = .empty, stack: StackID = .absent,
        ownStack: StackID = .absent
    ) {
        let thread = turn.thread
        emit(
            &turn, .goroutineTransition, thread.pointee.id, thread.pointee.proc, goroutine, stack: stack,
            name: reason, argument0: UInt64(bitPattern: subject), argument1: UInt64(ownStack.rawValue),
            detail: Event.pack(from, to), isNews: from == .notExist || to == .notExist)
    }

    /// Writes a proc's transition in a thread's context.
    @inline(__always) mutating func emitTransition<How>(
        _ turn: inout Turn<How>, _ proc: ProcID, _ subject: Int64, _ from: ProcState,
        _ to: ProcState
    ) {
        let thread = turn.thread
        emit(
            &turn, .procTransition, thread.pointee.id, proc, thread.pointee.goroutine,
            argument0: UInt64(bitPattern: subject), detail: Event.pack(from, to))
    }
}
