import VestigeCore

extension TextBuffer {
    /// A field of text that comes from outside: made safe for spreadsheets, then quoted as needed.
    ///
    /// - Parameter keepsType: also text that a spreadsheet would make a number, a date or a truth value of gets
    ///   an apostrophe in front, and stays text.
    public func appendCSVText(
        _ bytes: UnsafeBufferPointer<UInt8>, delimiter: UInt8 = UInt8(ascii: ","), keepsType: Bool = false
    ) {
        guard bytes.beginsLikeFormula || keepsType && bytes.looksLikeValue else {
            return appendCSVField(bytes, separator: delimiter)
        }
        let safe = [UInt8(ascii: "'")] + bytes
        safe.withUnsafeBufferPointer { appendCSVField($0, separator: delimiter) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// True if a spreadsheet would run it (OWASP, "CSV Injection").
    var beginsLikeFormula: Bool {
        guard let first else { return false }
        switch first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0a, 0x0d: return true
        // The full-width forms, U+FF1D, U+FF0B, U+FF0D and U+FF20, which East Asian versions take too.
        case 0xef where count >= 3 && self[1] == 0xbc: return [0x9d, 0x8b, 0x8d, 0xa0].contains(self[2])
        default: return false
        }
    }

    /// True if a spreadsheet would take it for a number, a date, a time or a truth value, in some language's
    /// way of writing these with English words: it has a digit, and no other words than such have.
    var looksLikeValue: Bool {
        guard !isEmpty, count <= 64 else { return false }
        let text = String(decoding: self, as: UTF8.self).lowercased()
        let words = text.split { !$0.isLetter }.map(String.init)
        guard text.contains(where: \.isNumber) else { return words == ["true"] || words == ["false"] }
        return words.allSatisfy { word in
            Self.valueWords.contains(word)
                || word.count >= 3 && Self.months.contains { $0.hasPrefix(word) }
        }
    }

    /// Exponents, halves of the day, zones, and suffixes of days.
    private static var valueWords: Set<String> {
        ["e", "d", "a", "p", "am", "pm", "t", "z", "utc", "gmt", "h", "st", "nd", "rd", "th"]
    }

    private static var months: [String] {
        [
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november",
            "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
        ]
    }
}
