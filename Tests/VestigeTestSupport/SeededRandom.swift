/// Random numbers that can be had again (SplitMix64), and ways to damage bytes with them.
public struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    /// Does to `bytes` what disks, networks and people do: flips a bit, overwrites, cuts, doubles, zeroes.
    public mutating func damage(_ bytes: inout [UInt8]) {
        guard bytes.count > 32 else { return }
        let start = Int.random(in: 16..<bytes.count, using: &self)
        let end = min(bytes.count, start + Int.random(in: 1...64, using: &self))
        switch next() % 6 {
        case 0: bytes[start] ^= 1 << UInt8(next() % 8)
        case 1: bytes[start] = UInt8(truncatingIfNeeded: next())
        case 2: bytes.removeSubrange(start..<end)
        case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 4: for index in start..<end { bytes[index] = 0 }
        default: bytes.removeSubrange(start...)
        }
    }
}
