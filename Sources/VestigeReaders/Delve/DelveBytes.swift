// Small steps through the bytes of a line. Lines are bytes, not text: paths and values need not be UTF-8.
extension ArraySlice<UInt8> {
    /// Where a text stands first.
    func firstPlace(of text: String) -> Range<Int>? {
        let wanted = Array(text.utf8)
        guard let first = wanted.first else { return nil }
        var start = startIndex
        while let found = self[start...].firstIndex(of: first) {
            if self[found...].starts(with: wanted) { return found..<found + wanted.count }
            start = found + 1
        }
        return nil
    }

    /// Where a text stands last.
    func lastPlace(of text: String) -> Range<Int>? {
        let wanted = Array(text.utf8)
        guard let first = wanted.first else { return nil }
        var end = endIndex
        while let found = self[..<end].lastIndex(of: first) {
            if self[found...].starts(with: wanted) { return found..<found + wanted.count }
            end = found
        }
        return nil
    }

    /// Takes a text away from the front, if it is there.
    mutating func dropPrefix(_ text: String) -> Bool {
        guard starts(with: text.utf8) else { return false }
        self = self[(startIndex + text.utf8.count)...]
        return true
    }

    /// Takes a text away from the end, if it is there.
    mutating func dropSuffix(_ text: String) -> Bool {
        let count = text.utf8.count
        guard self.count >= count, self[(endIndex - count)...].elementsEqual(text.utf8) else { return false }
        self = self[..<(endIndex - count)]
        return true
    }

    /// Takes away what stands before a text, and the text itself.
    mutating func dropText(upTo text: String) -> String? {
        guard let place = firstPlace(of: text) else { return nil }
        defer { self = self[place.upperBound...] }
        return self[..<place.lowerBound].text
    }

    /// Takes a decimal number away from the front, if there is one that 64 bits hold.
    mutating func dropNumber() -> Int64? {
        let digits = prefix { (0x30...0x39).contains($0) }
        guard let number = Int64(digits.text) else { return nil }
        self = self[digits.endIndex...]
        return number
    }

    /// Takes `0x` and hexadecimal digits away from the front.
    mutating func dropHex() -> UInt64? {
        var rest = self
        guard rest.dropPrefix("0x") else { return nil }
        let digits = rest.prefix { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard let number = UInt64(digits.text, radix: 16) else { return nil }
        self = rest[digits.endIndex...]
        return number
    }

    /// Takes away tabs, and says how many.
    mutating func dropTabs() -> Int {
        let tabs = prefix { $0 == 0x09 }.count
        self = dropFirst(tabs)
        return tabs
    }

    mutating func dropSpaces() { self = drop { $0 == 0x20 } }

    /// What stands before the first such byte, or nil if there is none.
    func prefixText(upTo byte: UInt8) -> String? { firstIndex(of: byte).map { self[..<$0].text } }

    var text: String { String(decoding: self, as: UTF8.self) }
}

/// Times as Delve prints them: `2026-11-23T15:20:41.529357929Z`, or with an offset `+01:00`.
enum RFC3339 {
    /// Nanoseconds of Unix time, or nil if it is no such time.
    static func nanoseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, 4), rest.dropPrefix("-"), let month = number(&rest, 2), rest.dropPrefix("-"),
            let day = number(&rest, 2), rest.dropPrefix("T"), let hour = number(&rest, 2), rest.dropPrefix(":"),
            let minute = number(&rest, 2), rest.dropPrefix(":"), let second = number(&rest, 2),
            (1970...2261).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60, let fraction = fraction(&rest), let offset = offset(&rest), rest.isEmpty
        else { return nil }
        let seconds = daysSince1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
        return seconds * 1_000_000_000 + fraction
    }

    private static func number(_ text: inout ArraySlice<UInt8>, _ count: Int) -> Int64? {
        let digits = text.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        text = text.dropFirst(count)
        return Int64(digits.text)
    }

    private static func fraction(_ text: inout ArraySlice<UInt8>) -> Int64? {
        guard text.dropPrefix(".") else { return 0 }
        let digits = text.prefix { (0x30...0x39).contains($0) }
        guard (1...9).contains(digits.count) else { return nil }
        text = text[digits.endIndex...]
        return Int64(digits.text + String(repeating: "0", count: 9 - digits.count))
    }

    private static func offset(_ text: inout ArraySlice<UInt8>) -> Int64? {
        if text.dropPrefix("Z") { return 0 }
        let sign: Int64 = text.first == UInt8(ascii: "-") ? -1 : 1
        guard text.dropPrefix("+") || text.dropPrefix("-"), let hours = number(&text, 2), text.dropPrefix(":"),
            let minutes = number(&text, 2)
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    /// By counting years from March, so that the leap day comes last.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let (years, months) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        let (era, yearOfEra) = (years / 400, years % 400)
        let dayOfYear = (153 * months + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
