/// The lines before a dump, as far back as the words of a panic, a signal or a fatal error may reach.
struct RecentLines {
    private var bytes: [UInt8] = []
    private static let limit = 64 << 10

    mutating func append(_ line: DumpBytes) {
        if bytes.count + line.count > Self.limit * 2 { forgetOldest() }
        bytes.append(contentsOf: line.suffix(Self.limit))
        bytes.append(0x0a)
    }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    private mutating func forgetOldest() {
        let kept = bytes.suffix(Self.limit)
        let start = kept.firstIndex(of: 0x0a).map { $0 + 1 } ?? bytes.count
        bytes.removeSubrange(..<start)
    }

    /// What was said of the dump that now begins: `panic: boom`, with what kind of message it is.
    ///
    /// Looks back from the end, paragraph by paragraph, for the line that begins such a message. The paragraph
    /// may be followed by others that belong to it (`runtime stack:`).
    /// - Parameter unwrap: takes off what a logger puts around each line; nil for lines that are not of it.
    func preamble(_ unwrap: (DumpBytes) -> [UInt8]?) -> (kind: String, text: [UInt8])? {
        let lines = unwrappedLines(unwrap)
        guard let last = lines.lastIndex(where: { !$0.isEmpty }) else { return nil }
        var paragraphCount = 1
        var begin: (index: Int, kind: String)?
        for index in stride(from: last, through: 0, by: -1) {
            if let kind = lines[index].withUnsafeBufferPointer(Self.kind) {
                begin = (index, kind)
            } else if begin != nil {
                break
            }
            if lines[index].isEmpty {
                paragraphCount += 1
                if paragraphCount > 3 { break }
            }
        }
        guard let begin else { return nil }
        return (begin.kind, Array(lines[begin.index...last].joined(separator: [0x0a])))
    }

    private func unwrappedLines(_ unwrap: (DumpBytes) -> [UInt8]?) -> [[UInt8]] {
        bytes.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast().compactMap { line in
            line.withUnsafeBufferPointer { unwrap($0.trimmedEnd) }
        }
    }

    /// Which kind of message a line begins, as the runtime words them.
    static func kind(_ line: DumpBytes) -> String? {
        let kinds: [(StaticString, String)] = [
            ("panic: ", "panic"), ("fatal error: ", "fatal error"), ("runtime: ", "fatal error"),
            ("unexpected fault address ", "fatal error"), ("http: panic serving ", "panic"),
        ]
        if let found = kinds.first(where: { line.begins(with: $0.0) }) { return found.1 }
        // `SIGQUIT: quit`
        guard line.begins(with: "SIG"), let colon = line.first(":"), colon > 3, colon < 16 else { return nil }
        return line.part(3..<colon).allSatisfy { (0x41...0x5a).contains($0) || $0 < 0x3a } ? "signal" : nil
    }
}
