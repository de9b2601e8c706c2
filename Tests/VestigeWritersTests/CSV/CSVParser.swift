/// A strict reader of RFC 4180, written for the tests alone: lines end in CR LF, and a quote stands
/// only around a field or doubled within one.
struct CSVParser {
    struct Malformed: Error {
        let offset: Int
        let reason: String
    }

    static func rows(_ bytes: [UInt8]) throws -> [[String]] {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Malformed(offset: 0, reason: "not UTF-8") }
        var parser = CSVParser(bytes: bytes)
        return try parser.rows()
    }

    private let bytes: [UInt8]
    private var offset = 0

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func rows() throws -> [[String]] {
        var rows: [[String]] = []
        while offset < bytes.count {
            var row = [try field()]
            while next(",") { row.append(try field()) }
            guard next("\r"), next("\n") else { throw Malformed(offset: offset, reason: "no line end after a field") }
            rows.append(row)
        }
        return rows
    }

    private mutating func field() throws -> String {
        if next("\"") { return try quotedField() }
        let start = offset
        scan: while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: ","), 0x0d, 0x0a: break scan
            case UInt8(ascii: "\""): throw Malformed(offset: offset, reason: "a bare quote")
            default: offset += 1
            }
        }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func quotedField() throws -> String {
        var field: [UInt8] = []
        while offset < bytes.count {
            if next("\"") {
                if !next("\"") { return String(decoding: field, as: UTF8.self) }
                field.append(UInt8(ascii: "\""))
            } else {
                field.append(bytes[offset])
                offset += 1
            }
        }
        throw Malformed(offset: offset, reason: "a field without closing quote")
    }

    private mutating func next(_ character: Unicode.Scalar) -> Bool {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }
}
