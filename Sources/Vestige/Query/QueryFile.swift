import FoundationEssentials
import Glibc
import VestigeCore
import VestigeStages

extension Query {
    /// Adds an expression, which must hold too.
    /// - Throws: `usage`, with an excerpt that points at what is wrong.
    public mutating func add(expression text: String) throws(TraceError) {
        conditions.append(try QueryParser.parse(text))
    }

    /// Adds what a file asks for: an expression with comments, or a JSON object of options.
    /// - Throws: `unreadable` for a file that cannot be read, `usage` for what is wrong in it.
    public mutating func add(file path: String) throws(TraceError) {
        let source = try ByteSource.open(path)
        let bytes = try source.prefix(Self.longestFile + 1)
        guard bytes.count <= Self.longestFile, let text = String(validating: bytes, as: UTF8.self) else {
            throw TraceError(
                .usage, file: path, expected: "a query, as text of at most \(Self.longestFile) bytes",
                found: bytes.count > Self.longestFile ? "more" : "bytes that are not UTF-8")
        }
        do throws(TraceError) {
            if text.first(where: { !$0.isWhitespace }) == "{" {
                try QuerySettings(json: bytes).apply(to: &self)
            } else {
                try add(expression: text)
            }
        } catch {
            throw error.adding(file: path)
        }
    }

    private static let longestFile = 1 << 20

    /// Refuses what makes no sense whatever the recording is.
    public func check() throws(TraceError) {
        if minDurationNanoseconds > 0, regions.isEmpty, tasks.isEmpty, states.isEmpty, reasons.isEmpty, around.isEmpty {
            throw TraceError(
                .usage, expected: "--region, --task, --state, --reason or --around beside --min-duration",
                found: "none of them (in an expression: state == waiting for 10ms)")
        }
        if marginNanoseconds > 0, around.isEmpty {
            throw TraceError(.usage, expected: "--around beside --margin", found: "none")
        }
        if isTooLarge {
            throw TraceError(.usage, expected: "at most \(Query.conditionLimit) conditions", found: "more")
        }
        let isClosed = includesDescendants || relatedHops > 0
        if isClosed, goroutines.isEmpty, functions.isEmpty, regions.isEmpty, tasks.isEmpty, labels.isEmpty,
            conditions.isEmpty
        {
            throw TraceError(
                .usage,
                expected: "goroutines to start from (--goroutine, --function, --region, --task, --label or "
                    + "--where) beside --descendants and --related", found: "none")
        }
    }
}

/// The options of a query as a JSON object: names as on the command line, without dashes in front.
private struct QuerySettings: Decodable {
    private var values: [String: Value]

    /// A string, a number, true or false, or a list of strings and numbers.
    private enum Value: Decodable {
        case texts([String])
        case flag(Bool)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let list = try? container.decode([Scalar].self) {
                self = .texts(list.map(\.text))
            } else {
                self = .texts([try container.decode(Scalar.self).text])
            }
        }
    }

    private struct Scalar: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else {
                text = String(try container.decode(Int64.self))
            }
        }
    }

    private static let names = [
        "from", "to", "around", "margin", "goroutine", "function", "region", "task", "label", "state", "reason", "kind",
        "min-duration", "descendants", "related", "where",
    ]

    init(from decoder: any Decoder) throws { values = try decoder.singleValueContainer().decode([String: Value].self) }

    init(json bytes: [UInt8]) throws(TraceError) {
        do {
            self = try JSONDecoder().decode(QuerySettings.self, from: Data(bytes))
        } catch {
            throw TraceError(
                .usage,
                expected: "a JSON object whose values are strings, whole numbers, lists of these, true or false",
                found: "something else")
        }
    }

    func apply(to query: inout Query) throws(TraceError) {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard Self.names.contains(name) else {
                throw Suggestion.unknown(name, kind: "query option", among: Self.names)
            }
            switch value {
            case .flag(let flag): try set(name, flag, &query)
            case .texts(let texts):
                if ["from", "to", "margin", "min-duration", "related"].contains(name), texts.count != 1 {
                    throw TraceError(.usage, expected: "one value for \"\(name)\"", found: "\(texts.count)")
                }
                for text in texts { try query.set(name, to: text) }
            }
        }
    }

    private func set(_ name: String, _ flag: Bool, _ query: inout Query) throws(TraceError) {
        switch name {
        case "descendants": query.includesDescendants = flag
        case "related": query.relatedHops = flag ? 1 : 0
        default: throw TraceError(.usage, expected: "a string, a number or a list for \"\(name)\"", found: "\(flag)")
        }
    }
}

extension Query {
    /// Sets an option of this name, or adds to those that may be repeated.
    /// - Throws: `usage` for a value that makes no sense.
    public mutating func set(_ name: String, to text: String) throws(TraceError) {
        let option = "--\(name)"
        switch name {
        case "from": from = try QueryValue.time(text, of: option)
        case "to": to = try QueryValue.time(text, of: option)
        case "around": around.append(Glob(text))
        case "margin": marginNanoseconds = try QueryValue.duration(text, of: option)
        case "goroutine": goroutines += try QueryValue.goroutines(text, of: option)
        case "function": functions.append(Glob(text))
        case "region": regions.append(Glob(text))
        case "task": tasks.append(Glob(text))
        case "label": labels.append(Glob(text))
        case "state": states += try QueryValue.states(text, of: option)
        case "reason": reasons.append(Glob(text))
        case "kind": kinds.formUnion(try QueryValue.kinds(text, of: option))
        case "min-duration": minDurationNanoseconds = try QueryValue.duration(text, of: option)
        case "related": relatedHops = try QueryValue.count(text, of: option)
        case "where": try add(expression: text)
        default: throw TraceError(.usage, expected: "true or false for \"\(name)\"", found: "\"\(text)\"")
        }
    }
}
