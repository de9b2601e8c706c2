import Glibc

/// A growing run of bytes, or one that is read from front to back. Trivial, so that arrays of them can lie
/// behind one pointer; `ColumnSet` owns the memory.
struct ByteColumn {
    private(set) var base: UnsafeMutablePointer<UInt8>?
    private(set) var count = 0
    private var capacity = 0
    /// Where reading has come to.
    private(set) var position = 0

    init() {}

    /// Bytes of somebody else, to be read only.
    init(reading bytes: UnsafeRawBufferPointer) {
        base = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        count = bytes.count
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
    var isRead: Bool { position == count }

    @inline(__always) mutating func append(_ byte: UInt8) {
        if count == capacity { grow(1) }
        base.unsafelyUnwrapped[count] = byte
        count &+= 1
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        // Nothing may be appended to a column that has no memory yet.
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        if capacity - count < bytes.count { grow(bytes.count) }
        UnsafeMutableRawPointer(base! + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    /// The next byte; nil at the end.
    @inline(__always) mutating func next() -> UInt8? {
        guard position < count else { return nil }
        defer { position &+= 1 }
        return base.unsafelyUnwrapped[position]
    }

    /// The next bytes; nil if there are fewer.
    mutating func next(_ length: Int) -> UnsafeRawBufferPointer? {
        guard length <= count - position else { return nil }
        defer { position += length }
        return UnsafeRawBufferPointer(start: base.map { $0 + position }, count: length)
    }

    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    mutating func nextVarint() -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<10 {
            guard let byte = next() else { return nil }
            value |= UInt64(byte & 0x7f) &<< UInt64(7 * index)
            if byte < 0x80 { return index == 9 && byte > 1 ? nil : value }
        }
        return nil
    }

    mutating func append(string: String) {
        var string = string
        string.withUTF8 {
            appendVarint(UInt64($0.count))
            append(UnsafeRawBufferPointer($0))
        }
    }

    /// A text of at most `limit` bytes; nil if it is longer, or no UTF-8.
    mutating func nextString(limit: Int) -> String? {
        guard let length = nextVarint(), length <= UInt64(limit), let bytes = next(Int(length)) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    mutating func append(fixed value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { append($0) }
    }

    mutating func append(fixed value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { append($0) }
    }

    mutating func nextUInt64() -> UInt64? {
        next(8).map { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }

    mutating func nextUInt32() -> UInt32? {
        next(4).map { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
    }

    mutating func removeAll() { (count, position) = (0, 0) }

    /// Room for exactly `length` bytes, which the caller fills.
    mutating func resize(_ length: Int) -> UnsafeMutableRawBufferPointer {
        removeAll()
        if capacity < length { grow(length) }
        count = length
        return UnsafeMutableRawBufferPointer(start: base, count: length)
    }

    /// Room for more bytes behind those there are, which the caller fills.
    mutating func extend(_ length: Int) -> UnsafeMutableRawBufferPointer {
        if capacity - count < length { grow(length) }
        defer { count += length }
        return UnsafeMutableRawBufferPointer(start: base.map { $0 + count }, count: length)
    }

    mutating func shrink(by length: Int) { count -= length }

    @inline(never) private mutating func grow(_ room: Int) {
        capacity = max(count + room, capacity * 2, 64)
        base = realloc(base, capacity)!.assumingMemoryBound(to: UInt8.self)
    }

    func free() { Glibc.free(base) }
}
