import VestigeCore

/// A part of the input in memory that moves forward, with the bytes behind the end set to zero.
struct WindowV1: ~Copyable {
    private static let capacity = 4 << 20

    private let source: ByteSource
    private let base: UnsafeMutablePointer<UInt8>
    /// Of the first byte in the window.
    private var start: UInt64
    private var count = 0
    private(set) var isAtEnd = false
    /// Where reading goes on.
    var pointer: UnsafePointer<UInt8>

    init(source: ByteSource, offset: UInt64) {
        self.source = source
        base = .allocate(capacity: Self.capacity + LimitV1.padding)
        start = offset
        pointer = UnsafePointer(base)
    }

    deinit { base.deallocate() }

    var end: UnsafePointer<UInt8> { UnsafePointer(base + count) }

    /// An event that begins before this is whole in the window, if the input holds the whole of it.
    var safeEnd: UnsafePointer<UInt8> { isAtEnd ? end : UnsafePointer(base + max(0, count - LimitV1.lookahead)) }

    func offset(of pointer: UnsafePointer<UInt8>) -> UInt64 {
        start &+ UInt64(bitPattern: Int64(pointer - UnsafePointer(base)))
    }

    /// Where a byte of the input is, or would be if the window reached so far back.
    func pointer(at offset: UInt64) -> UnsafePointer<UInt8> {
        UnsafePointer(base) + Int(Int64(bitPattern: offset &- start))
    }

    func bytes(from pointer: UnsafePointer<UInt8>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: pointer, count: max(0, end - pointer))
    }

    /// Makes room behind `pointer` and reads on.
    /// - Returns: false if there is nothing left.
    mutating func fill() throws(TraceError) -> Bool {
        let consumed = min(pointer - UnsafePointer(base), count)
        base.update(from: base + consumed, count: count - consumed)
        start += UInt64(consumed)
        count -= consumed
        pointer = UnsafePointer(base)
        while count < Self.capacity, !isAtEnd {
            let room = UnsafeMutableRawBufferPointer(start: base + count, count: Self.capacity - count)
            let read = try source.read(at: start + UInt64(count), into: room)
            if read == 0 { isAtEnd = true }
            count += read
        }
        (base + count).initialize(repeating: 0, count: LimitV1.padding)
        return count > 0
    }

    mutating func skipToEnd() throws(TraceError) {
        repeat { pointer = end } while try fill()
    }
}
