import Glibc

/// A line of a dump, or a part of it, where it lies in the reader's buffer.
typealias DumpBytes = UnsafeBufferPointer<UInt8>

extension UnsafeBufferPointer<UInt8> {
    @inline(__always) func part(_ range: Range<Int>) -> DumpBytes { DumpBytes(rebasing: self[range]) }
    @inline(__always) func from(_ start: Int) -> DumpBytes { part(start..<count) }

    @inline(__always) func begins(with text: StaticString, at offset: Int = 0) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count - offset >= length, let baseAddress else { return false }
        return memcmp(baseAddress + offset, text.utf8Start, length) == 0
    }

    @inline(__always) func ends(with text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && begins(with: text, at: count - text.utf8CodeUnitCount)
    }

    @inline(__always) func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && begins(with: text)
    }

    @inline(__always) func first(_ byte: Unicode.Scalar, from start: Int = 0) -> Int? {
        guard let baseAddress, start < count,
            let found = memchr(baseAddress + start, Int32(truncatingIfNeeded: byte.value), count - start)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(baseAddress)
    }

    @inline(__always) func last(_ byte: Unicode.Scalar) -> Int? {
        let wanted = UInt8(truncatingIfNeeded: byte.value)
        var index = count - 1
        while index >= 0, self[index] != wanted { index -= 1 }
        return index < 0 ? nil : index
    }

    func find(_ text: StaticString, from start: Int = 0) -> Int? {
        var index = start
        while let found = first(Unicode.Scalar(text.utf8Start.pointee), from: index) {
            if begins(with: text, at: found) { return found }
            index = found + 1
        }
        return nil
    }

    @inline(__always) func isBlank(at index: Int) -> Bool { self[index] == 0x20 || self[index] == 0x09 }

    /// The index of the first byte from `start` on that is neither space nor tab.
    @inline(__always) func skipBlanks(from start: Int = 0) -> Int {
        var index = start
        while index < count, isBlank(at: index) { index += 1 }
        return index
    }

    /// Without spaces, tabs and CR at the end.
    @inline(__always) var trimmedEnd: DumpBytes {
        var end = count
        while end > 0, isBlank(at: end - 1) || self[end - 1] == 0x0d { end -= 1 }
        return part(0..<end)
    }

    var trimmed: DumpBytes { trimmedEnd.from(Swift.min(skipBlanks(), trimmedEnd.count)) }

    @inline(__always) func isDigit(at index: Int) -> Bool { self[index] &- 0x30 < 10 }

    /// The decimal number that these bytes are, and nothing else; at most 18 digits.
    @inline(__always) var decimal: Int64? {
        guard count > 0, count <= 18 else { return nil }
        var value: Int64 = 0
        for index in 0..<count {
            guard isDigit(at: index) else { return nil }
            value = value &* 10 &+ Int64(self[index] &- 0x30)
        }
        return value
    }

    /// The number behind `0x` that these bytes are, and nothing else.
    var hexadecimal: UInt64? {
        guard begins(with: "0x"), count > 2, count <= 18 else { return nil }
        var value: UInt64 = 0
        for index in 2..<count {
            guard let digit = Self.hexDigit(self[index]) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
