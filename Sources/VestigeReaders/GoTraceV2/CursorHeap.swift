/// The threads of a generation as a binary heap by the time of their next event.
///
/// Ties are broken as in Go's reader (`internal/trace/batchcursor.go`): the heap is filled in the order
/// in which threads appear, and of equal children the left one wins, so that the order of events
/// with equal times is usually the same.
struct CursorHeap: ~Copyable {
    typealias Cursor = UnsafeMutablePointer<ThreadCursor>

    private var cursors: UnsafeMutablePointer<Cursor>
    private(set) var count = 0
    private var capacity = 16
    private var spare: [Cursor] = []
    private var buffers = BatchBuffers()

    init() { cursors = .allocate(capacity: 16) }

    deinit {
        for index in 0..<count { cursors[index].deallocate() }
        for cursor in spare { cursor.deallocate() }
        cursors.deallocate()
    }

    var isEmpty: Bool { count == 0 }
    var first: Cursor? { @inline(__always) get { count > 0 ? cursors[0] : nil } }
    subscript(index: Int) -> Cursor { cursors[index] }

    /// The least time of all but the first; Int64.max where there is no other.
    var secondTime: Int64 {
        @inline(__always) get {
            switch count {
            case 0, 1: .max
            case 2: cursors[1].pointee.time
            default: min(cursors[1].pointee.time, cursors[2].pointee.time)
            }
        }
    }

    /// A cursor before the thread's first batch, with a buffer of its own.
    mutating func makeCursor(
        thread: UnsafeMutablePointer<ThreadRecord>, threadIndex: Int32
    ) -> Cursor {
        let cursor = spare.popLast() ?? allocate()
        let buffer = cursor.pointee.buffer
        cursor.pointee = ThreadCursor(
            time: 0, start: UnsafePointer(buffer), arguments: UnsafePointer(buffer), end: UnsafePointer(buffer),
            thread: thread, buffer: buffer, threadIndex: threadIndex, nextBatch: 0)
        return cursor
    }

    private mutating func allocate() -> Cursor {
        let cursor = Cursor.allocate(capacity: 1)
        let buffer = buffers.allocate()
        cursor.initialize(
            to: ThreadCursor(
                time: 0, start: UnsafePointer(buffer), arguments: UnsafePointer(buffer), end: UnsafePointer(buffer),
                thread: UnsafeMutablePointer(bitPattern: 8)!, buffer: buffer, threadIndex: 0, nextBatch: 0))
        return cursor
    }

    mutating func recycle(_ cursor: Cursor) { spare.append(cursor) }

    mutating func recycleAll() {
        for index in 0..<count { spare.append(cursors[index]) }
        count = 0
    }

    mutating func insert(_ cursor: Cursor) {
        if count == capacity { grow() }
        cursors[count] = cursor
        count += 1
        _ = siftUp(count - 1)
    }

    /// Restores the order after the time at `index` has changed.
    mutating func update(at index: Int) {
        if siftUp(index) == index { siftDown(index) }
    }

    mutating func remove(at index: Int) {
        var index = index
        while index > 0 {
            swap(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        swap(0, count - 1)
        count -= 1
        spare.append(cursors[count])
        siftDown(0)
    }

    /// Sorts by time, stably; a sorted array is a heap as well. The array is nearly sorted already.
    mutating func sort() {
        for index in 1..<max(count, 1) {
            let cursor = cursors[index]
            var hole = index
            while hole > 0, cursors[hole - 1].pointee.time > cursor.pointee.time {
                cursors[hole] = cursors[hole - 1]
                hole -= 1
            }
            cursors[hole] = cursor
        }
    }

    @inline(__always) mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            let left = 2 * index + 1
            guard left < count else { return }
            var least = index
            if cursors[left].pointee.time < cursors[least].pointee.time { least = left }
            if left + 1 < count, cursors[left + 1].pointee.time < cursors[least].pointee.time { least = left + 1 }
            if least == index { return }
            swap(index, least)
            index = least
        }
    }

    private mutating func siftUp(_ start: Int) -> Int {
        var index = start
        while index > 0, cursors[(index - 1) / 2].pointee.time > cursors[index].pointee.time {
            swap(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        return index
    }

    @inline(__always) private func swap(_ a: Int, _ b: Int) {
        let kept = cursors[a]
        cursors[a] = cursors[b]
        cursors[b] = kept
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Cursor>.allocate(capacity: capacity * 2)
        larger.initialize(from: cursors, count: count)
        cursors.deallocate()
        cursors = larger
        capacity *= 2
    }
}
