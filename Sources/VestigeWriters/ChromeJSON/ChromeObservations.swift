import VestigeCore

// What observers outside the program say: an instant in the goroutine's second row. A group of goroutines
// without numbers has a row of its own.
extension ChromePart {
    func writeObserved(_ event: Event) {
        let detail = text.tables.observations.detail(event.observationDetail)
        text.beginInstant(observationRow(event), event.timeNanoseconds)
        text.category("observed")
        text.buffer.append(",\"name\":\"observed: ")
        if event.name == .empty { text.buffer.append(event.toGoroutineState.observedName) }
        text.nameContent(event.name)
        text.buffer.append("\"")
        text.stack(event.stack)
        text.key("state")
        text.buffer.append("\"")
        text.buffer.append(event.toGoroutineState.observedName)
        text.buffer.append("\"")
        if event.observedCount != 1 { text.argument("count", id: event.observedCount) }
        if event.leastWaitNanoseconds > 0 { text.argument("wait_ns_at_least", id: event.leastWaitNanoseconds) }
        for (flag, name) in ObservationDetail.Flags.names where detail.flags.contains(flag) { text.flag(name) }
        if let bubble = detail.bubble { text.argument("bubble", bubble) }
        if detail.elidedFrameCount != 0 { text.argument("elided", detail.elidedFrameCount) }
        if detail.strayLineCount != 0 { text.argument("stray", detail.strayLineCount) }
        goroutines.argument("created_by", detail.creation.goroutine)
        text.frame("created_at", of: detail.creation.stack)
        writeList("labels", detail.labels)
        writeList("attributes", detail.attributes)
        text.end()
    }

    private func observationRow(_ event: Event) -> ChromeRow {
        let root = text.tables.startFunction(of: event.stack)
        guard event.goroutine != .absent else {
            return goroutines.groupRow(of: event.observedCount, function: root)
        }
        let record = goroutines.record(event.goroutine)
        if record.pointee.startFunction == .empty { record.pointee.startFunction = root }
        record.pointee.uses.insert(.observations)
        return record.pointee.row.second
    }

    /// `name=value; …`, as the tables have it.
    private func writeList(_ key: StaticString, _ list: AttributeListID) {
        guard list != .empty else { return }
        text.key(key)
        text.buffer.append("\"")
        for (position, item) in text.tables.observations.attributes(list).enumerated() {
            if position > 0 { text.buffer.append("; ") }
            text.content(item.name)
            text.buffer.append("=")
            text.content(item.value)
        }
        text.buffer.append("\"")
    }
}
