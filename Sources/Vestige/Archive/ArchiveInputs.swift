import Glibc
import VestigeArchive
import VestigeCore

/// Finds the files that are to become entries.
public enum ArchiveInputs {
    /// - Parameter archive: which is not put into itself.
    /// - Returns: the files, each once, in the order of the request; within a folder by name.
    /// - Throws: `unreadable` for what is not there, `usage` if nothing is.
    public static func collect(_ paths: [String], archive: String) throws(TraceError) -> [ArchiveInput] {
        let inputs = try InputFiles.collect(paths).filter { !isSameFile($0, archive) }.map {
            ArchiveInput(path: $0, name: EntryName.forPath($0))
        }
        guard !inputs.isEmpty else {
            throw TraceError(.usage, expected: "files for the archive", found: "none")
        }
        return inputs
    }

    private static func isSameFile(_ a: String, _ b: String) -> Bool {
        var (first, second) = (stat(), stat())
        return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }
}

extension ArchiveWriter {
    /// A writer that knows all formats.
    public static func knowingFormats(level: ArchiveLevel) -> ArchiveWriter {
        var writer = ArchiveWriter()
        writer.level = level
        writer.detect = { source in try? Formats.detect(ByteSource.peel(source)) }
        return writer
    }
}
