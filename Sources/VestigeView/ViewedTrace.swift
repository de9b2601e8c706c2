import FoundationEssentials
import Glibc
import Vestige

/// A trace that is ready for a viewer: a file that is one already, or what a recording was converted to.
public struct ViewedTrace: Sendable {
    /// The name for people: that of the file the user gave.
    public let title: String
    /// The name in an address: letters, digits and `._-` only, different for each trace.
    public let name: String
    /// The file to serve.
    public let path: String
    public let format: ViewerFormat
}

/// Makes files ready for a viewer.
public struct TracePreparation {
    /// What recordings are converted to.
    public let target: ViewerFormat
    public var options = OutputOptions()
    /// Which part of recordings is wanted.
    public var query = Query()
    /// Called at most ten times a second.
    public var onProgress: ((Progress) -> Void)?
    /// Called after each conversion, with the file's name.
    public var onConversion: ((String, ConversionResult) -> Void)?
    private let folder: PrivateFolder
    private var names: Set<String> = []

    /// - Parameter folder: where what is converted goes.
    public init(target: ViewerFormat, folder: PrivateFolder) {
        self.target = target
        self.folder = folder
    }

    /// Makes one file ready, `-` for standard input.
    /// - Throws: what a conversion throws; `usage` for a trace in a format that the viewer does not read.
    public mutating func prepare(_ path: String) throws(TraceError) -> ViewedTrace {
        let title = path == "-" ? "standard input" : String(path.split(separator: "/").last ?? "trace")
        if Self.isFile(path) { return try prepare(path, title: title) }
        // A pipe can be read only once.
        let copy = try spool(path)
        do throws(TraceError) {
            return try prepare(copy, title: title)
        } catch {
            var error = error
            if error.file == copy { error.file = path }
            throw error
        }
    }

    private mutating func prepare(_ path: String, title: String) throws(TraceError) -> ViewedTrace {
        if let format = try Self.viewerFormat(of: path) {
            guard query.isEmpty, options.views == nil, options.flows == nil, options.thinning == nil else {
                throw TraceError(
                    .usage, file: path, expected: "a recording, of which a part can be chosen",
                    found: "a trace in a viewer's format, which is shown as it is")
            }
            if target == .chromeJSON, format == .perfetto {
                throw TraceError(
                    .usage, file: path, expected: "a recording or Chrome trace JSON, which is what catapult reads",
                    found: "Perfetto's native format")
            }
            // Viewers know gzip, and no zstd.
            if Self.isZstd(path) {
                return trace(title, try spool(path), format, name: Formats.withoutCompressionSuffix(title))
            }
            return trace(title, path, format, name: title)
        }
        let output = folder.file(named: "\(names.count)\(target.suffix)")
        let format = target == .chromeJSON ? ChromeJSONFormat.format.name : PerfettoFormat.format.name
        var conversion = Conversion(
            inputs: [path], plan: try OutputPlan(inputs: [path], output: output, formatName: format))
        conversion.options = options
        conversion.query = query
        conversion.onProgress = onProgress
        let result = try conversion.run()
        onConversion?(title, result)
        return trace(title, output, target, name: OutputPlan.stem(of: title) + target.suffix)
    }

    private mutating func trace(
        _ title: String, _ path: String, _ format: ViewerFormat, name: String
    ) -> ViewedTrace {
        ViewedTrace(title: title, name: addressName(name), path: path, format: format)
    }

    /// The content of an input, without compression, as a file of its own.
    private func spool(_ path: String) throws(TraceError) -> String {
        let copy = folder.file(named: "\(names.count).input")
        let file = try OutputFile(copy, overwrites: true)
        try InputPath.open(path).copy(to: file.sink)
        try file.commit()
        return copy
    }

    /// A name without what has a meaning in an address, and unlike those before.
    private mutating func addressName(_ name: String) -> String {
        let isSafe = { (character: Character) in
            character.isASCII && (character.isLetter || character.isNumber) || "._-".contains(character)
        }
        var safe = String(name.map { isSafe($0) ? $0 : "_" })
        if safe.hasPrefix(".") { safe = "_" + safe }
        if names.contains(safe) { safe = "\(names.count + 1)-\(safe)" }
        names.insert(safe)
        return safe
    }

    /// Nil for what Vestige reads itself, and for what nobody knows: converting says so best.
    private static func viewerFormat(of path: String) throws(TraceError) -> ViewerFormat? {
        let source = try InputPath.open(path)
        let format = ViewerFormat(prefix: try source.prefix(4096))
        // Any text may hold a goroutine dump, and a profile begins like Perfetto's format.
        if format == .perfetto, (try? Formats.detect(source)) != nil { return nil }
        return format
    }

    private static func isZstd(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var magic: UInt32 = 0
        return read(descriptor, &magic, 4) == 4 && UInt32(littleEndian: magic) == 0xfd2f_b528
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        guard path != "-", stat(path, &status) == 0 else { return path != "-" }
        return [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
    }
}
