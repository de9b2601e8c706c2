import VestigeCore

// What Delve's records become in the terms of the IR.
extension DelveState {
    /// A location as a stack of one frame; `absent` where it says nothing.
    func location(_ location: DelveLocation?) -> StackID {
        guard let location, location.pc ?? 0 != 0 || location.function?.name != nil else { return .absent }
        return self.location(frame(location))
    }

    func frame(_ location: DelveLocation) -> Frame {
        Frame(
            programCounter: location.pc ?? 0, function: intern(location.function?.name ?? ""),
            file: intern(location.file ?? ""), line: UInt64(max(0, location.line ?? 0)))
    }

    func goroutine(_ record: DelveGoroutineRecord) -> DelveGoroutine {
        var goroutine = DelveGoroutine()
        goroutine.id = record.id
        goroutine.thread = record.threadID ?? 0
        goroutine.status = Int64(clamping: record.status ?? 0)
        goroutine.reasonCode = record.waitReason ?? 0
        goroutine.waitSince = record.waitSince ?? 0
        goroutine.runtimeLocation = location(record.currentLoc)
        goroutine.userLocation = location(record.userCurrentLoc)
        goroutine.goLocation = location(record.goStatementLoc)
        goroutine.startLocation = location(record.startLoc)
        goroutine.unreadable = intern(record.unreadable ?? "")
        let labels = (record.labels ?? [:]).map { Attribute(name: intern($0.key), value: intern($0.value)) }
        goroutine.labels = tables.observations.intern(labels: labels, tables.strings)
        return goroutine
    }

    /// Puts the frames of an answer into a goroutine, up to the first that could not be read.
    func fill(_ goroutine: inout DelveGoroutine, _ frames: [DelveFrame]) {
        var list: [Frame] = []
        for frame in frames {
            noteLeftOut(frame)
            if let error = frame.error, !error.isEmpty {
                goroutine.stackError = intern(error)
                break
            }
            list.append(self.frame(frame.location))
        }
        fill(&goroutine, list, isComplete: frames.last?.bottom ?? false)
    }

    func fill(_ goroutine: inout DelveGoroutine, _ frames: [Frame], isComplete: Bool) {
        if let first = frames.first { _ = location(first) }
        goroutine.stack = tables.stacks.intern(innermostFirst: frames)
        goroutine.frameCount = frames.count
        goroutine.isStackComplete = isComplete
    }

    /// Values of variables and deferred calls have no place in an observation.
    private func noteLeftOut(_ frame: DelveFrame) {
        let count = (frame.locals ?? []).count + (frame.arguments ?? []).count + (frame.defers ?? []).count
        if count > 0 { diagnostics.count(.detailsLeftOut, UInt64(count)) }
    }

    func stack(_ frames: [DelveFrame]) -> StackID {
        var goroutine = DelveGoroutine()
        fill(&goroutine, frames)
        return goroutine.stack
    }
}

extension DelveVariable {
    /// The value in one line, as Delve's client would print it in short.
    func text(depth: Int = 0) -> String {
        if let unreadable, !unreadable.isEmpty { return "(unreadable \(unreadable))" }
        let type = type ?? ""
        if let value, !value.isEmpty { return value }
        let children = children ?? []
        if type.hasPrefix("*"), let child = children.first {
            return "(\(type))(0x\(String(child.addr ?? 0, radix: 16)))"
        }
        guard depth < 4, !children.isEmpty else { return kind == 24 ? "" : type + (children.isEmpty ? "" : " {…}") }
        let parts = children.prefix(16).map { child in
            (child.name.map { $0.isEmpty ? "" : "\($0): " } ?? "") + child.text(depth: depth + 1)
        }
        return "\(type) {\(parts.joined(separator: ", "))\(children.count > 16 ? ", …" : "")}"
    }
}
