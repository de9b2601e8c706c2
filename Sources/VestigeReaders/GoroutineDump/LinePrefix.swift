/// What a logger puts before every line of a dump, known from the line of a goroutine's header.
///
/// Times and counters in it change from line to line, so another line has the prefix if its words are alike:
/// as many, each beginning and ending with the same kind of character.
struct LinePrefix {
    private let bytes: [UInt8]

    init(_ bytes: DumpBytes) { self.bytes = Array(bytes) }

    /// What follows the prefix in `line`, or nil if the line has another one. A line that ends within the
    /// blanks of the prefix is an empty one.
    func strip(_ line: DumpBytes) -> DumpBytes? {
        bytes.withUnsafeBufferPointer { prefix in
            var (place, index) = (0, 0)
            while place < prefix.count {
                let isBlank = prefix.isBlank(at: place)
                let end = Self.endOfRun(prefix, from: place)
                guard index < line.count else { return isBlank && end == prefix.count ? line.from(line.count) : nil }
                if end == prefix.count {
                    // The last run borders on what is to be found, so its length must be the same.
                    let length = end - place
                    guard line.count - index >= length else {
                        return isBlank && line.skipBlanks(from: index) == line.count ? line.from(line.count) : nil
                    }
                    guard (0..<length).allSatisfy({ line[index + $0] == prefix[place + $0] }) else { return nil }
                    return line.from(index + length)
                }
                guard line.isBlank(at: index) == isBlank else { return nil }
                let lineEnd = Self.endOfRun(line, from: index)
                if !isBlank {
                    guard Self.kind(line[index]) == Self.kind(prefix[place]),
                        Self.kind(line[lineEnd - 1]) == Self.kind(prefix[end - 1])
                    else { return nil }
                }
                (place, index) = (end, lineEnd)
            }
            return line.from(index)
        }
    }

    /// The end of the word or of the blanks that begin at `start`.
    private static func endOfRun(_ text: DumpBytes, from start: Int) -> Int {
        var index = start + 1
        while index < text.count, text.isBlank(at: index) == text.isBlank(at: start) { index += 1 }
        return index
    }

    /// The same for all digits and for all letters; other characters are each a kind of their own.
    private static func kind(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x30...0x39: 0x30
        case 0x41...0x5a, 0x61...0x7a, 0x80...: 0x61
        default: byte
        }
    }
}
