import Dispatch
import VestigeCore

/// Hands on what it is given from another thread, one write after the other, so that whoever makes the bytes need not
/// wait until they are compressed and written. What fails is thrown by the next call.
final class LateSink: ByteSink, @unchecked Sendable {
    private let inner: any ByteSink
    private let queue = DispatchQueue(label: "vestige.late-sink")
    private let group = DispatchGroup()
    // Both are this thread's between `wait` and the next write's beginning on the other thread, and else that one's.
    private let bytes = ProtoBuffer(capacity: 512 << 10)
    private var failure: TraceError?

    init(_ inner: any ByteSink) { self.inner = inner }

    deinit { bytes.deallocate() }

    func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        try wait()
        self.bytes.removeAll()
        self.bytes.append(bytes.bindMemory(to: UInt8.self))
        queue.async(group: group) { [self] in
            do throws(TraceError) {
                try inner.write(UnsafeRawBufferPointer(self.bytes.pending))
            } catch { failure = error }
        }
    }

    /// Returns when everything has been handed on.
    func wait() throws(TraceError) {
        group.wait()
        if let failure { throw failure }
    }

    func finish() throws(TraceError) {
        try wait()
        try inner.finish()
    }
}
