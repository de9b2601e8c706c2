/// Writes numbers that differ mostly in their last eight digits, as times that follow each other do: what stands above
/// them is kept as text.
public struct RepeatedDigits {
    @usableFromInline var high: UInt64 = 0
    @usableFromInline var text = SIMD16<UInt8>()
    @usableFromInline var count = 0

    public init() {}

    /// Writes a number in decimal and returns where it ends. Needs room for 32 bytes.
    @inlinable @inline(__always)
    public mutating func write(_ value: Int64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        guard value >= 100_000_000 else { return TextBuffer.write(value, at: place) }
        let (high, low) = UInt64(bitPattern: value).quotientAndRemainder(dividingBy: 100_000_000)
        if high != self.high { renew(high) }
        UnsafeMutableRawPointer(place).storeBytes(of: text, as: SIMD16<UInt8>.self)
        return TextBuffer.writeAll(low, at: place + count)
    }

    @usableFromInline @inline(never) mutating func renew(_ high: UInt64) {
        self.high = high
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { room in
            guard let start = room.baseAddress else { return }
            count = TextBuffer.write(high, at: start) - start
            for index in 0..<count { text[index] = start[index] }
        }
    }
}
