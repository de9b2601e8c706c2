import CZlib

/// Compresses what it is given with zlib, each write by itself, and hands it on as the bytes of a field in a
/// message that is a field in turn. A reader gets, for each write, one message of complete messages.
///
/// Level 1: repetitive packets shrink to a fifteenth with it, and higher levels take twice the time for a
/// quarter less.
public final class DeflatedMessageSink: ByteSink {
    private let inner: any ByteSink
    private let outerField: UInt32
    private let innerField: UInt32
    private let output = ProtoBuffer(capacity: 64 << 10)
    private var room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64 << 10)

    private static let level: Int32 = 1

    /// - Parameters:
    ///   - outerField: number of the message in the whole, `innerField`: of the compressed bytes in it.
    public init(_ inner: any ByteSink, outerField: UInt32, innerField: UInt32) {
        self.inner = inner
        self.outerField = outerField
        self.innerField = innerField
    }

    deinit {
        room.deallocate()
        output.deallocate()
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        var length = compressBound(UInt(bytes.count))
        if length > room.count {
            room.deallocate()
            room = .allocate(capacity: Int(length))
        }
        let source = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard compress2(room.baseAddress, &length, source, UInt(bytes.count), Self.level) == Z_OK else {
            throw TraceError(.outputFailed, expected: "zlib to compress", found: "no memory for it")
        }
        let message = output.begin(outerField)
        output.field(innerField, UnsafeBufferPointer(rebasing: room[..<Int(length)]))
        output.end(message)
        try inner.write(UnsafeRawBufferPointer(output.pending))
        output.removeAll()
    }

    public func finish() throws(TraceError) { try inner.finish() }
}
