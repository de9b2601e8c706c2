import Glibc
import VestigeArchive
import VestigeCore

/// Finds the files that are to become entries: files, everything in folders, what patterns fit, lists.
public enum ArchiveInputs {
    /// - Parameter archive: which is not put into itself.
    /// - Returns: the files, each once, in the order of the request; within a folder by name.
    /// - Throws: `unreadable` for what is not there, `usage` if nothing is.
    public static func collect(_ paths: [String], archive: String) throws(TraceError) -> [ArchiveInput] {
        var inputs: [ArchiveInput] = []
        var known: Set<String> = []
        func add(_ path: String) {
            if !isSameFile(path, archive), known.insert(path).inserted {
                inputs.append(ArchiveInput(path: path, name: EntryName.forPath(path)))
            }
        }
        for path in paths {
            switch kind(path) {
            case .file: add(path)
            case .folder: for file in files(in: path) { add(file) }
            case .other:
                throw TraceError(.unreadable, file: path, expected: "a file or folder", found: "something else")
            case .missing:
                let found = matches(path)
                guard !found.isEmpty else {
                    throw TraceError(.unreadable, file: path, expected: "a file or folder", found: systemErrorText(ENOENT))
                }
                for file in found {
                    if kind(file) == .folder { for inner in files(in: file) { add(inner) } } else { add(file) }
                }
            }
        }
        guard !inputs.isEmpty else {
            throw TraceError(.usage, expected: "files for the archive", found: "none")
        }
        return inputs
    }

    /// The paths in a list, one a line, or each behind a zero byte as `find -print0` writes them.
    /// - Parameter path: of the list; `-` for standard input.
    public static func list(_ path: String) throws(TraceError) -> [String] {
        let source = try ByteSource.openPlain(path)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var count = 0
        repeat {
            count = 0
            var failure: TraceError?
            chunk.withUnsafeMutableBytes { buffer in
                do throws(TraceError) { count = try source.read(at: UInt64(bytes.count), into: buffer) } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            bytes += chunk[..<count]
        } while count > 0
        let separator: UInt8 = bytes.contains(0) ? 0 : UInt8(ascii: "\n")
        return bytes.split(separator: separator).map { String(decoding: $0, as: UTF8.self) }
    }

    private enum Kind { case file, folder, other, missing }

    private static func kind(_ path: String) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else { return .missing }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// Files in a folder and the folders in it. Links to folders are not followed: they may lead in a circle.
    private static func files(in folder: String) -> [String] {
        let folder = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        var result: [String] = []
        for name in Leftovers.names(in: folder).sorted() {
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                result += files(in: path)
            } else if kind(path) == .file {
                result.append(path)
            }
        }
        return result
    }

    /// What a pattern fits, where a shell has not put that in its place already.
    private static func matches(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard pattern.contains(where: { "*?[".contains($0) }), glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
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
