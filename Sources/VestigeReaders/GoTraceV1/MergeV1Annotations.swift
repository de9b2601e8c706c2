import VestigeCore

/// Ranges, metrics, tasks, regions and logs: what moves no goroutine.
extension MergeV1 {
    // MARK: - Ranges

    /// A range event that has no arguments but perhaps a stack.
    mutating func range(
        _ cursor: Cursor, _ output: inout Output, _ kind: EventKind, _ name: StringID, _ scope: Scope,
        hasStack: Bool = false
    ) -> Outcome {
        var arguments = cursor.pointee.arguments
        let stack = hasStack ? Varint.readLenient(&arguments) : 0
        guard arguments <= cursor.pointee.end else { return .malformed }
        emitRange(&output, cursor, kind, name, scope, stack: resolve(stack: stack))
        return finish(cursor, arguments)
    }

    private mutating func emitRange(
        _ output: inout Output, _ cursor: Cursor, _ kind: EventKind, _ name: StringID, _ scope: Scope,
        stack: StackID = .absent, attributes: (UInt64, UInt64)? = nil
    ) {
        let id: Int64 =
            switch scope {
            case .global: -1
            case .goroutine: cursor.pointee.goroutine.rawValue
            case .proc: Int64(cursor.pointee.proc.rawValue)
            }
        emit(
            &output, cursor, kind, stack: stack, name: name, argument0: UInt64(bitPattern: id),
            argument1: attributes?.0 ?? 0, argument2: attributes?.1 ?? 0,
            detail: Event.pack(scope, attributes: attributes == nil ? 0 : 2))
    }

    /// Collections have numbers, since begin and end may be on different procs.
    mutating func gcStart(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let sequence = layout.hasGlobalSequence ? gcSequence : Varint.readLenient(&arguments)
        let stack = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard sequence == gcSequence || isForcing else { return .blocked }
        gcSequence = sequence &+ 1
        emitRange(&output, cursor, .rangeBegin, names.common.mark, .global, stack: resolve(stack: stack))
        output[-1].proc = ProcID(WireV1.gcProc)
        output[-1].thread = .absent
        return finish(cursor, arguments)
    }

    /// Before Go 1.10 the event does not say why; it was mark termination.
    mutating func stwStart(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let kind = layout.version >= 10 ? Varint.readLenient(&arguments) : 0
        guard arguments <= cursor.pointee.end else { return .malformed }
        stopTheWorld = names.stopTheWorld(kind)
        emitRange(&output, cursor, .rangeBegin, stopTheWorld, .goroutine)
        return finish(cursor, arguments)
    }

    /// The end of a stop does not repeat the reason.
    var stopTheWorldName: StringID { stopTheWorld == .empty ? names.stopTheWorld(.max) : stopTheWorld }

    mutating func sweepDone(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let hasAttributes = layout.version >= 9
        let swept = hasAttributes ? Varint.readLenient(&arguments) : 0
        let reclaimed = hasAttributes ? Varint.readLenient(&arguments) : 0
        guard arguments <= cursor.pointee.end else { return .malformed }
        emitRange(
            &output, cursor, .rangeEnd, names.common.sweep, .proc,
            attributes: hasAttributes ? (swept, reclaimed) : nil)
        return finish(cursor, arguments)
    }

    // MARK: - Metrics

    /// The first GOMAXPROCS ends the list of what was there when tracing began, and is no event itself.
    mutating func gomaxprocs(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let count = Varint.readLenient(&arguments)
        let stack = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        if isStarted {
            emit(
                &output, cursor, .metric, stack: resolve(stack: stack), name: names.common.gomaxprocs,
                argument0: count)
        } else {
            start(cursor)
        }
        return finish(cursor, arguments)
    }

    mutating func heapMetric(_ cursor: Cursor, _ output: inout Output, _ name: StringID) -> Outcome {
        var arguments = cursor.pointee.arguments
        let value = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        emit(&output, cursor, .metric, name: name, argument0: value)
        return finish(cursor, arguments)
    }

    // MARK: - The user's annotations

    /// A parent of 0 means none at the begin, as in Go's reader; at the end it stays 0.
    mutating func taskCreate(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let task = Varint.readLenient(&arguments)
        let parent = Varint.readLenient(&arguments)
        let nameID = Varint.readLenient(&arguments)
        let stack = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        let id = Int64(bitPattern: task)
        let name = resolve(string: nameID)
        tasks.remove(id)
        if id != .min { tasks.insert(id, TaskRecord(id: id, parent: TaskID(parent), name: name)) }
        emit(
            &output, cursor, .taskBegin, stack: resolve(stack: stack), name: name, argument0: task,
            argument1: parent == 0 ? TaskID.absent.rawValue : parent)
        return finish(cursor, arguments)
    }

    mutating func taskEnd(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let task = Varint.readLenient(&arguments)
        let stack = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        var (name, parent) = (StringID.empty, TaskID.absent)
        if let known = tasks.find(Int64(bitPattern: task)) {
            (name, parent) = (known.pointee.name, known.pointee.parent)
            tasks.remove(Int64(bitPattern: task))
        }
        emit(
            &output, cursor, .taskEnd, stack: resolve(stack: stack), name: name, argument0: task,
            argument1: parent.rawValue)
        return finish(cursor, arguments)
    }

    /// Arguments: task, 0 for the begin and 1 for the end, name, stack.
    @inline(__always) mutating func region(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let task = Varint.readLenient(&arguments)
        let mode = Varint.readLenient(&arguments)
        let name = Varint.readLenient(&arguments)
        let stack = Varint.readLenient(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard mode < 2 else { return .impossible }
        emit(
            &output, cursor, mode == 0 ? .regionBegin : .regionEnd, stack: resolve(stack: stack),
            name: resolve(string: name), argument0: task)
        return finish(cursor, arguments)
    }

    /// Arguments: task, category, stack; then the message itself.
    mutating func log(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let task = Varint.readLenient(&arguments)
        let category = Varint.readLenient(&arguments)
        let stack = Varint.readLenient(&arguments)
        guard let message = LayoutV1.skipMessage(&arguments, cursor.pointee.end) else { return .malformed }
        emit(
            &output, cursor, .log, stack: resolve(stack: stack), name: resolve(string: category), argument0: task,
            argument1: UInt64(context.tables.strings.intern(message).rawValue))
        return finish(cursor, arguments)
    }
}
