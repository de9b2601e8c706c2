import VestigeCore

/// What the merge knows of a goroutine that is alive.
struct GoroutineRecordV1: PagedElement {
    /// States as the wire's ordering has them: a system call that blocks is waiting, and it ends when
    /// that is written.
    enum Status: UInt8 { case runnable, running, waiting }

    var id: Int64
    /// The sequence number that its next start, wake-up or exit from a system call must have.
    var expected: UInt64
    var status: Status
    /// The state that the events delivered so far tell. It is ahead of `status` at exits from system calls.
    var state: GoroutineState
    /// It waits for the network.
    var isNetworkBlocked = false
    /// Older than the trace, and nothing has told its state yet.
    var isUnannounced = false
    /// Its exit from the system call has been delivered, but not yet met in the order of writing.
    var hasExited = false

    static var vacant: GoroutineRecordV1 {
        GoroutineRecordV1(id: .min, expected: 0, status: .waiting, state: .notExist)
    }
    var isOccupied: Bool { @inline(__always) get { id != .min } }
}

/// Where the merge stands in one proc's segments. The next event is peeked at: type and time are decoded,
/// arguments are not.
struct ProcCursorV1 {
    /// Place in the order: ticks, or in Go 1.5 and 1.6 the global sequence number.
    var key: Int64 = 0
    var ticks: Int64 = 0
    var arguments: UnsafePointer<UInt8>
    var end: UnsafePointer<UInt8>
    /// Behind the event that was taken last.
    var next: UnsafePointer<UInt8>
    /// The goroutine that the proc runs; valid only while its `id` is `goroutine`.
    var record: UnsafeMutablePointer<GoroutineRecordV1>?
    var goroutine = GoroutineID.absent
    /// Known from the proc's start to its stop.
    var thread = ThreadID.absent
    var proc: ProcID
    var index: Int32
    var nextSegment: Int32 = 0
    var type: UInt8 = 0
    /// Its state has been told.
    var isSeen = false
    let buffer: UnsafeMutablePointer<UInt8>

    init(proc: ProcID, index: Int, bufferSize: Int) {
        self.proc = proc
        self.index = Int32(index)
        buffer = .allocate(capacity: bufferSize + LimitV1.padding)
        next = UnsafePointer(buffer)
        end = next
        arguments = next
    }
}

extension UnsafeMutablePointer<ProcCursorV1> {
    /// The record of the goroutine that the proc runs, if the two still belong together.
    @inline(__always) var running: UnsafeMutablePointer<GoroutineRecordV1>? {
        guard let record = pointee.record, record.pointee.id == pointee.goroutine.rawValue else { return nil }
        return record
    }

    @inline(__always) func bind(_ record: UnsafeMutablePointer<GoroutineRecordV1>) {
        pointee.record = record
        pointee.goroutine = GoroutineID(record.pointee.id)
    }

    @inline(__always) func unbind() {
        pointee.record = nil
        pointee.goroutine = .absent
    }
}

/// The procs as a binary heap by the place of their next event.
///
/// Of events in the same place, the one comes first that Go's reader takes first: what has been in the
/// heap goes before what is put there, and taking an event is a removal and an insertion
/// (`internal/trace/internal/tracev1/order.go`).
struct ProcHeapV1: ~Copyable {
    typealias Cursor = UnsafeMutablePointer<ProcCursorV1>

    private let cursors: UnsafeMutablePointer<Cursor>
    private var count = 0

    init(capacity: Int) { cursors = .allocate(capacity: max(capacity, 1)) }
    deinit { cursors.deallocate() }

    var first: Cursor? { @inline(__always) get { count > 0 ? cursors[0] : nil } }

    mutating func insert(_ cursor: Cursor) {
        siftUp(cursor, from: count)
        count += 1
    }

    mutating func removeFirst() {
        count -= 1
        siftDown(cursors[count])
    }

    /// Removes the first and inserts it again, after its key has changed.
    @inline(__always) mutating func reinsertFirst() {
        let cursor = cursors[0]
        count -= 1
        if count > 0 { siftDown(cursors[count]) }
        siftUp(cursor, from: count)
        count += 1
    }

    /// Puts `cursor` at the root and restores the order.
    @inline(__always) private mutating func siftDown(_ cursor: Cursor) {
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < count else { break }
            if child + 1 < count, cursors[child + 1].pointee.key < cursors[child].pointee.key { child += 1 }
            guard cursors[child].pointee.key < cursor.pointee.key else { break }
            cursors[index] = cursors[child]
            index = child
        }
        cursors[index] = cursor
    }

    @inline(__always) private mutating func siftUp(_ cursor: Cursor, from start: Int) {
        var index = start
        while index > 0, cursors[(index - 1) / 2].pointee.key > cursor.pointee.key {
            cursors[index] = cursors[(index - 1) / 2]
            index = (index - 1) / 2
        }
        cursors[index] = cursor
    }
}
