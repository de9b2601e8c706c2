import Glibc

/// A folder of files that appears under its name only when it is complete: it is made beside it
/// under a temporary name, and renamed by `commit`. Without `commit` it is removed.
///
/// Where the folder exists and may be overwritten, files of the same names are replaced, one by
/// one, each whole; what else is in it stays.
public final class OutputFolder {
    public let path: String
    private let temporaryPath: String
    private let isExisting: Bool
    private var files: [(name: String, descriptor: Int32, sink: any ByteSink)] = []
    private var isCommitted = false

    /// - Parameter overwrites: whether files in a folder that exists may be replaced.
    /// - Throws: `usage` if it exists and they may not, or if it is no folder; `outputFailed` if it
    ///   cannot be made.
    public init(_ path: String, overwrites: Bool) throws(TraceError) {
        self.path = path
        temporaryPath = OutputFile.temporaryName(for: path)
        var status = stat()
        isExisting = stat(path, &status) == 0
        if isExisting, status.st_mode & S_IFMT != S_IFDIR {
            throw TraceError(.usage, file: path, expected: "a folder name for the output", found: "a file")
        }
        if isExisting, !overwrites {
            throw TraceError(
                .usage, file: path, expected: "a name that is free (or -f to overwrite)", found: "a folder that exists")
        }
        TemporaryFiles.add(temporaryPath)
        guard mkdir(temporaryPath, 0o777) == 0 else {
            let reason = systemErrorText()
            TemporaryFiles.remove(temporaryPath)
            throw TraceError(.outputFailed, file: path, expected: "a place to write the output", found: reason)
        }
    }

    deinit {
        for file in files { close(file.descriptor) }
        guard !isCommitted else { return }
        for file in files { discard("\(temporaryPath)/\(file.name)") }
        rmdir(temporaryPath)
        TemporaryFiles.remove(temporaryPath)
    }

    /// Makes a file of the folder. Suffixes `.gz` and `.zst` compress.
    public func sink(named name: String) throws(TraceError) -> any ByteSink {
        let inner = "\(temporaryPath)/\(name)"
        TemporaryFiles.add(inner)
        let descriptor = open(inner, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            let reason = systemErrorText()
            TemporaryFiles.remove(inner)
            throw TraceError(
                .outputFailed, file: "\(path)/\(name)", expected: "a place to write the output", found: reason)
        }
        let sink = OutputFile.compressing(DescriptorSink(descriptor: descriptor, path: "\(path)/\(name)"), name)
        files.append((name, descriptor, sink))
        return sink
    }

    /// Finishes the files and gives the folder its name.
    public func commit() throws(TraceError) {
        for file in files { try file.sink.finish() }
        if isExisting {
            for file in files {
                guard rename("\(temporaryPath)/\(file.name)", "\(path)/\(file.name)") == 0 else {
                    throw DescriptorSink.error("\(path)/\(file.name)")
                }
            }
            rmdir(temporaryPath)
        } else {
            guard rename(temporaryPath, path) == 0 else { throw DescriptorSink.error(path) }
        }
        for file in files { TemporaryFiles.remove("\(temporaryPath)/\(file.name)") }
        TemporaryFiles.remove(temporaryPath)
        isCommitted = true
    }

    private func discard(_ inner: String) {
        unlink(inner)
        TemporaryFiles.remove(inner)
    }
}
