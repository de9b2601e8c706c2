/// Annotations, and everything that is rare.
extension EventWalk where Port: ~Copyable {
    mutating func region(_ type: UInt8, _ cursor: Cursor) {
        var task = port.take(cursor)
        var name = port.take(cursor)
        var stackID = port.take(cursor)
        stackID = stack(type, stackID, column(type, 2), cursor)
        name = annotationName(name, stackID, type, column(type, 1))
        task = currentTask(task, column(type, 0), cursor)
        port.put(task, cursor)
        port.put(name, cursor)
        port.put(stackID, cursor)
    }

    mutating func taskBegin(_ cursor: Cursor) {
        let type = ModelEvent.userTaskBegin
        var task = port.take(cursor)
        var parent = port.take(cursor)
        var name = port.take(cursor)
        var stackID = port.take(cursor)
        stackID = stack(type, stackID, column(type, 3), cursor)
        name = annotationName(name, stackID, type, column(type, 2))
        parent = either(state.context(.parent, stackID), parent, column(type, 1))
        task = near(state.highestTask &+ 1, task, column(type, 0))
        state.highestTask = max(state.highestTask, task)
        state.goroutine(cursor.pointee.goroutine).pointee.task = task
        port.put(task, cursor)
        port.put(parent, cursor)
        port.put(name, cursor)
        port.put(stackID, cursor)
    }

    mutating func taskEnd(_ cursor: Cursor) {
        let type = ModelEvent.userTaskEnd
        var task = port.take(cursor)
        var stackID = port.take(cursor)
        stackID = stack(type, stackID, column(type, 1), cursor)
        task = currentTask(task, column(type, 0), cursor)
        port.put(task, cursor)
        port.put(stackID, cursor)
    }

    mutating func log(_ cursor: Cursor) {
        let type = ModelEvent.userLog
        var task = port.take(cursor)
        var key = port.take(cursor)
        var message = port.take(cursor)
        var stackID = port.take(cursor)
        stackID = stack(type, stackID, column(type, 3), cursor)
        key = either(state.context(.name, stackID, UInt64(type)), key, column(type, 1))
        message = either(state.context(.label, stackID, key), message, column(type, 2))
        task = currentTask(task, column(type, 0), cursor)
        port.put(task, cursor)
        port.put(key, cursor)
        port.put(message, cursor)
        port.put(stackID, cursor)
    }

    /// The name of a region or task, by the stack.
    @inline(__always) private mutating func annotationName(
        _ name: UInt64, _ stackID: UInt64, _ type: UInt8, _ column: Int
    ) -> UInt64 {
        port.note(name: name)
        return either(state.context(.name, stackID, UInt64(type)), name, column)
    }

    @inline(__always) private mutating func currentTask(_ task: UInt64, _ column: Int, _ cursor: Cursor) -> UInt64 {
        let record = state.goroutine(cursor.pointee.goroutine)
        let passed = near(record.pointee.task, task, column)
        record.pointee.task = passed
        return passed
    }

    // MARK: - The rest

    mutating func valueAndStack(_ type: UInt8, _ cursor: Cursor) {
        var value = port.take(cursor)
        var stackID = port.take(cursor)
        value = type == ModelEvent.gcBegin ? gcSequence(value, column(type, 0)) : nearLast(value, column(type, 0))
        stackID = stack(type, stackID, column(type, 1), cursor)
        port.put(value, cursor)
        port.put(stackID, cursor)
    }

    mutating func stackOnly(_ type: UInt8, _ cursor: Cursor) {
        var stackID = port.take(cursor)
        stackID = stack(type, stackID, column(type, 0), cursor)
        port.put(stackID, cursor)
    }

    private mutating func gcSequence(_ value: UInt64, _ column: Int) -> UInt64 {
        let passed = near(state.gcSequence &+ 1, value, column)
        state.gcSequence = passed
        return passed
    }

    /// Everything else is near its like.
    mutating func plain(_ type: UInt8, _ cursor: Cursor) {
        if type == ModelEvent.gcEnd {
            port.put(gcSequence(port.take(cursor), column(type, 0)), cursor)
            return
        }
        for index in 0..<Int(argumentCount[Int(type)]) {
            port.put(nearLast(port.take(cursor), column(type, index)), cursor)
        }
    }
}
