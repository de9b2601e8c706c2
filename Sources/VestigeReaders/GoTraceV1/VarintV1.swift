extension Varint {
    /// Reads one varint and moves `pointer` behind it, by at most 10 bytes, so that an event is read
    /// within `LimitV1.padding` whatever its bytes are. What has no end there counts as the greatest
    /// number, which no id, length or time has.
    @inline(__always) static func readLenient(_ pointer: inout UnsafePointer<UInt8>) -> UInt64 {
        let first = pointer[0]
        if first < 0x80 {
            pointer += 1
            return UInt64(first)
        }
        let second = pointer[1]
        if second < 0x80 {
            pointer += 2
            return UInt64(first & 0x7f) | UInt64(second) << 7
        }
        return readLongLenient(&pointer)
    }

    @inline(never) private static func readLongLenient(_ pointer: inout UnsafePointer<UInt8>) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<10 {
            let byte = pointer[index]
            value |= UInt64(byte & 0x7f) &<< UInt64(7 * index)
            guard byte < 0x80 else { continue }
            pointer += index + 1
            return index == 9 && byte > 1 ? .max : value
        }
        pointer += 10
        return .max
    }
}
