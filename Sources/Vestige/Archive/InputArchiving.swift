import VestigeArchive
import VestigeCore

/// Puts the inputs of a conversion into a new archive, byte for byte, also what no file is: standard input, a pipe,
/// an entry of another archive.
public struct InputArchiving {
    public var inputs: [String]
    public var path: String
    /// Whether an archive that exists may be replaced.
    public var overwrites = false
    public var onProgress: ((_ bytesDone: UInt64, _ byteCount: UInt64) -> Void)?

    public init(inputs: [String], path: String) {
        self.inputs = inputs
        self.path = path
    }

    /// - Throws: `unreadable` for an input, `usage` if the name is taken or names collide, `outputFailed`.
    public func run() throws(TraceError) -> ArchiveWriter.Outcome {
        let folder = try PrivateFolder()
        var files: [ArchiveInput] = []
        for (number, input) in inputs.enumerated() { files.append(try file(for: input, number, in: folder)) }
        var writer = ArchiveWriter.knowingFormats(level: .default)
        writer.onProgress = onProgress
        let outcome = try writer.create(path, files, overwrites: overwrites)
        withExtendedLifetime(folder) {}
        return outcome
    }

    /// A file with an input's bytes: the input itself, or a copy of it.
    private func file(for input: String, _ number: Int, in folder: PrivateFolder) throws(TraceError) -> ArchiveInput {
        let content: ByteSource
        var name = EntryName.forPath(input)
        if let (archive, entry) = try InputPath.archiveAndEntry(input) {
            name = entry
            content = try InputPath.content(of: entry, in: archive).source()
        } else if OutputPlan.isPipe(input) {
            if input == "-" { name = "stdin" }
            content = try ByteSource.openPlain(input)
        } else {
            return ArchiveInput(path: input, name: name)
        }
        let copy = folder.file(named: "\(number)")
        let file = try OutputFile(copy, overwrites: true)
        try content.copy(to: file.sink)
        try file.commit()
        return ArchiveInput(path: copy, name: name)
    }
}
