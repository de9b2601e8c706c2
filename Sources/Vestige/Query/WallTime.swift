import Glibc

/// Wall clock times as RFC 3339 writes them: `2026-11-24T10:00:00.5Z`, `2026-11-24 11:00:00+01:00`.
public enum WallTime {
    /// Unix time in nanoseconds; nil for what is no such time. Without a zone it is UTC.
    public static func nanoseconds(_ text: String) -> Int64? {
        var rest = text[...]
        guard let year = number(&rest, 4), take(&rest, "-"), let month = number(&rest, 2), take(&rest, "-"),
            let day = number(&rest, 2), take(&rest, "T") || take(&rest, "t") || take(&rest, " "),
            let hour = number(&rest, 2), take(&rest, ":"), let minute = number(&rest, 2), take(&rest, ":"),
            let second = number(&rest, 2), hour < 24, minute < 60, second <= 60
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1900), Int32(month - 1), Int32(day))
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (Int32(hour), Int32(minute), Int32(second))
        let seconds = timegm(&parts)
        // A day that the month does not have moves into the next.
        guard parts.tm_mon == Int32(month - 1), parts.tm_mday == Int32(day) || second == 60 else { return nil }
        guard let fraction = fraction(&rest), let offset = zone(&rest), rest.isEmpty else { return nil }
        let (whole, isTooLarge) = (Int64(seconds) - offset).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isBeyond) = whole.addingReportingOverflow(fraction)
        return isTooLarge || isBeyond ? nil : sum
    }

    private static func number(_ text: inout Substring, _ length: Int) -> Int? {
        let digits = text.prefix(length)
        guard digits.utf8.count == length, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        text = text.dropFirst(length)
        return Int(digits)
    }

    private static func take(_ text: inout Substring, _ character: Character) -> Bool {
        guard text.first == character else { return false }
        text = text.dropFirst()
        return true
    }

    /// Nanoseconds; what is below them is dropped. Nil for a point without digits.
    private static func fraction(_ text: inout Substring) -> Int64? {
        guard take(&text, ".") else { return 0 }
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard !digits.isEmpty else { return nil }
        text = text.dropFirst(digits.count)
        let nine = digits.prefix(9)
        return Int64(nine + String(repeating: "0", count: 9 - nine.count))
    }

    /// Seconds east of UTC.
    private static func zone(_ text: inout Substring) -> Int64? {
        if text.isEmpty || take(&text, "Z") || take(&text, "z") { return 0 }
        let isWest = text.first == "-"
        guard take(&text, "+") || take(&text, "-"), let hours = number(&text, 2), take(&text, ":"),
            let minutes = number(&text, 2), hours < 24, minutes < 60
        else { return nil }
        let seconds = Int64(hours * 3600 + minutes * 60)
        return isWest ? -seconds : seconds
    }
}
