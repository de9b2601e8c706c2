import VestigeCore

/// Goroutines: creation, running, blocking, end, and switches of coroutines.
extension Ordering {
    @inline(__always) mutating func goStart<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let id = turn.argument(&arguments), let sequence = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        let thread = turn.thread
        // A vacant slot has no status.
        var record = goroutine(id, turn)
        if record?.pointee.status != WireGoroutineStatus.runnable || !matches(record!.pointee.expected, sequence) {
            guard turn.isForcing else { return .blocked }
            record = forcedGoroutine(id, sequence)
        }
        guard let record, thread.pointee.proc != .absent && thread.pointee.goroutine == .absent || turn.isForcing else {
            return .impossible
        }
        record.pointee.status = WireGoroutineStatus.running
        record.pointee.expected &+= 1
        emitTransition(&turn, .absent, Int64(bitPattern: id), .runnable, .running)
        thread.bind(record, Int64(bitPattern: id))
        turn.pointer = arguments
        return .placed
    }

    /// GoBlock and GoStop: the running goroutine leaves its thread.
    @inline(__always) mutating func goStop<How>(
        _ turn: inout Turn<How>, _ state: GoroutineState, _ status: UInt8
    ) -> Outcome {
        var arguments = turn.pointer
        guard let reasonID = turn.argument(&arguments), let stackID = turn.argument(&arguments),
            turn.holds(arguments)
        else { return .malformed }
        let thread = turn.thread
        guard let record = thread.running,
            record.pointee.status == WireGoroutineStatus.running && thread.pointee.proc != .absent || turn.isForcing,
            let stack = stack(stackID, turn), let reason = string(reasonID, turn)
        else { return .impossible }
        record.pointee.status = status
        emitTransition(
            &turn, thread.pointee.goroutine, record.pointee.id, .running, state, reason: reason,
            stack: stack, ownStack: stack)
        thread.unbindGoroutine()
        turn.pointer = arguments
        return .placed
    }

    @inline(__always) mutating func goUnblock<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let id = turn.argument(&arguments), let sequence = turn.argument(&arguments),
            let stackID = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        let record: UnsafeMutablePointer<GoroutineRecord>
        if let known = goroutine(id, turn), known.pointee.status == WireGoroutineStatus.waiting,
            matches(known.pointee.expected, sequence)
        {
            record = known
        } else {
            guard turn.isForcing else { return .blocked }
            guard let forced = forcedGoroutine(id, sequence) else { return .impossible }
            record = forced
        }
        guard let stack = stack(stackID, turn) else { return .impossible }
        record.pointee.status = WireGoroutineStatus.runnable
        record.pointee.expected &+= 1
        emitTransition(
            &turn, turn.thread.pointee.goroutine, Int64(bitPattern: id), .waiting, .runnable, stack: stack)
        turn.pointer = arguments
        return .placed
    }

    /// GoCreate and GoCreateBlocked.
    @_transparent mutating func goCreate<How>(
        _ turn: inout Turn<How>, _ state: GoroutineState, _ status: UInt8
    ) -> Outcome {
        var arguments = turn.pointer
        guard let wireID = turn.argument(&arguments), let ownStackID = turn.argument(&arguments),
            let stackID = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        let id = Int64(bitPattern: wireID)
        let thread = turn.thread
        let creatorStatus = thread.running?.pointee.status ?? WireGoroutineStatus.running
        let known = How.isOrdinary ? goroutines.pagedFind(id) : goroutines.find(id)
        guard
            known == nil && id >= 0 && thread.pointee.proc != .absent && creatorStatus == WireGoroutineStatus.running
                || turn.isForcing,
            let ownStack = stack(ownStackID, turn), let stack = stack(stackID, turn)
        else { return .impossible }
        if let known {
            known.pointee.status = status
            known.pointee.expected = generationTag | 1
        } else {
            guard id >= 0,
                insert(
                    GoroutineRecord(id: id, expected: generationTag | 1, stopTheWorld: .empty, status: status), turn)
            else { return .impossible }
        }
        emitTransition(
            &turn, thread.pointee.goroutine, id, .notExist, state, stack: stack, ownStack: ownStack)
        turn.pointer = arguments
        return .placed
    }

    @_transparent mutating func goDestroy<How>(_ turn: inout Turn<How>) -> Outcome {
        let thread = turn.thread
        guard let record = thread.running,
            record.pointee.status == WireGoroutineStatus.running && thread.pointee.proc != .absent || turn.isForcing
        else { return .impossible }
        let id = record.pointee.id
        guard remove(goroutine: id, turn) else { return .impossible }
        emitTransition(&turn, thread.pointee.goroutine, id, .running, .notExist)
        thread.unbindGoroutine()
        return .placed
    }

    /// A goroutine appears in a system call: a thread made by C calls Go.
    mutating func goCreateSyscall(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let id = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        let thread = turn.thread
        guard id <= UInt64(Int64.max) else { return .impossible }
        let known = goroutines.find(Int64(bitPattern: id))
        guard known == nil && thread.pointee.goroutine == .absent || turn.isForcing else { return .impossible }
        let record =
            known
            ?? goroutines.insert(
                Int64(bitPattern: id),
                GoroutineRecord(
                    id: Int64(bitPattern: id), expected: 0, stopTheWorld: .empty, status: WireGoroutineStatus.syscall))
        record.pointee.status = WireGoroutineStatus.syscall
        record.pointee.expected = generationTag | 1
        emitTransition(&turn, thread.pointee.goroutine, record.pointee.id, .notExist, .syscall)
        thread.bind(record, record.pointee.id)
        turn.pointer = arguments
        return .placed
    }

    /// The callback's goroutine vanishes. Its thread also loses its proc, since the thread's number may
    /// be used again; that is said by a transition of its own (`order.go`, `advanceGoDestroySyscall`).
    mutating func goDestroySyscall(_ turn: inout CarefulTurn) -> Outcome {
        let thread = turn.thread
        guard let record = thread.running,
            record.pointee.status == WireGoroutineStatus.syscall || turn.isForcing
        else { return .impossible }
        if let proc = thread.pointee.procRecord, thread.pointee.proc != .absent {
            guard proc.pointee.status == WireProcStatus.syscall || turn.isForcing else { return .impossible }
            proc.pointee.status = WireProcStatus.syscallAbandoned
            emitTransition(&turn, thread.pointee.proc, proc.pointee.id, .running, .idle)
        }
        let id = record.pointee.id
        goroutines.remove(id)
        emitTransition(&turn, thread.pointee.goroutine, id, .syscall, .notExist)
        thread.unbindProc()
        thread.unbindGoroutine()
        return .placed
    }

    /// A coroutine switch is three transitions: the next goroutine is woken, the current one blocks
    /// (without a reason) or ends, and the next one starts. The sequence number is the next one's.
    mutating func goSwitch(_ turn: inout CarefulTurn, isDestroying: Bool) -> Outcome {
        var arguments = turn.pointer
        let id = Varint.read(&arguments)
        let sequence = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        let thread = turn.thread
        guard let current = thread.running,
            current.pointee.status == WireGoroutineStatus.running && thread.pointee.proc != .absent || turn.isForcing
        else { return .impossible }
        var next = goroutines.find(Int64(bitPattern: id))
        if next == nil || next!.pointee.status != WireGoroutineStatus.waiting
            || !matches(next!.pointee.expected, sequence)
        {
            guard turn.isForcing else { return .blocked }
            next = forcedGoroutine(id, sequence)
        }
        guard let next, next != current else { return .impossible }
        let goroutine = thread.pointee.goroutine
        emitTransition(&turn, goroutine, next.pointee.id, .waiting, .runnable)
        if isDestroying {
            let id = current.pointee.id
            emitTransition(&turn, goroutine, id, .running, .notExist)
            goroutines.remove(id)
        } else {
            current.pointee.status = WireGoroutineStatus.waiting
            emitTransition(&turn, goroutine, current.pointee.id, .running, .waiting)
        }
        emitTransition(&turn, GoroutineID.absent, next.pointee.id, .runnable, .running)
        next.pointee.status = WireGoroutineStatus.running
        next.pointee.expected &+= 1
        thread.bind(next, next.pointee.id)
        turn.pointer = arguments
        return .placed
    }

    /// A goroutine's status, once in every generation; from here on its sequence counts from 0.
    mutating func goStatus(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let id = Varint.read(&arguments)
        let threadID = ThreadID(Int64(bitPattern: Varint.read(&arguments)))
        let status = Varint.read(&arguments)
        let stackID = turn.type == WireEvent.goStatusStack ? Varint.read(&arguments) : 0
        guard arguments <= turn.end else { return .malformed }
        guard (1...4).contains(status), id <= UInt64(Int64.max) else { return .impossible }
        let wireStatus = UInt8(truncatingIfNeeded: status)
        var from = WireGoroutineStatus.state(wireStatus)
        let known = goroutines.find(Int64(bitPattern: id))
        if let known {
            guard known.pointee.status == wireStatus || turn.isForcing else { return .impossible }
            from = WireGoroutineStatus.state(known.pointee.status)
        } else {
            guard isInitialGeneration || turn.isForcing else { return .impossible }
            from = .undetermined
        }
        guard let context = statusContext(turn.thread, wireStatus, threadID, Int64(bitPattern: id)) else {
            return .impossible
        }
        let record =
            known
            ?? goroutines.insert(
                Int64(bitPattern: id),
                GoroutineRecord(
                    id: Int64(bitPattern: id), expected: 0, stopTheWorld: .empty, status: wireStatus))
        record.pointee.status = wireStatus
        record.pointee.expected = generationTag | 1
        let stack = stack(stackID)
        emit(
            &turn, .goroutineTransition, context.thread, turn.thread.pointee.proc,
            context.goroutine, stack: stack, argument0: id, argument1: UInt64(stack.rawValue),
            detail: Event.pack(from, WireGoroutineStatus.state(wireStatus)))
        if let thread = context.binds { thread.bind(record, record.pointee.id) }
        turn.pointer = arguments
        return .placed
    }

    private struct StatusContext {
        var thread: ThreadID
        var goroutine: GoroutineID
        /// The thread that the goroutine is bound to from now on.
        var binds: UnsafeMutablePointer<ThreadRecord>?
    }

    /// In whose context a status event stands (`order.go`, `advanceGoStatus`): a running goroutine is
    /// on this thread; one in a system call may sit on another thread for generations, and is then
    /// reported as from there.
    /// - Returns: nil if the thread is known to have another goroutine.
    private mutating func statusContext(
        _ current: UnsafeMutablePointer<ThreadRecord>, _ status: UInt8, _ threadID: ThreadID, _ goroutine: Int64
    ) -> StatusContext? {
        var result = StatusContext(thread: current.pointee.id, goroutine: current.pointee.goroutine)
        let isOnThread = current.pointee.id != .absent
        if status == WireGoroutineStatus.running {
            result.binds = isOnThread ? current : nil
        } else if status == WireGoroutineStatus.syscall {
            guard threadID != .absent else { return isForcing ? result : nil }
            if threadID == current.pointee.id {
                guard isInitialGeneration || current.pointee.goroutine.rawValue == goroutine || isForcing else {
                    return nil
                }
                result.binds = current
            } else if let other = thread(known: threadID) {
                guard other.pointee.goroutine.rawValue == goroutine || isForcing else { return nil }
                result.goroutine = other.pointee.goroutine
                result.thread = threadID
            } else {
                result.binds = thread(threadID)
                result.thread = threadID
            }
        }
        return result
    }
}

// MARK: - The end

extension Ordering {
    /// The state of each goroutine that is alive, as synthetic transitions at the last time.
    func finalStates() -> [Event] {
        var events: [Event] = []
        events.reserveCapacity(goroutines.count)
        goroutines.forEach { id, record in
            var event = Event(
                kind: .goroutineTransition, timeNanoseconds: lastTime, argument0: UInt64(bitPattern: id),
                source: context.source,
                detail: Event.pack(.undetermined, WireGoroutineStatus.state(record.pointee.status)))
            event.isSynthetic = true
            events.append(event)
        }
        return events
    }
}
