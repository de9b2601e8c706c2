extension TextBuffer {
    /// Room that `write` needs: 20 digits and a sign, written in whole words.
    @inlinable static var longestNumber: Int { 32 }

    /// Writes a number in decimal and returns where it ends. Needs room for 32 bytes.
    @inlinable @inline(__always)
    public static func write(_ value: Int64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        if value >= 0 { return write(UInt64(bitPattern: value), at: place) }
        place.pointee = UInt8(ascii: "-")
        return write(value.magnitude, at: place + 1)
    }

    /// Writes a number in decimal and returns where it ends: eight digits at a time.
    @inlinable @inline(__always)
    public static func write(_ value: UInt64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        value < 100_000_000 ? writeLeading(value, at: place) : writeLong(value, at: place)
    }

    @usableFromInline @inline(never)
    static func writeLong(_ value: UInt64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
        if high < 100_000_000 { return writeAll(low, at: writeLeading(high, at: place)) }
        let (top, middle) = high.quotientAndRemainder(dividingBy: 100_000_000)
        return writeAll(low, at: writeAll(middle, at: writeLeading(top, at: place)))
    }

    /// Writes a number below 10⁸ without leading zeros. What it writes behind the end is to be overwritten.
    @inlinable @inline(__always)
    static func writeLeading(_ value: UInt64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let digits = digits(value)
        // The last digit stays, also if it is zero.
        let zeros = (digits | 1 << 56).trailingZeroBitCount & ~7
        let text = (digits | 0x3030_3030_3030_3030) >> UInt64(zeros)
        UnsafeMutableRawPointer(place).storeBytes(of: text.littleEndian, as: UInt64.self)
        return place + (8 &- zeros &>> 3)
    }

    /// Writes a number below 10⁸ as eight digits.
    @inlinable @inline(__always)
    static func writeAll(_ value: UInt64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let text = digits(value) | 0x3030_3030_3030_3030
        UnsafeMutableRawPointer(place).storeBytes(of: text.littleEndian, as: UInt64.self)
        return place + 8
    }

    /// The eight digits of a number below 10⁸, one a byte, the first in the lowest byte: halves it into numbers
    /// of four digits, these into two, and these into one, all that there are in one multiplication. Dividing
    /// by 100 and by 10 is multiplying by 10486/2²⁰ and 103/2¹⁰, which is exact for numbers so small.
    @inlinable @inline(__always) static func digits(_ value: UInt64) -> UInt64 {
        let (high, low) = value.quotientAndRemainder(dividingBy: 10_000)
        let fours = high | low &<< 32
        let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007f_0000_007f
        let pairs = (fours &- hundreds &* 100) &<< 16 | hundreds
        let tens = (pairs &* 103) &>> 10 & 0x000f_000f_000f_000f
        return (pairs &- tens &* 10) &<< 8 | tens
    }
}
