/// Writes numbers that differ mostly in their last eight digits, as times that follow each other do: what stands above
/// them is kept as text.
public struct RepeatedDigits {
    /// The number that the kept digits begin, its last eight digits zero.
    @usableFromInline var base: UInt64 = 0
    /// How far above it a number begins with them: 10⁸, or nothing as long as no digits are kept.
    @usableFromInline var limit: UInt64 = 0
    @usableFromInline var text = SIMD16<UInt8>()
    @usableFromInline var count = 0

    public init() {}

    /// Writes a number in decimal and returns where it ends. Needs room for 32 bytes.
    @inlinable @inline(__always)
    public mutating func write(_ value: Int64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        var low = UInt64(bitPattern: value) &- base
        if low >= limit {
            guard value >= 100_000_000 else { return Self.writeWhole(value, at: place) }
            let high = UInt64(bitPattern: value) / 100_000_000
            (text, count) = Self.render(high)
            base = high &* 100_000_000
            // Above the largest number are the negative ones.
            limit = min(100_000_000, 1 << 63 - base)
            low = UInt64(bitPattern: value) &- base
        }
        UnsafeMutableRawPointer(place).storeBytes(of: text, as: SIMD16<UInt8>.self)
        return TextBuffer.writeAll(low, at: place + count)
    }

    @usableFromInline @inline(never) static func writeWhole(
        _ value: Int64, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        TextBuffer.write(value, at: place)
    }

    /// A number's digits, of which there are at most twelve, and how many these are.
    @usableFromInline @inline(never) static func render(_ number: UInt64) -> (SIMD16<UInt8>, Int) {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 16) { room in
            room.initializeMemory(as: UInt8.self, repeating: 0)
            guard let start = room.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return (SIMD16(), 0) }
            let end = TextBuffer.write(number, at: start)
            return (UnsafeRawPointer(start).load(as: SIMD16<UInt8>.self), end - start)
        }
    }
}
