/// Strings in double quotes as Go and JSON write them: what stands behind a backslash.
enum EscapedText {
    /// The end of a string that begins behind its opening quote at `start`: the index of the closing one.
    static func closingQuote(_ text: DumpBytes, from start: Int) -> Int? {
        var index = start
        while index < text.count {
            if text[index] == 0x22 { return index }
            index += text[index] == 0x5c ? 2 : 1
        }
        return nil
    }

    /// The bytes that the inside of a string stands for. What is no escape is taken as it is.
    static func decode(_ text: DumpBytes, into bytes: inout [UInt8]) {
        var index = 0
        while let backslash = text.first("\\", from: index), backslash + 1 < text.count {
            bytes.append(contentsOf: text.part(index..<backslash))
            index = backslash + 2
            switch text[backslash + 1] {
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0c)
            case UInt8(ascii: "a"): bytes.append(0x07)
            case UInt8(ascii: "v"): bytes.append(0x0b)
            case UInt8(ascii: "x"): index += appendByte(text, at: index, to: &bytes)
            case UInt8(ascii: "u"): index += appendUnits(text, at: index, to: &bytes)
            case UInt8(ascii: "U"): index += append(hex(text, at: index, count: 8), count: 8, to: &bytes)
            default: bytes.append(text[backslash + 1])
            }
        }
        bytes.append(contentsOf: text.from(index))
    }

    private static func hex(_ text: DumpBytes, at index: Int, count: Int) -> UInt32? {
        guard index + count <= text.count else { return nil }
        var value: UInt32 = 0
        for place in index..<index + count {
            guard let digit = DumpBytes.hexDigit(text[place]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private static func appendByte(_ text: DumpBytes, at index: Int, to bytes: inout [UInt8]) -> Int {
        guard let value = hex(text, at: index, count: 2) else { return 0 }
        bytes.append(UInt8(value))
        return 2
    }

    /// A `\u`, which in JSON may be the first half of a pair.
    private static func appendUnits(_ text: DumpBytes, at index: Int, to bytes: inout [UInt8]) -> Int {
        let first = hex(text, at: index, count: 4)
        if let first, (0xd800..<0xdc00).contains(first), text.begins(with: "\\u", at: index + 4),
            let second = hex(text, at: index + 6, count: 4), (0xdc00..<0xe000).contains(second)
        {
            return append(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00), count: 10, to: &bytes)
        }
        return append(first, count: 4, to: &bytes)
    }

    private static func append(_ value: UInt32?, count: Int, to bytes: inout [UInt8]) -> Int {
        guard let value else { return 0 }
        let scalar = Unicode.Scalar(value) ?? "\u{fffd}"
        bytes.append(contentsOf: String(Character(scalar)).utf8)
        return count
    }
}
