import Glibc

/// Where bytes of an output go: a file, a pipe, or a compressor before one of these.
public protocol ByteSink: AnyObject {
    /// - Throws: `TraceError` `outputFailed`, or `outputClosed` when a pipe's reader has gone.
    func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError)
    /// Writes what is left. Called once.
    func finish() throws(TraceError)
    /// False if its owner looks at it while an output is made, so that writes may not come from another thread after
    /// the writer of the format has returned.
    var allowsLateWrites: Bool { get }
}

extension ByteSink {
    public var allowsLateWrites: Bool { true }
}

/// A file descriptor. Does not close it: the owner does.
public final class DescriptorSink: ByteSink {
    private let descriptor: Int32
    private let path: String

    public init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw Self.error(path)
            }
        }
    }

    public func finish() {}

    package static func error(_ path: String) -> TraceError {
        if errno == EPIPE {
            return TraceError(.outputClosed, file: path, expected: "a reader", found: systemErrorText())
        }
        return TraceError(.outputFailed, file: path, expected: "room and permission to write", found: systemErrorText())
    }
}

/// Counts what it hands on.
public final class CountingSink: ByteSink {
    public private(set) var byteCount: UInt64 = 0
    private let inner: any ByteSink

    public init(_ inner: any ByteSink) { self.inner = inner }

    /// Its count is read between writes.
    public var allowsLateWrites: Bool { false }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        byteCount += UInt64(bytes.count)
        try inner.write(bytes)
    }

    public func finish() throws(TraceError) { try inner.finish() }
}

/// Takes everything and keeps it in memory; for tests.
public final class MemorySink: ByteSink {
    public private(set) var bytes: [UInt8] = []
    public init() {}
    public func write(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }
    public func finish() {}
}
