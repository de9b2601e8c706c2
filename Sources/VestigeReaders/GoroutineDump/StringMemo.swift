import Glibc
import VestigeCore

/// The ids of strings met lately. A dump names the same functions and files over and over: comparing one with
/// what it probably is costs a tenth of hashing all its bytes.
struct StringMemo {
    private var ids = [StringID](repeating: .empty, count: 1 << 12)
    private let strings: StringTable

    init(_ strings: StringTable) { self.strings = strings }

    @inline(__always) mutating func intern(_ bytes: DumpBytes) -> StringID {
        let slot = Self.slot(bytes)
        let known = strings.bytes(ids[slot])
        if known.count == bytes.count, let a = known.baseAddress, let b = bytes.baseAddress,
            memcmp(a, b, bytes.count) == 0
        {
            return ids[slot]
        }
        let id = strings.intern(UnsafeRawBufferPointer(bytes))
        ids[slot] = id
        return id
    }

    /// Made of the first and the last eight bytes, and the length.
    @inline(__always) private static func slot(_ bytes: DumpBytes) -> Int {
        guard bytes.count >= 8, let start = UnsafeRawPointer(bytes.baseAddress) else { return bytes.count }
        let first = start.loadUnaligned(as: UInt64.self)
        let last = start.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
        let mixed = (first &+ last &* 31 ^ UInt64(bytes.count)) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 52)
    }
}
