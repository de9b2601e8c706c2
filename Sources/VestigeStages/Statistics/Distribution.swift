import Histogram

/// How many durations there were, how long they took together, and how they are distributed.
///
/// The first `exactCount` are kept, so that few give exact percentiles. From then on they are counted
/// in classes, and a percentile is at most 1 % more than exact: 26 KB, however many there are.
public struct Distribution: Sendable {
    public static let exactCount = 256

    public private(set) var count: UInt64 = 0
    /// Nanoseconds together; stays at what 64 bits hold.
    public private(set) var total: Int64 = 0
    /// Nanoseconds of the longest; 0 if there is none.
    public private(set) var largest: Int64 = 0
    private var values: [Int64] = []
    private var histogram: Histogram<UInt64>?

    public init() {}

    public mutating func add(_ nanoseconds: Int64) {
        let value = max(0, nanoseconds)
        count &+= 1
        total = total.addingSaturating(value)
        largest = max(largest, value)
        if histogram != nil {
            histogram?.record(UInt64(value))
        } else if values.count < Self.exactCount {
            values.append(value)
        } else {
            startCounting(value)
        }
    }

    @inline(never) private mutating func startCounting(_ value: Int64) {
        var counted = Histogram<UInt64>(numberOfSignificantValueDigits: .two)
        for known in values { counted.record(UInt64(known)) }
        counted.record(UInt64(value))
        histogram = counted
        values = []
    }

    /// The least duration such that `percent` of all took at most so long; 0 if there is none.
    public func percentile(_ percent: Double) -> Int64 {
        guard count > 0 else { return 0 }
        if let histogram { return min(largest, Int64(clamping: histogram.valueAtPercentile(percent))) }
        let rank = Int((percent * Double(values.count) / 100).rounded(.up))
        return values.sorted()[max(0, min(values.count, rank) - 1)]
    }
}

extension Int64 {
    /// The sum, or what 64 bits hold where it is more.
    public func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, isTooLarge) = addingReportingOverflow(other)
        return isTooLarge ? (self < 0 ? .min : .max) : sum
    }
}
