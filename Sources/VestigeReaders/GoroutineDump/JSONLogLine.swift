/// A log record that is a JSON object on one line: which of its strings holds the text of a dump.
///
/// Not a JSON parser: it walks over the strings of a line, at any depth, and takes those that follow a colon
/// as values of the string before.
enum JSONLogLine {
    /// Calls `body` with each string value, still escaped, and the key before it, until it returns true.
    static func forEachValue(_ line: DumpBytes, _ body: (_ key: DumpBytes, _ value: DumpBytes) -> Bool) {
        var key = line.part(0..<0)
        var index = 0
        while let quote = line.first("\"", from: index), let close = EscapedText.closingQuote(line, from: quote + 1) {
            let string = line.part(quote + 1..<close)
            index = close + 1
            let next = line.skipBlanks(from: index)
            if next < line.count, line[next] == 0x3a {
                key = string
            } else if !key.isEmpty {
                if body(key, string) { return }
                key = line.part(0..<0)
            }
        }
    }

    /// The value of a key, decoded, or nil if the line has none.
    static func value(of wanted: [UInt8], in line: DumpBytes) -> [UInt8]? {
        var found: [UInt8]?
        forEachValue(line) { key, value in
            guard key.elementsEqual(wanted) else { return false }
            var bytes: [UInt8] = []
            EscapedText.decode(value, into: &bytes)
            found = bytes
            return true
        }
        return found
    }

    static func isObject(_ line: DumpBytes) -> Bool {
        let start = line.skipBlanks()
        return start < line.count && line[start] == 0x7b
    }
}
