import VestigeCore

/// Procs and system calls, which are about losing procs.
extension Ordering {
    @inline(__always) mutating func procStart<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let id = turn.argument(&arguments), let sequence = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        let thread = turn.thread
        let record: UnsafeMutablePointer<ProcRecord>
        if let known = How.isOrdinary ? procs.pagedFind(Int64(bitPattern: id)) : procs.find(Int64(bitPattern: id)),
            known.pointee.status == WireProcStatus.idle,
            matches(known.pointee.expected, sequence), thread.pointee.proc == .absent
        {
            record = known
        } else {
            guard turn.isForcing else { return .blocked }
            guard !How.isOrdinary, let forced = forcedProc(id, sequence) else { return .impossible }
            record = forced
        }
        guard thread.pointee.id != .absent else { return .impossible }
        record.pointee.status = WireProcStatus.running
        record.pointee.expected &+= 1
        emitTransition(&turn, thread.pointee.proc, record.pointee.id, .idle, .running)
        thread.bind(record)
        turn.pointer = arguments
        return .placed
    }

    @inline(__always) mutating func procStop<How>(_ turn: inout Turn<How>) -> Outcome {
        let thread = turn.thread
        guard let record = thread.pointee.procRecord,
            record.pointee.status == WireProcStatus.running || record.pointee.status == WireProcStatus.syscall
                || turn.isForcing
        else { return .impossible }
        record.pointee.status = WireProcStatus.idle
        emitTransition(&turn, thread.pointee.proc, record.pointee.id, .running, .idle)
        thread.unbindProc()
        return .placed
    }

    /// A proc is taken from a thread that is in a system call.
    mutating func procSteal(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let id = Varint.read(&arguments)
        let sequence = Varint.read(&arguments)
        let victimID = ThreadID(Int64(bitPattern: Varint.read(&arguments)))
        guard arguments <= turn.end else { return .malformed }
        let record: UnsafeMutablePointer<ProcRecord>
        if let known = procs.find(Int64(bitPattern: id)), matches(known.pointee.expected, sequence),
            known.pointee.status == WireProcStatus.syscall || known.pointee.status == WireProcStatus.syscallAbandoned
        {
            record = known
        } else {
            guard turn.isForcing else { return .blocked }
            guard let forced = forcedProc(id, sequence) else { return .impossible }
            record = forced
        }
        let thread = turn.thread
        // With the thread lost there is nobody to take it from; it shows as idle already.
        let isAbandoned = record.pointee.status == WireProcStatus.syscallAbandoned
        var victim: UnsafeMutablePointer<ThreadRecord>?
        if !isAbandoned {
            victim = victimID == thread.pointee.id ? thread : self.thread(known: victimID)
            let fits = victim.map { Int64($0.pointee.proc.rawValue) == record.pointee.id } ?? false
            guard fits && thread.pointee.id != .absent || turn.isForcing else { return .impossible }
            if !fits { victim = nil }
        }
        record.pointee.status = WireProcStatus.idle
        record.pointee.expected &+= 1
        emitTransition(
            &turn, thread.pointee.proc, record.pointee.id, isAbandoned ? .idle : .running, .idle)
        // The other thread cannot come out of its system call before it has lost its proc.
        if let victim { victim.unbindProc() }
        turn.pointer = arguments
        return .placed
    }

    /// A proc's status, once in every generation; from here on its sequence counts from 0.
    mutating func procStatus(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let id = Varint.read(&arguments)
        let status = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        guard (1...4).contains(status), id <= UInt64(Int32.max) else { return .impossible }
        var wireStatus = UInt8(truncatingIfNeeded: status)
        let thread = turn.thread
        var from = WireProcStatus.state(wireStatus)
        var holder: UnsafeMutablePointer<ThreadRecord>?
        let known = procs.find(Int64(bitPattern: id))
        if let known {
            if wireStatus == WireProcStatus.syscallAbandoned, known.pointee.status == WireProcStatus.syscall {
                // Nothing is lost when the proc is known to be in a system call: only that this
                // thread, which says so, is not the one that holds it.
                wireStatus = WireProcStatus.syscall
                from = .running
                holder = known.holder
                guard holder != nil || turn.isForcing else { return .impossible }
            } else if known.pointee.status != wireStatus {
                guard turn.isForcing else { return .impossible }
                from = WireProcStatus.state(known.pointee.status)
            }
        } else {
            from = isInitialGeneration ? .undetermined : .notExist
        }
        let record =
            known ?? procs.insert(Int64(bitPattern: id), ProcRecord(id: Int64(bitPattern: id), expected: 0, status: 0))
        record.pointee.status = wireStatus
        record.pointee.expected = generationTag | 1
        let context = holder ?? thread
        emit(
            &turn, .procTransition, context.pointee.id, context.pointee.proc, context.pointee.goroutine,
            argument0: id, detail: Event.pack(from, WireProcStatus.state(wireStatus)))
        if wireStatus == WireProcStatus.running || wireStatus == WireProcStatus.syscall,
            thread.pointee.id != .absent
        {
            thread.bind(record)
            if let holder { record.pointee.lastHolder = holder }
        }
        turn.pointer = arguments
        return .placed
    }

    @inline(__always) mutating func goSyscallBegin<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let sequence = turn.argument(&arguments), let stackID = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        let thread = turn.thread
        guard let record = thread.running else { return .impossible }
        let proc = thread.pointee.procRecord
        guard
            record.pointee.status == WireGoroutineStatus.running
                && proc != nil && matches(proc!.pointee.expected, sequence) || turn.isForcing,
            let stack = stack(stackID, turn)
        else { return .impossible }
        record.pointee.status = WireGoroutineStatus.syscall
        if let proc {
            proc.pointee.status = WireProcStatus.syscall
            if turn.isForcing { skip(&proc.pointee.expected, to: sequence) }
            proc.pointee.expected &+= 1
        }
        emitTransition(
            &turn, thread.pointee.goroutine, record.pointee.id, .running, .syscall, stack: stack,
            ownStack: stack)
        turn.pointer = arguments
        return .placed
    }

    /// Out of a system call with the same proc.
    @inline(__always) mutating func goSyscallEnd<How>(_ turn: inout Turn<How>) -> Outcome {
        let thread = turn.thread
        guard let record = thread.running else { return .impossible }
        let proc = thread.pointee.procRecord
        guard
            record.pointee.status == WireGoroutineStatus.syscall
                && proc?.pointee.status == WireProcStatus.syscall || turn.isForcing
        else { return .impossible }
        record.pointee.status = WireGoroutineStatus.running
        if let proc { proc.pointee.status = WireProcStatus.running }
        emitTransition(&turn, thread.pointee.goroutine, record.pointee.id, .syscall, .running)
        return .placed
    }

    /// Out of a system call in which the proc was lost. The event says that it will be lost, so it
    /// must wait until that has happened.
    mutating func goSyscallEndBlocked(_ turn: inout CarefulTurn) -> Outcome {
        let thread = turn.thread
        if let proc = thread.pointee.procRecord, proc.pointee.status == WireProcStatus.syscall, !turn.isForcing {
            return .blocked
        }
        guard let record = thread.running,
            record.pointee.status == WireGoroutineStatus.syscall || turn.isForcing
        else { return .impossible }
        record.pointee.status = WireGoroutineStatus.runnable
        emitTransition(&turn, thread.pointee.goroutine, record.pointee.id, .syscall, .runnable)
        thread.unbindGoroutine()
        return .placed
    }
}
