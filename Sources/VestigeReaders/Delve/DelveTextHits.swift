import VestigeCore

// Threads, and breakpoints and tracepoints that were hit.
extension DelveTextSession {
    // MARK: - Threads

    mutating func takeThread(_ line: DelveTextLine) -> Bool {
        var body = line.body
        let isSelected = body.dropPrefix("* ")
        if !isSelected { body.dropSpaces() }
        guard body.dropPrefix("Thread "), let id = body.dropNumber(), body.dropPrefix(" at ") else { return false }
        closeStack()
        closeListing(atEnd: nil)
        let pc = body.dropHex() ?? 0
        if pc != 0 { _ = body.dropPrefix(" ") }
        guard let file = DelveTextLine.FilePlace(body) else { return false }
        var thread = DelveGoroutine()
        (thread.isThread, thread.count, thread.thread, thread.isSelected) = (true, 0, id, isSelected)
        thread.runtimeLocation = state.location(
            Frame(
                programCounter: pc, function: state.intern(file.rest), file: state.intern(file.file), line: file.line))
        addAlone(thread)
        return true
    }

    // MARK: - Breakpoints and tracepoints

    mutating func takeHit(_ line: DelveTextLine) -> Bool {
        guard line.tabs == 0, let parsed = DelveHitLine(line.body) else { return false }
        beginHit(parsed)
        return true
    }

    mutating func beginHit(_ line: DelveHitLine) {
        closeStack()
        closeListing(atEnd: nil)
        closeHit()
        snapshot.end()
        if let time = line.timeNanoseconds {
            now = time
            state.updateSource { $0.clock = .wall }
        }
        hit = OpenHit(line: line)
        for byte in line.arguments where line.goesOn { hit?.nesting.take(byte) }
        owner = .hit
        selected = line.hit.goroutine
    }

    /// Takes a line of arguments that a tracepoint prints over several lines.
    mutating func goesOn(_ line: DelveTextLine) -> Bool {
        guard var open = hit, open.line.goesOn else { return false }
        hit = nil
        defer { hit = open }
        open.lineCount += 1
        let isNext = line.tabs == 0 && DelveHitLine(line.body) != nil
        if isNext || open.lineCount > 10_000 || open.line.arguments.count > 1 << 20 {
            open.line.goesOn = false
            state.diagnostics.count(.linesUnknown)
            return false
        }
        let text = [0x0a] + [UInt8](repeating: 0x09, count: line.tabs) + line.body
        for byte in text { open.nesting.take(byte) }
        open.line.arguments += text
        open.line.goesOn = !(text.last == UInt8(ascii: ")") && open.nesting.depth < 0)
        return true
    }

    /// `gp.goid: 8` below a hit.
    mutating func takeHitValue(_ line: DelveTextLine) -> Bool {
        guard hit != nil, line.tabs == 1 else { return false }
        if line.body.elementsEqual("Stack:".utf8) {
            closeStack()
            owner = .hit
            return true
        }
        guard let colon = line.body.firstPlace(of: ": ") else { return false }
        hit?.values.append((line.body[..<colon.lowerBound].text, line.body[colon.upperBound...].text))
        return true
    }

    mutating func closeHit() {
        guard let open = hit else { return }
        closeStack()
        var hit = open.line.completed()
        hit.stack = self.hit?.stack ?? open.stack
        hit.values += open.values
        self.hit = nil
        if owner == .hit { owner = .unknown }
        lifecycle.emit(hit, at: now)
    }
}
