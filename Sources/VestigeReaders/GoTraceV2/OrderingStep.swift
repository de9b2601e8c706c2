import VestigeCore

/// Placing one event: the dispatch, and what the steps share.
///
/// Every step decodes its arguments, checks that they lie within the batch, asks the state of the
/// scheduler whether the event fits, changes that state and writes the event. A step that does not
/// return `placed` has changed nothing.
extension Ordering {
    typealias Cursor = UnsafeMutablePointer<ThreadCursor>
    typealias Output = UnsafeMutablePointer<Event>

    @inline(__always) mutating func step(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        switch cursor.pointee.type {
        case WireEvent.goStart: goStart(cursor, &output)
        case WireEvent.goBlock: goStop(cursor, &output, .waiting, WireGoroutineStatus.waiting)
        case WireEvent.goUnblock: goUnblock(cursor, &output)
        case WireEvent.goStop: goStop(cursor, &output, .runnable, WireGoroutineStatus.runnable)
        case WireEvent.procStart: procStart(cursor, &output)
        case WireEvent.procStop: procStop(cursor, &output)
        case WireEvent.goCreate: goCreate(cursor, &output, .runnable, WireGoroutineStatus.runnable)
        case WireEvent.goDestroy: goDestroy(cursor, &output)
        case WireEvent.goSyscallBegin: goSyscallBegin(cursor, &output)
        case WireEvent.goSyscallEnd: goSyscallEnd(cursor, &output)
        case WireEvent.userRegionBegin: region(cursor, &output, .regionBegin)
        case WireEvent.userRegionEnd: region(cursor, &output, .regionEnd)
        default: rareStep(cursor, &output)
        }
    }

    @inline(never) private mutating func rareStep(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        switch cursor.pointee.type {
        case WireEvent.procSteal: procSteal(cursor, &output)
        case WireEvent.procStatus: procStatus(cursor, &output)
        case WireEvent.goStatus, WireEvent.goStatusStack: goStatus(cursor, &output)
        case WireEvent.goCreateBlocked: goCreate(cursor, &output, .waiting, WireGoroutineStatus.waiting)
        case WireEvent.goCreateSyscall: goCreateSyscall(cursor, &output)
        case WireEvent.goDestroySyscall: goDestroySyscall(cursor, &output)
        case WireEvent.goSyscallEndBlocked: goSyscallEndBlocked(cursor, &output)
        case WireEvent.goSwitch: goSwitch(cursor, &output, isDestroying: false)
        case WireEvent.goSwitchDestroy: goSwitch(cursor, &output, isDestroying: true)
        case WireEvent.userTaskBegin: taskBegin(cursor, &output)
        case WireEvent.userTaskEnd: taskEnd(cursor, &output)
        case WireEvent.userLog: log(cursor, &output)
        case WireEvent.goLabel: label(cursor, &output)
        case WireEvent.procsChange: procsChange(cursor, &output)
        case WireEvent.heapAlloc: heapMetric(cursor, &output, names.heapLive)
        case WireEvent.heapGoal: heapMetric(cursor, &output, names.heapGoal)
        case WireEvent.stwBegin: stopTheWorldBegin(cursor, &output)
        case WireEvent.stwEnd: stopTheWorldEnd(cursor, &output)
        case WireEvent.gcActive: gcActive(cursor, &output)
        case WireEvent.gcBegin: gcBegin(cursor, &output)
        case WireEvent.gcEnd: gcEnd(cursor, &output)
        case WireEvent.gcSweepActive: sweepActive(cursor, &output)
        case WireEvent.gcSweepBegin: sweepBegin(cursor, &output)
        case WireEvent.gcSweepEnd: sweepEnd(cursor, &output)
        case WireEvent.gcMarkAssistActive: markAssistActive(cursor, &output)
        case WireEvent.gcMarkAssistBegin: markAssist(cursor, &output, .rangeBegin)
        case WireEvent.gcMarkAssistEnd: markAssist(cursor, &output, .rangeEnd)
        case WireEvent.span...WireEvent.goroutineStackFree: experimental(cursor, &output)
        default: .malformed
        }
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
    @inline(__always) mutating func emitTransition(
        _ output: inout Output, _ cursor: Cursor, _ goroutine: GoroutineID, _ subject: Int64,
        _ from: GoroutineState, _ to: GoroutineState, reason: StringID = .empty, stack: StackID = .absent,
        ownStack: StackID = .absent
    ) {
        let thread = cursor.pointee.thread
        emit(
            &output, cursor, .goroutineTransition, thread.pointee.id, thread.pointee.proc, goroutine, stack: stack,
            name: reason, argument0: UInt64(bitPattern: subject), argument1: UInt64(ownStack.rawValue),
            detail: Event.pack(from, to))
    }

    /// Writes a proc's transition in a thread's context.
    @inline(__always) mutating func emitTransition(
        _ output: inout Output, _ cursor: Cursor, _ proc: ProcID, _ subject: Int64, _ from: ProcState,
        _ to: ProcState
    ) {
        let thread = cursor.pointee.thread
        emit(
            &output, cursor, .procTransition, thread.pointee.id, proc, thread.pointee.goroutine,
            argument0: UInt64(bitPattern: subject), detail: Event.pack(from, to))
    }
}
