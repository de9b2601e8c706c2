import Glibc
import Synchronization
import VestigeArchive
import VestigeCore

/// What a path of an input leads to: a file, standard input, or an entry of an archive (`ARCHIVE/NAME`).
public enum InputPath {
    /// Opens what a path leads to, and peels off gzip and zstd.
    ///
    /// An archive with one entry is that entry.
    /// - Throws: `unreadable` for what cannot be opened, `usage` for an archive of which an entry must be named.
    public static func open(_ path: String) throws(TraceError) -> ByteSource {
        if let (archive, name) = try archiveAndEntry(path) {
            return try ByteSource.peel(content(of: name, in: archive).source())
        }
        let source = try ByteSource.openPlain(path)
        guard try isArchive(source) else { return try ByteSource.peel(source) }
        let archive = try openArchive(path)
        guard archive.entries.count == 1 else {
            let example = archive.entries.first.map { ", e.g. \(path)/\($0.name)" } ?? ""
            throw TraceError(
                .usage, file: path, expected: "an entry of the archive\(example)",
                found: "an archive of \(archive.entries.count) entries")
        }
        return try ByteSource.peel(EntryContent(archive, archive.entries[0]).source())
    }

    /// The archive that was used last, as it was then: commands go through its entries one after the other.
    private static let lastArchive = Mutex<(archive: ArchiveFile, state: [Int])?>(nil)

    /// How much has been read of the blocks of the archive that was used last, for whoever tells; nil if none was.
    public static var archiveReading: (path: String, blocks: Int, blockCount: Int, bytes: UInt64, size: UInt64)? {
        lastArchive.withLock { last in
            last.map {
                let archive = $0.archive
                return (
                    archive.path, archive.blocksRead, archive.summary.blockCount, archive.blockBytesRead,
                    archive.fileSize
                )
            }
        }
    }

    private static func openArchive(_ path: String) throws(TraceError) -> ArchiveFile {
        var status = stat()
        stat(path, &status)
        let state = [
            Int(status.st_dev), Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
        ]
        let last = lastArchive.withLock { $0 }
        if let last, last.archive.path == path, last.state == state { return last.archive }
        let archive = try ArchiveFile(path)
        lastArchive.withLock { $0 = (archive, state) }
        return archive
    }

    /// The paths of everything that paths lead to: an archive is all its entries.
    public static func expand(_ paths: [String]) throws(TraceError) -> [String] {
        var result: [String] = []
        for path in paths {
            if path != "-", isFile(path), let source = try? ByteSource.openPlain(path), try isArchive(source) {
                result += try openArchive(path).entries.map { "\(path)/\($0.name)" }
            } else {
                result.append(path)
            }
        }
        return result
    }

    /// Divides `ARCHIVE/NAME`; nil for a path that is no such thing, or of something that exists itself.
    public static func archiveAndEntry(_ path: String) throws(TraceError) -> (archive: ArchiveFile, entry: String)? {
        guard path != "-", access(path, F_OK) != 0 else { return nil }
        for slash in path.indices where path[slash] == "/" && slash != path.startIndex {
            let archive = String(path[..<slash])
            guard isFile(archive) else { continue }
            guard try isArchive(ByteSource.openPlain(archive)) else { return nil }
            return (try openArchive(archive), String(path[path.index(after: slash)...]))
        }
        return nil
    }

    /// The same, also for the path of an archive with one entry, which is that entry.
    static func archiveAndOnlyEntry(_ path: String) throws(TraceError) -> (archive: ArchiveFile, entry: String)? {
        if let named = try archiveAndEntry(path) { return named }
        guard path != "-", isFile(path), try isArchive(ByteSource.openPlain(path)) else { return nil }
        let archive = try openArchive(path)
        return archive.entries.count == 1 ? (archive, archive.entries[0].name) : nil
    }

    /// The entry of this name, with the bytes of the blocks that it reads counted in the archive.
    static func content(of name: String, in archive: ArchiveFile) throws(TraceError) -> EntryContent {
        try EntryContent(archive, entry(name, of: archive))
    }

    /// The paths of the entries, if the only path is an archive of several; else none.
    public static func entries(_ paths: [String]) throws(TraceError) -> [String] {
        guard paths.count == 1 else { return [] }
        let entries = try expand(paths)
        return entries.count > 1 ? entries : []
    }

    private static func entry(_ name: String, of archive: ArchiveFile) throws(TraceError) -> ArchiveEntry {
        if let entry = archive.entries.first(where: { $0.name == name }) { return entry }
        let hint =
            Suggestion.nearest(to: name, among: archive.entries.map(\.name)).map { "; did you mean \($0)?" } ?? ""
        throw TraceError(
            .unreadable, file: archive.path, expected: "an entry of the archive (see `vestige archive list`)",
            found: "\"\(name)\"\(hint)")
    }

    private static func isArchive(_ source: ByteSource) throws(TraceError) -> Bool {
        try source.prefix(128).withUnsafeBytes { ArchiveFile.isArchive($0) }
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
