import VestigeCore
import VestigeReaders

extension Formats {
    /// How much of an input detection looks at, in bytes.
    static let sniffLength = 4096

    /// Finds an input's format by its content; the suffix of its name only breaks ties.
    /// - Throws: `unreadable`, naming the formats there are and what the input begins with.
    public static func detect(_ source: ByteSource) throws(TraceError) -> InputFormat {
        let prefix = try source.prefix(sniffLength)
        if prefix.isEmpty {
            if let damage = source.damage { throw damage }
            throw TraceError(.unreadable, file: source.path, expected: expectation, found: "an empty file")
        }
        let results = inputs.map { format in (format, prefix.withUnsafeBytes { format.sniff($0) }) }
        let certain = results.filter { $0.1 == .yes }.map(\.0)
        if certain.allSatisfy({ $0.name == GoroutineDumpFormat.format.name }) {
            try refuseViewers(prefix, source.path)
        }
        // An input that ends within its header: its reader knows best how to say so.
        let possible = results.filter { $0.1 == .needMore }.map(\.0)
        if let format = best(certain, for: source.path) ?? best(possible, for: source.path) { return format }
        if let damage = source.damage { throw damage }
        throw TraceError(.unreadable, file: source.path, expected: expectation, found: describe(prefix))
    }

    /// (Any text may hold a dump, so this one says what else it is.)
    /// - Throws: `unreadable` for what is made for viewers, and holds less than it was made from.
    private static func refuseViewers(_ prefix: [UInt8], _ path: String) throws(TraceError) {
        let found: String
        switch ViewerFormat(prefix: prefix) {
        case .chromeJSON? where String(decoding: prefix, as: UTF8.self).contains("\"traceEvents\""):
            found = "Chrome trace JSON"
        case .perfetto?: found = "Perfetto's native format"
        default: return
        }
        throw TraceError(
            .unreadable, file: path, expected: "a recording",
            found: "\(found), which is made for viewers (`vestige view` shows it); "
                + "take the recording that it was made from")
    }

    private static func best(_ formats: [InputFormat], for path: String) -> InputFormat? {
        let path = withoutCompressionSuffix(path).lowercased()
        return formats.first { $0.suffixes.contains(where: path.hasSuffix) } ?? formats.first
    }

    private static var expectation: String {
        "one of the formats \(inputs.map(\.name).joined(separator: ", ")) (see `vestige formats`)"
    }

    /// What the first bytes look like, in words. Text is that which is UTF-8 without control
    /// characters, but for a character that the prefix cuts.
    static func describe(_ prefix: [UInt8]) -> String {
        let start = Array(prefix.prefix(48))
        var length = 0
        start.withUnsafeBufferPointer { bytes in
            while length < bytes.count {
                let step = UTF8Validation.sequenceLength(bytes, at: length)
                let isControl = bytes[length] < 0x20 && !(0x09...0x0d).contains(bytes[length])
                if step == 0 || isControl || bytes[length] == 0x7f { break }
                length += step
            }
        }
        if length >= start.count - 3, length > 0 {
            let text = String(decoding: start.prefix(length), as: UTF8.self)
            let firstLine = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
            return "text beginning with \"\(firstLine)\""
        }
        let hex = start.prefix(16).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "binary data beginning with hex \(hex.joined(separator: " "))"
    }
}
