import VestigeCore

/// The least number of living goroutines of one creation site in each of up to 64 slices of the recording so far.
/// Slices double in length as it goes on, so that it takes as little memory however long that is.
struct SiteCurve {
    static let sliceCount = 64

    private(set) var living: UInt64 = 0
    private var least: [UInt64] = []
    /// Slices are so many nanoseconds long: 2 to the power of this.
    private var shift: UInt64 = 10

    /// - Parameter time: since the recording's begin, not before the last.
    mutating func change(by step: Int64, at time: Int64) {
        extend(to: time)
        living = step < 0 ? living &- min(living, 1) : living &+ 1
        least[least.count - 1] = min(least[least.count - 1], living)
    }

    private mutating func extend(to time: Int64) {
        let time = UInt64(clamping: time)
        while time >> shift >= UInt64(Self.sliceCount) { halve() }
        // Before the first goroutine there was none.
        while UInt64(least.count) <= time >> shift { least.append(living) }
    }

    private mutating func halve() {
        least = stride(from: 0, to: least.count, by: 2).map { min(least[$0], least[min($0 + 1, least.count - 1)]) }
        shift += 1
    }

    /// How many are alive in so many parts of the whole, of about the same length: the median of the least numbers in
    /// the slices of each. So neither a begin nor an end that is unlike the rest counts.
    mutating func parts(_ count: Int, until time: Int64) -> [UInt64] {
        extend(to: time)
        return (0..<count).map { part in
            let start = part * least.count / count
            let end = min(least.count, max(start + 1, (part + 1) * least.count / count))
            return least[start..<end].sorted()[(end - start) / 2]
        }
    }
}
