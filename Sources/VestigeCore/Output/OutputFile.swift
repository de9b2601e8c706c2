import Glibc

/// A file that appears under its name only when it is complete: it is written beside it under a
/// temporary name, and renamed by `commit`. Without `commit` the temporary file is removed.
///
/// Path `-` is standard output, which can be neither. Suffixes `.gz` and `.zst` compress.
public final class OutputFile {
    public let path: String
    public let sink: any ByteSink
    private let descriptor: Int32
    private let temporaryPath: String?
    private var isCommitted = false

    /// - Parameter overwrites: whether a file that exists may be replaced.
    /// - Throws: `usage` if it exists and may not, `outputFailed` if it cannot be made.
    public init(_ path: String, overwrites: Bool) throws(TraceError) {
        self.path = path
        var target: stat = stat()
        let exists = path != "-" && stat(path, &target) == 0
        // A device or a named pipe is written to as it is: it cannot be replaced by a rename.
        let isSpecial = exists && target.st_mode & S_IFMT != S_IFREG
        if exists, target.st_mode & S_IFMT == S_IFDIR {
            throw TraceError(.usage, file: path, expected: "a file name for the output", found: "a directory")
        }
        if exists, !isSpecial, !overwrites {
            throw TraceError(
                .usage, file: path, expected: "a name that is free (or -f to overwrite)", found: "a file that exists")
        }
        if path == "-" {
            (descriptor, temporaryPath) = (1, nil)
        } else if isSpecial {
            (descriptor, temporaryPath) = (open(path, O_WRONLY | O_CLOEXEC), nil)
        } else {
            let temporary = Self.temporaryName(for: path)
            TemporaryFiles.add(temporary)
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            temporaryPath = temporary
            if descriptor < 0 { TemporaryFiles.remove(temporary) }
        }
        guard descriptor >= 0 else {
            throw TraceError(
                .outputFailed, file: path, expected: "a place to write the output", found: systemErrorText())
        }
        sink = Self.compressing(DescriptorSink(descriptor: descriptor, path: path), path)
    }

    deinit {
        if descriptor > 2 { close(descriptor) }
        if let temporaryPath, !isCommitted {
            unlink(temporaryPath)
            TemporaryFiles.remove(temporaryPath)
        }
    }

    /// Finishes the sink and gives the file its name.
    public func commit() throws(TraceError) {
        try sink.finish()
        if let temporaryPath {
            guard rename(temporaryPath, path) == 0 else { throw DescriptorSink.error(path) }
            TemporaryFiles.remove(temporaryPath)
        }
        isCommitted = true
    }

    /// A hidden name in the same folder, so that the rename stays within one file system.
    static func temporaryName(for path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.dropLast().joined(separator: "/")
        let name = ".\(parts.last ?? "output").\(getpid()).partial"
        return parts.count > 1 ? "\(folder)/\(name)" : name
    }

    static func compressing(_ sink: any ByteSink, _ path: String) -> any ByteSink {
        if path.hasSuffix(".zst") { return ZstdSink(sink) }
        if path.hasSuffix(".gz") { return GzipSink(sink) }
        return sink
    }
}
