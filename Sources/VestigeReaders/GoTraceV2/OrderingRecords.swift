import VestigeCore

/// A goroutine's status on the wire (`tracev2/events.go`, `GoStatus`).
enum WireGoroutineStatus {
    @inline(__always) static var runnable: UInt8 { 1 }
    @inline(__always) static var running: UInt8 { 2 }
    @inline(__always) static var syscall: UInt8 { 3 }
    @inline(__always) static var waiting: UInt8 { 4 }

    /// - Precondition: `status` is one of the above.
    @inline(__always) static func state(_ status: UInt8) -> GoroutineState {
        switch status {
        case runnable: .runnable
        case running: .running
        case syscall: .syscall
        default: .waiting
        }
    }
}

/// A proc's status on the wire (`tracev2/events.go`, `ProcStatus`).
enum WireProcStatus {
    @inline(__always) static var running: UInt8 { 1 }
    @inline(__always) static var idle: UInt8 { 2 }
    @inline(__always) static var syscall: UInt8 { 3 }
    /// In a system call, but the thread it was taken from has moved on unseen.
    @inline(__always) static var syscallAbandoned: UInt8 { 4 }

    /// A proc in a system call still counts as running.
    @inline(__always) static func state(_ status: UInt8) -> ProcState {
        status == running || status == syscall ? .running : .idle
    }
}

/// What ordering knows of a goroutine that is alive.
struct GoroutineRecord: PagedElement {
    var id: Int64
    /// The sequence number that its next sequenced event must have, tagged with the generation.
    var expected: UInt64
    /// Kind of the stop-the-world it is holding; its end does not repeat it.
    var stopTheWorld: StringID
    var status: UInt8

    static var vacant: GoroutineRecord {
        GoroutineRecord(id: .min, expected: 0, stopTheWorld: .empty, status: 0)
    }
    var isOccupied: Bool { @inline(__always) get { id != .min } }
}

struct ProcRecord: PagedElement {
    var id: Int64
    var expected: UInt64
    var status: UInt8
    /// The thread that took it last. It holds the proc still if it says so itself.
    var lastHolder: UnsafeMutablePointer<ThreadRecord>?

    static var vacant: ProcRecord { ProcRecord(id: .min, expected: 0, status: 0) }
    var isOccupied: Bool { @inline(__always) get { id != .min } }
}

/// A task that has begun and not ended; its end does not repeat its name and parent.
struct TaskRecord: PagedElement {
    var id: Int64
    var parent: TaskID
    var name: StringID

    static var vacant: TaskRecord { TaskRecord(id: .min, parent: .absent, name: .empty) }
    var isOccupied: Bool { @inline(__always) get { id != .min } }
}

/// A thread and what it holds. The records it points to are looked up once, when it starts them.
struct ThreadRecord {
    var goroutine: GoroutineID = .absent
    var id: ThreadID
    var proc: ProcID = .absent
    /// Valid only while its `id` is `goroutine`: a damaged file may end a goroutine from elsewhere.
    var goroutineRecord: UnsafeMutablePointer<GoroutineRecord>
    var procRecord: UnsafeMutablePointer<ProcRecord>?
    /// An event of it was written; where events are counted, the first one is.
    var isKnown = false
}

extension UnsafeMutablePointer<ProcRecord> {
    /// The thread that has the proc. Threads' records live as long as the ordering.
    var holder: UnsafeMutablePointer<ThreadRecord>? {
        pointee.lastHolder.flatMap { Int64($0.pointee.proc.rawValue) == pointee.id ? $0 : nil }
    }
}

extension UnsafeMutablePointer<ThreadRecord> {
    /// The record of the goroutine that the thread runs, if the two still belong together.
    @inline(__always) var running: UnsafeMutablePointer<GoroutineRecord>? {
        let record = pointee.goroutineRecord
        return record.pointee.id == pointee.goroutine.rawValue ? record : nil
    }

    @inline(__always) var hasGoroutineAndProc: Bool { pointee.goroutine != .absent && pointee.proc != .absent }

    /// - Parameter id: that of `record`.
    @inline(__always) func bind(_ record: UnsafeMutablePointer<GoroutineRecord>, _ id: Int64) {
        pointee.goroutine = GoroutineID(id)
        pointee.goroutineRecord = record
    }

    @inline(__always) func unbindGoroutine() { pointee.goroutine = .absent }

    @inline(__always) func bind(_ record: UnsafeMutablePointer<ProcRecord>) {
        pointee.proc = ProcID(Int32(truncatingIfNeeded: record.pointee.id))
        pointee.procRecord = record
        record.pointee.lastHolder = self
    }

    @inline(__always) func unbindProc() {
        pointee.proc = .absent
        pointee.procRecord = nil
    }
}

/// Where ordering stands in one thread's batches of a generation. The next event is peeked at: its
/// type and time are decoded, its arguments are not.
struct ThreadCursor {
    var time: Int64
    /// Where the event begins, and its arguments.
    var start: UnsafePointer<UInt8>
    var arguments: UnsafePointer<UInt8>
    var end: UnsafePointer<UInt8>
    var thread: UnsafeMutablePointer<ThreadRecord>
    var buffer: UnsafeMutablePointer<UInt8>
    /// Index into the generation's threads, and of the batch to load next.
    var threadIndex: Int32
    var nextBatch: Int32
}
