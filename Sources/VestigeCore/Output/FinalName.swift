import Glibc

/// Gives finished outputs their names.
package enum FinalName {
    /// Where a path leads: symbolic links are followed, also one whose target does not exist yet.
    /// - Throws: `outputFailed` for links that lead in a circle.
    static func followingLinks(_ path: String) throws(TraceError) -> String {
        var path = path
        for _ in 0..<40 {
            guard let target = linkTarget(path) else { return path }
            path = target.hasPrefix("/") ? target : folder(of: path) + target
        }
        throw TraceError(
            .outputFailed, file: path, expected: "a place to write the output", found: systemErrorText(ELOOP))
    }

    /// Renames a file, and never over another one.
    /// - Throws: `usage` if the name has been taken, `outputFailed` if it cannot be given.
    package static func moveToFreeName(_ temporary: String, _ path: String) throws(TraceError) {
        // rename(2) would replace what has appeared since the beginning; link(2) fails instead.
        if link(temporary, path) == 0 {
            unlink(temporary)
            return
        }
        if errno == EEXIST { throw taken(path) }
        // A file system without hard links: the name is reserved first.
        let reserved = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if reserved < 0 {
            if errno == EEXIST { throw taken(path) }
            throw DescriptorSink.error(path)
        }
        close(reserved)
        guard rename(temporary, path) == 0 else {
            let error = DescriptorSink.error(path)
            unlink(path)
            throw error
        }
    }

    package static func taken(_ path: String) -> TraceError {
        TraceError(
            .usage, file: path, expected: "a name that is free (or -f to overwrite)", found: "a file that exists")
    }

    /// The folder part of a path with its last slash; empty where there is none.
    static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Makes a temporary file, private until it has the permissions of the file that it replaces.
    /// - Parameter mode: those, or nil for the usual ones.
    /// - Returns: its descriptor, or a negative number and the reason in `errno`.
    package static func create(_ temporary: String, mode: mode_t?) -> Int32 {
        let descriptor = open(
            temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode == nil ? 0o666 : 0o600)
        if descriptor >= 0, let mode { fchmod(descriptor, mode & 0o777) }
        return descriptor
    }

    private static func linkTarget(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
            let count = readlink(path, buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
            return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        }
    }
}
