import Glibc

/// Numbered files `STEM-001SUFFIX`… and an index page `STEM-index.html`, which all appear under their names when all
/// are complete: they are made in a hidden folder beside, and renamed by `commit`. Without `commit` it is removed.
///
/// Where such files exist and may be overwritten they are replaced, one by one, each whole; those of an earlier
/// output that are not written now are removed, so that no two recordings mix.
public final class OutputParts {
    /// More files are no help to anybody.
    public static let limit = 9_999

    /// Path without the number and the suffix.
    public let stem: String
    /// With the suffix for compression, if any.
    public let suffix: String
    private let overwrites: Bool
    private let folder: String
    private let temporaryPath: String
    /// The temporary folder itself, open so as to be claimed.
    private let claim: Int32
    /// Names of the files so far, the index last.
    private var names: [String] = []
    private var part: (sink: any ByteSink, descriptor: Int32)?
    private var isCommitted = false

    /// - Parameter overwrites: whether files of these names may be replaced.
    /// - Throws: `usage` if there are some and they may not, `outputFailed` if nothing can be made there.
    public init(stem: String, suffix: String, overwrites: Bool) throws(TraceError) {
        self.stem = stem
        self.suffix = suffix
        self.overwrites = overwrites
        folder = FinalName.folder(of: stem)
        let index = "\(stem)-index.html"
        temporaryPath = Leftovers.temporaryName(for: index)
        Leftovers.remove(of: index)
        for path in Self.existing(stem, suffix) {
            var status = stat()
            let isFile = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            if !overwrites { throw FinalName.taken(path) }
            if !isFile {
                throw TraceError(
                    .usage, file: path, expected: "a file that can be replaced", found: "a link or a folder")
            }
        }
        TemporaryFiles.add(temporaryPath)
        guard mkdir(temporaryPath, 0o777) == 0 else {
            let reason = systemErrorText()
            TemporaryFiles.remove(temporaryPath)
            throw TraceError(.outputFailed, file: stem, expected: "a place to write the output", found: reason)
        }
        claim = open(temporaryPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if claim >= 0 { Leftovers.claim(claim) }
    }

    deinit {
        if let part { close(part.descriptor) }
        if claim >= 0 { close(claim) }
        guard !isCommitted else { return }
        for name in names { unlink("\(temporaryPath)/\(name)") }
        rmdir(temporaryPath)
        withdraw()
    }

    private func withdraw() {
        for name in names { TemporaryFiles.remove("\(temporaryPath)/\(name)") }
        TemporaryFiles.remove(temporaryPath)
    }

    /// Paths of what is there under names of this output.
    private static func existing(_ stem: String, _ suffix: String) -> [String] {
        let (folder, name) = (FinalName.folder(of: stem), FinalName.name(of: stem))
        return Leftovers.names(in: folder.isEmpty ? "." : folder).filter { other in
            guard other.hasPrefix("\(name)-") else { return false }
            let rest = other.dropFirst(name.count + 1)
            if rest == "index.html" { return true }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            return digits.count >= 3 && rest.dropFirst(digits.count) == suffix
        }.sorted().map { folder + $0 }
    }

    // MARK: - Files

    /// Name of a part, without its folder; the first has number 1.
    public func name(ofPart number: Int) -> String {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, 3 - digits.count))
        return "\(FinalName.name(of: stem))-\(zeros)\(digits)\(suffix)"
    }

    public var indexName: String { "\(FinalName.name(of: stem))-index.html" }
    public var indexPath: String { folder + indexName }

    /// Begins the next file. Suffixes `.gz` and `.zst` compress.
    public func begin(_ name: String) throws(TraceError) -> any ByteSink {
        let inner = "\(temporaryPath)/\(name)"
        TemporaryFiles.add(inner)
        var old = stat()
        let isReplaced = stat(folder + name, &old) == 0
        let descriptor = FinalName.create(inner, mode: isReplaced ? old.st_mode : nil)
        guard descriptor >= 0 else {
            let reason = systemErrorText()
            TemporaryFiles.remove(inner)
            throw TraceError(
                .outputFailed, file: folder + name, expected: "a place to write the output", found: reason)
        }
        names.append(name)
        let sink = OutputFile.compressing(DescriptorSink(descriptor: descriptor, path: folder + name), name)
        part = (sink, descriptor)
        return sink
    }

    /// Ends the file that was begun last, and returns its size in bytes.
    public func end() throws(TraceError) -> UInt64 {
        guard let part else { return 0 }
        try part.sink.finish()
        var status = stat()
        fstat(part.descriptor, &status)
        close(part.descriptor)
        self.part = nil
        return UInt64(max(0, status.st_size))
    }

    // MARK: - The end

    /// Gives the files their names.
    /// - Throws: `usage` if something has taken a name meanwhile and may not be replaced.
    public func commit() throws(TraceError) {
        var done: [String] = []
        for name in names {
            do throws(TraceError) {
                try move(name)
            } catch {
                // What was there before is gone with -f; otherwise it is as if nothing had been written.
                if !overwrites { for name in done { unlink(folder + name) } }
                throw error
            }
            done.append(name)
        }
        let written = Set(names.map { folder + $0 })
        for path in Self.existing(stem, suffix) where overwrites && !written.contains(path) { unlink(path) }
        rmdir(temporaryPath)
        withdraw()
        isCommitted = true
    }

    private func move(_ name: String) throws(TraceError) {
        let (temporary, final) = ("\(temporaryPath)/\(name)", folder + name)
        if !overwrites { return try FinalName.moveToFreeName(temporary, final) }
        guard rename(temporary, final) == 0 else { throw DescriptorSink.error(final) }
    }
}
