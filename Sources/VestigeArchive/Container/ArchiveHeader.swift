import VestigeCore

/// The first 128 bytes of an archive. They hold two slots, each of which says where an index is; the valid one
/// with the higher number counts. A commit writes the other one, so that a commit which dies leaves the one
/// that counted before. See `Schemas/archive-format.md`, "Header".
struct ArchiveHeader: Equatable {
    static let magic: [UInt8] = [0x89, 0x56, 0x45, 0x53, 0x54, 0x0d, 0x0a, 0x1a]
    static let version: UInt32 = 1
    static let length = 128
    static let slotCount = 2
    static let slotLength = 48

    struct Slot: Equatable {
        /// Counts commits, from 1.
        var number: UInt64
        var indexOffset: UInt64
        var indexSize: UInt64
        var indexRawSize: UInt64
        /// XXH64 of the compressed index.
        var indexSum: UInt64

        /// Where the archive ends, behind a copy of the slot; what comes then is what a writer left that died.
        var end: UInt64 { indexOffset + indexSize + UInt64(slotLength) }
    }

    private var slots: [Slot?] = [nil, nil]
    /// True if a slot is neither valid nor empty: a commit was torn, or the slot has been damaged since.
    private(set) var hasDamagedSlot = false

    /// The slots that may count, the better one first.
    /// - Parameter copy: the slot that the file ends with, which counts where one in the header is damaged.
    func candidates(copy: Slot?) -> [Slot] {
        (slots + (hasDamagedSlot ? [copy] : [])).compactMap { $0 }.sorted { $0.number > $1.number }
    }

    static func slotOffset(_ number: UInt64) -> Int { 16 + Int(number % UInt64(slotCount)) * slotLength }

    /// Damage is survived: either what every archive begins with is there, or a slot that is valid.
    /// - Returns: nil if this is no archive of this version.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.length else { return nil }
        for number in 0..<Self.slotCount {
            let start = 16 + number * Self.slotLength
            let slotBytes = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.slotLength])
            slots[number] = Self.slot(slotBytes)
            if slots[number] == nil, slotBytes.contains(where: { $0 != 0 }) { hasDamagedSlot = true }
        }
        if slots.allSatisfy({ $0 == nil }), !bytes.starts(with: Self.beginning) { return nil }
    }

    /// Whether an archive begins like this, as far as the bytes go.
    static func isBeginning(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: beginning) }

    private static var beginning: [UInt8] {
        magic + (0..<4).map { UInt8(truncatingIfNeeded: version >> (8 * $0)) } + [0, 0, 0, 0]
    }

    /// The version is the seed, so that a slot of another version is none.
    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 { XXHash.sum(bytes, seed: UInt64(version)) }

    /// - Returns: nil if the slot is empty or damaged.
    static func slot(_ bytes: UnsafeRawBufferPointer) -> Slot? {
        var input = ByteColumn(reading: bytes)
        guard let number = input.nextUInt64(), number > 0, let offset = input.nextUInt64(),
            let size = input.nextUInt64(), let rawSize = input.nextUInt64(), let sum = input.nextUInt64(),
            input.nextUInt64() == checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<40])),
            offset >= UInt64(length), offset < 1 << 62, size < 1 << 40, rawSize < 1 << 40
        else { return nil }
        return Slot(number: number, indexOffset: offset, indexSize: size, indexRawSize: rawSize, indexSum: sum)
    }

    /// A slot as it is written.
    static func append(_ slot: Slot, to output: inout ByteColumn) {
        let start = output.count
        for value in [slot.number, slot.indexOffset, slot.indexSize, slot.indexRawSize, slot.indexSum] {
            output.append(fixed: value)
        }
        output.append(fixed: checksum(UnsafeRawBufferPointer(rebasing: output.bytes[start...])))
    }

    /// A header without any commit.
    static func appendEmpty(to output: inout ByteColumn) {
        magic.withUnsafeBytes { output.append($0) }
        output.append(fixed: version)
        while output.count < length { output.append(0) }
    }
}
