/// How each event's arguments follow from what came before; the same code encodes and decodes.
///
/// Arguments are passed in the order in which they predict each other best, and put down in that of the wire.
extension EventWalk where Port: ~Copyable {
    @inline(__always) mutating func step(_ type: UInt8, _ cursor: Cursor) {
        switch type {
        case ModelEvent.goStart: goStart(cursor)
        case ModelEvent.goBlock, ModelEvent.goStop: goStop(type, cursor)
        case ModelEvent.goUnblock: goUnblock(cursor)
        case ModelEvent.goCreate, ModelEvent.goCreateBlocked: goCreate(type, cursor)
        case ModelEvent.goDestroy, ModelEvent.goDestroySyscall, ModelEvent.goSyscallEndBlocked:
            cursor.pointee.goroutine = 0
        case ModelEvent.goSyscallBegin: goSyscallBegin(cursor)
        case ModelEvent.procStart: procStart(cursor)
        case ModelEvent.userRegionBegin, ModelEvent.userRegionEnd: region(type, cursor)
        default: if argumentCount[Int(type)] > 0 { rareStep(type, cursor) }
        }
    }

    @inline(never) private mutating func rareStep(_ type: UInt8, _ cursor: Cursor) {
        switch type {
        case ModelEvent.procSteal: procSteal(cursor)
        case ModelEvent.procStatus: procStatus(cursor)
        case ModelEvent.goStatus: goStatus(type, cursor, hasStack: false)
        case ModelEvent.goStatusStack: goStatus(type, cursor, hasStack: true)
        case ModelEvent.goSwitch, ModelEvent.goSwitchDestroy: goSwitch(type, cursor)
        case ModelEvent.userTaskBegin: taskBegin(cursor)
        case ModelEvent.userTaskEnd: taskEnd(cursor)
        case ModelEvent.userLog: log(cursor)
        case ModelEvent.gcBegin, ModelEvent.stwBegin, ModelEvent.procsChange: valueAndStack(type, cursor)
        case ModelEvent.gcSweepBegin, ModelEvent.gcMarkAssistBegin: stackOnly(type, cursor)
        default: plain(type, cursor)
        }
    }

    // MARK: - Goroutines

    private mutating func goStart(_ cursor: Cursor) {
        let type = ModelEvent.goStart
        var id = port.take(cursor)
        var sequence = port.take(cursor)
        let index = state.procIndex(cursor.pointee.proc)
        let proc = state.procs + index
        started(&id, proc.pointee.next, index, column(type, 0))
        if id == proc.pointee.next { proc.pointee.next = 0 }
        let record = state.goroutine(id)
        sequence = near(record.pointee.sequence &+ 1, sequence, column(type, 1))
        meet(record, id)
        record.pointee.sequence = sequence
        record.pointee.status = .other
        cursor.pointee.goroutine = id
        port.put(id, cursor)
        port.put(sequence, cursor)
    }

    /// The goroutine that a proc was to run next, or the first of its queue, of the global one, of another proc's.
    @inline(__always) private mutating func started(_ id: inout UInt64, _ next: UInt64, _ proc: Int, _ column: Int) {
        let choice = choice(column)
        if isChosen(0, next, &id, choice, column) { return }
        if isChosen(1, state.firstRunnable(proc), &id, choice, column) { return }
        if isChosen(2, state.firstRunnable(SchedulerModel.globalQueue), &id, choice, column) { return }
        if isChosen(3, state.firstRunnable(proc ^ 1), &id, choice, column) { return }
        choose(another: &id, near: state.highestGoroutine, behind: 4, choice, column)
    }

    /// GoStop and GoBlock. The reason follows from the stack.
    private mutating func goStop(_ type: UInt8, _ cursor: Cursor) {
        var reason = port.take(cursor)
        var stackID = port.take(cursor)
        stackID = stack(type, stackID, column(type, 1), cursor)
        reason = either(state.context(.reason, stackID, UInt64(type)), reason, column(type, 0))
        let id = cursor.pointee.goroutine
        let record = state.goroutine(id)
        meet(record, id)
        if type == ModelEvent.goStop {
            record.pointee.status = .runnable
            state.runQueues.push(id, to: SchedulerModel.globalQueue)
        } else {
            record.pointee.status = .waiting
            record.pointee.waitClass = UInt8(truncatingIfNeeded: stackID)
            state.waitQueues.push(id, to: Int(record.pointee.waitClass))
        }
        cursor.pointee.goroutine = 0
        port.put(reason, cursor)
        port.put(stackID, cursor)
    }

    private mutating func goUnblock(_ cursor: Cursor) {
        let type = ModelEvent.goUnblock
        var id = port.take(cursor)
        var sequence = port.take(cursor)
        var stackID = port.take(cursor)
        let current = cursor.pointee.goroutine
        stackID = stack(type, stackID, column(type, 2), cursor)
        let target = state.context(.target, current, stackID)
        let waitClass = state.context(.waitClass, stackID)
        woken(&id, target.pointee.first, waitClass.pointee.first, current, column(type, 0))
        let record = state.goroutine(id)
        sequence = near(record.pointee.sequence &+ 1, sequence, column(type, 1))
        target.pointee.first = id
        waitClass.pointee.first = UInt64(record.pointee.waitClass)
        meet(record, id)
        record.pointee.sequence = sequence
        record.pointee.wakener = current
        state.makeRunnable(id, on: cursor.pointee.proc)
        port.put(id, cursor)
        port.put(sequence, cursor)
        port.put(stackID, cursor)
    }

    /// The goroutine that was woken from here before, or who has waited longest where that one did, or who woke
    /// the one that wakes now.
    @inline(__always) private mutating func woken(
        _ id: inout UInt64, _ known: UInt64, _ waitClass: UInt64, _ current: UInt64, _ column: Int
    ) {
        let choice = choice(column)
        let isWaiting = state.goroutine(known).pointee.status == .waiting
        let first = isWaiting ? known : state.firstWaiting(waitClass)
        if isChosen(0, first, &id, choice, column) { return }
        if isChosen(1, isWaiting ? state.firstWaiting(waitClass) : known, &id, choice, column) { return }
        if isChosen(2, state.goroutine(current).pointee.wakener, &id, choice, column) { return }
        choose(another: &id, near: state.highestGoroutine, behind: 3, choice, column)
    }

    /// A proc takes goroutine ids in groups of 16, which begin behind a multiple of 16.
    private mutating func goCreate(_ type: UInt8, _ cursor: Cursor) {
        var id = port.take(cursor)
        var ownStack = port.take(cursor)
        var stackID = port.take(cursor)
        let creator = cursor.pointee.goroutine
        stackID = stack(type, stackID, column(type, 2), cursor)
        ownStack = either(state.context(.ownStack, stackID), ownStack, column(type, 1))
        let proc = state.procs + state.procIndex(cursor.pointee.proc)
        let last = proc.pointee.lastCreated
        let group = (state.highestGoroutine &+ 15) & ~15
        id = near(last & 15 == 0 ? group &+ 1 : last &+ 1, id, column(type, 0))
        proc.pointee.lastCreated = id
        state.highestGoroutine = max(state.highestGoroutine, id)
        let record = state.goroutine(id)
        meet(record, id)
        record.pointee = SchedulerModel.Goroutine(
            id: id, task: state.goroutine(creator).pointee.task, wakener: creator, stack: ownStack)
        if type == ModelEvent.goCreate {
            state.makeRunnable(id, on: cursor.pointee.proc)
        } else {
            record.pointee.status = .waiting
        }
        port.put(id, cursor)
        port.put(ownStack, cursor)
        port.put(stackID, cursor)
    }

    private mutating func goStatus(_ type: UInt8, _ cursor: Cursor, hasStack: Bool) {
        var id = port.take(cursor)
        var thread = port.take(cursor)
        var status = port.take(cursor)
        var stackID = hasStack ? port.take(cursor) : 0
        status = nearLast(status, column(type, 2))
        id = nearLast(id, column(type, 0), plus: 1)
        thread = near(status == 2 || status == 3 ? cursor.pointee.thread : .max, thread, column(type, 1))
        let record = state.goroutine(id)
        meet(record, id)
        record.pointee = SchedulerModel.Goroutine(id: id, task: record.pointee.task)
        record.pointee.status = status == 1 ? .runnable : status == 4 ? .waiting : .other
        if hasStack {
            stackID = nearLast(stackID, column(type, 3))
            record.pointee.stack = stackID
        }
        if status == 2 || status == 3 { cursor.pointee.goroutine = id }
        state.highestGoroutine = max(state.highestGoroutine, id)
        port.put(id, cursor)
        port.put(thread, cursor)
        port.put(status, cursor)
        if hasStack { port.put(stackID, cursor) }
    }

    private mutating func goSwitch(_ type: UInt8, _ cursor: Cursor) {
        var id = port.take(cursor)
        var sequence = port.take(cursor)
        let current = cursor.pointee.goroutine
        id = either(state.context(.target, current, UInt64(type)), id, column(type, 0))
        let record = state.goroutine(id)
        sequence = near(record.pointee.sequence &+ 1, sequence, column(type, 1))
        meet(record, id)
        record.pointee.sequence = sequence
        record.pointee.status = .other
        if type == ModelEvent.goSwitch { state.goroutine(current).pointee.sequence &+= 1 }
        cursor.pointee.goroutine = id
        port.put(id, cursor)
        port.put(sequence, cursor)
    }

    /// Takes a record for a goroutine, which another may have had.
    @inline(__always) private mutating func meet(
        _ record: UnsafeMutablePointer<SchedulerModel.Goroutine>, _ id: UInt64
    ) {
        if record.pointee.id == id { return }
        record.pointee.id = id
        port.note(goroutine: id)
    }

    // MARK: - Procs and system calls

    private mutating func procStart(_ cursor: Cursor) {
        let type = ModelEvent.procStart
        var id = port.take(cursor)
        var sequence = port.take(cursor)
        id = near(cursor.pointee.proc, id, column(type, 0))
        let proc = state.procs + state.procIndex(id)
        sequence = near(proc.pointee.sequence &+ 1, sequence, column(type, 1))
        proc.pointee.sequence = sequence
        proc.pointee.thread = cursor.pointee.thread
        cursor.pointee.proc = id
        port.put(id, cursor)
        port.put(sequence, cursor)
    }

    private mutating func procSteal(_ cursor: Cursor) {
        let type = ModelEvent.procSteal
        var id = port.take(cursor)
        var sequence = port.take(cursor)
        var thread = port.take(cursor)
        id = nearLast(id, column(type, 0))
        let proc = state.procs + state.procIndex(id)
        sequence = near(proc.pointee.sequence &+ 1, sequence, column(type, 1))
        thread = near(proc.pointee.thread, thread, column(type, 2))
        proc.pointee.sequence = sequence
        port.put(id, cursor)
        port.put(sequence, cursor)
        port.put(thread, cursor)
    }

    private mutating func procStatus(_ cursor: Cursor) {
        let type = ModelEvent.procStatus
        var id = port.take(cursor)
        var status = port.take(cursor)
        id = nearLast(id, column(type, 0), plus: 1)
        status = nearLast(status, column(type, 1))
        let proc = state.procs + state.procIndex(id)
        proc.pointee.sequence = 0
        if status == 1 || status == 3 {
            cursor.pointee.proc = id
            proc.pointee.thread = cursor.pointee.thread
        }
        port.put(id, cursor)
        port.put(status, cursor)
    }

    private mutating func goSyscallBegin(_ cursor: Cursor) {
        let type = ModelEvent.goSyscallBegin
        var sequence = port.take(cursor)
        var stackID = port.take(cursor)
        let proc = state.procs + state.procIndex(cursor.pointee.proc)
        sequence = near(proc.pointee.sequence &+ 1, sequence, column(type, 0))
        proc.pointee.sequence = sequence
        stackID = stack(type, stackID, column(type, 1), cursor)
        port.put(sequence, cursor)
        port.put(stackID, cursor)
    }
}
