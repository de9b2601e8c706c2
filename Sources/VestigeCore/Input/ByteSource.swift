import Glibc

/// An input with random access, whatever it comes from. A regular file is read with `pread`; a
/// stream (pipe, compressed file) is kept from the last `discard` on, in memory or, when that grows
/// beyond `memoryLimit`, in an unlinked temporary file.
///
/// Never maps a file: one that is cut off while it is mapped kills the process.
public final class ByteSource {
    /// The path as the user gave it, `-` for standard input.
    public let path: String
    private let descriptor: Int32
    private let stream: (any ByteStream)?
    private let content: (any RandomAccessContent)?
    /// Compressed size on disk where there is one, for progress.
    public let fileSize: UInt64?
    /// Size of the content, once it is known: of a stream, when it has been read to its end.
    public private(set) var size: UInt64?

    /// What ended a stream before its end: compressed data that are cut or damaged, or a system that
    /// refuses. What came before is all there is then, and can be read; `size` is its size.
    public var damage: TraceError? { upstream?.damage ?? ownDamage }
    private var ownDamage: TraceError?
    /// The compressed source that this one is peeled off.
    private var upstream: ByteSource?

    private var window: StreamWindow?
    /// Highest offset delivered, for progress.
    private var highest: UInt64 = 0

    /// Opens a path and peels off gzip and zstd.
    /// - Throws: `TraceError.unreadable` for a missing file, a directory, no permission.
    public static func open(_ path: String) throws(TraceError) -> ByteSource { try peel(openPlain(path)) }

    /// Opens a path whose bytes are wanted as they are.
    /// - Throws: `TraceError.unreadable` for a missing file, a directory, no permission.
    public static func openPlain(_ path: String) throws(TraceError) -> ByteSource {
        let (descriptor, fileSize) = try openDescriptor(path)
        return make(descriptor: descriptor, path: path, fileSize: fileSize)
    }

    /// The bytes of an open file, or of a pipe, whose size is not known.
    static func make(descriptor: Int32, path: String, fileSize: UInt64?) -> ByteSource {
        fileSize.map { ByteSource(descriptor: descriptor, path: path, size: $0) }
            ?? ByteSource(stream: FileStream(descriptor: descriptor, path: path), path: path, fileSize: nil)
    }

    /// Opens a path; a size says that it is a file.
    static func openDescriptor(_ path: String) throws(TraceError) -> (descriptor: Int32, fileSize: UInt64?) {
        let descriptor = path == "-" ? 0 : Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TraceError(.unreadable, file: path, expected: "a file that can be read", found: systemErrorText())
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw TraceError(.unreadable, file: path, expected: "a file that can be read", found: systemErrorText())
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            if descriptor > 2 { close(descriptor) }
            throw TraceError(.unreadable, file: path, expected: "a file or a pipe", found: "a directory")
        }
        // Standard input redirected from a file may be positioned anywhere; read it as a stream then.
        let isFile = status.st_mode & S_IFMT == S_IFREG && (path != "-" || lseek(0, 0, SEEK_CUR) == 0)
        return (descriptor, isFile ? UInt64(status.st_size) : nil)
    }

    /// Peels gzip and zstd off a source.
    public static func peel(_ source: ByteSource) throws(TraceError) -> ByteSource {
        var source = source
        let (path, fileSize) = (source.path, source.fileSize)
        for _ in 0..<4 {  // gzip in zstd in gzip: deep enough, and a bound for hostile nesting
            let magic = try source.prefix(4)
            let inner: any ByteStream = source.asStream()
            if magic.starts(with: [0x1f, 0x8b]) {
                let peeled = ByteSource(stream: ZlibStream(inner, path: path), path: path, fileSize: fileSize)
                (peeled.upstream, source) = (source, peeled)
            } else if magic == [0x28, 0xb5, 0x2f, 0xfd] {
                let peeled = ByteSource(stream: ZstdStream(inner, path: path), path: path, fileSize: fileSize)
                (peeled.upstream, source) = (source, peeled)
            } else {
                break
            }
        }
        return source
    }

    init(descriptor: Int32, path: String, size: UInt64) {
        self.descriptor = descriptor
        self.path = path
        self.size = size
        fileSize = size
        stream = nil
        content = nil
    }

    /// A source over content that is somewhere within a file.
    public init(content: any RandomAccessContent, path: String) {
        descriptor = -1
        self.path = path
        size = content.size
        fileSize = content.size
        stream = nil
        self.content = content
    }

    /// A source over a stream; for tests and for readers of containers.
    public init(stream: any ByteStream, path: String, fileSize: UInt64? = nil) {
        descriptor = -1
        self.path = path
        self.stream = stream
        content = nil
        self.fileSize = fileSize
        window = StreamWindow()
    }

    /// A source over bytes in memory.
    public convenience init(bytes: [UInt8], path: String) {
        self.init(stream: MemoryStream(bytes), path: path, fileSize: UInt64(bytes.count))
    }

    deinit { if descriptor > 2 { close(descriptor) } }

    /// True for a regular file, which costs nothing to read again.
    public var isSeekable: Bool { stream == nil }

    /// Bytes used so far, in terms of `fileSize`.
    public var bytesConsumed: UInt64 { stream?.bytesConsumed ?? highest }

    /// Reads up to `buffer.count` bytes at `offset`.
    /// - Returns: how many; fewer than asked for only at the end of the input.
    public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        if stream != nil {
            let count = try readStream(at: offset, into: buffer)
            return count
        }
        if let content {
            let count = try content.read(at: offset, into: buffer)
            highest = max(highest, offset + UInt64(count))
            return count
        }
        var total = 0
        while total < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + total, buffer.count - total, off_t(offset) + total)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw TraceError(
                    .unreadable, file: path, byteOffset: offset + UInt64(total), expected: "readable data",
                    found: systemErrorText())
            }
            total += count
        }
        highest = max(highest, offset + UInt64(total))
        return total
    }

    /// Where the content ends. Reads a stream to its end, and discards nothing.
    public func endOffset() throws(TraceError) -> UInt64 {
        while size == nil {
            let end = window!.end
            var last: UInt8 = 0
            _ = try withUnsafeMutableBytes(of: &last) { buffer throws(TraceError) in
                try readStream(at: end + (1 << 16), into: buffer)
            }
        }
        return size!
    }

    /// The first bytes, up to `count`.
    public func prefix(_ count: Int) throws(TraceError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var read = 0
        var failure: TraceError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(TraceError) { read = try self.read(at: 0, into: buffer) } catch { failure = error }
        }
        if let failure, read == 0 { throw failure }
        return Array(bytes.prefix(read))
    }

    /// Writes the whole content to a sink, without finishing it.
    /// - Throws: what reading and writing throw, and what ended the source too early.
    public func copy(to sink: any ByteSink) throws(TraceError) {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { chunk.deallocate() }
        var offset: UInt64 = 0
        while true {
            let count = try read(at: offset, into: chunk)
            if count == 0 { break }
            try sink.write(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
            offset += UInt64(count)
            discard(before: offset)
        }
        if let damage { throw damage }
    }

    /// Says that nothing before `offset` will be read again, so that a stream can forget it.
    public func discard(before offset: UInt64) { window?.discard(before: offset) }

    /// The whole input as a stream, from its beginning.
    private func asStream() -> any ByteStream { SourceStream(self) }

    /// An error with this source's path filled in.
    public func error(
        _ code: TraceError.Code, at offset: UInt64?, context: [String] = [], expected: String, found: String
    ) -> TraceError {
        let offset = offset.map { content?.wholeOffset(of: $0) ?? $0 }
        return TraceError(code, file: path, byteOffset: offset, context: context, expected: expected, found: found)
    }

    private func readStream(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        let wanted = offset + UInt64(buffer.count)
        while size == nil, window!.end < wanted {
            do throws(TraceError) {
                if try window!.append(from: stream!) == 0 { size = window!.end }
            } catch {
                // No room for the temporary file is no defect of the input.
                guard error.code != .outputFailed else { throw error }
                ownDamage = error
                size = window!.end
            }
        }
        return try window!.read(at: offset, into: buffer, path: path)
    }
}

/// Bytes that can be read anywhere, and cost nothing to read again.
public protocol RandomAccessContent: AnyObject {
    var size: UInt64 { get }
    /// Reads up to `buffer.count` bytes at `offset`.
    /// - Returns: how many; fewer than asked for only at the end.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int
    /// Where the byte at an offset is in what this content is a part of, for messages.
    func wholeOffset(of offset: UInt64) -> UInt64
}

extension RandomAccessContent {
    public func wholeOffset(of offset: UInt64) -> UInt64 { offset }
}

/// A stream over a source, for peeling.
private final class SourceStream: ByteStream {
    private let source: ByteSource
    private var offset: UInt64 = 0

    init(_ source: ByteSource) { self.source = source }

    var bytesConsumed: UInt64 { offset }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        let count = try source.read(at: offset, into: buffer)
        offset += UInt64(count)
        source.discard(before: offset)
        return count
    }
}

/// A stream over bytes in memory.
public final class MemoryStream: ByteStream {
    private let bytes: [UInt8]
    private var offset = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var bytesConsumed: UInt64 { UInt64(offset) }

    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - offset)
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
        offset += count
        return count
    }
}
