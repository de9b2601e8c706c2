import Foundation
import VestigeTestSupport

/// The messages of `Schemas/perfetto/trace.proto`: a reader of just as much of the language as it uses.
struct ProtoSchema {
    struct Field {
        var name: String
        var type: String
        var isRepeated: Bool
        var isPacked: Bool
    }

    /// By name of the message: its fields by number.
    private(set) var messages: [String: [Int: Field]] = [:]

    static let perfetto = try! ProtoSchema(path: "\(PackagePaths.root)/Schemas/perfetto/trace.proto")

    init(path: String) throws {
        var open: [String] = []
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            let code = line.components(separatedBy: "//")[0]
            let words = code.split(whereSeparator: { " ;=[]".contains($0) }).map(String.init)
            if words.first == "message" {
                open.append(words[1])
                messages[words[1]] = [:]
            } else if words.first == "}" {
                open.removeLast()
            } else if let message = open.last, words.count >= 4, let number = Int(words[3]) {
                messages[message]![number] = Field(
                    name: words[2], type: words[1], isRepeated: words[0] == "repeated",
                    isPacked: words.contains("packed"))
            }
        }
    }
}

/// A message as decoded by a schema: every field a list of values.
struct ProtoMessage {
    enum Value {
        case number(UInt64)
        case bytes([UInt8])
        case message(ProtoMessage)
    }

    struct Malformed: Error { var what: String }

    private(set) var fields: [String: [Value]] = [:]

    /// - Throws: `Malformed` for anything that the schema does not allow.
    init(_ bytes: ArraySlice<UInt8>, _ type: String, _ schema: ProtoSchema = .perfetto) throws {
        guard let known = schema.messages[type] else { throw Malformed(what: "no message \(type)") }
        var rest = bytes
        while !rest.isEmpty {
            let tag = try Self.varint(&rest)
            guard let field = known[Int(tag >> 3)] else { throw Malformed(what: "\(type) has no field \(tag >> 3)") }
            let values = try Self.values(field, wireType: tag & 7, &rest, schema)
            if !field.isRepeated, fields[field.name] != nil { throw Malformed(what: "\(type).\(field.name) twice") }
            fields[field.name, default: []] += values
        }
    }

    private static func values(
        _ field: ProtoSchema.Field, wireType: UInt64, _ rest: inout ArraySlice<UInt8>, _ schema: ProtoSchema
    ) throws -> [Value] {
        let isText = field.type == "string" || field.type == "bytes"
        let expected: UInt64 =
            field.type == "fixed64" ? 1 : isText || field.isPacked || schema.messages[field.type] != nil ? 2 : 0
        guard wireType == expected else { throw Malformed(what: "\(field.name) has wire type \(wireType)") }
        if expected == 0 { return [.number(try varint(&rest))] }
        let length = expected == 1 ? 8 : Int(try varint(&rest))
        guard rest.count >= length else { throw Malformed(what: "\(field.name) is cut off") }
        var content = rest.prefix(length)
        rest = rest.dropFirst(length)
        if expected == 1 { return [.number(content.reversed().reduce(0) { $0 << 8 | UInt64($1) })] }
        if field.isPacked {
            var values: [Value] = []
            while !content.isEmpty { values.append(.number(try varint(&content))) }
            return values
        }
        guard isText else { return [.message(try ProtoMessage(content, field.type, schema))] }
        if field.type == "string", String(validating: content, as: UTF8.self) == nil {
            throw Malformed(what: "\(field.name) is not UTF-8")
        }
        return [.bytes(Array(content))]
    }

    static func varint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw Malformed(what: "a number is cut off") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw Malformed(what: "a number of more than ten bytes")
    }

    func numbers(_ name: String) -> [UInt64] {
        (fields[name] ?? []).map { if case .number(let value) = $0 { value } else { 0 } }
    }
    func messages(_ name: String) -> [ProtoMessage] {
        (fields[name] ?? []).compactMap { if case .message(let value) = $0 { value } else { nil } }
    }
    func number(_ name: String) -> UInt64? { numbers(name).first }
    func message(_ name: String) -> ProtoMessage? { messages(name).first }
    func bytes(_ name: String) -> [UInt8]? {
        if case .bytes(let value)? = fields[name]?.first { value } else { nil }
    }
    func text(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }
}
