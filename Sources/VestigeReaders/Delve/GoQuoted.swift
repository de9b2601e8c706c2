/// Strings as Go's `strconv.Quote` writes them.
enum GoQuoted {
    /// Takes a quoted string away from the front.
    /// - Returns: its bytes, or nil if there is none that is whole; then nothing is taken.
    static func take(_ text: inout ArraySlice<UInt8>) -> [UInt8]? {
        var rest = text
        guard rest.dropPrefix("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                text = rest
                return bytes
            case UInt8(ascii: "\\"): guard takeEscape(&rest, into: &bytes) else { return nil }
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private static let simple: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
        UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "'"): UInt8(ascii: "'"),
    ]

    private static func takeEscape(_ rest: inout ArraySlice<UInt8>, into bytes: inout [UInt8]) -> Bool {
        guard let letter = rest.popFirst() else { return false }
        if let byte = simple[letter] {
            bytes.append(byte)
            return true
        }
        let lengths: [UInt8: Int] = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8]
        guard let length = lengths[letter], rest.count >= length,
            let number = UInt32(rest.prefix(length).text, radix: 16)
        else { return false }
        rest = rest.dropFirst(length)
        if letter == UInt8(ascii: "x") {
            bytes.append(UInt8(truncatingIfNeeded: number))
        } else {
            bytes += Array(String(Unicode.Scalar(number).map(Character.init) ?? "\u{fffd}").utf8)
        }
        return true
    }
}
