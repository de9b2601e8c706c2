import Glibc

/// Folders that outputs are to stand in.
public enum FolderPath {
    /// Makes a folder and those that it is in, as far as they are missing.
    /// - Throws: `outputFailed` if one cannot be made.
    public static func make(_ path: String) throws(TraceError) {
        var status = stat()
        if path.isEmpty || stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR { return }
        try make(parent(of: path))
        // Somebody else may have made it meanwhile.
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw TraceError(
                .outputFailed, file: path, expected: "a place to write the output", found: systemErrorText())
        }
    }

    /// The folder that a path is in; empty for the current one.
    public static func parent(of path: String) -> String {
        let folder = FinalName.folder(of: path)
        return folder.count > 1 ? String(folder.dropLast()) : folder
    }
}
