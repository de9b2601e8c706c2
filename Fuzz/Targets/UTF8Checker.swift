/// Checks UTF-8 byte by byte; the ranges are those of the Unicode Standard, table 3-7.
struct UTF8Checker {
    private var missing = 0
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xbf

    /// True between characters.
    var isComplete: Bool { missing == 0 }

    /// - Returns: false if the byte may not follow.
    mutating func take(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard (low...high).contains(byte) else { return false }
            missing -= 1
            (low, high) = (0x80, 0xbf)
            return true
        }
        switch byte {
        case 0..<0x80: return true
        case 0xc2...0xdf: missing = 1
        case 0xe0: (missing, low) = (2, 0xa0)
        case 0xed: (missing, high) = (2, 0x9f)
        case 0xe1...0xef: missing = 2
        case 0xf0: (missing, low) = (3, 0x90)
        case 0xf1...0xf3: missing = 3
        case 0xf4: (missing, high) = (3, 0x8f)
        default: return false
        }
        return true
    }
}
