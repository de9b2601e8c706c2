/// Unsigned LEB128 as Go writes it (`encoding/binary`).
enum Varint {
    /// Reads one varint and moves `pointer` behind it, without looking for the end: a pointer beyond
    /// the batch's end, looked at once an event, says that the batch is cut or a varint has no end.
    ///
    /// safe: the bytes lie in one of `BatchBuffers`, whose room behind it is what an event may run over its end.
    @inline(__always) static func read(_ pointer: inout UnsafePointer<UInt8>) -> UInt64 {
        read(&pointer, endless: BatchBuffers.beyond)
    }

    /// The same, but moves by at most 10 bytes whatever they are. What has no end there counts as the
    /// greatest number, which no id, length or time has.
    @inline(__always) static func readLenient(_ pointer: inout UnsafePointer<UInt8>) -> UInt64 {
        read(&pointer, endless: 10)
    }

    /// - Parameter endless: how far to move where the bytes are no varint.
    @inline(__always) private static func read(_ pointer: inout UnsafePointer<UInt8>, endless: Int) -> UInt64 {
        if let value = readShort(&pointer) { return value }
        // By value, so that the pointer can stay in a register.
        let (value, length) = readLong(pointer, endless)
        pointer += length
        return value
    }

    /// Reads a varint of at most four bytes; moves nowhere, and returns nil, where there is a longer one.
    ///
    /// The marks of all bytes but the last are taken off at once, which is fewer instructions than each by itself.
    @inline(__always) static func readShort(_ pointer: inout UnsafePointer<UInt8>) -> UInt64? {
        let first = UInt64(pointer[0])
        if first < 0x80 {
            pointer += 1
            return first
        }
        let second = UInt64(pointer[1])
        let two = first &+ second &<< 7 &- 0x80
        if second < 0x80 {
            pointer += 2
            return two
        }
        let third = UInt64(pointer[2])
        let three = two &+ third &<< 14 &- 0x80 &<< 7
        if third < 0x80 {
            pointer += 3
            return three
        }
        let fourth = UInt64(pointer[3])
        if fourth < 0x80 {
            pointer += 4
            return three &+ fourth &<< 21 &- 0x80 &<< 14
        }
        return nil
    }

    @inline(never) private static func readLong(
        _ pointer: UnsafePointer<UInt8>, _ endless: Int
    ) -> (value: UInt64, length: Int) {
        var value: UInt64 = 0
        for index in 0..<10 {
            let byte = pointer[index]
            value |= UInt64(byte & 0x7f) &<< UInt64(7 &* index)
            if byte < 0x80 {
                // The tenth byte has room for one bit.
                if index == 9, byte > 1 { break }
                return (value, index + 1)
            }
        }
        return (.max, endless)
    }

    /// Reads one varint within bounds.
    /// - Returns: nil if the bytes end before it does, or it is longer than 10 bytes.
    static func read(_ bytes: UnsafeRawBufferPointer, at position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<10 {
            guard position + index < bytes.count else { return nil }
            let byte = bytes[position + index]
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte < 0x80 {
                if index == 9, byte > 1 { return nil }
                position += index + 1
                return value
            }
        }
        return nil
    }

    /// Appends a value in its shortest form.
    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
