import ArgumentParser

/// A count of events as people write it: `20000`, `500k`, `1M`, `1.5M`, `2G`.
struct EventCount: ExpressibleByArgument, Equatable {
    let value: UInt64

    /// Nil for what is no count, is zero or negative, is no whole number of events, or is too large.
    init?(argument: String) {
        let factors: [Character: UInt64] = ["k": 1_000, "m": 1_000_000, "g": 1_000_000_000]
        var digits = argument.lowercased()[...]
        var factor: UInt64 = 1
        if let last = digits.last, let named = factors[last] {
            factor = named
            digits.removeLast()
        }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy(Self.isDigits), let whole = UInt64(parts[0]) else { return nil }
        var (total, overflows) = whole.multipliedReportingOverflow(by: factor)
        for digit in parts.dropFirst().joined() {
            factor /= 10
            guard factor > 0, let number = digit.wholeNumberValue else { return nil }
            let sum = total.addingReportingOverflow(UInt64(number) * factor)
            (total, overflows) = (sum.partialValue, overflows || sum.overflow)
        }
        guard total > 0, !overflows else { return nil }
        value = total
    }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
