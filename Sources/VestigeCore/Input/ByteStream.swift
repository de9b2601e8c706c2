import Glibc

/// Bytes that come one after the other: a pipe, or what a decompressor makes of another stream.
public protocol ByteStream: AnyObject {
    /// Reads up to `buffer.count` bytes.
    /// - Returns: how many; 0 only at the end.
    /// - Throws: `TraceError` when the system or the compressed data refuses.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int

    /// Bytes taken from the underlying file so far, for progress.
    var bytesConsumed: UInt64 { get }
}

/// A file descriptor read from front to back. Closes it in the end unless it is standard input.
public final class FileStream: ByteStream {
    private let descriptor: Int32
    private let path: String
    public private(set) var bytesConsumed: UInt64 = 0

    public init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { if descriptor > 2 { close(descriptor) } }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 {
                bytesConsumed += UInt64(count)
                return count
            }
            if errno == EINTR { continue }
            throw TraceError(
                .unreadable, file: path, byteOffset: bytesConsumed, expected: "readable data",
                found: systemErrorText())
        }
    }
}
