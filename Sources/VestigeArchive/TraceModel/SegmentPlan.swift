import Glibc

/// What a segment consists of: its modelled batches by thread, with types and times of their events.
/// Reused from segment to segment.
final class SegmentPlan {
    /// The segment's bytes, read by an encoder, written by a decoder.
    var bytes: UnsafeMutablePointer<UInt8>
    private(set) var types: UnsafeMutablePointer<UInt8>
    private(set) var deltas: UnsafeMutablePointer<UInt32>
    private(set) var batches: [ModelBatch] = []
    private(set) var cursors: UnsafeMutableBufferPointer<ModelCursor>
    private(set) var eventCount = 0
    private var eventCapacity = 0
    private var threads: [ModelCursor] = []
    private var threadIndex: [UInt64: Int32] = [:]
    /// Where each thread's time ended.
    private(set) var lastTicks: [UInt64] = []

    init() {
        bytes = .allocate(capacity: 1)
        types = .allocate(capacity: 1)
        deltas = .allocate(capacity: 1)
        cursors = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    deinit {
        types.deallocate()
        deltas.deallocate()
        cursors.deallocate()
    }

    /// Begins a segment of so many bytes.
    func begin(_ bytes: UnsafeMutablePointer<UInt8>, byteCount: Int) {
        self.bytes = bytes
        batches.removeAll(keepingCapacity: true)
        threads.removeAll(keepingCapacity: true)
        threadIndex.removeAll(keepingCapacity: true)
        lastTicks.removeAll(keepingCapacity: true)
        eventCount = 0
        // An event takes two bytes at least.
        let most = byteCount / 2 + 1
        guard most > eventCapacity else { return }
        types.deallocate()
        deltas.deallocate()
        types = .allocate(capacity: most)
        deltas = .allocate(capacity: most)
        eventCapacity = most
    }

    func hasRoom(for count: Int) -> Bool { count <= eventCapacity - eventCount }

    /// The time at which a thread's batches ended so far.
    func ticks(of thread: UInt64) -> UInt64 {
        threadIndex[thread].map { lastTicks[Int($0)] } ?? (lastTicks.last ?? 0)
    }

    /// Adds a batch whose `eventCount` types and deltas lie behind those there are.
    func add(thread: UInt64, ticks: UInt64, payload: Int, size: Int, eventCount count: Int) {
        let index: Int32
        if let known = threadIndex[thread] {
            index = known
        } else {
            index = Int32(threads.count)
            threadIndex[thread] = index
            threads.append(ModelCursor(thread: thread, pointer: bytes))
            lastTicks.append(0)
        }
        let number = Int32(batches.count)
        batches.append(
            ModelBatch(
                thread: index, ticks: ticks, payload: payload, size: size, firstEvent: eventCount, eventCount: count))
        if threads[Int(index)].firstBatch < 0 {
            threads[Int(index)].firstBatch = number
        } else {
            batches[Int(threads[Int(index)].lastBatch)].next = number
        }
        threads[Int(index)].lastBatch = number
        var end = ticks
        for event in eventCount..<eventCount + count { end &+= UInt64(deltas[event]) }
        lastTicks[Int(index)] = end
        eventCount += count
    }

    /// Sets the threads at their beginning.
    func finish() {
        cursors.deallocate()
        cursors = .allocate(capacity: threads.count)
        _ = cursors.initialize(from: threads)
    }
}
