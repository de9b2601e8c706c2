import VestigeCore

/// Formats one event as one line, fields in the order of the specification.
struct JSONEventLine {
    let buffer: TextBuffer
    let strings: StringTable
    let tables: TraceTables
    let stacks: RenderedStacks

    /// By source: the process that events say they are of; empty if there is only one.
    private let processes: [String?]

    init(buffer: TextBuffer, tables: TraceTables, stacks: RenderedStacks) {
        let processes = tables.sources.map(\.process)
        self.processes = processes.contains { $0 != nil } ? processes : []
        self.buffer = buffer
        self.tables = tables
        self.stacks = stacks
        strings = tables.strings
    }

    /// The event's line, and before it the lines of stacks that it is the first to name.
    func append(_ event: Event, sequence: UInt64) {
        let isTransition = event.kind == .goroutineTransition || event.kind == .procTransition
        let transitionStack = isTransition ? event.transitionStack : .absent
        stacks.announce(transitionStack, to: buffer, tables: tables)
        stacks.announce(event.stack, to: buffer, tables: tables)
        announceAncestors(event)
        buffer.append("{\"seq\":")
        buffer.append(sequence)
        append(",\"t\":", event.timeNanoseconds)
        buffer.append(",\"kind\":\"")
        buffer.append(event.kind.name)
        append("\",\"g\":", event.goroutine.rawValue)
        append(",\"p\":", Int64(event.proc.rawValue))
        append(",\"m\":", event.thread.rawValue)
        appendFields(event)
        appendStack(",\"tstack\":", ",\"tstack_id\":", transitionStack)
        appendStack(",\"stack\":", ",\"stack_id\":", event.stack)
        if event.source != 0 { append(",\"source\":", UInt64(event.source)) }
        if !processes.isEmpty { appendProcess(event.source) }
        if event.isSynthetic {
            buffer.append(",\"synthetic\":true")
            if event.hasSince { append(",\"since\":", event.sinceNanoseconds) }
        }
        buffer.append("}\n")
    }

    @inline(never)
    private func appendProcess(_ source: UInt8) {
        guard Int(source) < processes.count, let name = processes[Int(source)] else { return }
        buffer.append(",\"process\":")
        buffer.appendJSONString(name)
    }

    private func appendFields(_ event: Event) {
        switch event.kind {
        case .sync: appendSync(event)
        case .metric:
            append(",\"name", event.name)
            append(",\"value\":", event.value)
        case .label:
            append(",\"label", event.name)
            appendScope(event)
        case .stackSample: break
        case .rangeBegin, .rangeActive, .rangeEnd:
            append(",\"name", event.name)
            appendScope(event)
            appendAttributes(event)
        case .taskBegin, .taskEnd:
            append(",\"task\":", event.task)
            append(",\"parent\":", event.parentTask)
            append(",\"type", event.name)
        case .regionBegin, .regionEnd:
            append(",\"task\":", event.task)
            append(",\"type", event.name)
        case .log:
            append(",\"task\":", event.task)
            append(",\"category", event.name)
            append(",\"message", event.message)
        case .goroutineTransition:
            append(",\"resource\":\"goroutine\",\"id\":", event.subjectGoroutine.rawValue)
            appendStates(event.fromGoroutineState.name, event.toGoroutineState.name)
            append(",\"reason", event.name)
        case .procTransition:
            append(",\"resource\":\"proc\",\"id\":", Int64(event.subjectProc.rawValue))
            appendStates(event.fromProcState.name, event.toProcState.name)
            append(",\"reason", event.name)
        case .experimental: appendExperimental(event)
        case .experimentalBatch:
            append(",\"experiment", event.name)
            buffer.append(",\"payload\":\"")
            buffer.appendHex(strings.bytes(event.payload))
            buffer.append("\"")
        case .observed: appendObserved(event)
        case .breakpoint: appendBreakpoint(event)
        }
    }

    private func appendSync(_ event: Event) {
        append(",\"n\":", event.syncNumber)
        guard let index = event.clockSnapshotIndex, tables.clockSnapshots.indices.contains(index) else { return }
        let clock = tables.clockSnapshots[index]
        append(",\"clock\":{\"trace\":", clock.traceNanoseconds)
        append(",\"mono\":", clock.monotonicNanoseconds)
        append(",\"wall_unix_ns\":", clock.wallUnixNanoseconds)
        buffer.append("}")
    }

    private func appendScope(_ event: Event) {
        buffer.append(",\"scope\":\"")
        buffer.append(event.scope.name)
        append("\",\"scope_id\":", event.scopeID)
    }

    private func appendAttributes(_ event: Event) {
        guard event.attributeCount > 0 else { return }
        buffer.append(",\"attrs\":{\"")
        buffer.append(EventIR.sweepAttributeNames.swept)
        append("\":", event.bytesSwept)
        if event.attributeCount > 1 {
            buffer.append(",\"")
            buffer.append(EventIR.sweepAttributeNames.reclaimed)
            append("\":", event.bytesReclaimed)
        }
        buffer.append("}")
    }

    private func appendStates(_ from: StaticString, _ to: StaticString) {
        buffer.append(",\"from\":\"")
        buffer.append(from)
        buffer.append("\",\"to\":\"")
        buffer.append(to)
        buffer.append("\"")
    }

    private func appendExperimental(_ event: Event) {
        let index = event.experimentalShapeIndex
        guard tables.experimentalShapes.indices.contains(index) else {
            append(",\"name", event.name)
            return buffer.append(",\"experiment\":\"\",\"args\":{}")
        }
        let shape = tables.experimentalShapes[index]
        append(",\"name", shape.name)
        append(",\"experiment", shape.experiment)
        buffer.append(",\"args\":{")
        for (number, name) in shape.argumentNames.prefix(3).enumerated() {
            if number > 0 { buffer.append(",") }
            buffer.appendJSONString(strings.bytes(name))
            append(":", number == 0 ? event.argument0 : number == 1 ? event.argument1 : event.argument2)
        }
        buffer.append("}")
    }

    // MARK: - Fields

    func append(_ key: StaticString, _ value: Int64) {
        buffer.append(key)
        buffer.append(value)
    }

    func append(_ key: StaticString, _ value: UInt64) {
        buffer.append(key)
        buffer.append(value)
    }

    private func append(_ key: StaticString, _ task: TaskID) {
        buffer.append(key)
        if task == .absent { buffer.append("null") } else { buffer.append(task.rawValue) }
    }

    func append(_ openKey: StaticString, _ string: StringID) {
        buffer.appendStringField(openKey, string, strings)
    }

    func appendStack(_ key: StaticString, _ idKey: StaticString, _ stack: StackID) {
        guard stack != .absent else { return }
        buffer.append(key)
        stacks.appendList(stack, to: buffer, tables: tables)
        buffer.append(idKey)
        buffer.append(stacks.number(stack))
    }
}

extension TextBuffer {
    /// A string field; `openKey` is its key up to the closing quote, e.g. `,"name`. What is not UTF-8
    /// stands in a second field `…_hex` as well, exactly.
    ///
    /// - Parameter next: the key of that second field, where another separator stands before it.
    func appendStringField(
        _ openKey: StaticString, _ string: StringID, _ strings: StringTable, next: StaticString? = nil
    ) {
        append(openKey)
        append("\":")
        appendJSONString(strings.bytes(string))
        guard !strings.isValidUTF8(string) else { return }
        append(next ?? openKey)
        append("_hex\":\"")
        appendHex(strings.bytes(string))
        append("\"")
    }
}
