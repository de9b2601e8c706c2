import Vestige

/// A JSON object that keeps the order in which its members are added. Members that are nil are left out.
final class JSONObject {
    private var members: [String] = []

    var text: String { "{\(members.joined(separator: ","))}" }

    func add(_ name: String, _ value: String?) { if let value { append(name, Self.quoted(value)) } }
    func add(_ name: String, _ value: Int64?) { if let value { append(name, String(value)) } }
    func add(_ name: String, _ value: UInt64) { append(name, String(value)) }
    func add(_ name: String, _ value: Bool) { append(name, value ? "true" : "false") }
    func add(_ name: String, _ value: [String]) {
        append(name, "[\(value.map(Self.quoted).joined(separator: ","))]")
    }
    func add(_ name: String, _ value: [Int64]) { append(name, "[\(value.map(String.init).joined(separator: ","))]") }
    func add(_ name: String, _ value: [JSONObject]) {
        append(name, "[\(value.map(\.text).joined(separator: ","))]")
    }
    func add(_ name: String, _ value: JSONObject) { append(name, value.text) }

    private func append(_ name: String, _ value: String) { members.append("\(Self.quoted(name)):\(value)") }

    private static func quoted(_ text: String) -> String {
        let sink = MemorySink()
        let buffer = TextBuffer(sink, capacity: 256)
        defer { buffer.deallocate() }
        buffer.appendJSONString(text)
        try? buffer.flush()
        return String(decoding: sink.bytes, as: UTF8.self)
    }
}
