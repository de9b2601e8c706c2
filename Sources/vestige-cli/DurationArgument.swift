import ArgumentParser

/// A duration as people write it: `500ns`, `10us`, `10µs`, `1.5ms`, `2s`.
struct DurationArgument: ExpressibleByArgument, Equatable {
    let nanoseconds: Int64

    /// Nil for what is no duration, is zero or negative, is no whole number of nanoseconds, or is too long.
    init?(argument: String) {
        let units: [(name: String, digits: Int)] = [("ns", 0), ("us", 3), ("µs", 3), ("μs", 3), ("ms", 6), ("s", 9)]
        guard let unit = units.first(where: { argument.hasSuffix($0.name) }) else { return nil }
        let parts = argument.dropLast(unit.name.count).split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) })
        else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard fraction.count <= unit.digits else { return nil }
        let zeros = String(repeating: "0", count: unit.digits - fraction.count)
        guard let value = Int64(parts[0] + fraction + zeros), value > 0 else { return nil }
        nanoseconds = value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
