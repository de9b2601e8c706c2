import Glibc

/// A temporary folder that only its owner can look into, for files that are needed while the process
/// lives. It goes with the object, and on a signal (`TemporaryFiles`).
public final class PrivateFolder {
    public let path: String
    private var files: [String] = []

    /// Makes a folder in `$TMPDIR`, or `/tmp`.
    /// - Throws: `outputFailed` if it cannot be made.
    public init() throws(TraceError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        var template = Array("\(parent.isEmpty ? "/tmp" : parent)/vestige-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TraceError(
                .outputFailed, file: parent, expected: "a place for temporary files ($TMPDIR)", found: systemErrorText()
            )
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        TemporaryFiles.add(path)
    }

    deinit {
        for file in files {
            unlink(file)
            TemporaryFiles.remove(file)
        }
        rmdir(path)
        TemporaryFiles.remove(path)
    }

    /// The path of a file that is to be made in the folder, and goes with it.
    public func file(named name: String) -> String {
        let file = "\(path)/\(name)"
        files.append(file)
        TemporaryFiles.add(file)
        return file
    }
}
