import Foundation

/// Checks values against a JSON Schema, as far as the schemas of this repository go: a keyword that
/// it does not know is a defect, so none is passed over.
public struct JSONSchemaCheck {
    private let root: JSONValue

    public init(contentsOf url: URL) throws {
        root = try JSONValue(String(contentsOf: url, encoding: .utf8))
    }

    /// What is wrong with a value; empty if nothing is.
    public func defects(of value: JSONValue) -> [String] { defects(value, root) }

    /// The fields of an object that no schema says anything of, with those of the schemas it refers to.
    public func undescribedFields(of value: JSONValue) -> [String] {
        guard let kind = value["kind"]?.string, let schema = root["$defs"]?[kind] else { return ["kind"] }
        return value.object.keys.filter { !describes(schema, $0) }.sorted()
    }

    private func describes(_ schema: JSONValue, _ field: String) -> Bool {
        let schema = resolved(schema)
        if schema["properties"]?[field] != nil { return true }
        if schema["patternProperties"]?.object.keys.contains(where: { matches(field, $0) }) == true { return true }
        return schema["allOf"]?.array.contains { describes($0, field) } ?? false
    }

    private func resolved(_ schema: JSONValue) -> JSONValue {
        guard let reference = schema["$ref"]?.string else { return schema }
        return reference.split(separator: "/").dropFirst().reduce(root) { $0[String($1)] ?? .null }
    }

    private func defects(_ value: JSONValue, _ schema: JSONValue) -> [String] {
        if schema == .bool(false) { return ["\(value) must not be there"] }
        return schema.object.flatMap { keyword, rule -> [String] in
            switch keyword {
            case "$ref": defects(value, resolved(schema))
            case "allOf": rule.array.flatMap { defects(value, $0) }
            case "oneOf":
                rule.array.filter { defects(value, $0).isEmpty }.count == 1 ? [] : ["matches not just one of oneOf"]
            case "properties", "patternProperties", "required", "additionalProperties", "maxProperties":
                objectDefects(value.object, keyword, rule, schema)
            case "items": value.array.flatMap { defects($0, rule) }
            case "$schema", "$defs", "title", "description": []
            default: isValid(value, keyword, rule) ? [] : ["\(value) breaks \(keyword): \(rule)"]
            }
        }
    }

    private func objectDefects(
        _ fields: [String: JSONValue], _ keyword: String, _ rule: JSONValue, _ schema: JSONValue
    ) -> [String] {
        switch keyword {
        case "properties":
            rule.object.flatMap { name, schema in fields[name].map { defects($0, schema) } ?? [] }
        case "patternProperties":
            rule.object.flatMap { pattern, schema in
                fields.filter { matches($0.key, pattern) }.flatMap { defects($0.value, schema) }
            }
        case "required": rule.array.compactMap(\.string).filter { fields[$0] == nil }.map { "\($0) is missing" }
        case "maxProperties": Double(fields.count) <= rule.double ?? 0 ? [] : ["too many fields"]
        default:
            fields.filter { schema["properties"]?[$0.key] == nil }.flatMap { defects($0.value, rule) }
        }
    }

    private func isValid(_ value: JSONValue, _ keyword: String, _ rule: JSONValue) -> Bool {
        switch keyword {
        case "type": (rule.string.map { [.string($0)] } ?? rule.array).contains { isOfType(value, $0.string ?? "") }
        case "const": value == rule
        case "enum": rule.array.contains(value)
        case "minimum": value.double.map { $0 >= rule.double! } ?? true
        case "maximum": value.double.map { $0 <= rule.double! } ?? true
        case "pattern": value.string.map { matches($0, rule.string!) } ?? true
        default: false
        }
    }

    private func isOfType(_ value: JSONValue, _ type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .integer, .large: type == "integer" || type == "number"
        case .number: type == "number"
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    private func matches(_ text: String, _ pattern: String) -> Bool {
        text.range(of: pattern, options: .regularExpression) != nil
    }
}
