import VestigeCore

/// Goroutine dumps as text. Any text may hold one, so that a log is searched for it where no other format
/// claims the input.
public enum GoroutineDumpFormat {
    public static let format = InputFormat(
        name: "goroutine-dump",
        summary: "goroutine dump as text (debug=1 or 2, panic, SIGQUIT), also within a log",
        // No suffix decides: a log may hold anything.
        suffixes: [], sniff: sniff
    ) { source, context in
        GoroutineDumpReader(source, context: context)
    }

    /// Certain if a goroutine or a profile begins in these bytes; possible if they are text.
    @Sendable static func sniff(_ bytes: UnsafeRawBufferPointer) -> SniffResult {
        let text = bytes.bindMemory(to: UInt8.self)
        if text.contains(where: isBinary) { return .no }
        var start = text.starts(with: JSONLines.byteOrderMark) ? 3 : 0
        while start < text.count {
            let end = text.first("\n", from: start) ?? text.count
            let line = text.part(start..<end).trimmedEnd
            if DumpSearch.header(in: line) != nil || JSONLogLine.isObject(line) && holdsHeader(record: line) {
                return .yes
            }
            start = end + 1
        }
        return .needMore
    }

    private static func holdsHeader(record: DumpBytes) -> Bool {
        guard record.find("goroutine") != nil else { return false }
        var holds = false
        JSONLogLine.forEachValue(record) { _, value in
            var text: [UInt8] = []
            EscapedText.decode(value, into: &text)
            holds = text.withUnsafeBufferPointer(DumpSearch.holdsHeader)
            return holds
        }
        return holds
    }

    /// Control characters that no text has; terminals' escape sequences are in many logs.
    private static func isBinary(_ byte: UInt8) -> Bool {
        byte < 0x09 || (0x0e..<0x20).contains(byte) && byte != 0x1b
    }
}
