extension TextBuffer {
    /// Unix time as `2026-11-24 08:51:02.123`, in UTC, to the millisecond (rounded down).
    public func appendDateTime(unixNanoseconds: Int64, decimalMark: UInt8 = UInt8(ascii: ".")) {
        let milliseconds = Self.floorDivide(unixNanoseconds, 1_000_000)
        let days = Self.floorDivide(milliseconds, 86_400_000)
        let ofDay = UInt64(milliseconds - days * 86_400_000)
        appendDate(daysSince1970: days)
        append(byte: UInt8(ascii: " "))
        append(digits: ofDay / 3_600_000, count: 2)
        append(byte: UInt8(ascii: ":"))
        append(digits: ofDay / 60_000 % 60, count: 2)
        append(byte: UInt8(ascii: ":"))
        append(digits: ofDay / 1000 % 60, count: 2)
        append(byte: decimalMark)
        append(digits: ofDay % 1000, count: 3)
    }

    /// The Gregorian calendar in years that begin in March, so that the leap day comes last; it repeats
    /// every 400 years, which are 146,097 days.
    private func appendDate(daysSince1970 days: Int64) {
        let day = days + 719_468  // since 1 March of the year 0
        let era = Self.floorDivide(day, 146_097)
        let ofEra = day - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * ofYear + 2) / 153
        let dayOfMonth = ofYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        append(digits: UInt64(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), count: 4)
        append(byte: UInt8(ascii: "-"))
        append(digits: UInt64(month), count: 2)
        append(byte: UInt8(ascii: "-"))
        append(digits: UInt64(dayOfMonth), count: 2)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-(value + 1)) / divisor) - 1
    }
}
