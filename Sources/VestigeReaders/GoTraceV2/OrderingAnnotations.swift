import VestigeCore

/// Names that the IR has for what the wire says by number (`internal/trace/event.go`, `Metric`, `Range`).
struct Names {
    let gomaxprocs, heapLive, heapGoal: StringID
    let mark, sweep, markAssist: StringID
    let strings: StringTable

    init(_ tables: TraceTables) {
        strings = tables.strings
        gomaxprocs = strings.intern("/sched/gomaxprocs:threads")
        heapLive = strings.intern("/memory/classes/heap/objects:bytes")
        heapGoal = strings.intern("/gc/heap/goal:bytes")
        mark = strings.intern("GC concurrent mark phase")
        sweep = strings.intern("GC incremental sweep")
        markAssist = strings.intern("GC mark assist")
    }

    /// Made of bytes, since the kind need not be UTF-8 in a damaged trace.
    func stopTheWorld(_ kind: StringID) -> StringID {
        let name = Array("stop-the-world (".utf8) + strings.bytes(kind) + [UInt8(ascii: ")")]
        return name.withUnsafeBytes { strings.intern($0) }
    }
}

/// Tasks, regions, logs, labels, metrics and experiments: what needs a goroutine but moves none.
///
/// When forcing, they are written in whatever context there is.
extension Ordering {
    @inline(__always) private mutating func emitHere(
        _ output: inout Output, _ cursor: Cursor, _ arguments: UnsafePointer<UInt8>, _ kind: EventKind,
        stack: StackID = .absent, name: StringID = .empty, argument0: UInt64 = 0, argument1: UInt64 = 0,
        argument2: UInt64 = 0, detail: UInt16 = 0
    ) -> Outcome {
        let thread = cursor.pointee.thread
        emit(
            &output, cursor, kind, thread.pointee.id, thread.pointee.proc, thread.pointee.goroutine, stack: stack,
            name: name, argument0: argument0, argument1: argument1, argument2: argument2, detail: detail)
        cursor.pointee.next = arguments
        return .placed
    }

    @inline(__always) mutating func region(_ cursor: Cursor, _ output: inout Output, _ kind: EventKind) -> Outcome {
        var arguments = cursor.pointee.arguments
        let task = Varint.read(&arguments)
        let name = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard cursor.pointee.thread.hasGoroutineAndProc || isForcing else { return .impossible }
        return emitHere(
            &output, cursor, arguments, kind, stack: stack(stackID), name: string(name), argument0: task)
    }

    /// A parent of 0 means none: only regions belong to the background task by default.
    mutating func taskBegin(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let task = Varint.read(&arguments)
        let parent = Varint.read(&arguments)
        let nameID = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        let id = Int64(bitPattern: task)
        let known = activeTasks.find(id)
        guard cursor.pointee.thread.hasGoroutineAndProc && known == nil && id != .min || isForcing else {
            return .impossible
        }
        let parentTask = parent == TaskID.background.rawValue ? TaskID.absent : TaskID(parent)
        let name = string(nameID)
        if let known {
            known.pointee.parent = parentTask
            known.pointee.name = name
        } else if id != .min {
            activeTasks.insert(id, TaskRecord(id: id, parent: parentTask, name: name))
        }
        return emitHere(
            &output, cursor, arguments, .taskBegin, stack: stack(stackID), name: name, argument0: task,
            argument1: parentTask.rawValue)
    }

    /// The end of a task does not repeat its name and parent; a second end has neither.
    mutating func taskEnd(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let task = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard cursor.pointee.thread.hasGoroutineAndProc || isForcing else { return .impossible }
        var (name, parent) = (StringID.empty, TaskID.absent)
        if let known = activeTasks.find(Int64(bitPattern: task)) {
            (name, parent) = (known.pointee.name, known.pointee.parent)
            activeTasks.remove(Int64(bitPattern: task))
        }
        return emitHere(
            &output, cursor, arguments, .taskEnd, stack: stack(stackID), name: name, argument0: task,
            argument1: parent.rawValue)
    }

    mutating func log(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let task = Varint.read(&arguments)
        let category = Varint.read(&arguments)
        let message = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard cursor.pointee.thread.hasGoroutineAndProc || isForcing else { return .impossible }
        return emitHere(
            &output, cursor, arguments, .log, stack: stack(stackID), name: string(category), argument0: task,
            argument1: UInt64(string(message).rawValue))
    }

    mutating func label(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let label = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        let thread = cursor.pointee.thread
        guard thread.hasGoroutineAndProc || isForcing else { return .impossible }
        return emitHere(
            &output, cursor, arguments, .label, name: string(label),
            argument0: UInt64(bitPattern: thread.pointee.goroutine.rawValue), detail: Event.pack(Scope.goroutine))
    }

    mutating func procsChange(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        var arguments = cursor.pointee.arguments
        let count = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard cursor.pointee.thread.hasGoroutineAndProc || isForcing else { return .impossible }
        return emitHere(
            &output, cursor, arguments, .metric, stack: stack(stackID), name: names.gomaxprocs, argument0: count)
    }

    mutating func heapMetric(_ cursor: Cursor, _ output: inout Output, _ name: StringID) -> Outcome {
        var arguments = cursor.pointee.arguments
        let value = Varint.read(&arguments)
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard cursor.pointee.thread.pointee.proc != .absent || isForcing else { return .impossible }
        return emitHere(&output, cursor, arguments, .metric, name: name, argument0: value)
    }

    mutating func experimental(_ cursor: Cursor, _ output: inout Output) -> Outcome {
        guard let shape = experimentalShape(cursor.pointee.type) else { return .malformed }
        var arguments = cursor.pointee.arguments
        var values: (UInt64, UInt64, UInt64) = (0, 0, 0)
        let count = WireSpec.timed[cursor.pointee.type]?.arguments.count ?? 0
        if count > 0 { values.0 = Varint.read(&arguments) }
        if count > 1 { values.1 = Varint.read(&arguments) }
        if count > 2 { values.2 = Varint.read(&arguments) }
        guard arguments <= cursor.pointee.end else { return .malformed }
        guard cursor.pointee.thread.pointee.id != .absent || isForcing else { return .impossible }
        return emitHere(
            &output, cursor, arguments, .experimental,
            name: context.tables.experimentalShapes[shape].name, argument0: values.0, argument1: values.1,
            argument2: values.2, detail: Event.pack(shape: shape))
    }

    private mutating func experimentalShape(_ type: UInt8) -> Int? {
        guard let spec = WireSpec.timed[type], let experiment = WireSpec.experiments[1] else { return nil }
        let strings = context.tables.strings
        return context.tables.intern(
            ExperimentalShape(
                name: strings.intern(spec.name), experiment: strings.intern(experiment),
                argumentNames: spec.arguments.map { strings.intern($0) }))
    }
}
