/// A batch that the model knows, within a segment.
struct ModelBatch {
    var thread: Int32 = 0
    /// The next batch of the same thread; -1 for none.
    var next: Int32 = -1
    var ticks: UInt64 = 0
    /// Where its payload is in the segment.
    var payload = 0
    var size = 0
    /// Its events, among all of the segment.
    var firstEvent = 0
    var eventCount = 0
}

/// A thread on its way through its batches, and what is known of it.
struct ModelCursor {
    var thread: UInt64
    /// Time of the next event, in ticks.
    var time: UInt64 = 0
    var batch: Int32 = -1
    var nextEvent = 0
    var endEvent = 0
    /// Where its next event is read from, or written to, and where its batch ends.
    var pointer: UnsafeMutablePointer<UInt8>
    var end: UnsafeMutablePointer<UInt8>
    var firstBatch: Int32 = -1
    var lastBatch: Int32 = -1

    /// The goroutine and proc that it runs; 0 and `noProc` for none.
    var goroutine: UInt64 = 0
    var proc: UInt64 = 0

    init(thread: UInt64, pointer: UnsafeMutablePointer<UInt8>) {
        self.thread = thread
        self.pointer = pointer
        end = pointer
    }
}

