/// Queues of goroutines, as far as they can be known: rings that forget the oldest when they are full.
struct GoroutineQueues: ~Copyable {
    private static let length: UInt32 = 128

    private struct Ends {
        var head: UInt32 = 0
        var tail: UInt32 = 0
    }

    private let ends: UnsafeMutablePointer<Ends>
    private let entries: UnsafeMutablePointer<UInt64>

    init(count: Int) {
        ends = .allocate(capacity: count)
        ends.initialize(repeating: Ends(), count: count)
        entries = .allocate(capacity: count * Int(Self.length))
        entries.initialize(repeating: 0, count: count * Int(Self.length))
    }

    deinit {
        ends.deallocate()
        entries.deallocate()
    }

    @inline(__always) func push(_ goroutine: UInt64, to queue: Int) {
        entries[Int(UInt32(queue) &* Self.length &+ ends[queue].tail % Self.length)] = goroutine
        ends[queue].tail &+= 1
        if ends[queue].tail &- ends[queue].head > Self.length { ends[queue].head &+= 1 }
    }

    /// The longest in a queue of whom `isWaiting` is true; those before are forgotten. 0 if there is none.
    @inline(__always) func first(of queue: Int, _ isWaiting: (UInt64) -> Bool) -> UInt64 {
        while ends[queue].head != ends[queue].tail {
            let goroutine = entries[Int(UInt32(queue) &* Self.length &+ ends[queue].head % Self.length)]
            if isWaiting(goroutine) { return goroutine }
            ends[queue].head &+= 1
        }
        return 0
    }
}
