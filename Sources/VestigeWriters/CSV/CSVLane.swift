import VestigeCore

/// Where the second half of a batch's rows is put together, on a thread of its own, while the first half is written
/// to the file: its buffer grows, so that it need not wait for the first half.
final class CSVLane {
    let buffer: TextBuffer
    /// Waits until the first half has been handed to the file.
    var waitForFirst: () -> Void = {}

    /// Rows can be of any length, so there is an end to growing.
    private static let mostBytes = 4 << 20

    init(_ sink: any ByteSink) { buffer = TextBuffer(sink) }

    deinit { buffer.deallocate() }

    /// Makes room for more rows, by handing them to the file if there are many.
    func makeRoom(_ count: Int) throws(TraceError) {
        guard buffer.capacity >= Self.mostBytes else { return buffer.reserve(max(count, buffer.capacity / 2)) }
        waitForFirst()
        try buffer.flush()
    }
}
