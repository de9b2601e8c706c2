import VestigeCore

/// One word of an expression, and where it stands in the text (in UTF-8 bytes).
struct QueryToken: Equatable {
    enum Kind: Equatable {
        /// A name, number or keyword, as it stands.
        case word
        /// In quotes.
        case string
        /// `(`, `)`, `,` or a comparison.
        case symbol
        case end
    }

    var kind: Kind
    var text: String
    var position: Int
}

/// Cuts an expression into words.
struct QueryTokens {
    private let text: [UInt8]
    private var position = 0

    init(_ text: String) { self.text = Array(text.utf8) }

    mutating func next() throws(TraceError) -> QueryToken {
        skipBlank()
        guard position < text.count else { return QueryToken(kind: .end, text: "", position: position) }
        let start = position
        switch text[position] {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","):
            position += 1
            return token(.symbol, from: start)
        case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "<"), UInt8(ascii: ">"):
            position += position + 1 < text.count && text[position + 1] == UInt8(ascii: "=") ? 2 : 1
            return token(.symbol, from: start)
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            return try string(text[position])
        default:
            while position < text.count, !Self.endsWord(text[position]) { position += 1 }
            return token(.word, from: start)
        }
    }

    private func token(_ kind: QueryToken.Kind, from start: Int) -> QueryToken {
        QueryToken(kind: kind, text: String(decoding: text[start..<position], as: UTF8.self), position: start)
    }

    /// Everything up to the same quote; a quote itself is written twice.
    private mutating func string(_ quote: UInt8) throws(TraceError) -> QueryToken {
        let start = position
        var content: [UInt8] = []
        position += 1
        while position < text.count {
            if text[position] == quote {
                position += 1
                guard position < text.count, text[position] == quote else {
                    return QueryToken(
                        kind: .string, text: String(decoding: content, as: UTF8.self), position: start)
                }
            }
            content.append(text[position])
            position += 1
        }
        throw error(at: start, expected: "a closing quote", found: "the end of the expression")
    }

    /// Blanks, and comments from # to the end of the line.
    private mutating func skipBlank() {
        while position < text.count {
            if text[position] == UInt8(ascii: "#") {
                while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
            } else if text[position] > UInt8(ascii: " ") {
                return
            } else {
                position += 1
            }
        }
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        byte <= UInt8(ascii: " ") || "()',\"=!<>#".utf8.contains(byte)
    }

    /// An error that shows the line and points at a place in it.
    func error(at position: Int, expected: String, found: String) -> TraceError {
        let before = text[..<min(position, text.count)]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let lineEnd = text[lineStart...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
        let line = String(decoding: text[lineStart..<lineEnd], as: UTF8.self)
        let column = String(decoding: text[lineStart..<min(position, text.count)], as: UTF8.self).count
        let number = before.count { $0 == UInt8(ascii: "\n") } + 1
        let place = text.contains(UInt8(ascii: "\n")) ? "line \(number), column \(column + 1)" : "column \(column + 1)"
        var error = TraceError(.usage, context: [place], expected: expected, found: found)
        error.excerpt = "  \(line)\n  \(String(repeating: " ", count: column))^"
        return error
    }
}
