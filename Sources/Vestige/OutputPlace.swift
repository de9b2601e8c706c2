import Glibc
import VestigeCore

/// Where an output goes.
public enum OutputPlace: Equatable, Sendable {
    case nothing
    case standardOutput
    case file(String)
    case folder(String)

    /// The path as messages name it; nil where nothing is written.
    public var path: String? {
        switch self {
        case .nothing: nil
        case .standardOutput: "-"
        case .file(let path), .folder(let path): path
        }
    }
}

/// What a user's words about an output come to: its format and its place.
///
/// The format is the one that is named, else that of the output's suffix, else the default. Without
/// an output path the output stands beside the input under the format's suffix; for an input from
/// standard input or another pipe it goes to standard output.
public struct OutputPlan: Sendable {
    public let format: OutputFormat
    public let place: OutputPlace

    /// - Throws: `usage` for a request that makes no sense.
    public init(inputs: [String], output: String?, formatName: String?) throws(TraceError) {
        let output = output == "/dev/stdout" ? "-" : output
        format = try Self.format(output: output, formatName: formatName)
        place = try Self.place(of: format, input: inputs[0], output: output)
        if let path = place.path, inputs.contains(where: { Self.isSameFile(path, $0) }) {
            throw TraceError(.usage, file: path, expected: "an output other than the input", found: "the input itself")
        }
    }

    private static func format(output: String?, formatName: String?) throws(TraceError) -> OutputFormat {
        if let formatName { return try Formats.output(named: formatName) }
        guard let output, output != "-" else {
            return try Formats.output(named: Formats.defaultOutputName)
        }
        if let format = Formats.output(forPath: output) { return format }
        if isFolder(output), let format = Formats.outputs.first(where: { $0.shape == .folder }) { return format }
        let suffixes = Formats.outputs.map(\.suffix).filter { !$0.isEmpty }.joined(separator: ", ")
        throw TraceError(
            .usage, file: output, expected: "a suffix that names a format (\(suffixes)), or --to FORMAT",
            found: "neither")
    }

    private static func place(of format: OutputFormat, input: String, output: String?) throws(TraceError) -> OutputPlace
    {
        switch (format.shape, output) {
        case (.nothing, nil), (.nothing, "-"): return .nothing
        case (.nothing, _):
            throw TraceError(.usage, file: output, expected: "no output file for \(format.name)", found: "-o")
        case (.archive, "-"):
            throw TraceError(
                .usage, expected: "a file name for the archive, which is no stream", found: "standard output")
        case (.archive, nil) where isPipe(input):
            throw TraceError(.usage, file: input, expected: "-o ARCHIVE, since the input has no name", found: "none")
        case (_, "-"): return .standardOutput
        case (_, nil) where isPipe(input): return .standardOutput
        case (.file, nil), (.archive, nil): return .file(try stem(ofInput: input) + format.suffix)
        case (.file, let path?), (.archive, let path?): return .file(path)
        case (.folder, nil): return .folder("\(try stem(ofInput: input))-\(format.name)")
        case (.folder, let path?):
            let bare = Formats.withoutCompressionSuffix(path).lowercased()
            if bare.hasSuffix(format.suffix), !isFolder(path) { return .file(path) }
            return .folder(try folder(path, format))
        }
    }

    private static func folder(_ path: String, _ format: OutputFormat) throws(TraceError) -> String {
        let path = withoutTrailingSlashes(path)
        if Formats.withoutCompressionSuffix(path) != path {
            let table = "-o NAME\(format.suffix).zst --table \(format.tableNames.first ?? "NAME")"
            throw TraceError(
                .usage, file: path,
                expected: "a folder name without a suffix for compression (\(table) compresses "
                    + "one table)", found: "one with it")
        }
        return path
    }

    /// The input's path without compression suffix and extension. What follows the last dot is no
    /// extension if it holds no letter (`trace.2`), or if nothing stands before it.
    public static func stem(of path: String) -> String {
        let path = Formats.withoutCompressionSuffix(path)
        guard let dot = path.lastIndex(of: "."), dot != path.startIndex, path[path.index(before: dot)] != "/" else {
            return path
        }
        let suffix = path[path.index(after: dot)...]
        return suffix.contains("/") || !suffix.contains(where: \.isLetter) ? path : String(path[..<dot])
    }

    /// Where the output of an input stands if nobody says: beside it, and beside the archive of which it is an entry.
    private static func stem(ofInput input: String) throws(TraceError) -> String {
        guard let (archive, entry) = try InputPath.archiveAndEntry(input) else { return stem(of: input) }
        let folder = archive.path.lastIndex(of: "/").map { archive.path[...$0] } ?? ""
        let name = EntryName.forPath(entry).split(separator: "/").last ?? ""
        return folder + stem(of: String(name))
    }

    private static func withoutTrailingSlashes(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// True for standard input, and for what else has no place beside which an output could stand.
    static func isPipe(_ path: String) -> Bool {
        var status = stat()
        // Redirected from a file, a descriptor is one, whose own name is not known.
        let isDescriptor = ["/dev/stdin", "/dev/fd/", "/proc/self/fd/"].contains(where: path.hasPrefix)
        if path == "-" || isDescriptor { return true }
        return stat(path, &status) == 0 && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
    }

    private static func isSameFile(_ a: String, _ b: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard a != "-", b != "-", stat(a, &first) == 0, stat(b, &second) == 0 else { return false }
        return first.st_mode & S_IFMT == S_IFREG && first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }
}
