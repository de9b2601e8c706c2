import VestigeCore

/// Stop-the-world, garbage collection, sweeping and mark assists.
extension Ordering {
    private mutating func emitRange(
        _ output: inout Output, _ cursor: Cursor, _ arguments: UnsafePointer<UInt8>, _ kind: EventKind,
        _ name: StringID, _ scope: Scope, _ scopeID: Int64, stack: StackID = .absent, attributes: Int = 0,
        attribute0: UInt64 = 0, attribute1: UInt64 = 0
    ) -> Outcome {
        let thread = cursor.pointee.thread
        emit(
            &output, cursor, kind, thread.pointee.id, thread.pointee.proc, thread.pointee.goroutine, stack: stack,
            name: name, argument0: UInt64(bitPattern: scopeID), argument1: attribute0, argument2: attribute1,
            detail: Event.pack(scope, attributes: attributes))
        cursor.pointee.next = arguments
        return .placed
    }

    mutating func stopTheWorldBegin(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let kind = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        let thread = cursor.pointee.thread
        guard thread.hasGoroutineAndProc || isForcing else { return .impossible }
        let name = names.stopTheWorld(string(kind))
        thread.running?.pointee.stopTheWorld = name
        return emitRange(
            &output, cursor, arguments, .rangeBegin, name, .goroutine, thread.pointee.goroutine.rawValue,
            stack: stack(stackID))
    }

    /// The end does not say which kind of stop it ends; the goroutine's begin did.
    mutating func stopTheWorldEnd(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        let thread = cursor.pointee.thread
        let record = thread.running
        let name = record?.pointee.stopTheWorld ?? .empty
        guard name != .empty && thread.pointee.proc != .absent || isForcing else { return .impossible }
        record?.pointee.stopTheWorld = .empty
        return emitRange(
            &output, cursor, cursor.pointee.arguments, .rangeEnd, name == .empty ? names.stopTheWorld(.empty) : name,
            .goroutine, thread.pointee.goroutine.rawValue)
    }

    /// Begin and end of the mark phase may be on different threads, so they have numbers.
    mutating func gcActive(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let sequence = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        if !isForcing {
            if isInitialGeneration {
                guard gcState == .undetermined else { return .impossible }
            } else {
                guard sequence == gcSequence &+ 1 else { return .blocked }
                guard gcState == .running, cursor.pointee.thread.hasGoroutineAndProc else { return .impossible }
            }
        }
        gcSequence = sequence
        gcState = .running
        return emitRange(&output, cursor, arguments, .rangeActive, names.mark, .global, -1)
    }

    mutating func gcBegin(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let sequence = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        if gcState != .undetermined, !isForcing {
            guard sequence == gcSequence &+ 1 else { return .blocked }
            guard gcState == .notRunning, cursor.pointee.thread.hasGoroutineAndProc else { return .impossible }
        }
        gcSequence = sequence
        gcState = .running
        return emitRange(
            &output, cursor, arguments, .rangeBegin, names.mark, .global, -1, stack: stack(stackID))
    }

    mutating func gcEnd(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let sequence = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        if !isForcing {
            guard sequence == gcSequence &+ 1 else { return .blocked }
            guard gcState == .running, cursor.pointee.thread.hasGoroutineAndProc else { return .impossible }
        }
        gcSequence = sequence
        gcState = .notRunning
        return emitRange(&output, cursor, arguments, .rangeEnd, names.mark, .global, -1)
    }

    mutating func sweepActive(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let proc = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard procs.find(Int64(bitPattern: proc)) != nil || isForcing else { return .impossible }
        return emitRange(
            &output, cursor, arguments, .rangeActive, names.sweep, .proc, Int64(bitPattern: proc))
    }

    mutating func sweepBegin(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let stackID = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        let proc = cursor.pointee.thread.pointee.proc
        guard proc != .absent || isForcing else { return .impossible }
        return emitRange(
            &output, cursor, arguments, .rangeBegin, names.sweep, .proc, Int64(proc.rawValue), stack: stack(stackID))
    }

    mutating func sweepEnd(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let swept = Varint.read(&arguments)
        let reclaimed = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        let proc = cursor.pointee.thread.pointee.proc
        guard proc != .absent || isForcing else { return .impossible }
        return emitRange(
            &output, cursor, arguments, .rangeEnd, names.sweep, .proc, Int64(proc.rawValue), attributes: 2,
            attribute0: swept, attribute1: reclaimed)
    }

    /// May name a goroutine that does not run.
    mutating func markAssistActive(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let goroutine = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard goroutines.find(Int64(bitPattern: goroutine)) != nil || isForcing else { return .impossible }
        return emitRange(
            &output, cursor, arguments, .rangeActive, names.markAssist, .goroutine, Int64(bitPattern: goroutine))
    }

    mutating func markAssist(_ cursor: Cursor, _ output: inout Output, _ kind: EventKind) -> Outcome {
        var arguments = cursor.pointee.arguments
        let stackID = kind == .rangeBegin ? Varint.read(&arguments) : 0
        guard arguments <= cursor.pointee.end else { return .malformed }
        let thread = cursor.pointee.thread
        guard thread.hasGoroutineAndProc || isForcing else { return .impossible }
        return emitRange(
            &output, cursor, arguments, kind, names.markAssist, .goroutine, thread.pointee.goroutine.rawValue,
            stack: stack(stackID))
    }
}
