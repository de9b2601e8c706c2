import FoundationEssentials
import VestigeCore

/// A field's name; any will do.
struct JSONField: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init(stringLiteral value: String) { stringValue = value }
    init?(intValue: Int) { nil }
}

/// The fields of one line, by the types of the IR.
struct JSONFields {
    let values: KeyedDecodingContainer<JSONField>
    let state: JSONLinesState

    init(_ values: KeyedDecodingContainer<JSONField>, state: JSONLinesState) {
        self.values = values
        self.state = state
    }

    /// The value of a field, or nil where it is null or missing.
    func optional<Value: Decodable>(_ field: JSONField) throws -> Value? {
        do {
            return try values.decodeIfPresent(Value.self, forKey: field)
        } catch {
            throw LineDefect(error, expected: "\(Value.self)", inField: field.stringValue)
        }
    }

    /// The value of a field that must be there.
    func required<Value: Decodable>(_ field: JSONField) throws -> Value {
        if let value: Value = try optional(field) { return value }
        return try values.decode(Value.self, forKey: field)
    }

    /// A string, exactly: by its bytes in `FIELD_hex` where it is not UTF-8. Empty where it is missing.
    func string(_ field: JSONField) throws -> StringID {
        let exact = JSONField(stringValue: field.stringValue + "_hex")
        if values.contains(exact) { return try bytes(exact) }
        return state.tables.strings.intern(try optional(field) ?? "")
    }

    /// Bytes in hexadecimal.
    func bytes(_ field: JSONField) throws -> StringID {
        let text: String = try required(field)
        guard let bytes = Self.bytes(hex: text) else {
            throw LineDefect(
                expected: "pairs of hexadecimal digits in field \(field.stringValue)", found: "\"\(text.prefix(40))\"")
        }
        return bytes.withUnsafeBytes { state.tables.strings.intern($0) }
    }

    private static func bytes(hex text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 2)
        var high: UInt8?
        for character in text.utf8 {
            guard let digit = digit(character) else { return nil }
            if let first = high { bytes.append(first << 4 | digit) }
            high = high == nil ? digit : nil
        }
        return high == nil ? bytes : nil
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// A task, or none where it is null or missing.
    func task(_ field: JSONField) throws -> TaskID {
        try optional(field).map { TaskID($0) } ?? .absent
    }

    /// One of a set of names.
    func choice<Choice>(_ field: JSONField, _ choices: [String: Choice]) throws -> Choice {
        let name: String = try required(field)
        if let choice = choices[name] { return choice }
        throw LineDefect(
            expected: "one of \(choices.keys.sorted().joined(separator: ", ")) in field \(field.stringValue)",
            found: "\"\(name.prefix(40))\"")
    }

    // MARK: - Stacks

    /// An event's stack: by number where its `Stack` line was there, else by the readable list.
    func stack(_ list: JSONField, _ number: JSONField) throws -> StackID {
        if let number: UInt64 = try optional(number) {
            if let stack = state.stack(numbered: number) { return stack }
            state.noteUnresolvedStack()
        }
        guard let lines: [String] = try optional(list) else { return .absent }
        let frames = lines.map { FrameText($0).frame(in: state.tables.strings) }
        return state.tables.stacks.intern(innermostFirst: frames)
    }

    /// The frames of a `Stack` line.
    func exactStack() throws -> StackID {
        var list = try values.nestedUnkeyedContainer(forKey: "frames")
        var frames: [Frame] = []
        while !list.isAtEnd {
            let fields = JSONFields(try list.nestedContainer(keyedBy: JSONField.self), state: state)
            frames.append(try fields.frame())
        }
        return state.tables.stacks.intern(innermostFirst: frames)
    }

    /// The frame that these fields are.
    func frame() throws -> Frame {
        Frame(
            programCounter: try optional("pc") ?? 0, function: try string("func"), file: try string("file"),
            line: try optional("line") ?? 0)
    }

    // MARK: - Experiments

    /// The arguments of an experimental event in the order of the line. The decoder forgets the order
    /// of an object's fields, so it is looked up in the text.
    func arguments() throws -> [(name: String, value: UInt64)] {
        let arguments: [String: UInt64] = try optional("args") ?? [:]
        if arguments.count > 3 { return arguments.map { ($0.key, $0.value) } }
        let begin = state.line.firstRange(of: Data("\"args\"".utf8))?.upperBound ?? state.line.startIndex
        let placed = arguments.map { name, value in
            (place: place(of: name, from: begin), name: name, value: value)
        }
        return placed.sorted { ($0.place, $0.name) < ($1.place, $1.name) }.map { ($0.name, $0.value) }
    }

    /// Where a name stands as it is, which those of Go's experiments do; others come last.
    private func place(of name: String, from begin: Data.Index) -> Data.Index {
        state.line[begin...].firstRange(of: Data("\"\(name)\"".utf8))?.lowerBound ?? Data.Index.max
    }
}
