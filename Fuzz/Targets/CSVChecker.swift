/// Checks CSV by RFC 4180: UTF-8, quotes that close, lines that end in CR LF, and as many fields in
/// every row as in the first.
struct CSVChecker: OutputChecker {
    private enum Place { case fieldStart, plain, quoted, quoteInQuoted, carriageReturn }

    private var utf8 = UTF8Checker()
    private var place = Place.fieldStart
    private var fieldCount = 1
    private var columnCount: Int?

    var isComplete: Bool { place == .fieldStart && fieldCount == 1 && columnCount != nil }

    var plainBytes: UnsafePointer<Bool>? {
        (place == .plain || place == .quoted) && utf8.isComplete ? Self.plainInField : nil
    }
    nonisolated(unsafe) private static let plainInField = plainByteTable(without: "\",")

    mutating func take(_ byte: UInt8) -> Bool {
        guard utf8.take(byte) else { return false }
        switch (place, byte) {
        case (.quoted, UInt8(ascii: "\"")): place = .quoteInQuoted
        case (.quoted, _): return byte != 0
        case (.fieldStart, UInt8(ascii: "\"")), (.quoteInQuoted, UInt8(ascii: "\"")): place = .quoted
        case (.carriageReturn, 0x0a): return endRow()
        case (.carriageReturn, _): return false
        case (_, UInt8(ascii: ",")):
            fieldCount += 1
            place = .fieldStart
        case (_, 0x0d): place = .carriageReturn
        case (.fieldStart, _), (.plain, _):
            place = .plain
            return byte >= 0x20 && byte != UInt8(ascii: "\"")
        case (.quoteInQuoted, _): return false
        }
        return true
    }

    private mutating func endRow() -> Bool {
        let isEven = columnCount == nil || columnCount == fieldCount
        columnCount = fieldCount
        fieldCount = 1
        place = .fieldStart
        return isEven
    }
}
