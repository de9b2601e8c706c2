import VestigeCore

/// Goroutines and procs.
extension MergeV1 {
    // MARK: - Life

    /// Arguments: goroutine, the stack (before Go 1.7: the PC) that it starts with, the creator's stack.
    /// What there was when tracing began is listed in the same way, and told by other events later.
    @inline(__always) mutating func goCreate(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let id = Varint.readLenient(&arguments)
        let ownStack = Varint.readLenient(&arguments)
        let stack = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard id > 0, id <= UInt64(Int64.max) else { return .impossible }
        if let known = goroutines.find(Int64(bitPattern: id)) {
            // The end of the one that had this number may still come.
            guard isForcing else { return .blocked }
            known.pointee.status = .runnable
            known.pointee.expected = 1
        }
        let record =
            goroutines.find(Int64(bitPattern: id))
            ?? goroutines.insert(
                Int64(bitPattern: id),
                GoroutineRecordV1(id: Int64(bitPattern: id), expected: 1, status: .runnable, state: .undetermined))
        if isStarted {
            let start = layout.hasGlobalSequence ? tables.stack(programCounter: ownStack) : resolve(stack: ownStack)
            emitTransition(
                &output, cursor, record, .notExist, .runnable, context: cursor.pointee.goroutine,
                stack: resolve(stack: stack), ownStack: start)
        } else {
            record.pointee.isUnannounced = true
        }
        return finish(cursor, arguments)
    }

    @inline(__always) mutating func goEnd(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        guard let record = cursor.running else { return .impossible }
        emitTransition(&output, cursor, record, .running, .notExist, context: cursor.pointee.goroutine)
        goroutines.remove(record.pointee.id)
        cursor.unbind()
        return finish(cursor, cursor.pointee.arguments)
    }

    /// GoWaiting and GoInSyscall: what a goroutine did when tracing began, or a thread made by C.
    mutating func goStatus(_ cursor: Cursor, _ output: inout Output, _ state: GoroutineState) -> Outcome {
        var arguments = cursor.pointee.arguments
        let id = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard let record = record(id) else { return .blocked }
        if !isForcing, !layout.hasGlobalSequence {
            guard record.pointee.status == .runnable, record.pointee.expected == 1 else { return .blocked }
        }
        record.pointee.status = .waiting
        record.pointee.expected = 2
        record.pointee.isUnannounced = false
        record.pointee.isNetworkBlocked = false
        emitTransition(
            &output, cursor, record, .undetermined, state, context: GoroutineID(record.pointee.id))
        return finish(cursor, arguments)
    }

    // MARK: - Running and waiting

    /// GoStart, and its forms without a sequence number or with a label (the kind of a GC worker).
    @inline(__always) mutating func goStart(
        _ cursor: Cursor, _ output: inout Output, isLocal: Bool, hasLabel: Bool
    ) -> Outcome {
        var arguments = cursor.pointee.arguments
        let id = Varint.readLenient(&arguments)
        let sequence = isLocal ? 0 : Varint.readLenient(&arguments)
        let label = hasLabel ? Varint.readLenient(&arguments) : 0
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard let record = record(id) else { return .blocked }
        if !isForcing {
            guard record.pointee.status == .runnable, isLocal || record.pointee.expected == sequence else {
                return .blocked
            }
        }
        record.pointee.expected = (isLocal ? record.pointee.expected : sequence) &+ 1
        record.pointee.status = .running
        record.pointee.isUnannounced = false
        cursor.bind(record)
        // The one goroutine that runs when tracing begins is listed by its start.
        emitTransition(
            &output, cursor, record, isStarted ? .runnable : .undetermined, .running,
            context: cursor.pointee.goroutine)
        if hasLabel {
            emit(
                &output, cursor, .label, name: resolve(string: label),
                argument0: UInt64(bitPattern: record.pointee.id), detail: Event.pack(Scope.goroutine))
        }
        return finish(cursor, arguments)
    }

    /// The running goroutine blocks, yields or is preempted.
    @inline(__always) mutating func goLeave(
        _ cursor: Cursor, _ output: inout Output, _ status: GoroutineRecordV1.Status, _ state: GoroutineState
    ) -> Outcome {
        var arguments = cursor.pointee.arguments
        let stackID = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard let record = runningRecord(cursor) else { return .blocked }
        record.pointee.status = status
        record.pointee.isNetworkBlocked = cursor.pointee.type == WireV1.goBlockNet
        let stack = resolve(stack: stackID)
        emitTransition(
            &output, cursor, record, .running, state, context: cursor.pointee.goroutine,
            reason: names.reason(cursor.pointee.type), stack: stack, ownStack: stack)
        cursor.unbind()
        return finish(cursor, arguments)
    }

    /// Blocks for ever, e.g. in `select {}`. Waits for nothing, as in Go's reader.
    mutating func goStop(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        guard let record = cursor.running else { return .impossible }
        record.pointee.status = .running
        return goLeave(cursor, &output, .waiting, .waiting)
    }

    /// Arguments: the goroutine that is woken, its sequence number (not in the local form), the waker's stack.
    @inline(__always) mutating func goUnblock(_ cursor: Cursor, _ output: inout Output, isLocal: Bool) -> Outcome {
        var arguments = cursor.pointee.arguments
        let id = Varint.readLenient(&arguments)
        let sequence = isLocal ? 0 : Varint.readLenient(&arguments)
        let stack = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard let record = record(id) else { return .blocked }
        if !isForcing {
            guard record.pointee.status == .waiting, isLocal || record.pointee.expected == sequence else {
                return .blocked
            }
        }
        record.pointee.expected = (isLocal ? record.pointee.expected : sequence) &+ 1
        record.pointee.status = .runnable
        emitTransition(
            &output, cursor, record, .waiting, .runnable, context: cursor.pointee.goroutine,
            stack: resolve(stack: stack))
        if record.pointee.isNetworkBlocked {
            move(output - 1, toProc: WireV1.networkProc)
        } else if hasTimerGoroutines, isTimer(cursor.pointee.goroutine) {
            move(output - 1, toProc: WireV1.timerProc)
        }
        record.pointee.isNetworkBlocked = false
        return finish(cursor, arguments)
    }

    /// Before Go 1.14 a goroutine of the runtime wakes those that sleep.
    private func isTimer(_ goroutine: GoroutineID) -> Bool {
        index.timerGoroutines.contains(UInt64(bitPattern: goroutine.rawValue))
    }

    /// Wake-ups by the network and by timers, exits from system calls and collections are on procs of
    /// their own in Go's reader, which no thread runs.
    private func move(_ event: UnsafeMutablePointer<Event>, toProc proc: Int32) {
        event.pointee.proc = ProcID(proc)
        event.pointee.thread = .absent
    }

    // MARK: - System calls

    /// A system call is one event; only if it blocks, its end is told. Else it lasts 1 ns, as in Go's reader.
    @inline(__always) mutating func goSysCall(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let stackID = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard let record = cursor.running else { return .impossible }
        let stack = resolve(stack: stackID)
        emitTransition(
            &output, cursor, record, .running, .syscall, context: cursor.pointee.goroutine, stack: stack,
            ownStack: stack)
        if !isSysBlock(behind: arguments, cursor) {
            emitTransition(&output, cursor, record, .syscall, .running, context: cursor.pointee.goroutine)
        }
        return finish(cursor, arguments)
    }

    /// Says that the system call that was told before goes on without its proc.
    mutating func goSysBlock(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        guard let record = runningRecord(cursor) else { return .blocked }
        record.pointee.status = .waiting
        record.pointee.isNetworkBlocked = false
        if record.pointee.state != .syscall {
            emitTransition(&output, cursor, record, .running, .syscall, context: cursor.pointee.goroutine)
        }
        cursor.unbind()
        return finish(cursor, cursor.pointee.arguments)
    }

    /// Arguments: goroutine, sequence number (not in the local form), time of the exit, which `ExitsV1` uses.
    mutating func goSysExit(_ cursor: Cursor, _ output: inout Output, isLocal: Bool) -> Outcome {
        var arguments = cursor.pointee.arguments
        let id = Varint.readLenient(&arguments)
        let sequence = isLocal ? 0 : Varint.readLenient(&arguments)
        _ = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard let record = record(id) else { return .blocked }
        let isOrdered = isLocal || layout.hasGlobalSequence
        if !isForcing {
            guard record.pointee.status == .waiting, isOrdered || record.pointee.expected == sequence else {
                return .blocked
            }
        }
        record.pointee.expected = (isOrdered ? record.pointee.expected : sequence) &+ 1
        record.pointee.status = .runnable
        if !record.pointee.hasExited { emitExit(record, cursor.pointee.ticks, &output) }
        record.pointee.hasExited = false
        return finish(cursor, arguments)
    }

    mutating func emitExit(_ record: Record, _ ticks: Int64, _ output: inout Output) {
        let from: GoroutineState = record.pointee.state == .syscall ? .syscall : .undetermined
        record.pointee.state = .runnable
        output.initialize(
            to: Event(
                kind: .goroutineTransition, timeNanoseconds: stamp(ticks), goroutine: GoroutineID(record.pointee.id),
                proc: ProcID(WireV1.syscallProc), argument0: UInt64(bitPattern: record.pointee.id), source: source,
                detail: Event.pack(from, .runnable)))
        output += 1
    }

    // MARK: - Procs

    mutating func procStart(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let thread = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        cursor.pointee.thread = ThreadID(Int64(bitPattern: thread))
        emitProc(&output, cursor, .idle, .running)
        return finish(cursor, arguments)
    }

    mutating func procStop(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        emitProc(&output, cursor, .running, .idle)
        cursor.pointee.thread = .absent
        return finish(cursor, cursor.pointee.arguments)
    }

    private mutating func emitProc(_ output: inout Output, _ cursor: Cursor, _ from: ProcState, _ to: ProcState) {
        let from = cursor.pointee.isSeen ? from : .undetermined
        cursor.pointee.isSeen = true
        emit(
            &output, cursor, .procTransition, argument0: UInt64(bitPattern: Int64(cursor.pointee.proc.rawValue)),
            detail: Event.pack(from, to))
    }
}
