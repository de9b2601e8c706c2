@_exported import VestigeArchive
@_exported import VestigeCore
@_exported import VestigeReaders
@_exported import VestigeStages
@_exported import VestigeWriters

/// The registration list: every format is one line here, and nothing else knows them all.
public enum Formats {
    /// Formats that can be read. Where two claim the same input, suffixes decide, then this order.
    public static let inputs: [InputFormat] = [
        GoTraceV2Format.format,
        GoTraceV1Format.format,
        JSONLinesInputFormat.format,
        ProfileFormat.format,
        DelveFormats.json,
        DelveFormats.text,
        // Any text may hold a dump, so it comes last.
        GoroutineDumpFormat.format,
    ]

    /// Formats that can be written.
    public static let outputs: [OutputFormat] = [
        ChromeJSONFormat.format,
        PerfettoFormat.format,
        PerfettoJSONFormat.format,
        CSVFormat.format,
        JSONLinesOutputFormat.format,
        ArchiveOutputFormat.format,
        NullFormat.format,
    ]

    /// What `convert` writes where nothing says which format.
    public static let defaultOutputName = "chrome"

    /// Suffixes that say how a file is compressed; they may follow any other.
    public static let compressionSuffixes = [".gz", ".zst"]

    /// The output format of this name, in capitals or not.
    /// - Throws: `usage`, with the names there are and the nearest one.
    public static func output(named name: String) throws(TraceError) -> OutputFormat {
        let name = name.lowercased()
        if let format = outputs.first(where: { $0.name == name }) { return format }
        if let format = outputs.first(where: { $0.suffix == ".\(name)" }) {
            throw Suggestion.unknown(name, kind: "format", among: outputs.map(\.name), meant: format.name)
        }
        throw Suggestion.unknown(name, kind: "format", among: outputs.map(\.name))
    }

    /// The output format whose suffix the path has, before any compression suffix; the longest wins.
    public static func output(forPath path: String) -> OutputFormat? {
        let path = withoutCompressionSuffix(path).lowercased()
        if path.hasSuffix("/") { return outputs.first { $0.shape == .folder } }
        return outputs.filter { !$0.suffix.isEmpty && path.hasSuffix($0.suffix) }
            .max { $0.suffix.utf8.count < $1.suffix.utf8.count }
    }

    /// The path without `.gz` or `.zst` at its end.
    public static func withoutCompressionSuffix(_ path: String) -> String {
        guard let suffix = compressionSuffixes.first(where: path.lowercased().hasSuffix) else { return path }
        return String(path.dropLast(suffix.count))
    }
}
