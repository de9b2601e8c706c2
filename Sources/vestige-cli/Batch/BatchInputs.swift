import ArgumentParser
import Glibc
import Vestige

/// What a batch reads: files, everything in folders, what patterns fit, lists, and all entries of archives.
struct BatchInputs: ParsableArguments {
    @Argument(help: ArgumentHelp("Files, folders, patterns and archives.", valueName: "input"))
    var inputs: [String] = []

    @OptionGroup var list: FileListOptions

    @Option(
        help: ArgumentHelp(
            "Of folders, patterns and archives only what this fits, e.g. '*.trace': the name, or with a / the path. "
                + "May be repeated.", valueName: "pattern"))
    var include: [String] = []

    @Option(help: ArgumentHelp("Nothing that this fits; may be repeated.", valueName: "pattern"))
    var exclude: [String] = []

    @Flag(name: .customLong("no-recursive"), help: "Not the folders within folders.")
    var noRecursive = false

    /// - Parameter own: the batch's outputs, which are no inputs.
    func collect(without own: OwnFiles) throws(TraceError) -> [String] {
        let paths = try inputs + list.files()
        if paths.contains("-") {
            throw TraceError(.usage, expected: "inputs that can be read again", found: "standard input")
        }
        let files = try InputFiles.collect(paths, isRecursive: !noRecursive, keepsMissing: true) {
            isWanted($0) && !own.contains($0)
        }
        let result = files.flatMap { file in
            // An archive that cannot be opened fails as an input.
            let entries = (try? InputPath.expand([file])) ?? [file]
            return entries == [file] ? entries : entries.filter(isWanted)
        }
        guard !result.isEmpty else { throw TraceError(.usage, expected: "inputs for the batch", found: "none") }
        return result
    }

    private func isWanted(_ path: String) -> Bool {
        (include.isEmpty || include.contains { Self.fits($0, path) }) && !exclude.contains { Self.fits($0, path) }
    }

    private static func fits(_ pattern: String, _ path: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return fnmatch(pattern, pattern.contains("/") ? path : name, 0) == 0
    }
}

/// Files that a batch has written, whatever the path by which they are found.
struct OwnFiles {
    private struct File: Hashable {
        let device: UInt
        let number: UInt
    }

    private var files: Set<File> = []

    init(_ journal: BatchJournal) {
        for output in journal.owned { if let file = Self.file(output) { files.insert(file) } }
    }

    /// Whether a file, or a folder that it is in, is one of them, or the journal or something half done.
    func contains(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        if name == BatchJournal.name || name.hasPrefix(".") && name.hasSuffix(".partial") { return true }
        guard !files.isEmpty else { return false }
        var path = path
        while !path.isEmpty {
            if let file = Self.file(path), files.contains(file) { return true }
            let parent = FolderPath.parent(of: path)
            if parent == path { return false }
            path = parent
        }
        return false
    }

    private static func file(_ path: String) -> File? {
        var status = stat()
        return stat(path, &status) == 0 ? File(device: UInt(status.st_dev), number: UInt(status.st_ino)) : nil
    }
}
