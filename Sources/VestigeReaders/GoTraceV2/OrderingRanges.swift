import VestigeCore

/// Stop-the-world, garbage collection, sweeping and mark assists.
extension Ordering {
    @inline(__always) private mutating func emitRange<How>(
        _ turn: inout Turn<How>, _ arguments: UnsafePointer<UInt8>, _ kind: EventKind,
        _ name: StringID, _ scope: Scope, _ scopeID: Int64, stack: StackID = .absent, attributes: Int = 0,
        attribute0: UInt64 = 0, attribute1: UInt64 = 0
    ) -> Outcome {
        let thread = turn.thread
        emit(
            &turn, kind, thread.pointee.id, thread.pointee.proc, thread.pointee.goroutine, stack: stack,
            name: name, argument0: UInt64(bitPattern: scopeID), argument1: attribute0, argument2: attribute1,
            detail: Event.pack(scope, attributes: attributes))
        turn.pointer = arguments
        return .placed
    }

    mutating func stopTheWorldBegin(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let kind = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        let thread = turn.thread
        guard thread.hasGoroutineAndProc || turn.isForcing else { return .impossible }
        let name = names.stopTheWorld(string(kind))
        thread.running?.pointee.stopTheWorld = name
        return emitRange(
            &turn, arguments, .rangeBegin, name, .goroutine, thread.pointee.goroutine.rawValue,
            stack: stack(stackID))
    }

    /// The end does not say which kind of stop it ends; the goroutine's begin did.
    mutating func stopTheWorldEnd(_ turn: inout CarefulTurn) -> Outcome {
        let thread = turn.thread
        let record = thread.running
        let name = record?.pointee.stopTheWorld ?? .empty
        guard name != .empty && thread.pointee.proc != .absent || turn.isForcing else { return .impossible }
        record?.pointee.stopTheWorld = .empty
        return emitRange(
            &turn, turn.pointer, .rangeEnd, name == .empty ? names.stopTheWorld(.empty) : name,
            .goroutine, thread.pointee.goroutine.rawValue)
    }

    /// Begin and end of the mark phase may be on different threads, so they have numbers.
    mutating func gcActive(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let sequence = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        if !turn.isForcing {
            if isInitialGeneration {
                guard gcState == .undetermined else { return .impossible }
            } else {
                guard sequence == gcSequence &+ 1 else { return .blocked }
                guard gcState == .running, turn.thread.hasGoroutineAndProc else { return .impossible }
            }
        }
        gcSequence = sequence
        gcState = .running
        return emitRange(&turn, arguments, .rangeActive, names.mark, .global, -1)
    }

    mutating func gcBegin(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let sequence = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        if gcState != .undetermined, !turn.isForcing {
            guard sequence == gcSequence &+ 1 else { return .blocked }
            guard gcState == .notRunning, turn.thread.hasGoroutineAndProc else { return .impossible }
        }
        gcSequence = sequence
        gcState = .running
        return emitRange(
            &turn, arguments, .rangeBegin, names.mark, .global, -1, stack: stack(stackID))
    }

    mutating func gcEnd(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let sequence = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        if !turn.isForcing {
            guard sequence == gcSequence &+ 1 else { return .blocked }
            guard gcState == .running, turn.thread.hasGoroutineAndProc else { return .impossible }
        }
        gcSequence = sequence
        gcState = .notRunning
        return emitRange(&turn, arguments, .rangeEnd, names.mark, .global, -1)
    }

    mutating func sweepActive(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let proc = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        guard procs.find(Int64(bitPattern: proc)) != nil || turn.isForcing else { return .impossible }
        return emitRange(
            &turn, arguments, .rangeActive, names.sweep, .proc, Int64(bitPattern: proc))
    }

    @_transparent mutating func sweepBegin<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let stackID = turn.argument(&arguments), turn.holds(arguments) else { return .malformed }
        let proc = turn.thread.pointee.proc
        guard proc != .absent || turn.isForcing, let stack = stack(stackID, turn) else { return .impossible }
        return emitRange(
            &turn, arguments, .rangeBegin, names.sweep, .proc, Int64(proc.rawValue), stack: stack)
    }

    @_transparent mutating func sweepEnd<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let swept = turn.argument(&arguments), let reclaimed = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        let proc = turn.thread.pointee.proc
        guard proc != .absent || turn.isForcing else { return .impossible }
        return emitRange(
            &turn, arguments, .rangeEnd, names.sweep, .proc, Int64(proc.rawValue), attributes: 2,
            attribute0: swept, attribute1: reclaimed)
    }

    /// May name a goroutine that does not run.
    mutating func markAssistActive(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let goroutine = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        guard goroutines.find(Int64(bitPattern: goroutine)) != nil || turn.isForcing else { return .impossible }
        return emitRange(
            &turn, arguments, .rangeActive, names.markAssist, .goroutine, Int64(bitPattern: goroutine))
    }

    mutating func markAssist(_ turn: inout CarefulTurn, _ kind: EventKind) -> Outcome {
        var arguments = turn.pointer
        let stackID = kind == .rangeBegin ? Varint.read(&arguments) : 0
        guard arguments <= turn.end else { return .malformed }
        let thread = turn.thread
        guard thread.hasGoroutineAndProc || turn.isForcing else { return .impossible }
        return emitRange(
            &turn, arguments, kind, names.markAssist, .goroutine, thread.pointee.goroutine.rawValue,
            stack: stack(stackID))
    }
}
