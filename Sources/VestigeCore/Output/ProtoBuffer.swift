/// Protocol buffer messages on their way to a sink, written field by field into a raw buffer.
///
/// A nested message is begun and ended. One byte is kept for its length, which is enough for most;
/// a longer one is moved to make room. So lengths are as short as they can be, and nothing is
/// measured twice. Wire format: https://protobuf.dev/programming-guides/encoding
///
/// A trivial handle, as `TextBuffer` is and for the same reason: copies share the memory, and whoever
/// made it calls `deallocate` when the last copy is no longer used.
public struct ProtoBuffer {
    @usableFromInline struct Cursor {
        @usableFromInline var start: UnsafeMutablePointer<UInt8>
        @usableFromInline var position: UnsafeMutablePointer<UInt8>
        @usableFromInline var end: UnsafeMutablePointer<UInt8>
        let sink: (any ByteSink)?
    }

    @usableFromInline let cursor: UnsafeMutablePointer<Cursor>

    @inlinable var position: UnsafeMutablePointer<UInt8> {
        get { cursor.pointee.position }
        nonmutating set { cursor.pointee.position = newValue }
    }

    /// A buffer without a sink is a part that will be appended to another; it grows as needed.
    public init(_ sink: (any ByteSink)? = nil, capacity: Int = 256) {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(capacity, 64))
        cursor = .allocate(capacity: 1)
        cursor.initialize(to: Cursor(start: memory, position: memory, end: memory + max(capacity, 64), sink: sink))
    }

    /// Frees the memory; no copy may be used afterwards.
    public func deallocate() {
        cursor.pointee.start.deallocate()
        cursor.deinitialize(count: 1)
        cursor.deallocate()
    }

    @inlinable public var count: Int { cursor.pointee.position - cursor.pointee.start }
    @inlinable public var isEmpty: Bool { count == 0 }
    /// What has not been handed to the sink yet; valid until the buffer changes.
    @inlinable public var pending: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: cursor.pointee.start, count: count)
    }

    public func removeAll() { cursor.pointee.position = cursor.pointee.start }

    /// Hands the bytes to the sink when the buffer is more than half full. Call it between messages.
    @inlinable public func flushIfNeeded() throws(TraceError) {
        if count > (cursor.pointee.end - cursor.pointee.start) / 2 { try flush() }
    }

    public func flush() throws(TraceError) {
        guard let sink = cursor.pointee.sink, count > 0 else { return }
        try sink.write(UnsafeRawBufferPointer(pending))
        removeAll()
    }

    /// Makes sure that `count` more bytes fit.
    @inlinable public func reserve(_ count: Int) {
        if cursor.pointee.end - cursor.pointee.position < count { grow(count) }
    }

    @usableFromInline @inline(never) func grow(_ needed: Int) {
        let used = count
        let capacity = max((cursor.pointee.end - cursor.pointee.start) * 2, used + needed)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        moved.initialize(from: cursor.pointee.start, count: used)
        cursor.pointee.start.deallocate()
        cursor.pointee.start = moved
        cursor.pointee.position = moved + used
        cursor.pointee.end = moved + capacity
    }

    // MARK: - Values

    @inlinable @inline(__always)
    static func write(_ value: UInt64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        var (next, rest) = (place, value)
        while rest >= 0x80 {
            next.pointee = UInt8(truncatingIfNeeded: rest) | 0x80
            next += 1
            rest >>= 7
        }
        next.pointee = UInt8(truncatingIfNeeded: rest)
        return next + 1
    }

    /// A value without a tag, as packed repeated fields hold them.
    @inlinable @inline(__always) public func append(varint value: UInt64) {
        reserve(10)
        position = Self.write(value, at: position)
    }

    @inlinable public func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        position.update(from: source, count: bytes.count)
        position += bytes.count
    }

    /// So many bytes of one value.
    public func append(repeating byte: UInt8, count: Int) {
        reserve(count)
        position.update(repeating: byte, count: count)
        position += count
    }

    // MARK: - Fields

    /// An integer, enumeration or boolean. Negative ones are to be passed as their 64-bit pattern.
    @inlinable @inline(__always) public func field(_ number: UInt32, _ value: UInt64) {
        reserve(15)
        let place = Self.write(UInt64(number) << 3, at: position)
        position = Self.write(value, at: place)
    }

    @inlinable @inline(__always) public func field(_ number: UInt32, _ value: Bool) { field(number, value ? 1 : 0) }

    @inlinable @inline(__always) public func field(_ number: UInt32, fixed64 value: UInt64) {
        reserve(13)
        let place = Self.write(UInt64(number) << 3 | 1, at: position)
        UnsafeMutableRawPointer(place).storeBytes(of: value.littleEndian, as: UInt64.self)
        position = place + 8
    }

    /// Bytes, a string, a packed repeated field, or a message that is complete already.
    @inlinable public func field(_ number: UInt32, _ bytes: UnsafeBufferPointer<UInt8>) {
        reserve(15 + bytes.count)
        let place = Self.write(UInt64(number) << 3 | 2, at: position)
        position = Self.write(UInt64(bytes.count), at: place)
        append(bytes)
    }

    @inlinable public func field(_ number: UInt32, _ text: StaticString) {
        field(number, UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    // MARK: - Messages

    /// Begins a nested message, string or packed field, and returns where its content is: for `end`.
    @inlinable @inline(__always) public func begin(_ number: UInt32) -> Int {
        reserve(6)
        position = Self.write(UInt64(number) << 3 | 2, at: position) + 1
        return count
    }

    /// Ends what began at `content`.
    @inlinable @inline(__always) public func end(_ content: Int) {
        let length = count - content
        if length < 0x80 {
            cursor.pointee.start[content - 1] = UInt8(truncatingIfNeeded: length)
        } else {
            endLong(content, length)
        }
    }

    /// Moves the content to make room for a length of several bytes.
    @usableFromInline @inline(never) func endLong(_ content: Int, _ length: Int) {
        var extra = 0
        var rest = length >> 7
        while rest > 0 {
            extra += 1
            rest >>= 7
        }
        reserve(extra)
        let place = cursor.pointee.start + content
        (place + extra).update(from: place, count: length)
        _ = Self.write(UInt64(length), at: place - 1)
        position += extra
    }
}
