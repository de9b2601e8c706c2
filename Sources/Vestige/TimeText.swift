/// Durations as people write them: `120ms`, `1.5s`, `10us`, `2m`, `-1s`, and `0`.
public enum TimeText {
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// The duration in nanoseconds, exactly; nil for what is none, or beyond 292 years. May be negative.
    public static func nanoseconds(_ text: some StringProtocol) -> Int64? {
        if text == "0" { return 0 }
        let isNegative = text.hasPrefix("-")
        let body = isNegative ? text.dropFirst() : text[...]
        guard let unitStart = body.firstIndex(where: { !$0.isASCII || !($0.isNumber || $0 == ".") }),
            let unit = units.first(where: { $0.suffix == body[unitStart...] })
        else { return nil }
        let parts = body[..<unitStart].split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !parts[0].isEmpty || parts.count == 2 && !parts[1].isEmpty,
            let whole = parts[0].isEmpty ? 0 : Int64(parts[0])
        else { return nil }
        let (product, isTooLarge) = whole.multipliedReportingOverflow(by: unit.nanoseconds)
        guard !isTooLarge, let fraction = fraction(parts.count == 2 ? parts[1] : "", of: unit.nanoseconds) else {
            return nil
        }
        let (sum, isBeyond) = product.addingReportingOverflow(fraction)
        return isBeyond ? nil : isNegative ? -sum : sum
    }

    private static func fraction(_ digits: some StringProtocol, of unit: Int64) -> Int64? {
        var (sum, scale) = (Int64(0), unit)
        for digit in digits {
            guard let value = digit.wholeNumberValue else { return nil }
            // What is below a nanosecond is dropped.
            let exact = scale % 10 == 0
            sum += exact ? Int64(value) * (scale / 10) : Int64(value) * scale / 10
            scale /= 10
        }
        return sum
    }
}
