import VestigeCore

// The lines of what observers say: dumps and debuggers.
extension JSONLine {
    static func fillObserved(_ event: inout Event, _ fields: JSONFields) throws {
        event.name = try fields.string("reason")
        event.detail |= Event.pack(observed: try fields.choice("state", JSONLines.observedStates))
        event.argument0 = try fields.optional("wait_ns_at_least") ?? 0
        event.argument1 = fields.state.tables.observations.intern(try fields.observationDetail())
        event.argument2 = try fields.optional("count") ?? 1
    }
}

extension JSONFields {
    fileprivate func observationDetail() throws -> ObservationDetail {
        var detail = ObservationDetail()
        for (flag, name) in ObservationDetail.Flags.names {
            if try optional(JSONField(stringValue: name.description)) ?? false { detail.flags.insert(flag) }
        }
        detail.minutes = try optional("minutes")
        detail.bubble = try optional("bubble")
        detail.elidedFrameCount = try optional("elided") ?? 0
        detail.elidedAfter = try optional("elided_after") ?? 0
        detail.strayLineCount = try optional("stray") ?? 0
        detail.creation = try creation()
        detail.labels = try labels()
        detail.attributes = try attributes("attributes")
        detail.ancestors = try ancestors()
        return detail
    }

    /// A list of names and values, in the order of the line.
    func attributes(_ field: JSONField) throws -> AttributeListID {
        guard values.contains(field) else { return .empty }
        var attributes: [Attribute] = []
        try forEach(field) { item in
            attributes.append(Attribute(name: try item.string("name"), value: try item.string("value")))
        }
        return state.tables.observations.intern(attributes)
    }

    private func labels() throws -> AttributeListID {
        if values.contains("labels_exact") { return try attributes("labels_exact") }
        let labels: [String: String] = try optional("labels") ?? [:]
        let strings = state.tables.strings
        return state.tables.observations.intern(
            labels: labels.map { Attribute(name: strings.intern($0.key), value: strings.intern($0.value)) }, strings)
    }

    private func creation() throws -> Creation {
        guard values.contains("created_by"), try !values.decodeNil(forKey: "created_by") else { return .unknown }
        let fields = JSONFields(try values.nestedContainer(keyedBy: JSONField.self, forKey: "created_by"), state: state)
        var creation = Creation(goroutine: GoroutineID(try fields.optional("goroutine") ?? -1))
        if fields.values.contains("func") {
            creation.stack = state.tables.stacks.intern(try fields.frame(), caller: .absent)
        }
        return creation
    }

    private func ancestors() throws -> [Ancestor] {
        var ancestors: [Ancestor] = []
        guard values.contains("ancestors") else { return ancestors }
        try forEach("ancestors") { item in
            ancestors.append(
                Ancestor(
                    goroutine: GoroutineID(try item.required("id")), stack: try item.stack("stack", "stack_id"),
                    creation: try item.creation()))
        }
        return ancestors
    }

    private func forEach(_ field: JSONField, _ body: (JSONFields) throws -> Void) throws {
        var list = try values.nestedUnkeyedContainer(forKey: field)
        while !list.isAtEnd {
            try body(JSONFields(try list.nestedContainer(keyedBy: JSONField.self), state: state))
        }
    }
}
