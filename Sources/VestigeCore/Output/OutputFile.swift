import Glibc

/// A file that appears under its name only when it is complete: it is written beside it under a
/// temporary name, and renamed by `commit`. Without `commit` the temporary file is removed.
///
/// A symbolic link stays one: its target is what is written. Path `-` is standard output, which can be
/// neither. Suffixes `.gz` and `.zst` compress.
public final class OutputFile {
    public let path: String
    public let sink: any ByteSink
    /// For formats that go back to what they have written; see `isReplaceable`.
    public let descriptor: Int32
    private let finalPath: String
    private let temporaryPath: String?
    private let overwrites: Bool
    private var isCommitted = false

    /// - Parameter overwrites: whether a file that exists may be replaced; it keeps its permissions.
    /// - Throws: `usage` if it exists and may not, `outputFailed` if it cannot be made.
    public init(_ path: String, overwrites: Bool) throws(TraceError) {
        self.path = path
        self.overwrites = overwrites
        let mode = try Self.checkedMode(path, overwrites: overwrites)
        // A device or a named pipe is written to as it is: it cannot be replaced by a rename.
        let isSpecial = mode.map { $0 & S_IFMT != S_IFREG } ?? false
        finalPath = path == "-" || isSpecial ? path : try FinalName.followingLinks(path)
        if path == "-" {
            (descriptor, temporaryPath) = (1, nil)
        } else if isSpecial {
            (descriptor, temporaryPath) = (open(path, O_WRONLY | O_CLOEXEC), nil)
        } else {
            let temporary = Leftovers.temporaryName(for: finalPath)
            Leftovers.remove(of: finalPath)
            TemporaryFiles.add(temporary)
            descriptor = FinalName.create(temporary, mode: mode)
            temporaryPath = temporary
            if descriptor < 0 { TemporaryFiles.remove(temporary) } else { Leftovers.claim(descriptor) }
        }
        guard descriptor >= 0 else {
            throw TraceError(
                .outputFailed, file: path, expected: "a place to write the output", found: systemErrorText())
        }
        sink = Self.compressing(DescriptorSink(descriptor: descriptor, path: path), path)
    }

    /// Refuses what may not be written, for whoever has much to do before it makes its output.
    /// - Throws: `usage` if it exists and may not be replaced, or is a folder.
    public static func check(_ path: String, overwrites: Bool) throws(TraceError) {
        _ = try checkedMode(path, overwrites: overwrites)
    }

    /// - Returns: the mode of what exists; nil if there is nothing.
    private static func checkedMode(_ path: String, overwrites: Bool) throws(TraceError) -> mode_t? {
        var target: stat = stat()
        guard path != "-", stat(path, &target) == 0 else { return nil }
        if target.st_mode & S_IFMT == S_IFDIR {
            throw TraceError(.usage, file: path, expected: "a file name for the output", found: "a directory")
        }
        if target.st_mode & S_IFMT == S_IFREG, !overwrites { throw FinalName.taken(path) }
        return target.st_mode
    }

    /// True for a file, false for a pipe or device, which can only be written from front to back.
    public var isReplaceable: Bool { temporaryPath != nil }

    deinit {
        if let temporaryPath, !isCommitted {
            unlink(temporaryPath)
            TemporaryFiles.remove(temporaryPath)
        }
        if descriptor > 2 { close(descriptor) }
    }

    /// Finishes the sink and gives the file its name.
    /// - Throws: `usage` if something has taken the name meanwhile and may not be replaced.
    public func commit() throws(TraceError) {
        try sink.finish()
        if let temporaryPath {
            if overwrites {
                guard rename(temporaryPath, finalPath) == 0 else { throw DescriptorSink.error(path) }
            } else {
                try FinalName.moveToFreeName(temporaryPath, finalPath)
            }
            TemporaryFiles.remove(temporaryPath)
        }
        isCommitted = true
    }

    static func compressing(_ sink: any ByteSink, _ path: String) -> any ByteSink {
        let path = path.lowercased()
        if path.hasSuffix(".zst") { return ZstdSink(sink) }
        if path.hasSuffix(".gz") { return GzipSink(sink) }
        return sink
    }
}
