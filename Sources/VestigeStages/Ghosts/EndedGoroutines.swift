import VestigeCore

/// A goroutine that has ended.
struct EndedGoroutine: BitwiseCopyable {
    var number: GoroutineID = .absent
    var creator: GoroutineID = .absent
    var ended: Int64 = 0
    var site: UInt32 = 0
}

/// The goroutines that ended last: numbers are handed out in sequence, so of the last 65,536 numbers all are known.
struct EndedGoroutines: ~Copyable {
    private static let count = 1 << 16
    private let entries: UnsafeMutablePointer<EndedGoroutine>

    init() {
        entries = .allocate(capacity: Self.count)
        entries.initialize(repeating: EndedGoroutine(), count: Self.count)
    }

    deinit { entries.deallocate() }

    mutating func add(_ goroutine: EndedGoroutine) { entries[Self.slot(goroutine.number)] = goroutine }

    func find(_ number: GoroutineID) -> EndedGoroutine? {
        let entry = entries[Self.slot(number)]
        return number != .absent && entry.number == number ? entry : nil
    }

    private static func slot(_ number: GoroutineID) -> Int {
        Int(truncatingIfNeeded: number.rawValue) & (count - 1)
    }
}
