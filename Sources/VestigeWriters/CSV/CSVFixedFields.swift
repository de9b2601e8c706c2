import VestigeCore

/// Fields that come in nearly every row, as bytes with their delimiters, so that one move writes each.
///
/// A trivial handle, as `TextBuffer` is: `CSVCells` makes it and frees its memory.
struct CSVFixedFields {
    /// Numbers below it are at hand. With more, they would take the place of other things in the cache.
    static let smallCount: UInt64 = 1024

    /// By number: its digits and the delimiter, and in the highest byte how many bytes these are.
    private let small: UnsafeMutablePointer<UInt64>
    /// Larger numbers, as they come; each in the place that its lowest bits tell.
    private let recent: UnsafeMutablePointer<Recent>
    /// By the raw value of a goroutine's state: its name and the delimiter.
    private let states: UnsafeMutablePointer<Block>
    private let noFlags: Block
    private let delimiter: UInt8

    private struct Recent {
        var number = UInt32.max
        /// How many bytes its digits and the delimiter are.
        var count: UInt32 = 0
        var text: UInt64 = 0
    }

    private static var recentCount: Int { 512 }
    /// Numbers whose digits leave room for the delimiter in eight bytes.
    private static var recentLimit: UInt64 { 10_000_000 }

    /// At most 31 bytes, and in the last one how many these are.
    private typealias Block = SIMD32<UInt8>

    init(delimiter: UInt8) {
        small = .allocate(capacity: Int(Self.smallCount))
        for number in 0..<Self.smallCount {
            let text = Array(String(number).utf8) + [delimiter]
            let bytes = text.enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
            small[Int(number)] = bytes | UInt64(text.count) << 56
        }
        self.delimiter = delimiter
        recent = .allocate(capacity: Self.recentCount)
        recent.initialize(repeating: Recent(), count: Self.recentCount)
        states = .allocate(capacity: GoroutineState.allCases.count)
        for state in GoroutineState.allCases {
            states[Int(state.rawValue)] = Self.block("\(state.name)", delimiter)
        }
        noFlags = Self.block(
            (0..<3).map { _ in "false" }.joined(separator: String(UnicodeScalar(delimiter))), delimiter)
    }

    private static func block(_ text: String, _ delimiter: UInt8) -> Block {
        var block = Block()
        for (index, byte) in (Array(text.utf8) + [delimiter]).enumerated() { block[index] = byte }
        block[31] = UInt8(text.utf8.count + 1)
        return block
    }

    func deallocate() {
        small.deallocate()
        recent.deallocate()
        states.deallocate()
    }

    /// Writes a number below `smallCount` and the delimiter, and returns where they end. Needs room for 8 bytes.
    @inline(__always)
    func write(small value: UInt64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let text = small[Int(truncatingIfNeeded: value)]
        UnsafeMutableRawPointer(place).storeBytes(of: text.littleEndian, as: UInt64.self)
        return place + Int(truncatingIfNeeded: text &>> 56)
    }

    /// Writes the number of something that comes again and the delimiter, and returns where they end; nil if it is too
    /// large. Needs room for 8 bytes.
    @inline(__always)
    func write(id: UInt64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>? {
        guard id < Self.recentLimit else { return nil }
        let slot = recent + Int(truncatingIfNeeded: id) & (Self.recentCount - 1)
        if slot.pointee.number != UInt32(truncatingIfNeeded: id) { keep(id, in: slot) }
        UnsafeMutableRawPointer(place).storeBytes(of: slot.pointee.text.littleEndian, as: UInt64.self)
        return place + Int(slot.pointee.count)
    }

    @inline(never) private func keep(_ id: UInt64, in slot: UnsafeMutablePointer<Recent>) {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { room in
            guard let start = room.baseAddress?.bindMemory(to: UInt8.self, capacity: 32) else { return }
            let end = TextBuffer.write(id, at: start)
            UnsafeMutableRawPointer(end).storeBytes(of: delimiter, as: UInt8.self)
            let text = UInt64(littleEndian: UnsafeRawPointer(start).load(as: UInt64.self))
            slot.pointee = Recent(number: UInt32(id), count: UInt32(end - start + 1), text: text)
        }
    }

    /// Writes a state's name and the delimiter, and returns where they end. Needs room for 32 bytes.
    @inline(__always)
    func write(_ state: GoroutineState, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        write(states[Int(state.rawValue)], at: place)
    }

    /// Writes three fields that are all `false`, and returns where they end. Needs room for 32 bytes.
    @inline(__always) func writeNoFlags(at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        write(noFlags, at: place)
    }

    @inline(__always)
    private func write(_ block: Block, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(place).storeBytes(of: block, as: Block.self)
        return place + Int(block[31])
    }
}
