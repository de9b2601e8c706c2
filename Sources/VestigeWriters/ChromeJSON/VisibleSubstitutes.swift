import VestigeCore

/// Characters that stand for those that JSON writes with a backslash and look like them.
enum VisibleSubstitutes {
    static func isNeeded(for byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7f
    }

    /// What stands between the quotes of a JSON string, with substitutes instead of escapes. Bytes that
    /// are not UTF-8 become U+FFFD.
    static func append(_ bytes: UnsafeBufferPointer<UInt8>, to buffer: TextBuffer) {
        var done = 0
        for (index, byte) in bytes.enumerated() where isNeeded(for: byte) {
            buffer.appendJSONContent(UnsafeBufferPointer(rebasing: bytes[done..<index]))
            append(byte, to: buffer)
            done = index + 1
        }
        buffer.appendJSONContent(UnsafeBufferPointer(rebasing: bytes[done...]))
    }

    private static func append(_ byte: UInt8, to buffer: TextBuffer) {
        switch byte {
        case UInt8(ascii: "\""): buffer.append("\u{ff02}")
        case UInt8(ascii: "\\"): buffer.append("\u{ff3c}")
        // In parts that it skips, Perfetto refuses it.
        case 0x7f: buffer.append("\u{2421}")
        default:
            // U+2400 to U+241F, the pictures of the control characters.
            buffer.append(byte: 0xe2)
            buffer.append(byte: 0x90)
            buffer.append(byte: 0x80 + byte)
        }
    }
}
