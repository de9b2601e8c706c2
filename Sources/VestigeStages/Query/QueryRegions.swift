import VestigeCore

/// The open regions of one goroutine that matter to a query.
struct QueryRegions {
    struct Key: Hashable {
        var task: TaskID
        var name: StringID
    }

    struct Instance {
        /// The conditions that hold while it is open.
        var mask: UInt64
        /// Which of all regions it is, in order of begins.
        var ordinal: UInt64
        var startNanoseconds: Int64
        /// The conditions whose names it has, and whether the window is around it.
        var names: UInt64 = 0
        var isAround = false
    }

    private var open: [Key: [Instance]] = [:]
    /// How many open regions make each condition hold.
    private var counts = [Int](repeating: 0, count: QueryProgram.conditionLimit)
    private(set) var mask: UInt64 = 0

    mutating func begin(_ key: Key, _ instance: Instance) {
        open[key, default: []].append(instance)
        count(instance.mask, 1)
    }

    /// Removes the innermost region of the key, nil if none is open.
    mutating func end(_ key: Key) -> Instance? {
        guard let instance = open[key]?.popLast() else { return nil }
        if open[key]!.isEmpty { open[key] = nil }
        count(instance.mask, -1)
        return instance
    }

    var all: [Instance] { open.values.flatMap { $0 } }

    private mutating func count(_ bits: UInt64, _ step: Int) {
        var rest = bits
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            counts[bit] += step
            if counts[bit] > 0 { mask |= 1 << UInt64(bit) } else { mask &= ~(1 << UInt64(bit)) }
        }
    }
}
