import Glibc

/// What conversions to the same output left behind when they were killed: `.NAME.PID.partial`.
package enum Leftovers {
    /// A hidden name in the same folder, so that the rename stays within one file system.
    package static func temporaryName(for path: String) -> String {
        "\(FinalName.folder(of: path)).\(FinalName.name(of: path)).\(getpid()).partial"
    }

    /// Says that what `descriptor` is open for is in use, as long as it is open.
    static func claim(_ descriptor: Int32) { flock(descriptor, LOCK_EX | LOCK_NB) }

    /// Removes what dead processes left of an output. That of a living one stays, also of one on
    /// another machine or in another container: it holds a lock.
    static func remove(of path: String) {
        let folder = FinalName.folder(of: path)
        let prefix = ".\(FinalName.name(of: path))."
        for name in names(in: folder.isEmpty ? "." : folder) where name.hasPrefix(prefix) {
            guard name.hasSuffix(".partial"), let process = pid_t(name.dropFirst(prefix.count).dropLast(8)),
                process > 0, process == getpid() || kill(process, 0) < 0 && errno == ESRCH
            else { continue }
            removeUnclaimed(folder + name)
        }
    }

    /// Names of what is in a folder, hidden ones too; none if it cannot be read.
    package static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func removeUnclaimed(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in names(in: path) { unlink("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
