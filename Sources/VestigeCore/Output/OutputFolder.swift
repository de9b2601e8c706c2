import Glibc

/// A folder of files that appears under its name only when it is complete: it is made beside it
/// under a temporary name, and renamed by `commit`. Without `commit` it is removed.
///
/// Where the folder exists and may be overwritten, its tables are replaced, one by one, each whole.
/// Tables of an earlier conversion that are not written now are removed, so that no two recordings
/// mix; what else is in the folder stays. An empty folder may always be filled.
public final class OutputFolder {
    public let path: String
    private let finalPath: String
    private let temporaryPath: String
    /// The temporary folder itself, open so as to be claimed.
    private let descriptor: Int32
    private let isExisting: Bool
    private let overwrites: Bool
    /// Names of all files that such an output may consist of.
    private let tableNames: [String]
    private var files: [(name: String, descriptor: Int32, sink: any ByteSink)] = []
    private var isCommitted = false

    /// - Parameters:
    ///   - overwrites: whether tables in a folder that exists may be replaced.
    ///   - tableNames: names of all files that such an output may consist of.
    /// - Throws: `usage` if it exists and they may not, if it is no folder or one of something else;
    ///   `outputFailed` if it cannot be made.
    public init(_ path: String, overwrites: Bool, tableNames: [String]) throws(TraceError) {
        self.path = path
        self.overwrites = overwrites
        self.tableNames = tableNames
        finalPath = try FinalName.followingLinks(path)
        var status = stat()
        isExisting = stat(finalPath, &status) == 0
        if isExisting, status.st_mode & S_IFMT != S_IFDIR {
            throw TraceError(.usage, file: path, expected: "a folder name for the output", found: "a file")
        }
        // Within a folder that exists, which may be the root of a file system.
        let sibling = isExisting ? "\(finalPath)/tables" : finalPath
        temporaryPath = Leftovers.temporaryName(for: sibling)
        Leftovers.remove(of: sibling)
        if isExisting { try Self.check(finalPath, as: path, overwrites: overwrites, tableNames: tableNames) }
        TemporaryFiles.add(temporaryPath)
        guard mkdir(temporaryPath, 0o777) == 0 else {
            let reason = systemErrorText()
            TemporaryFiles.remove(temporaryPath)
            throw TraceError(.outputFailed, file: path, expected: "a place to write the output", found: reason)
        }
        descriptor = open(temporaryPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor >= 0 { Leftovers.claim(descriptor) }
    }

    /// Refuses a folder whose content is not, or may not be, replaced.
    private static func check(
        _ folder: String, as path: String, overwrites: Bool, tableNames: [String]
    ) throws(TraceError) {
        let names = Leftovers.names(in: folder)
        if names.isEmpty { return }
        if !overwrites {
            throw TraceError(
                .usage, file: path, expected: "a name that is free (or -f to overwrite)", found: "a folder that exists")
        }
        let tables = names.filter { isTable($0, among: tableNames) }
        if tables.isEmpty {
            throw TraceError(
                .usage, file: path, expected: "a folder that is new, empty, or of tables",
                found: "a folder of other files, which -f does not write into")
        }
        for table in tables {
            var status = stat()
            guard lstat("\(folder)/\(table)", &status) == 0, status.st_mode & S_IFMT != S_IFREG else { continue }
            throw TraceError(
                .usage, file: "\(path)/\(table)", expected: "a file that can be replaced", found: "a link or a folder")
        }
    }

    /// True for the name of a table, and of a file that continues one: `spans.csv`, `spans-2.csv`.
    private static func isTable(_ name: String, among tableNames: [String]) -> Bool {
        if tableNames.contains(name) { return true }
        guard let dash = name.lastIndex(of: "-"), let dot = name[dash...].firstIndex(of: "."),
            let number = Int(name[name.index(after: dash)..<dot]), number > 1
        else { return false }
        return tableNames.contains(String(name[..<dash] + name[dot...]))
    }

    deinit {
        defer { if descriptor >= 0 { close(descriptor) } }
        for file in files { close(file.descriptor) }
        guard !isCommitted else { return }
        for file in files { discard("\(temporaryPath)/\(file.name)") }
        rmdir(temporaryPath)
        TemporaryFiles.remove(temporaryPath)
    }

    /// Makes a file of the folder. Suffixes `.gz` and `.zst` compress, unless what is written is so already.
    public func sink(named name: String, isCompressedAlready: Bool = false) throws(TraceError) -> any ByteSink {
        let inner = "\(temporaryPath)/\(name)"
        TemporaryFiles.add(inner)
        var old = stat()
        let isReplaced = isExisting && stat("\(finalPath)/\(name)", &old) == 0
        let descriptor = FinalName.create(inner, mode: isReplaced ? old.st_mode : nil)
        guard descriptor >= 0 else {
            let reason = systemErrorText()
            TemporaryFiles.remove(inner)
            throw TraceError(
                .outputFailed, file: "\(path)/\(name)", expected: "a place to write the output", found: reason)
        }
        let plain = DescriptorSink(descriptor: descriptor, path: "\(path)/\(name)")
        let sink = isCompressedAlready ? plain : OutputFile.compressing(plain, name)
        files.append((name, descriptor, sink))
        return sink
    }

    /// Finishes the files and gives the folder its name.
    /// - Throws: `usage` if something has taken the name meanwhile and may not be replaced.
    public func commit() throws(TraceError) {
        for file in files { try file.sink.finish() }
        if isExisting { try replaceTables() } else { try moveFolder() }
        for file in files { TemporaryFiles.remove("\(temporaryPath)/\(file.name)") }
        TemporaryFiles.remove(temporaryPath)
        isCommitted = true
    }

    private func replaceTables() throws(TraceError) {
        for file in files {
            let (temporary, final) = ("\(temporaryPath)/\(file.name)", "\(finalPath)/\(file.name)")
            if !overwrites {
                try FinalName.moveToFreeName(temporary, final)
            } else if rename(temporary, final) != 0 {
                throw DescriptorSink.error("\(path)/\(file.name)")
            }
        }
        let names = overwrites ? Leftovers.names(in: finalPath).filter { Self.isTable($0, among: tableNames) } : []
        for name in names where !files.contains(where: { $0.name == name }) { unlink("\(finalPath)/\(name)") }
        rmdir(temporaryPath)
    }

    private func moveFolder() throws(TraceError) {
        // Replaces an empty folder that has appeared meanwhile, and fails over anything else.
        if rename(temporaryPath, finalPath) == 0 { return }
        if [EEXIST, ENOTEMPTY, ENOTDIR].contains(errno) { throw FinalName.taken(path) }
        throw DescriptorSink.error(path)
    }

    private func discard(_ inner: String) {
        unlink(inner)
        TemporaryFiles.remove(inner)
    }
}
