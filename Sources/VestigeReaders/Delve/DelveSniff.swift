import VestigeCore

/// Knows Delve's output by its first bytes, and nothing else for it.
enum DelveSniff {
    static let length = 4096

    // MARK: - JSON

    /// Members of results that are about goroutines, or that only a debugger has.
    private static let results: Set<String> = [
        "Goroutines", "Locations", "State", "Threads", "Thread", "Breakpoints", "Breakpoint", "Ancestors",
        "DelveVersion", "TargetGoVersion", "Variable", "Variables", "Targets", "Recorded", "IsMulticlient", "Answer",
        "BuildID",
        "Addrs", "Pid", "Args", "Time", "currentLoc",
    ]

    static func json(_ bytes: UnsafeRawBufferPointer) -> SniffResult {
        if isServerLog(bytes) { return .yes }
        var text = Array(bytes)[...]
        if text.starts(with: JSONLines.byteOrderMark) { text = text.dropFirst(3) }
        text = text.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }
        guard let first = text.first else { return .needMore }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return .no }
        if isDelve(JSONOutline.Piece(bytes: text, isComplete: false), depth: 0) { return .yes }
        return text.count < 12 ? .needMore : .no
    }

    private static func isDelve(_ value: JSONOutline.Piece, depth: Int) -> Bool {
        let outline = JSONOutline(bytes: value.bytes)
        if value.bytes.first == UInt8(ascii: "[") {
            return depth == 0 && (outline.elements().first.map { isDelve($0, depth: 1) } ?? false)
        }
        let members = outline.members()
        func member(_ name: String) -> ArraySlice<UInt8>? { members.first { $0.name == name }?.value.bytes }
        if member("jsonrpc") != nil { return false }
        if let method = member("method") { return method.starts(with: "\"RPCServer.".utf8) }
        for name in ["request", "response"] {
            if let inner = member(name), depth < 2 {
                return isDelve(JSONOutline.Piece(bytes: inner, isComplete: false), depth: 2)
            }
        }
        if member("id") != nil, let result = member("result") {
            let isEmpty = result.elementsEqual("{}".utf8) || result.elementsEqual("null".utf8)
            if isEmpty { return member("error") != nil }
            return JSONOutline(bytes: result).members().contains { results.contains($0.name) }
        }
        return members.first.map { results.contains($0.name) && !["Args", "Pid", "Time"].contains($0.name) } ?? false
            || member("currentLoc") != nil && member("id") != nil
    }

    static func isServerLog(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.prefix(length).split(separator: 0x0a).contains { line in
            let line = Array(line)[...]
            guard line.firstPlace(of: DelveServerLog.marker) != nil else { return false }
            return line.prefixText(upTo: 0x20).flatMap { RFC3339.nanoseconds($0) } != nil
        }
    }

    // MARK: - Text

    /// One line in the client's own form is enough: no other tool writes these.
    static func text(_ bytes: UnsafeRawBufferPointer) -> SniffResult {
        var start = bytes[...]
        if start.starts(with: JSONLines.byteOrderMark) { start = start.dropFirst(3) }
        if start.prefix(512).contains(0) { return .no }
        guard let first = start.first(where: { $0 > 0x20 }) else { return .needMore }
        if first == UInt8(ascii: "{") { return .no }
        let isWhole = bytes.count < length
        var lines = start.split(separator: 0x0a)
        if !isWhole, lines.count > 1 { lines.removeLast() }
        return lines.contains { isDelve(DelveTextLine($0)) } ? .yes : .no
    }

    private static func isDelve(_ line: DelveTextLine) -> Bool {
        if line.hasPrompt { return true }
        let body = line.body
        if DelveGoroutineLine.begins(body) || DelveHitLine(body) != nil || isFrame(body) || isThread(body) {
            return true
        }
        if body.elementsEqual("Type 'help' for list of commands.".utf8) { return true }
        if body.elementsEqual("Thread <nil>".utf8) || DelveTextSession.isError(body) { return true }
        if body.starts(with: "Switched from ".utf8) { return body.firstPlace(of: " (thread ") != nil }
        let isList = body.starts(with: "Breakpoint ".utf8) || body.starts(with: "Tracepoint ".utf8)
        return isList && body.firstPlace(of: " at 0x") != nil && body.firstPlace(of: " for ") != nil
    }

    private static func isFrame(_ body: ArraySlice<UInt8>) -> Bool {
        guard let head = DelveStackText.frameHead(body) else { return false }
        return head.index == 0 && !head.function.isEmpty
    }

    private static func isThread(_ body: ArraySlice<UInt8>) -> Bool {
        var body = body
        if !body.dropPrefix("* ") { _ = body.dropPrefix("  ") }
        guard body.dropPrefix("Thread "), body.dropNumber() != nil, body.dropPrefix(" at ") else { return false }
        return body.starts(with: "0x".utf8) || DelveTextLine.FilePlace(body) != nil
    }
}
