/// A time as logs have it: `2026-03-01T10:00:00.123456789Z` or with an offset from UTC (RFC 3339).
enum WallTime {
    /// Unix time in nanoseconds, or nil if the text does not begin with a time whose zone is stated.
    static func unixNanoseconds(_ text: DumpBytes) -> Int64? {
        guard text.count >= 20, text[4] == 0x2d, text[7] == 0x2d, text[10] == 0x54 || text[10] == 0x20,
            text[13] == 0x3a, text[16] == 0x3a, let year = text.part(0..<4).decimal,
            let month = text.part(5..<7).decimal, let day = text.part(8..<10).decimal,
            let hour = text.part(11..<13).decimal, let minute = text.part(14..<16).decimal,
            let second = text.part(17..<19).decimal, (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60, second <= 60, (1970...2200).contains(year)
        else { return nil }
        var index = 19
        var nanoseconds: Int64 = 0
        if text[index] == 0x2e {
            var unit: Int64 = 100_000_000
            index += 1
            while index < text.count, text.isDigit(at: index) {
                nanoseconds += Int64(text[index] - 0x30) * unit
                unit /= 10
                index += 1
            }
        }
        guard index < text.count, let offset = zoneSeconds(text, at: index) else { return nil }
        let seconds = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second - offset
        return seconds * 1_000_000_000 + nanoseconds
    }

    /// `Z` or `+02:00`.
    private static func zoneSeconds(_ text: DumpBytes, at index: Int) -> Int64? {
        if text[index] == 0x5a { return 0 }
        guard text[index] == 0x2b || text[index] == 0x2d, text.count >= index + 6, text[index + 3] == 0x3a,
            let hours = text.part(index + 1..<index + 3).decimal,
            let minutes = text.part(index + 4..<index + 6).decimal
        else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return text[index] == 0x2b ? seconds : -seconds
    }

    /// Days since 1970-01-01 in the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Counted from March, so that the leap day is the last of a year.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }
}
