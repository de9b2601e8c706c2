import Glibc
import VestigeCore

extension OutputPlan {
    /// Opens the output's place.
    /// - Parameter overwrites: whether what is there may be replaced.
    /// - Throws: `usage` if something is there and may not be replaced, or if a binary format would
    ///   go to a terminal; `outputFailed` if the place cannot be written to.
    public func open(overwrites: Bool) throws(TraceError) -> any OutputTarget {
        switch place {
        case .nothing: return NoTarget()
        case .standardOutput:
            if format.isBinary, isatty(1) == 1 {
                throw TraceError(
                    .usage, expected: "standard output to go to a file or a pipe, since \(format.name) is binary",
                    found: "a terminal")
            }
            return FileTarget(try OutputFile("-", overwrites: overwrites))
        case .file(let path): return FileTarget(try OutputFile(path, overwrites: overwrites))
        case .folder(let path):
            let names = format.tableNames.map { $0 + format.suffix }
            return FolderTarget(try OutputFolder(path, overwrites: overwrites, tableNames: names))
        }
    }
}

/// A single file, or standard output.
private final class FileTarget: OutputTarget {
    private let file: OutputFile
    private let sink: any ByteSink

    init(_ file: OutputFile) {
        self.file = file
        sink = file.path == "-" && isatty(1) == 1 ? TerminalSink(file.sink) : file.sink
    }

    var isFolder: Bool { false }
    var path: String { file.path }
    func sink(named name: String?) throws(TraceError) -> any ByteSink { sink }

    func commit() throws(TraceError) {
        if sink !== file.sink { try sink.finish() }
        try file.commit()
    }
}

/// A folder of files.
private final class FolderTarget: OutputTarget {
    private let folder: OutputFolder

    init(_ folder: OutputFolder) { self.folder = folder }

    var isFolder: Bool { true }
    var path: String { folder.path }
    func sink(named name: String?) throws(TraceError) -> any ByteSink { try folder.sink(named: name ?? "output") }
    func commit() throws(TraceError) { try folder.commit() }
}

/// For formats that write nothing.
private final class NoTarget: OutputTarget {
    var isFolder: Bool { false }
    var path: String { "" }
    func sink(named name: String?) throws(TraceError) -> any ByteSink {
        throw TraceError(.outputFailed, expected: "a format that writes nothing", found: "one that does")
    }
    func commit() {}
}
