/// A generation's own ids, translated to those of the run. Go hands ids out in sequence, so this is
/// an array; ids far beyond it (damaged files) go to a Dictionary.
///
/// The array is never much longer than there are ids, so that neither a damaged id nor a large generation
/// before many small ones costs more than the bytes that said so.
struct IDMap: ~Copyable {
    static let missing = UInt32.max

    /// The dense part, for loops that hoist it; any `insert` may replace it.
    private(set) var dense: UnsafeMutablePointer<UInt32>
    private(set) var denseCount = IDMap.smallCount
    /// Ids from `denseCount` on.
    private var sparse: [UInt64: UInt32] = [:]
    private var count = 0
    /// Of the ids below `denseLimit`; what is beyond is not waited for.
    private var highest: UInt64 = 0
    private static let smallCount = 1024
    private static let denseLimit: UInt64 = 1 << 26

    init() {
        dense = .allocate(capacity: Self.smallCount)
        dense.initialize(repeating: Self.missing, count: Self.smallCount)
        dense[0] = 0  // id 0 is "none" for stacks and the empty string
    }

    deinit { dense.deallocate() }

    mutating func removeAll() {
        if denseCount > 2 * affordableCount {
            dense.deallocate()
            denseCount = Self.smallCount
            dense = .allocate(capacity: denseCount)
        }
        dense.initialize(repeating: Self.missing, count: denseCount)
        dense[0] = 0
        sparse.removeAll(keepingCapacity: sparse.capacity <= Self.smallCount)
        (count, highest) = (0, 0)
    }

    /// - Returns: false if the id is taken already.
    mutating func insert(_ id: UInt64, _ value: UInt32) -> Bool {
        guard self[id] == Self.missing else { return false }
        count += 1
        if id < UInt64(denseCount) {
            dense[Int(id)] = value
            return true
        }
        sparse[id] = value
        if id < Self.denseLimit { highest = max(highest, id) }
        // Ids come in any order: stacks are written as they lie in a hash tree.
        if highest >= UInt64(denseCount), highest < UInt64(affordableCount) { grow(toHold: Int(highest)) }
        return true
    }

    subscript(id: UInt64) -> UInt32 {
        @inline(__always) get {
            id < UInt64(truncatingIfNeeded: denseCount) ? dense[Int(truncatingIfNeeded: id)] : lookUpSparse(id)
        }
    }

    @inline(never) private func lookUpSparse(_ id: UInt64) -> UInt32 { sparse[id] ?? Self.missing }

    private var affordableCount: Int { Self.smallCount + 4 * count }

    private mutating func grow(toHold id: Int) {
        let newCount = max(id + 1, denseCount * 2)
        let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: newCount)
        larger.initialize(from: dense, count: denseCount)
        (larger + denseCount).initialize(repeating: Self.missing, count: newCount - denseCount)
        dense.deallocate()
        (dense, denseCount) = (larger, newCount)
        let isHeld = sparse.keys.filter { $0 < UInt64(newCount) }
        for id in isHeld { dense[Int(id)] = sparse.removeValue(forKey: id)! }
    }
}
