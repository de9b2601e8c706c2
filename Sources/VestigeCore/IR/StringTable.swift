/// Byte strings, each stored once; ids hold for the whole run. Strings need not be valid UTF-8:
/// Go cuts long ones in the middle of a character.
///
/// Bytes live in 64 KiB blocks that never move, so `bytes(_:)` stays valid as long as the table.
///
/// Threads may share a table, as they may a `GrowingArray`; adding takes a lock.
public final class StringTable {
    @usableFromInline struct Entry: BitwiseCopyable {
        @usableFromInline var start: UnsafePointer<UInt8>
        @usableFromInline var length: UInt32
        @usableFromInline var isValidUTF8: Bool
        @usableFromInline var hash: UInt64
    }

    @usableFromInline let entries = GrowingArray<Entry>()
    /// Held by whoever adds.
    private let lock = Lock()
    /// Open addressing: entry index + 1, or 0 for a free slot.
    private var slots: [UInt32]
    private var blocks: [UnsafeMutablePointer<UInt8>] = []
    private var free: UnsafeMutablePointer<UInt8>
    private var freeCount = 0

    private static let blockSize = 64 << 10

    public init() {
        slots = Array(repeating: 0, count: 1024)
        free = .allocate(capacity: 1)
        blocks.append(free)
        _ = intern(UnsafeRawBufferPointer(start: nil, count: 0))  // id 0 is the empty string
    }

    deinit {
        for block in blocks { block.deallocate() }
    }

    @inlinable public var count: Int { entries.count }

    /// The id of these bytes, which are copied when they are new.
    public func intern(_ bytes: UnsafeRawBufferPointer) -> StringID {
        let hash = Self.hash(bytes)
        lock.lock()
        defer { lock.unlock() }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if entries[index].hash == hash, entries[index].length == bytes.count,
                equal(entries[index].start, bytes)
            {
                return StringID(UInt32(index))
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        append(bytes, hash: hash)
        slots[slot] = UInt32(count)
        if count * 2 > slots.count { rehash() }
        return StringID(UInt32(count - 1))
    }

    public func intern(_ string: String) -> StringID {
        var string = string
        return string.withUTF8 { intern(UnsafeRawBufferPointer($0)) }
    }

    /// The bytes of a string, valid as long as the table. An id that was never handed out is empty.
    @inlinable public func bytes(_ id: StringID) -> UnsafeBufferPointer<UInt8> {
        guard id.rawValue < count else { return UnsafeBufferPointer(start: nil, count: 0) }
        let entry = entries[Int(id.rawValue)]
        return UnsafeBufferPointer(start: entry.start, count: Int(entry.length))
    }

    /// False if the bytes are not UTF-8; then `string(_:)` is not exact.
    @inlinable public func isValidUTF8(_ id: StringID) -> Bool {
        id.rawValue < count ? entries[Int(id.rawValue)].isValidUTF8 : true
    }

    /// The string, with U+FFFD for each byte that is not UTF-8.
    public func string(_ id: StringID) -> String {
        let bytes = bytes(id)
        if isValidUTF8(id) { return String(decoding: bytes, as: UTF8.self) }
        // Swift's own decoding gives one U+FFFD for several bytes of a character that is cut off.
        var string = ""
        var index = 0
        while index < bytes.count {
            let length = UTF8Validation.sequenceLength(bytes, at: index)
            string += length == 0 ? "\u{fffd}" : String(decoding: bytes[index..<index + length], as: UTF8.self)
            index += max(length, 1)
        }
        return string
    }

    private func append(_ bytes: UnsafeRawBufferPointer, hash: UInt64) {
        let start = copy(bytes)
        let stored = UnsafeBufferPointer(start: start, count: bytes.count)
        entries.append(
            Entry(start: start, length: UInt32(bytes.count), isValidUTF8: UTF8Validation.isValid(stored), hash: hash))
    }

    private func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8> {
        if bytes.count > freeCount {
            let size = max(bytes.count, Self.blockSize)
            free = .allocate(capacity: size)
            freeCount = size
            blocks.append(free)
        }
        let start = free
        if let source = bytes.baseAddress {
            UnsafeMutableRawPointer(start).copyMemory(from: source, byteCount: bytes.count)
        }
        free += bytes.count
        freeCount -= bytes.count
        return UnsafePointer(start)
    }

    private func rehash() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for index in 0..<count {
            var slot = Int(truncatingIfNeeded: entries[index].hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }

    private func equal(_ start: UnsafePointer<UInt8>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.elementsEqual(UnsafeRawBufferPointer(start: start, count: bytes.count))
    }

    /// FNV-1a, then a final mix, since the low bits choose the slot.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        return hash ^ hash >> 29
    }
}
