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
    @inline(__always) private mutating func emitHere<How>(
        _ turn: inout Turn<How>, _ arguments: UnsafePointer<UInt8>, _ kind: EventKind,
        stack: StackID = .absent, name: StringID = .empty, argument0: UInt64 = 0, argument1: UInt64 = 0,
        argument2: UInt64 = 0, detail: UInt16 = 0
    ) -> Outcome {
        let thread = turn.thread
        emit(
            &turn, kind, thread.pointee.id, thread.pointee.proc, thread.pointee.goroutine, stack: stack,
            name: name, argument0: argument0, argument1: argument1, argument2: argument2, detail: detail)
        turn.pointer = arguments
        return .placed
    }

    @_transparent mutating func region<How>(_ turn: inout Turn<How>, _ kind: EventKind) -> Outcome {
        var arguments = turn.pointer
        guard let task = turn.argument(&arguments), let nameID = turn.argument(&arguments),
            let stackID = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        guard turn.thread.hasGoroutineAndProc || turn.isForcing, let stack = stack(stackID, turn),
            let name = string(nameID, turn)
        else { return .impossible }
        return emitHere(&turn, arguments, kind, stack: stack, name: name, argument0: task)
    }

    /// A parent of 0 means none: only regions belong to the background task by default.
    @_transparent mutating func taskBegin<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let task = turn.argument(&arguments), let parent = turn.argument(&arguments),
            let nameID = turn.argument(&arguments), let stackID = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        let id = Int64(bitPattern: task)
        let known = How.isOrdinary ? activeTasks.pagedFind(id) : activeTasks.find(id)
        guard turn.thread.hasGoroutineAndProc && known == nil && id != .min || turn.isForcing,
            let stack = stack(stackID, turn), let name = string(nameID, turn)
        else { return .impossible }
        let parentTask = parent == TaskID.background.rawValue ? TaskID.absent : TaskID(parent)
        if let known {
            known.pointee.parent = parentTask
            known.pointee.name = name
        } else if id != .min {
            guard insert(TaskRecord(id: id, parent: parentTask, name: name), turn) else { return .impossible }
        }
        return emitHere(
            &turn, arguments, .taskBegin, stack: stack, name: name, argument0: task, argument1: parentTask.rawValue)
    }

    /// The end of a task does not repeat its name and parent; a second end has neither.
    @_transparent mutating func taskEnd<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let task = turn.argument(&arguments), let stackID = turn.argument(&arguments), turn.holds(arguments)
        else { return .malformed }
        guard turn.thread.hasGoroutineAndProc || turn.isForcing, let stack = stack(stackID, turn) else {
            return .impossible
        }
        var (name, parent) = (StringID.empty, TaskID.absent)
        let id = Int64(bitPattern: task)
        if let known = How.isOrdinary ? activeTasks.pagedFind(id) : activeTasks.find(id) {
            (name, parent) = (known.pointee.name, known.pointee.parent)
            guard remove(task: id, turn) else { return .impossible }
        } else if How.isOrdinary {
            return .impossible
        }
        return emitHere(
            &turn, arguments, .taskEnd, stack: stack, name: name, argument0: task, argument1: parent.rawValue)
    }

    @_transparent mutating func log<How>(_ turn: inout Turn<How>) -> Outcome {
        var arguments = turn.pointer
        guard let task = turn.argument(&arguments), let categoryID = turn.argument(&arguments),
            let messageID = turn.argument(&arguments), let stackID = turn.argument(&arguments),
            turn.holds(arguments)
        else { return .malformed }
        guard turn.thread.hasGoroutineAndProc || turn.isForcing, let stack = stack(stackID, turn),
            let category = string(categoryID, turn), let message = string(messageID, turn)
        else { return .impossible }
        return emitHere(
            &turn, arguments, .log, stack: stack, name: category, argument0: task,
            argument1: UInt64(message.rawValue))
    }

    mutating func label(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let label = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        let thread = turn.thread
        guard thread.hasGoroutineAndProc || turn.isForcing else { return .impossible }
        return emitHere(
            &turn, arguments, .label, name: string(label),
            argument0: UInt64(bitPattern: thread.pointee.goroutine.rawValue), detail: Event.pack(Scope.goroutine))
    }

    mutating func procsChange(_ turn: inout CarefulTurn) -> Outcome {
        var arguments = turn.pointer
        let count = Varint.read(&arguments)
        let stackID = Varint.read(&arguments)
        guard arguments <= turn.end else { return .malformed }
        guard turn.thread.hasGoroutineAndProc || turn.isForcing else { return .impossible }
        return emitHere(
            &turn, arguments, .metric, stack: stack(stackID), name: names.gomaxprocs, argument0: count)
    }

    @_transparent mutating func heapMetric<How>(_ turn: inout Turn<How>, _ name: StringID) -> Outcome {
        var arguments = turn.pointer
        guard let value = turn.argument(&arguments), turn.holds(arguments) else { return .malformed }
        guard turn.thread.pointee.proc != .absent || turn.isForcing else { return .impossible }
        return emitHere(&turn, arguments, .metric, name: name, argument0: value)
    }

    mutating func experimental(_ turn: inout CarefulTurn) -> Outcome {
        guard let experiment = experimentalEvents.event(turn.type, context.tables) else { return .malformed }
        var arguments = turn.pointer
        var values: (UInt64, UInt64, UInt64) = (0, 0, 0)
        if experiment.argumentCount > 0 { values.0 = Varint.read(&arguments) }
        if experiment.argumentCount > 1 { values.1 = Varint.read(&arguments) }
        if experiment.argumentCount > 2 { values.2 = Varint.read(&arguments) }
        guard arguments <= turn.end else { return .malformed }
        guard turn.thread.pointee.id != .absent || turn.isForcing else { return .impossible }
        return emitHere(
            &turn, arguments, .experimental, name: experiment.name, argument0: values.0, argument1: values.1,
            argument2: values.2, detail: experiment.detail)
    }
}

/// What the IR needs of each type of experimental event, found once: a program may allocate millions of objects.
struct ExperimentalEvents {
    struct Known {
        var name: StringID
        var argumentCount: Int
        /// The shape, as in `Event.detail`.
        var detail: UInt16
    }

    /// By type, counted from the first.
    private var known = [Known?](repeating: nil, count: Int(WireEvent.goroutineStackFree - WireEvent.span) + 1)

    /// - Returns: nil if there is no such event.
    @inline(__always) mutating func event(_ type: UInt8, _ tables: TraceTables) -> Known? {
        known[Int(type &- WireEvent.span)] ?? find(type, tables)
    }

    @inline(never) private mutating func find(_ type: UInt8, _ tables: TraceTables) -> Known? {
        guard let spec = WireSpec.timed[type], let experiment = WireSpec.experiments[1] else { return nil }
        let name = tables.strings.intern(spec.name)
        let description = ExperimentalShape(
            name: name, experiment: tables.strings.intern(experiment),
            argumentNames: spec.arguments.map { tables.strings.intern($0) })
        guard let shape = tables.intern(description) else { return nil }
        let event = Known(name: name, argumentCount: spec.arguments.count, detail: Event.pack(shape: shape))
        known[Int(type - WireEvent.span)] = event
        return event
    }
}
