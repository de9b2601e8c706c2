/// Checks JSON by RFC 8259, byte by byte: one value, or one object a line.
struct JSONChecker: OutputChecker {
    enum Form { case document, lines }

    private enum Place: Equatable {
        case value, valueOrEnd, keyOrEnd, key, colon, afterValue
        case string(isKey: Bool), escape(isKey: Bool), hex(Int, isKey: Bool)
        case number(Number), literal(rest: [UInt8])
        case end
    }

    private enum Number { case minus, zero, digits, point, fraction, exponent, exponentSign, exponentDigits }

    private let form: Form
    private var utf8 = UTF8Checker()
    private var place = Place.value
    private var isInString = false
    /// The closing brackets that are owed.
    private var open: [UInt8] = []

    init(_ form: Form) { self.form = form }

    var isComplete: Bool {
        switch form {
        case .document: place == .end && utf8.isComplete
        case .lines: place == .value && open.isEmpty && utf8.isComplete
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard utf8.take(byte) else { return false }
        switch place {
        case .string(let isKey): return takeInString(byte, isKey)
        case .escape(let isKey): return takeEscaped(byte, isKey)
        case .hex(let count, let isKey):
            place = count == 1 ? .string(isKey: isKey) : .hex(count - 1, isKey: isKey)
            return Self.isHex(byte)
        case .number(let number): return takeInNumber(byte, number)
        case .literal(let rest):
            place = rest.count == 1 ? afterValue : .literal(rest: Array(rest.dropFirst()))
            return byte == rest[0]
        default: return takeStructure(byte)
        }
    }

    private var afterValue: Place { open.isEmpty ? .end : .afterValue }

    // MARK: - Structure

    private mutating func takeStructure(_ byte: UInt8) -> Bool {
        if byte == 0x0a, form == .lines {
            defer { place = .value }
            return place == .end
        }
        if byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { return true }
        switch (place, byte) {
        case (.value, _): return beginValue(byte)
        case (.valueOrEnd, UInt8(ascii: "]")), (.keyOrEnd, UInt8(ascii: "}")): return close(byte)
        case (.valueOrEnd, _): return beginValue(byte)
        case (.keyOrEnd, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")): place = .string(isKey: true)
        case (.colon, UInt8(ascii: ":")): place = .value
        case (.afterValue, UInt8(ascii: ",")): place = open.last == UInt8(ascii: "}") ? .key : .value
        case (.afterValue, UInt8(ascii: "]")), (.afterValue, UInt8(ascii: "}")): return close(byte)
        default: return false
        }
        return true
    }

    private mutating func beginValue(_ byte: UInt8) -> Bool {
        if form == .lines, open.isEmpty, byte != UInt8(ascii: "{") { return false }
        switch byte {
        case UInt8(ascii: "{"):
            open.append(UInt8(ascii: "}"))
            place = .keyOrEnd
        case UInt8(ascii: "["):
            open.append(UInt8(ascii: "]"))
            place = .valueOrEnd
        case UInt8(ascii: "\""): place = .string(isKey: false)
        case UInt8(ascii: "-"): place = .number(.minus)
        case UInt8(ascii: "0"): place = .number(.zero)
        case UInt8(ascii: "1")...UInt8(ascii: "9"): place = .number(.digits)
        case UInt8(ascii: "t"): place = .literal(rest: Array("rue".utf8))
        case UInt8(ascii: "f"): place = .literal(rest: Array("alse".utf8))
        case UInt8(ascii: "n"): place = .literal(rest: Array("ull".utf8))
        default: return false
        }
        return true
    }

    private mutating func close(_ byte: UInt8) -> Bool {
        guard open.popLast() == byte else { return false }
        place = afterValue
        return true
    }

    // MARK: - Strings and numbers

    private mutating func takeInString(_ byte: UInt8, _ isKey: Bool) -> Bool {
        if byte == UInt8(ascii: "\"") { place = isKey ? .colon : afterValue }
        if byte == UInt8(ascii: "\\") { place = .escape(isKey: isKey) }
        isInString = place == .string(isKey: isKey)
        return byte >= 0x20
    }

    private mutating func takeEscaped(_ byte: UInt8, _ isKey: Bool) -> Bool {
        place = byte == UInt8(ascii: "u") ? .hex(4, isKey: isKey) : .string(isKey: isKey)
        return "\"\\/bfnrtu".utf8.contains(byte)
    }

    private mutating func takeInNumber(_ byte: UInt8, _ number: Number) -> Bool {
        if let next = Self.next(byte, after: number) {
            place = .number(next)
            return true
        }
        guard number == .zero || number == .digits || number == .fraction || number == .exponentDigits else {
            return false
        }
        place = afterValue
        return takeStructure(byte)
    }

    /// What a number goes on as, or nil if the byte is no part of it.
    private static func next(_ byte: UInt8, after number: Number) -> Number? {
        let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        let isExponent = byte | 0x20 == UInt8(ascii: "e")
        switch number {
        case .minus: return isDigit ? (byte == UInt8(ascii: "0") ? .zero : .digits) : nil
        case .zero, .digits:
            if byte == UInt8(ascii: ".") { return .point }
            if isExponent { return .exponent }
            return isDigit && number == .digits ? .digits : nil
        case .point: return isDigit ? .fraction : nil
        case .fraction: return isExponent ? .exponent : isDigit ? .fraction : nil
        case .exponent:
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { return .exponentSign }
            return isDigit ? .exponentDigits : nil
        case .exponentSign, .exponentDigits: return isDigit ? .exponentDigits : nil
        }
    }

    var plainBytes: UnsafePointer<Bool>? { isInString && utf8.isComplete ? Self.plainInString : nil }
    nonisolated(unsafe) private static let plainInString = plainByteTable(without: "\"\\")

    private static func isHex(_ byte: UInt8) -> Bool {
        "0123456789abcdefABCDEF".utf8.contains(byte)
    }
}
