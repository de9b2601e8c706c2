/// Writes what a segment consists of: stored bytes and batches in turn, stored bytes last.
struct LayoutWriter {
    private let layout: UnsafeMutablePointer<ByteColumn>
    private let storedBytes: UnsafeMutablePointer<ByteColumn>
    private var generation: UInt64 = 0

    /// What follows stored bytes.
    enum Mark {
        static let end: UInt64 = 0
        static let batch: UInt64 = 1
        /// A batch whose size has room for more.
        static let paddedBatch: UInt64 = 2
    }

    init(_ columns: UnsafeMutablePointer<ByteColumn>) {
        layout = columns + ColumnID.layout
        storedBytes = columns + ColumnID.stored
    }

    mutating func append(stored bytes: UnsafeRawBufferPointer) {
        layout.pointee.appendVarint(UInt64(bytes.count))
        storedBytes.pointee.append(bytes)
    }

    mutating func append(_ batch: PlainBatch, previousTicks: UInt64, eventCount: Int) {
        layout.pointee.appendVarint(batch.isSizePadded ? Mark.paddedBatch : Mark.batch)
        layout.pointee.appendVarint(zigzag(batch.generation &- generation))
        layout.pointee.appendVarint(batch.thread)
        layout.pointee.appendVarint(zigzag(batch.ticks &- previousTicks))
        layout.pointee.appendVarint(UInt64(batch.size))
        layout.pointee.appendVarint(UInt64(eventCount))
        generation = batch.generation
    }

    mutating func appendLast(stored bytes: UnsafeRawBufferPointer) {
        append(stored: bytes)
        layout.pointee.appendVarint(Mark.end)
    }
}
