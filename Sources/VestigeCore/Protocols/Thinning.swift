/// A wish for fewer slices: those of states and of procs that are shorter than a limit are merged into blocks. Counts
/// what was done, over all parts of an output.
public final class Thinning {
    /// Shorter slices are merged.
    public let minSpanNanoseconds: Int64
    /// Slices that are not in the output but counted in a block.
    public private(set) var spanCount: UInt64 = 0
    public private(set) var blockCount: UInt64 = 0
    /// Arrows that would lead to slices that are not there.
    public private(set) var flowCount: UInt64 = 0

    public init(minSpanNanoseconds: Int64) { self.minSpanNanoseconds = minSpanNanoseconds }

    /// A block of so many slices, and the arrows to them.
    public func note(_ count: UInt64, flowCount: UInt64) {
        spanCount += count
        blockCount += 1
        self.flowCount += flowCount
    }

    /// Adds what was done by another of the same wish.
    public func add(_ other: Thinning) {
        spanCount += other.spanCount
        blockCount += other.blockCount
        flowCount += other.flowCount
    }

    /// A slice that is left out since another one on its row, or a block, encloses it.
    public func noteNested() { spanCount += 1 }
}
