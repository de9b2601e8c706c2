/// Bytes of text on their way to a sink: a raw buffer with room reserved ahead, and formatting that
/// neither allocates nor goes through String. `flush` hands the bytes on.
///
/// A trivial handle: copies share the memory, and passing one on costs no reference counting and no
/// check for exclusive access, which together made half the cost of writing. Whoever made it calls
/// `deallocate` when the last copy is no longer used.
public struct TextBuffer {
    /// The buffer's memory and how far it is filled.
    @usableFromInline struct Cursor {
        @usableFromInline var start: UnsafeMutablePointer<UInt8>
        @usableFromInline var position: UnsafeMutablePointer<UInt8>
        @usableFromInline var end: UnsafeMutablePointer<UInt8>
        var flushedCount: UInt64 = 0
        var sink: any ByteSink
    }

    @usableFromInline let cursor: UnsafeMutablePointer<Cursor>

    @inlinable var start: UnsafeMutablePointer<UInt8> { cursor.pointee.start }
    @inlinable var end: UnsafeMutablePointer<UInt8> { cursor.pointee.end }
    @inlinable var position: UnsafeMutablePointer<UInt8> {
        get { cursor.pointee.position }
        nonmutating set { cursor.pointee.position = newValue }
    }

    /// Bytes handed to the sink so far.
    public var flushedCount: UInt64 { cursor.pointee.flushedCount }

    public init(_ sink: any ByteSink, capacity: Int = 256 << 10) {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        cursor = .allocate(capacity: 1)
        cursor.initialize(to: Cursor(start: memory, position: memory, end: memory + capacity, sink: sink))
    }

    /// Frees the memory; no copy may be used afterwards.
    public func deallocate() {
        start.deallocate()
        cursor.deinitialize(count: 1)
        cursor.deallocate()
    }

    @inlinable public var count: Int { position - start }
    @inlinable public var capacity: Int { end - start }
    public var bytesWritten: UInt64 { flushedCount + UInt64(count) }
    /// What has not been handed to the sink yet; valid until the buffer changes.
    public var pending: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

    @inlinable public var isHalfFull: Bool { count > capacity / 2 }

    /// Hands the bytes to the sink when the buffer is more than half full. Call it between records.
    @inlinable public func flushIfNeeded() throws(TraceError) {
        if isHalfFull { try flush() }
    }

    public func flush() throws(TraceError) {
        if count > 0 { try cursor.pointee.sink.write(UnsafeRawBufferPointer(start: start, count: count)) }
        cursor.pointee.flushedCount += UInt64(count)
        position = start
    }

    /// Hands on what is there, and sends what follows to another sink.
    public func redirect(to sink: any ByteSink) throws(TraceError) {
        try flush()
        cursor.pointee.sink = sink
    }

    /// Makes sure that `count` more bytes fit.
    @inlinable public func reserve(_ count: Int) {
        if end - position < count { grow(count) }
    }

    @usableFromInline @inline(never) func grow(_ needed: Int) {
        let used = count
        let larger = max(capacity * 2, used + needed)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.initialize(from: start, count: used)
        start.deallocate()
        cursor.pointee.start = moved
        cursor.pointee.position = moved + used
        cursor.pointee.end = moved + larger
    }

    // MARK: - Plain text

    /// Inlined, so that the copy of a literal becomes a few moves of known size.
    @inlinable @inline(__always) public func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        reserve(count)
        let place = position
        place.update(from: text.utf8Start, count: count)
        position = place + count
    }

    @inlinable public func append(byte: UInt8) {
        reserve(1)
        position.pointee = byte
        position += 1
    }

    @inlinable public func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        position.update(from: source, count: bytes.count)
        position += bytes.count
    }

    /// Disfavoured, so that a literal is a `StaticString`.
    @_disfavoredOverload
    public func append(_ string: String) {
        var string = string
        string.withUTF8 { append($0) }
    }

    /// Hands on what is there without its first bytes.
    public func flush(without count: Int) throws(TraceError) {
        let bytes = pending.dropFirst(count)
        try cursor.pointee.sink.write(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes)))
        cursor.pointee.flushedCount += UInt64(bytes.count)
        position = start
    }

    /// Takes back what was not handed on yet.
    public func removeAll() { position = start }

    /// Takes back the last byte, if it was not handed on yet.
    @inlinable public func removeLast() {
        if position > start { position -= 1 }
    }

    /// Takes back so many bytes, of those that were not handed on yet.
    public func removeLast(_ count: Int) { position -= min(count, self.count) }

    // MARK: - Numbers

    @inlinable public func append(_ value: Int64) {
        reserve(Self.longestNumber)
        position = Self.write(value, at: position)
    }

    @inlinable public func append(_ value: Int) { append(Int64(value)) }
    @inlinable public func append(_ value: Int32) { append(Int64(value)) }
    @inlinable public func append(_ value: UInt32) { append(UInt64(value)) }

    @inlinable public func append(_ value: UInt64) {
        reserve(Self.longestNumber)
        position = Self.write(value, at: position)
    }

    /// Nanoseconds as microseconds with exactly three decimals, e.g. 1234567 as `1234.567`.
    @inlinable public func appendMicroseconds(_ nanoseconds: Int64) {
        reserve(Self.longestNumber + 5)
        position = Self.writeMicroseconds(nanoseconds, at: position)
    }

    @inlinable public func appendHex(_ bytes: UnsafeBufferPointer<UInt8>) {
        reserve(bytes.count * 2)
        for byte in bytes {
            position[0] = Self.hexDigit(byte >> 4)
            position[1] = Self.hexDigit(byte & 15)
            position += 2
        }
    }

    /// Nanoseconds as seconds with exactly nine decimals, e.g. 1234567 as `0.001234567`.
    public func appendSeconds(_ nanoseconds: Int64, decimalMark: UInt8) {
        if nanoseconds < 0 { append(byte: UInt8(ascii: "-")) }
        let (whole, fraction) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        append(whole)
        append(byte: decimalMark)
        append(digits: fraction, count: 9)
    }

    /// A number with leading zeros, cut to its last `count` digits.
    public func append(digits value: UInt64, count: Int) {
        reserve(count)
        var rest = value
        for place in stride(from: count - 1, through: 0, by: -1) {
            position[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        position += count
    }

    // MARK: - JSON

    /// A JSON string. Only `"`, `\` and control characters are escaped, since viewers are known to
    /// mishandle other escapes; every byte that is not UTF-8 becomes U+FFFD.
    public func appendJSONString(_ bytes: UnsafeBufferPointer<UInt8>) {
        append(byte: UInt8(ascii: "\""))
        appendJSONContent(bytes)
        append(byte: UInt8(ascii: "\""))
    }

    public func appendJSONString(_ string: String) {
        var string = string
        string.withUTF8 { appendJSONString($0) }
    }

    /// What stands between the quotes of a JSON string.
    public func appendJSONContent(_ bytes: UnsafeBufferPointer<UInt8>) {
        reserve(bytes.count * 6)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte >= 0x80 {
                let length = UTF8Validation.sequenceLength(bytes, at: index)
                if length == 0 {
                    append("\u{fffd}")
                    index += 1
                } else {
                    append(UnsafeBufferPointer(rebasing: bytes[index..<index + length]))
                    index += length
                }
                continue
            }
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                position.pointee = byte
                position += 1
            } else {
                appendEscaped(byte)
            }
            index += 1
        }
    }

    private func appendEscaped(_ byte: UInt8) {
        append(byte: UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte: byte)
        case 0x0a: append(byte: UInt8(ascii: "n"))
        case 0x0d: append(byte: UInt8(ascii: "r"))
        case 0x09: append(byte: UInt8(ascii: "t"))
        default:
            append("u00")
            append(byte: Self.hexDigit(byte >> 4))
            append(byte: Self.hexDigit(byte & 15))
        }
    }

    // MARK: - For writers that keep the position to themselves

    /// Nanoseconds as `appendMicroseconds` writes them; returns where they end.
    @inlinable @inline(__always)
    public static func writeMicroseconds(
        _ nanoseconds: Int64, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var place = place
        if nanoseconds < 0 {
            place.pointee = UInt8(ascii: "-")
            place += 1
        }
        let (whole, fraction) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        place = write(whole, at: place)
        let hundreds = fraction / 100
        place[0] = UInt8(ascii: ".")
        place[1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: hundreds)
        write(pair: fraction &- hundreds &* 100, at: place + 2)
        return place + 4
    }

    /// A literal; returns where it ends.
    @inlinable @inline(__always)
    public static func copy(
        _ text: StaticString, to place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        place.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        return place + text.utf8CodeUnitCount
    }

    /// Where the next byte goes, with room for so many.
    @inlinable @inline(__always) public func beginWriting(room: Int) -> UnsafeMutablePointer<UInt8> {
        reserve(room)
        return position
    }

    /// Takes over what was written up to a place.
    @inlinable @inline(__always) public func endWriting(at place: UnsafeMutablePointer<UInt8>) { position = place }

    @inlinable @inline(__always) public func room(behind place: UnsafeMutablePointer<UInt8>) -> Int { end - place }

    /// Copies in blocks, which is faster than a call for the few dozen bytes of a field; returns where they end.
    /// - Precondition: `blockSize` bytes behind both ends may be read and written.
    @inlinable @inline(__always) public static func copyInBlocks(
        _ source: UnsafePointer<UInt8>, count: Int, to place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(place))
        var offset = 0
        while offset < count {
            let block = from.loadUnaligned(fromByteOffset: offset, as: SIMD32<UInt8>.self)
            to.storeBytes(of: block, toByteOffset: offset, as: SIMD32<UInt8>.self)
            offset &+= blockSize
        }
        return place + count
    }

    @inlinable public static var blockSize: Int { 32 }

    // MARK: - CSV

    /// A CSV field by RFC 4180: quoted when it holds a separator, a quote or a line break, or has
    /// blanks at an end. Bytes that are not UTF-8 become U+FFFD, and NUL becomes U+2400.
    public func appendCSVField(_ bytes: UnsafeBufferPointer<UInt8>, separator: UInt8 = UInt8(ascii: ",")) {
        guard Self.needsQuotes(bytes, separator) else { return append(bytes) }
        append(byte: UInt8(ascii: "\""))
        var index = 0
        while index < bytes.count {
            let length = UTF8Validation.sequenceLength(bytes, at: index)
            switch (length, bytes[index]) {
            case (0, _): append("\u{fffd}")
            case (_, 0): append("\u{2400}")
            case (_, UInt8(ascii: "\"")): append("\"\"")
            default: append(UnsafeBufferPointer(rebasing: bytes[index..<index + length]))
            }
            index += max(length, 1)
        }
        append(byte: UInt8(ascii: "\""))
    }

    private static func needsQuotes(_ bytes: UnsafeBufferPointer<UInt8>, _ separator: UInt8) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return false }
        if first <= 0x20 || last <= 0x20 { return true }
        return bytes.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == separator || $0 >= 0x80 }
    }

    // MARK: - Helpers

    @inlinable static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }

    /// A number below 100 as two digits.
    @inlinable @inline(__always) static func write(pair: UInt64, at place: UnsafeMutablePointer<UInt8>) {
        let tens = (pair &* 103) >> 10
        place[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: tens)
        place[1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: pair &- tens &* 10)
    }
}
