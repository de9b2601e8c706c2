import VestigeCore
import VestigeStages

/// Reads an expression; `docs/query.md` has its grammar.
struct QueryParser {
    private var tokens: QueryTokens
    private var token = QueryToken(kind: .end, text: "", position: 0)
    private var depth = 0
    private var conditionCount = 0

    private static let fields = [
        "time", "kind", "goroutine", "function", "region", "task", "label", "state", "reason",
    ]
    private static let depthLimit = 50

    /// - Throws: `usage`, with an excerpt that points at what is wrong.
    static func parse(_ text: String) throws(TraceError) -> QueryExpression {
        var parser = QueryParser(tokens: QueryTokens(text))
        try parser.advance()
        let expression = try parser.disjunction()
        guard parser.token.kind == .end else {
            throw parser.error(expected: "and, or, or the end of the expression")
        }
        return expression
    }

    private init(tokens: QueryTokens) { self.tokens = tokens }

    private mutating func advance() throws(TraceError) { token = try tokens.next() }

    private func error(expected: String, hint: String? = nil) -> TraceError {
        let found = token.kind == .end ? "the end of the expression" : "\"\(token.text)\""
        let note = hint.map { "; did you mean \($0)?" } ?? ""
        return tokens.error(at: token.position, expected: expected, found: found + note)
    }

    private func isKeyword(_ word: String) -> Bool { token.kind == .word && token.text.lowercased() == word }
    private func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol && token.text == symbol }

    // MARK: - and, or, not

    private mutating func disjunction() throws(TraceError) -> QueryExpression {
        var parts = [try conjunction()]
        while isKeyword("or") {
            try advance()
            parts.append(try conjunction())
        }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(TraceError) -> QueryExpression {
        var parts = [try negation()]
        while isKeyword("and") {
            try advance()
            parts.append(try negation())
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func negation() throws(TraceError) -> QueryExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw error(expected: "at most \(Self.depthLimit) parentheses and nots within each other")
        }
        if isKeyword("not") {
            try advance()
            return .not(try negation())
        }
        guard isSymbol("(") else { return try comparison() }
        try advance()
        let inner = try disjunction()
        guard isSymbol(")") else { throw error(expected: "and, or, or a closing parenthesis") }
        try advance()
        return inner
    }

    // MARK: - Comparisons

    private mutating func comparison() throws(TraceError) -> QueryExpression {
        let field = token.text.lowercased()
        guard token.kind == .word, Self.fields.contains(field) else {
            let hint = token.kind == .word ? Suggestion.nearest(to: field, among: Self.fields) : nil
            throw error(expected: "a field (\(Self.fields.joined(separator: ", "))), not, or a parenthesis", hint: hint)
        }
        conditionCount += 1
        guard conditionCount <= Query.conditionLimit else {
            throw error(expected: "at most \(Query.conditionLimit) conditions")
        }
        try advance()
        if field == "time" { return try timeComparison() }
        let isNegated = isSymbol("!=")
        let values: [QueryToken]
        if isKeyword("in") {
            try advance()
            values = try list()
        } else {
            guard isNegated || isSymbol("==") || isSymbol("=") else {
                throw error(expected: "==, != or in behind \(field)")
            }
            try advance()
            values = [try value(of: field)]
        }
        let condition = QueryExpression.condition(try condition(field, values))
        return isNegated ? .not(condition) : condition
    }

    private mutating func value(of field: String) throws(TraceError) -> QueryToken {
        guard token.kind == .word || token.kind == .string else { throw error(expected: "a value of \(field)") }
        let value = token
        try advance()
        return value
    }

    private mutating func list() throws(TraceError) -> [QueryToken] {
        guard isSymbol("(") else { throw error(expected: "a list in parentheses behind in") }
        var values: [QueryToken] = []
        repeat {
            try advance()
            values.append(try value(of: "the list"))
        } while isSymbol(",")
        guard isSymbol(")") else { throw error(expected: "a comma or a closing parenthesis") }
        try advance()
        return values
    }

    private mutating func timeComparison() throws(TraceError) -> QueryExpression {
        let comparison: QueryCondition.Comparison? =
            switch token.kind == .symbol ? token.text : "" {
            case "<": .less
            case "<=": .lessOrEqual
            case ">": .greater
            case ">=": .greaterOrEqual
            case "==", "=": .equal
            default: nil
            }
        guard let comparison else { throw error(expected: "<, <=, >, >= or == behind time") }
        try advance()
        let time = try value(of: "time")
        let bound = try at(time) { () throws(TraceError) in try QueryValue.time(time.text, of: "time") }
        return .condition(.time(comparison, bound))
    }

    private mutating func condition(_ field: String, _ values: [QueryToken]) throws(TraceError) -> QueryCondition {
        let globs = values.map { Glob($0.text) }
        switch field {
        case "kind":
            var kinds = Set<EventKind>()
            for value in values {
                kinds.formUnion(try at(value) { () throws(TraceError) in try QueryValue.kinds(value.text, of: field) })
            }
            return .kind(kinds)
        case "goroutine":
            var ranges: [ClosedRange<Int64>] = []
            for value in values {
                ranges += try at(value) { () throws(TraceError) in try QueryValue.goroutines(value.text, of: field) }
            }
            return .goroutine(ranges)
        case "state":
            var states: [GoroutineState] = []
            for value in values {
                states += try at(value) { () throws(TraceError) in try QueryValue.states(value.text, of: field) }
            }
            return .state(states, lasting: try duration())
        case "reason": return .reason(globs, lasting: try duration())
        case "region": return .region(globs, lasting: try duration())
        case "task": return .task(globs, lasting: try duration())
        case "label": return .label(globs)
        default: return .function(globs)
        }
    }

    /// `for 10ms`, if it is there.
    private mutating func duration() throws(TraceError) -> Int64 {
        guard isKeyword("for") else { return 0 }
        try advance()
        let text = try value(of: "for")
        return try at(text) { () throws(TraceError) in try QueryValue.duration(text.text, of: "for") }
    }

    /// Points at the value that an error is about.
    private func at<Value>(
        _ value: QueryToken, _ body: () throws(TraceError) -> Value
    ) throws(TraceError) -> Value {
        do throws(TraceError) {
            return try body()
        } catch {
            throw tokens.error(at: value.position, expected: error.expected, found: error.found)
        }
    }
}
