/// Passes the events of a segment in order of time, encoding or decoding their arguments.
///
/// Threads are merged by time alone, ties by the order in which threads appear: that needs nothing but the
/// times, which a decoder has before anything else. It is the order of what happened well enough to predict.
struct EventWalk<Port: ModelPort & ~Copyable>: ~Copyable {
    typealias Cursor = UnsafeMutablePointer<ModelCursor>

    var state: SchedulerModel
    var port: Port
    let plan: SegmentPlan
    private let types: UnsafeMutablePointer<UInt8>
    private let deltas: UnsafeMutablePointer<UInt32>
    /// By type; a static one would be looked up for every event.
    let argumentCount = ModelEvent.argumentCount
    private var heap: [Int32] = []

    init(state: consuming SchedulerModel, port: consuming Port, plan: SegmentPlan) {
        self.state = state
        self.port = port
        self.plan = plan
        types = plan.types
        deltas = plan.deltas
    }

    mutating func run() {
        for index in 0..<plan.cursors.count where nextBatch(plan.cursors.baseAddress! + index) {
            heap.append(Int32(index))
        }
        for index in (0..<heap.count / 2).reversed() { siftDown(from: index) }
        while let head = heap.first {
            let cursor = plan.cursors.baseAddress! + Int(head)
            if pass(cursor, until: second) { siftDown(from: 0) } else { removeFirst() }
        }
    }

    /// Passes a thread's events while they are earlier than `bound`, the next event of another thread.
    /// - Returns: false at the end of its batches.
    private mutating func pass(_ cursor: Cursor, until bound: (time: UInt64, index: Int32)) -> Bool {
        let index = Int32(cursor - plan.cursors.baseAddress!)
        repeat {
            let event = cursor.pointee.nextEvent
            let type = types[event]
            port.begin(type, deltas[event], cursor)
            step(type, cursor)
            port.end(cursor)
            cursor.pointee.nextEvent = event &+ 1
            if cursor.pointee.nextEvent == cursor.pointee.endEvent {
                guard nextBatch(cursor) else { return false }
            } else {
                cursor.pointee.time &+= UInt64(deltas[cursor.pointee.nextEvent])
            }
        } while cursor.pointee.time < bound.time || cursor.pointee.time == bound.time && index < bound.index
        return true
    }

    private mutating func nextBatch(_ cursor: Cursor) -> Bool {
        let following =
            cursor.pointee.batch < 0
            ? cursor.pointee.firstBatch : plan.batches[Int(cursor.pointee.batch)].next
        if cursor.pointee.batch >= 0, cursor.pointee.pointer != cursor.pointee.end { port.refuse() }
        guard following >= 0 else { return false }
        let batch = plan.batches[Int(following)]
        cursor.pointee.batch = following
        cursor.pointee.nextEvent = batch.firstEvent
        cursor.pointee.endEvent = batch.firstEvent + batch.eventCount
        cursor.pointee.pointer = plan.bytes + batch.payload
        cursor.pointee.end = plan.bytes + batch.payload + batch.size
        cursor.pointee.time = batch.ticks &+ UInt64(plan.deltas[batch.firstEvent])
        return true
    }

    // MARK: - The heap of threads, by time

    private var second: (time: UInt64, index: Int32) {
        switch heap.count {
        case 0, 1: return (.max, .max)
        case 2: return key(heap[1])
        default: return isBefore(heap[1], heap[2]) ? key(heap[1]) : key(heap[2])
        }
    }

    @inline(__always) private func key(_ index: Int32) -> (time: UInt64, index: Int32) {
        (plan.cursors[Int(index)].time, index)
    }

    @inline(__always) private func isBefore(_ a: Int32, _ b: Int32) -> Bool { key(a) < key(b) }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown(from: 0)
    }

    private mutating func siftDown(from start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, isBefore(heap[child + 1], heap[child]) { child += 1 }
            guard isBefore(heap[child], heap[index]) else { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}
