import VestigeCore

// Stacks, and what stands below a goroutine: labels and places.
extension DelveTextSession {
    // MARK: - Stacks

    mutating func takeStack(_ line: DelveTextLine) -> Bool {
        if let head = DelveStackText.frameHead(line.body) {
            if line.tabs == 0, hit != nil { closeHit() }
            if line.tabs < 2, owner == .hit { owner = .unknown }
            if head.index == 0 { closeStack(keepingAncestor: true) }
            if case .unreadable(let place) = owner {
                snapshot.update(at: place) { $0.strayLineCount += 2 }
                noteForeignStack(place)
                return true
            }
            stack.begin(head, state)
            return true
        }
        if takeAncestor(line) { return true }
        if case .unreadable = owner, line.body.first == 0x20 || line.body.elementsEqual("(truncated)".utf8) {
            return true
        }
        return stack.take(line.body, state)
    }

    mutating func noteForeignStack(_ place: Int) {
        let doubt = state.intern("the stack that Delve prints under it is the current thread's, and left out")
        snapshot.update(at: place) { if !$0.doubts.contains(doubt) { $0.doubts.append(doubt) } }
    }

    /// `Created by Goroutine 48:`, and a stack.
    mutating func takeAncestor(_ line: DelveTextLine) -> Bool {
        var body = line.body
        guard body.dropPrefix("Created by Goroutine "), let id = body.dropNumber(), body.elementsEqual(":".utf8) else {
            return false
        }
        closeStack(keepingHost: true)
        ancestor = GoroutineID(id)
        return true
    }

    /// Gives the stack that is complete to its owner; creators wait until the last of them is there.
    mutating func closeStack(keepingHost: Bool = false, keepingAncestor: Bool = false) {
        if !stack.isEmpty {
            let (id, goroutine) = stack.finish(state)
            if let creator = ancestor {
                ancestors.append(Ancestor(goroutine: creator, stack: id, creation: .unknown))
                ancestor = nil
            } else {
                giveHost()
                ancestorHost = (owner, goroutine)
            }
        }
        if keepingHost || keepingAncestor && ancestor != nil { return }
        ancestor = nil
        giveHost()
    }

    mutating func giveHost() {
        guard let host = ancestorHost else { return }
        var goroutine = host.goroutine
        ancestorHost = nil
        goroutine.ancestors = ancestors
        ancestors = []
        switch host.owner {
        case .hit: hit?.stack = goroutine.stack
        case .unreadable: break
        case .entry(let place): snapshot.update(at: place) { $0.merge(goroutine) }
        case .goroutine(let id):
            goroutine.id = id
            addAlone(goroutine)
        case .unknown:
            goroutine.id = selected
            if selected == 0 { goroutine.doubts = [state.intern("whose stack this is is not said")] }
            addAlone(goroutine)
        }
    }

    mutating func addAlone(_ goroutine: DelveGoroutine) {
        snapshotBegins()
        snapshot.add(goroutine)
    }

    // MARK: - Details of a goroutine

    mutating func takeDetail(_ line: DelveTextLine) -> Bool {
        var body = line.body
        if body.dropPrefix("Labels: ") {
            takeLabels(body)
            return true
        }
        if body.dropPrefix("Goroutine "), let id = body.dropNumber(), body.elementsEqual(":".utf8) {
            closeStack()
            if line.tabs == 0 { closeListing(atEnd: nil) }
            var goroutine = DelveGoroutine()
            goroutine.id = id
            goroutine.isSelected = line.tabs == 0
            if line.tabs == 0 { selected = id }
            snapshotBegins()
            owner = .entry(snapshot.add(goroutine))
            return true
        }
        return takeLongPlace(line) || takeHitValue(line)
    }

    /// `Runtime: …`, `User: …`, `Go: …`, `Start: …` below `Goroutine N:`.
    mutating func takeLongPlace(_ line: DelveTextLine) -> Bool {
        guard case .entry(let place) = owner, line.tabs > 0 else { return false }
        var body = line.body
        guard let kind = DelveGoroutineLine.Place.allCases.first(where: { body.dropPrefix("\($0.rawValue): ") }),
            let found = DelveTextLine.Place(body)
        else { return false }
        let location = location(found)
        snapshot.update(at: place) { goroutine in
            switch kind {
            case .user: goroutine.userLocation = location
            case .runtime: goroutine.runtimeLocation = location
            case .go: goroutine.goLocation = location
            case .start: goroutine.startLocation = location
            }
        }
        return true
    }

    /// `"a":"1", "b":"2"... (2 more)`.
    mutating func takeLabels(_ text: ArraySlice<UInt8>) {
        guard case .entry(let place) = owner else { return }
        var rest = text
        var labels: [Attribute] = []
        while let name = GoQuoted.take(&rest), rest.dropPrefix(":"), let value = GoQuoted.take(&rest) {
            labels.append(Attribute(name: state.intern(name[...]), value: state.intern(value[...])))
            if !rest.dropPrefix(", ") { break }
        }
        let list = state.tables.observations.intern(labels: labels, state.tables.strings)
        var doubts: [StringID] = []
        if rest.dropPrefix("... ("), let more = rest.dropNumber() {
            doubts.append(state.intern("Delve leaves out \(more) more labels"))
        } else if !rest.isEmpty {
            state.diagnostics.count(.linesUnknown)
            record(expected: "labels as Delve prints them", found: text)
        }
        snapshot.update(at: place) { goroutine in
            goroutine.labels = list
            goroutine.doubts += doubts
        }
    }
}
