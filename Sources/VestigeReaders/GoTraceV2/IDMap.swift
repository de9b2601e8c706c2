/// A generation's own ids, translated to those of the run. Go hands ids out in sequence, so this is
/// an array; ids far beyond it (damaged files) go to a Dictionary.
struct IDMap: ~Copyable {
    static let missing = UInt32.max

    /// The dense part, for loops that hoist it; any `insert` may replace it.
    private(set) var dense: UnsafeMutablePointer<UInt32>
    private(set) var denseCount: Int
    private var sparse: [UInt64: UInt32] = [:]
    private static let denseLimit = 1 << 22

    init() {
        denseCount = 1024
        dense = .allocate(capacity: 1024)
        dense.initialize(repeating: Self.missing, count: 1024)
        dense[0] = 0  // id 0 is "none" for stacks and the empty string
    }

    deinit { dense.deallocate() }

    mutating func removeAll() {
        dense.update(repeating: Self.missing, count: denseCount)
        dense[0] = 0
        sparse.removeAll(keepingCapacity: true)
    }

    /// - Returns: false if the id is taken already.
    mutating func insert(_ id: UInt64, _ value: UInt32) -> Bool {
        guard self[id] == Self.missing else { return false }
        if id < UInt64(Self.denseLimit) {
            if id >= UInt64(denseCount) { grow(toHold: Int(id)) }
            dense[Int(id)] = value
        } else {
            sparse[id] = value
        }
        return true
    }

    subscript(id: UInt64) -> UInt32 {
        @inline(__always) get {
            id < UInt64(truncatingIfNeeded: denseCount) ? dense[Int(truncatingIfNeeded: id)] : lookUpSparse(id)
        }
    }

    @inline(never) private func lookUpSparse(_ id: UInt64) -> UInt32 { sparse[id] ?? Self.missing }

    private mutating func grow(toHold id: Int) {
        let newCount = min(Self.denseLimit, max(id + 1, denseCount * 2))
        let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: newCount)
        larger.initialize(from: dense, count: denseCount)
        (larger + denseCount).initialize(repeating: Self.missing, count: newCount - denseCount)
        dense.deallocate()
        (dense, denseCount) = (larger, newCount)
    }
}
