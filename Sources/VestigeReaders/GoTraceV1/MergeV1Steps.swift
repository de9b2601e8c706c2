import VestigeCore

/// Placing one event: the dispatch, and what the steps share.
///
/// Every step decodes its arguments, asks whether the goroutine is in the state that the event needs,
/// changes that state and writes IR events. A step that does not return `placed` has changed nothing.
extension MergeV1 {
    @inline(__always) mutating func step(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        switch cursor.pointee.type {
        case WireV1.goStart: goStart(cursor, &output, isLocal: layout.hasGlobalSequence, hasLabel: false)
        case WireV1.goStartLocal: goStart(cursor, &output, isLocal: true, hasLabel: false)
        case WireV1.goSleep, WireV1.goBlock, WireV1.goBlockSend...WireV1.goBlockNet, WireV1.goBlockGC:
            goLeave(cursor, &output, .waiting, .waiting)
        case WireV1.goUnblock: goUnblock(cursor, &output, isLocal: layout.hasGlobalSequence)
        case WireV1.goUnblockLocal: goUnblock(cursor, &output, isLocal: true)
        case WireV1.goSched, WireV1.goPreempt: goLeave(cursor, &output, .runnable, .runnable)
        case WireV1.procStart: procStart(cursor, &output)
        case WireV1.procStop: procStop(cursor, &output)
        case WireV1.goCreate: goCreate(cursor, &output)
        case WireV1.goEnd: goEnd(cursor, &output)
        case WireV1.goSysCall: goSysCall(cursor, &output)
        case WireV1.userRegion: region(cursor, &output)
        default: rareStep(cursor, &output)
        }
    }

    @inline(never) private mutating func rareStep(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        switch cursor.pointee.type {
        case WireV1.goStartLabel: goStart(cursor, &output, isLocal: false, hasLabel: true)
        case WireV1.goStop: goStop(cursor, &output)
        case WireV1.goSysBlock: goSysBlock(cursor, &output)
        case WireV1.goSysExit: goSysExit(cursor, &output, isLocal: false)
        case WireV1.goSysExitLocal: goSysExit(cursor, &output, isLocal: true)
        case WireV1.goWaiting: goStatus(cursor, &output, .waiting)
        case WireV1.goInSyscall: goStatus(cursor, &output, .syscall)
        case WireV1.gomaxprocs: gomaxprocs(cursor, &output)
        case WireV1.heapAlloc: heapMetric(cursor, &output, names.common.heapLive)
        case WireV1.heapGoal: heapMetric(cursor, &output, names.common.heapGoal)
        case WireV1.gcStart: gcStart(cursor, &output)
        case WireV1.gcDone: range(cursor, &output, .rangeEnd, names.common.mark, .global)
        case WireV1.stwStart: stwStart(cursor, &output)
        case WireV1.stwDone: range(cursor, &output, .rangeEnd, stopTheWorldName, .goroutine)
        case WireV1.gcSweepStart: range(cursor, &output, .rangeBegin, names.common.sweep, .proc, hasStack: true)
        case WireV1.gcSweepDone: sweepDone(cursor, &output)
        case WireV1.gcMarkAssistStart:
            range(cursor, &output, .rangeBegin, names.common.markAssist, .goroutine, hasStack: true)
        case WireV1.gcMarkAssistDone: range(cursor, &output, .rangeEnd, names.common.markAssist, .goroutine)
        case WireV1.userTaskCreate: taskCreate(cursor, &output)
        case WireV1.userTaskEnd: taskEnd(cursor, &output)
        case WireV1.userLog: log(cursor, &output)
        case WireV1.cpuSample: sample(cursor, &output)
        // Says that the wake-up just before was in vain; the block that follows says so too.
        case WireV1.futileWakeup: finish(cursor, cursor.pointee.arguments)
        default: .malformed
        }
    }

    /// Whether the step would not be blocked: the same questions that the steps ask.
    mutating func isReady(_ cursor: Cursor) -> Bool {
        var arguments = cursor.pointee.arguments
        let id = Varint.readLenient(&arguments)
        let sequence = Varint.readLenient(&arguments)
        let record = goroutines.find(Int64(bitPattern: id))
        func isIn(_ status: GoroutineRecordV1.Status, _ isOrdered: Bool) -> Bool {
            guard let record, record.pointee.status == status else { return false }
            return isOrdered || record.pointee.expected == sequence
        }
        let isOrdered = layout.hasGlobalSequence
        switch cursor.pointee.type {
        case WireV1.goCreate: return record == nil
        case WireV1.goWaiting, WireV1.goInSyscall:
            return isIn(.runnable, true) && (isOrdered || record?.pointee.expected == 1)
        case WireV1.goStart, WireV1.goStartLabel: return isIn(.runnable, isOrdered)
        case WireV1.goStartLocal: return isIn(.runnable, true)
        case WireV1.goUnblock, WireV1.goSysExit: return isIn(.waiting, isOrdered)
        case WireV1.goUnblockLocal, WireV1.goSysExitLocal: return isIn(.waiting, true)
        case WireV1.gcStart: return isOrdered || id == gcSequence
        default: return runningRecord(cursor) != nil
        }
    }

    // MARK: - Shared by the steps

    @inline(__always) func finish(_ cursor: Cursor, _ arguments: UnsafePointer<UInt8>) -> Outcome {
        cursor.pointee.next = arguments
        return .placed
    }

    /// Writes an event in the proc's context.
    @inline(__always) mutating func emit(
        _ output: inout Output, _ cursor: Cursor, _ kind: EventKind, stack: StackID = .absent,
        name: StringID = .empty, argument0: UInt64 = 0, argument1: UInt64 = 0, argument2: UInt64 = 0,
        detail: UInt16 = 0
    ) {
        output.initialize(
            to: Event(
                kind: kind, timeNanoseconds: stamp(cursor.pointee.ticks), goroutine: cursor.pointee.goroutine,
                proc: cursor.pointee.proc, thread: cursor.pointee.thread, stack: stack, name: name,
                argument0: argument0, argument1: argument1, argument2: argument2, source: source, detail: detail))
        output += 1
    }

    /// Writes a transition of a goroutine that happens in the context of `goroutine`. It leaves the state
    /// that the events so far tell; where that is not `from`, something is missing, and it is undetermined.
    @inline(__always) mutating func emitTransition(
        _ output: inout Output, _ cursor: Cursor, _ record: Record, _ from: GoroutineState, _ to: GoroutineState,
        context goroutine: GoroutineID, reason: StringID = .empty, stack: StackID = .absent,
        ownStack: StackID = .absent
    ) {
        let from = record.pointee.state == from ? from : mismatch(from)
        record.pointee.state = to
        output.initialize(
            to: Event(
                kind: .goroutineTransition, timeNanoseconds: stamp(cursor.pointee.ticks), goroutine: goroutine,
                proc: cursor.pointee.proc, thread: cursor.pointee.thread, stack: stack, name: reason,
                argument0: UInt64(bitPattern: record.pointee.id), argument1: UInt64(ownStack.rawValue), source: source,
                detail: Event.pack(from, to)))
        output += 1
    }

    @inline(never) private mutating func mismatch(_ from: GoroutineState) -> GoroutineState {
        if from == .undetermined || from == .notExist { return from }
        if !isForcing { context.diagnostics.count(.transitionsForced) }
        return .undetermined
    }

    /// The record of a goroutine, or nil for a number that none can have; made when forcing.
    @inline(__always) mutating func record(_ id: UInt64) -> Record? {
        if let record = goroutines.find(Int64(bitPattern: id)) { return record }
        return isForcing ? forcedRecord(id) : nil
    }

    @inline(never) private mutating func forcedRecord(_ id: UInt64) -> Record? {
        guard id > 0, id <= UInt64(Int64.max) else { return nil }
        return goroutines.insert(
            Int64(bitPattern: id),
            GoroutineRecordV1(id: Int64(bitPattern: id), expected: 0, status: .waiting, state: .undetermined))
    }

    /// The goroutine that the proc runs, which the steps need to be running.
    @inline(__always) func runningRecord(_ cursor: Cursor) -> Record? {
        guard let record = cursor.running, record.pointee.status == .running || isForcing else { return nil }
        return record
    }
}
