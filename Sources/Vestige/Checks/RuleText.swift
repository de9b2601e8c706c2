import VestigeCore
import Yams

/// The text of a rule file, to point at what is wrong in it.
struct RuleText {
    let path: String
    private let lines: [Substring]

    init(_ text: String, path: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    func error(at mark: TextPlace?, expected: String, found: String) -> TraceError {
        locate(TraceError(.usage, expected: expected, found: found), at: mark)
    }

    /// The same error with its line and column, and the line itself unless it shows something nearer.
    func locate(_ error: TraceError, at mark: TextPlace?) -> TraceError {
        var error = error.adding(file: path)
        guard var mark else { return error }
        // What is missing at the end may be looked for in a line that there is not.
        if mark.line > lines.count {
            mark = TextPlace(line: lines.count, column: (lines.last?.unicodeScalars.count ?? 0) + 1)
        }
        error.context.insert("line \(mark.line), column \(mark.column)", at: 0)
        guard error.excerpt == nil, lines.indices.contains(mark.line - 1) else { return error }
        // Long lines are shown around the place.
        let line = lines[mark.line - 1].unicodeScalars.filter { $0 != "\r" }
        let start = max(0, mark.column - 1 - 60)
        let shown = String(String.UnicodeScalarView(line.dropFirst(start).prefix(120)))
        error.excerpt = "  \(shown)\n  \(String(repeating: " ", count: max(0, mark.column - 1 - start)))^"
        return error
    }

    /// Does something with a value, and points at it if that fails.
    func at<Value>(_ mark: TextPlace?, _ body: () throws(TraceError) -> Value) throws(TraceError) -> Value {
        do throws(TraceError) { return try body() } catch { throw locate(error, at: mark) }
    }
}

/// A line and a column of a text, both from 1.
struct TextPlace {
    var line: Int
    var column: Int

    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}

extension Node {
    var place: TextPlace? { mark.map(TextPlace.init) }
}

/// Reads YAML as a tree of nodes.
enum RuleYAML {
    private static let longestFile = 1 << 20
    /// More could make a tree of very many nodes out of few bytes.
    private static let aliasLimit = 32

    /// - Throws: `usage`, with line and column.
    static func parse(_ bytes: [UInt8], path: String) throws(TraceError) -> (root: Node?, text: RuleText) {
        guard bytes.count <= longestFile else {
            throw TraceError(.usage, file: path, expected: "rules of at most \(longestFile) bytes", found: "more")
        }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            let valid = String(decoding: bytes.prefix(validCount(bytes)), as: UTF8.self)
            let text = RuleText(valid, path: path)
            throw text.error(at: end(of: valid), expected: "UTF-8", found: "other bytes")
        }
        let text = RuleText(string, path: path)
        let aliases = aliasCount(bytes)
        guard aliases <= aliasLimit else {
            throw TraceError(
                .usage, file: path, expected: "at most \(aliasLimit) aliases (*NAME)", found: "\(aliases)")
        }
        do {
            return (try Yams.compose(yaml: string), text)
        } catch let error as YamlError {
            throw Self.error(error, text, string)
        } catch {
            throw TraceError(.usage, file: path, expected: "YAML", found: "something else")
        }
    }

    private static func error(_ error: YamlError, _ text: RuleText, _ string: String) -> TraceError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let where_ = context.map { " \($0.text.trimmed) at line \($0.mark.line)" } ?? ""
            return text.error(at: TextPlace(mark), expected: "YAML", found: "a mistake\(where_): \(problem.trimmed)")
        case .reader(let problem, let offset, _, _):
            let before = string.prefix(offset ?? 0)
            return text.error(at: end(of: String(before)), expected: "YAML", found: problem.trimmed)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.map { "\"\($0)\"" }.joined(separator: ", ")
            return text.error(at: TextPlace(context.mark), expected: "each key once", found: "\(names) more than once")
        default:
            return TraceError(.usage, file: text.path, expected: "YAML", found: "\(error)")
        }
    }

    /// The place behind a text.
    private static func end(of text: String) -> TextPlace {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return TextPlace(line: max(1, lines.count), column: (lines.last?.unicodeScalars.count ?? 0) + 1)
    }

    private static func validCount(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            var index = 0
            while index < buffer.count {
                let length = UTF8Validation.sequenceLength(buffer, at: index)
                if length == 0 { return index }
                index += length
            }
            return index
        }
    }

    /// What looks like an alias, where something looks like an anchor.
    private static func aliasCount(_ bytes: [UInt8]) -> Int {
        var (aliases, anchors) = (0, 0)
        var isStart = true
        for byte in bytes {
            if isStart, byte == UInt8(ascii: "*") { aliases += 1 }
            if isStart, byte == UInt8(ascii: "&") { anchors += 1 }
            isStart = byte <= UInt8(ascii: " ") || "[{,:-?".utf8.contains(byte)
        }
        return anchors == 0 ? 0 : aliases
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
