import VestigeCore

// The fields of what observers say: dumps and debuggers.
extension JSONEventLine {
    func appendObserved(_ event: Event) {
        buffer.append(",\"state\":\"")
        buffer.append(event.toGoroutineState.observedName)
        append("\",\"reason", event.name)
        if event.observedCount != 1 { append(",\"count\":", event.observedCount) }
        if event.leastWaitNanoseconds > 0 { append(",\"wait_ns_at_least\":", event.leastWaitNanoseconds) }
        guard event.observationDetail != 0 else { return }
        let detail = tables.observations.detail(event.observationDetail)
        for (flag, name) in ObservationDetail.Flags.names where detail.flags.contains(flag) {
            buffer.append(",\"")
            buffer.append(name)
            buffer.append("\":true")
        }
        if let minutes = detail.minutes { append(",\"minutes\":", minutes) }
        if let bubble = detail.bubble { append(",\"bubble\":", bubble) }
        if detail.elidedFrameCount != 0 {
            append(",\"elided\":", detail.elidedFrameCount)
            append(",\"elided_after\":", detail.elidedAfter)
        }
        if detail.strayLineCount != 0 { append(",\"stray\":", detail.strayLineCount) }
        appendCreation(detail.creation)
        appendLabels(detail.labels)
        appendAttributes(",\"attributes\":", detail.attributes)
        appendAncestors(detail.ancestors)
    }

    func appendBreakpoint(_ event: Event) {
        append(",\"name", event.name)
        appendAttributes(",\"args\":", event.breakpointAttributes)
    }

    /// The lines of the stacks that ancestors have, before the event's own.
    func announceAncestors(_ event: Event) {
        guard event.kind == .observed, event.observationDetail != 0 else { return }
        for ancestor in tables.observations.detail(event.observationDetail).ancestors {
            stacks.announce(ancestor.stack, to: buffer, tables: tables)
        }
    }

    private func appendCreation(_ creation: Creation) {
        guard creation != .unknown else { return }
        append(",\"created_by\":{\"goroutine\":", creation.goroutine.rawValue)
        if creation.stack != .absent {
            let frame = tables.stacks.node(creation.stack).frame
            append(",\"func", frame.function)
            append(",\"file", frame.file)
            append(",\"line\":", frame.line)
            append(",\"pc\":", frame.programCounter)
        }
        buffer.append("}")
    }

    /// Labels as an object, which is what people ask for; where that cannot say them exactly, since a
    /// name comes twice or is not UTF-8, also as a list.
    private func appendLabels(_ list: AttributeListID) {
        let labels = tables.observations.attributes(list)
        guard !labels.isEmpty else { return }
        var separator: StaticString = ",\"labels\":{"
        for label in labels {
            buffer.append(separator)
            buffer.appendJSONString(strings.bytes(label.name))
            buffer.append(":")
            buffer.appendJSONString(strings.bytes(label.value))
            separator = ","
        }
        buffer.append("}")
        let isExact =
            Set(labels.map(\.name)).count == labels.count
            && labels.allSatisfy { strings.isValidUTF8($0.name) && strings.isValidUTF8($0.value) }
        if !isExact { appendAttributes(",\"labels_exact\":", list) }
    }

    private func appendAttributes(_ key: StaticString, _ list: AttributeListID) {
        let attributes = tables.observations.attributes(list)
        guard !attributes.isEmpty else { return }
        buffer.append(key)
        var opening: StaticString = "[{\"name"
        for attribute in attributes {
            buffer.appendStringField(opening, attribute.name, strings, next: ",\"name")
            append(",\"value", attribute.value)
            buffer.append("}")
            opening = ",{\"name"
        }
        buffer.append("]")
    }

    private func appendAncestors(_ ancestors: [Ancestor]) {
        guard !ancestors.isEmpty else { return }
        var opening: StaticString = ",\"ancestors\":[{\"id\":"
        for ancestor in ancestors {
            append(opening, ancestor.goroutine.rawValue)
            appendCreation(ancestor.creation)
            appendStack(",\"stack\":", ",\"stack_id\":", ancestor.stack)
            buffer.append("}")
            opening = ",{\"id\":"
        }
        buffer.append("]")
    }
}
