import Glibc
import VestigeCore

/// Finds files: what is named, everything in folders, what patterns fit, lists.
public enum InputFiles {
    /// - Parameters:
    ///   - isWanted: asked of what is found in folders and by patterns.
    ///   - keepsMissing: whether a path that leads nowhere is a result as well, for whoever reports that later.
    /// - Returns: each path once, in the order of the request; within a folder by name.
    /// - Throws: `unreadable` for what is not there.
    public static func collect(
        _ paths: [String], isRecursive: Bool = true, keepsMissing: Bool = false,
        isWanted: (String) -> Bool = { _ in true }
    ) throws(TraceError) -> [String] {
        var result: [String] = []
        var known: Set<String> = []
        func add(_ path: String) { if known.insert(path).inserted { result.append(path) } }
        func addFound(_ path: String) {
            if kind(path) == .folder {
                for file in files(in: path, isRecursive: isRecursive) where isWanted(file) { add(file) }
            } else if isWanted(path) {
                add(path)
            }
        }
        for path in paths {
            switch kind(path) {
            case .file: add(path)
            case .folder: addFound(path)
            case .other where keepsMissing: add(path)
            case .other:
                throw TraceError(.unreadable, file: path, expected: "a file or folder", found: "something else")
            case .missing:
                let found = matches(path)
                if found.isEmpty, keepsMissing { add(path) }
                guard !found.isEmpty || keepsMissing else {
                    throw TraceError(
                        .unreadable, file: path, expected: "a file or folder", found: systemErrorText(ENOENT))
                }
                for file in found { addFound(file) }
            }
        }
        return result
    }

    /// The paths in a list, one a line, or each behind a zero byte as `find -print0` writes them.
    /// - Parameter path: of the list; `-` for standard input.
    public static func list(_ path: String) throws(TraceError) -> [String] {
        let bytes = try bytes(path)
        let separator: UInt8 = bytes.contains(0) ? 0 : UInt8(ascii: "\n")
        return bytes.split(separator: separator).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The whole content of a file that is small, or of standard input (`-`).
    public static func bytes(_ path: String) throws(TraceError) -> [UInt8] {
        let sink = MemorySink()
        try ByteSource.openPlain(path).copy(to: sink)
        return sink.bytes
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
    private static func files(in folder: String, isRecursive: Bool) -> [String] {
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        var result: [String] = []
        for name in Leftovers.names(in: folder).sorted() {
            let path = prefix + name
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                if isRecursive { result += files(in: path, isRecursive: true) }
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
}
