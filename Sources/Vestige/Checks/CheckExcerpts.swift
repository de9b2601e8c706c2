import Glibc
import VestigeCore
import VestigeStages

/// Writes counterexamples as small traces for a viewer, each with what its goroutines did while the rule was broken.
public struct CheckExcerpts {
    public let folder: String
    public let format: OutputFormat
    /// Whether files that exist may be replaced.
    public let overwrites: Bool
    /// What the names of the files begin with.
    public var prefix = ""

    /// - Throws: `usage` for a format that is no single file; `outputFailed` if the folder cannot be made.
    public init(folder: String, formatName: String?, overwrites: Bool) throws(TraceError) {
        self.folder = folder
        self.overwrites = overwrites
        format = try Formats.output(named: formatName ?? PerfettoFormat.format.name)
        guard format.shape == .file else {
            let names = Formats.outputs.filter { $0.shape == .file }.map(\.name).joined(separator: ", ")
            throw TraceError(
                .usage, expected: "a format that is one file for --excerpt-dir (\(names))", found: format.name)
        }
        try Self.make(folder)
    }

    private static func make(_ folder: String) throws(TraceError) {
        var path = folder.hasPrefix("/") ? "/" : ""
        for part in folder.split(separator: "/") {
            path += "\(part)/"
            if mkdir(path, 0o777) != 0, errno != EEXIST {
                throw TraceError(
                    .outputFailed, file: folder, expected: "a folder for excerpts", found: systemErrorText())
            }
        }
        guard OutputPlan.isFolder(folder) else {
            throw TraceError(.usage, file: folder, expected: "a folder for excerpts", found: "a file")
        }
    }

    /// Writes all counterexamples of a result.
    /// - Returns: their paths, by rule and counterexample.
    func write(_ result: CheckResult, _ reading: CheckReading) throws(TraceError) -> [[String]] {
        var paths: [[String]] = []
        for (index, finding) in result.findings.enumerated() {
            var written: [String] = []
            for (number, example) in finding.examples.enumerated() {
                let name = "\(prefix)\(index + 1)-\(Self.fileName(finding.rule.name))-\(number + 1)\(format.suffix)"
                let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
                try write(example, to: path, result, reading)
                written.append(path)
            }
            paths.append(written)
        }
        return paths
    }

    private func write(
        _ example: CounterExample, to path: String, _ result: CheckResult, _ reading: CheckReading
    ) throws(TraceError) {
        let input = try reading.open(Self.query(example, result))
        let file = try OutputFile(path, overwrites: overwrites)
        let writer = try format.make(ExcerptTarget(file), OutputOptions())
        try input.readAll { events throws(TraceError) in try writer.write(events, tables: input.tables) }
        try writer.finish(tables: input.tables)
        try file.commit()
    }

    /// A little more than the counterexample, so that its ends are seen as such.
    private static func query(_ example: CounterExample, _ result: CheckResult) -> Query {
        let length = example.endNanoseconds.subtractingReportingOverflow(example.startNanoseconds)
        let margin = max(length.overflow ? 0 : length.partialValue / 10, 1000)
        var query = Query()
        query.from = .clock(max(result.reading.firstNanoseconds, example.startNanoseconds.addingSaturating(-margin)))
        query.to = .clock(example.endNanoseconds.addingSaturating(margin).addingSaturating(1))
        for goroutine in example.goroutines {
            let id = goroutine.rawValue
            if let last = query.goroutines.last, last.upperBound == id - 1 {
                query.goroutines[query.goroutines.count - 1] = last.lowerBound...id
            } else {
                query.goroutines.append(id...id)
            }
        }
        return query
    }

    /// Letters and digits of a name, with dashes between.
    public static func fileName(_ name: String) -> String {
        var result = ""
        for byte in name.utf8 {
            let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            if isLetter || isDigit {
                result.unicodeScalars.append(Unicode.Scalar(isLetter ? byte | 0x20 : byte))
            } else if !result.isEmpty, !result.hasSuffix("-") {
                result += "-"
            }
            if result.utf8.count == 60 { break }
        }
        if result.hasSuffix("-") { result.removeLast() }
        return result.isEmpty ? "rule" : result
    }
}

private final class ExcerptTarget: OutputTarget {
    private let file: OutputFile

    init(_ file: OutputFile) { self.file = file }

    var isFolder: Bool { false }
    var path: String { file.path }
    func sink(named name: String?) -> any ByteSink { file.sink }
    func commit() {}
}
