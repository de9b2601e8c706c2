/// Unsigned LEB128 in its shortest form, the only one that the model knows.
enum WireVarint {
    @inline(__always) static func length(_ value: UInt64) -> Int {
        value < 0x80 ? 1 : (64 - value.leadingZeroBitCount + 6) / 7
    }

    /// Reads a varint that has been checked.
    @inline(__always) static func readChecked(_ pointer: inout UnsafeMutablePointer<UInt8>) -> UInt64 {
        let first = pointer[0]
        if first < 0x80 {
            pointer += 1
            return UInt64(first)
        }
        let second = pointer[1]
        if second < 0x80 {
            pointer += 2
            return UInt64(first & 0x7f) | UInt64(second) &<< 7
        }
        var value = UInt64(first & 0x7f) | UInt64(second & 0x7f) &<< 7
        var shift: UInt64 = 14
        pointer += 2
        while true {
            let byte = pointer[0]
            pointer += 1
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
    }

    @inline(__always) static func write(_ value: UInt64, _ pointer: inout UnsafeMutablePointer<UInt8>) {
        var rest = value
        while rest >= 0x80 {
            pointer[0] = UInt8(truncatingIfNeeded: rest) | 0x80
            pointer += 1
            rest &>>= 7
        }
        pointer[0] = UInt8(truncatingIfNeeded: rest)
        pointer += 1
    }

    /// Reads a varint in its shortest form, within bounds.
    /// - Returns: nil if it is longer than need be, too long, or cut.
    @inline(__always) static func read(
        _ pointer: inout UnsafeMutablePointer<UInt8>, before end: UnsafeMutablePointer<UInt8>
    ) -> UInt64? {
        guard pointer < end else { return nil }
        let first = pointer[0]
        if first < 0x80 {
            pointer += 1
            return UInt64(first)
        }
        return readLong(&pointer, end)
    }

    private static func readLong(
        _ pointer: inout UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>
    ) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<min(10, end - pointer) {
            let byte = pointer[index]
            value |= UInt64(byte & 0x7f) &<< UInt64(7 &* index)
            guard byte < 0x80 else { continue }
            if byte == 0 || index == 9 && byte > 1 { return nil }
            pointer += index + 1
            return value
        }
        return nil
    }
}
