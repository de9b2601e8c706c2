import Glibc

/// An input that can be read once only (a pipe), kept in a temporary file without a name so that it can be read
/// again.
public final class SpooledInput {
    private let path: String
    private let descriptor: Int32
    private var size: UInt64 = 0

    /// Reads the input to its end.
    /// - Returns: nil for a file, which can be opened again.
    /// - Throws: `unreadable` for what cannot be opened, `outputFailed` where there is no room.
    public init?(_ path: String) throws(TraceError) {
        let (input, fileSize) = try ByteSource.openDescriptor(path)
        // Closes what it has read.
        let stream = FileStream(descriptor: input, path: path)
        guard fileSize == nil else { return nil }
        self.path = path
        descriptor = try StreamWindow.openSpool()
        try copy(stream)
    }

    deinit { close(descriptor) }

    /// The input from its beginning.
    public func open() throws(TraceError) -> ByteSource {
        try ByteSource.peel(.make(descriptor: dup(descriptor), path: path, fileSize: size))
    }

    private func copy(_ stream: FileStream) throws(TraceError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        let sink = DescriptorSink(descriptor: descriptor, path: "temporary file for \(path)")
        while case let count = try stream.read(into: buffer), count > 0 {
            try sink.write(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
            size += UInt64(count)
        }
    }
}
