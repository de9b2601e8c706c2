import Dispatch
import Glibc
import Synchronization
import VestigeCore

/// Reads on a thread of its own, a few batches ahead of whoever takes them.
final class ReadAhead: @unchecked Sendable {
    /// Four batches are 2 MiB: enough that neither side waits for the other to wake up.
    private static let batchCount = 4

    static var isUseful: Bool { sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 }

    /// One batch on its way. It belongs to one side at a time.
    private final class Slot {
        let batch = HeapValue(EventBatch())
        var bytesConsumed: UInt64 = 0
        var isLast = false
        var failure: TraceError?
    }

    private let slots = (0..<batchCount).map { _ in Slot() }
    private let vacant = DispatchSemaphore(value: 0)
    private let filled = DispatchSemaphore(value: 0)
    /// Nobody wants more.
    private let isStopped = Atomic(false)

    /// - Parameters:
    ///   - read: fills a batch, on the other thread; false when there is no more.
    ///   - bytesConsumed: is called there as well.
    ///   - body: takes the batches in order, on this thread; false if no more are wanted.
    /// - Throws: what the closures throw. Nothing is at work any more then.
    func run(
        read: (inout EventBatch) throws(TraceError) -> Bool, bytesConsumed: () -> UInt64,
        _ body: (UnsafeBufferPointer<Event>, UInt64) throws(TraceError) -> Bool
    ) throws(TraceError) {
        let isFinished = DispatchGroup()
        var failure: TraceError?
        withoutActuallyEscaping(read) { read in
            withoutActuallyEscaping(bytesConsumed) { bytesConsumed in
                let work = DispatchWorkItem { [self] in fill(read, bytesConsumed) }
                DispatchQueue(label: "vestige.read-ahead").async(group: isFinished, execute: work)
                for _ in slots { vacant.signal() }
                do throws(TraceError) { try take(body) } catch { failure = error }
                isStopped.store(true, ordering: .releasing)
                vacant.signal()
                isFinished.wait()
            }
        }
        if let failure { throw failure }
    }

    private func fill(_ read: (inout EventBatch) throws(TraceError) -> Bool, _ bytesConsumed: () -> UInt64) {
        var index = 0
        while true {
            vacant.wait()
            if isStopped.load(ordering: .acquiring) { return }
            let slot = slots[index % slots.count]
            index += 1
            slot.batch.pointer.pointee.removeAll()
            do throws(TraceError) { slot.isLast = try !read(&slot.batch.pointer.pointee) } catch {
                slot.failure = error
                slot.isLast = true
            }
            slot.bytesConsumed = bytesConsumed()
            filled.signal()
            if slot.isLast { return }
        }
    }

    private func take(_ body: (UnsafeBufferPointer<Event>, UInt64) throws(TraceError) -> Bool) throws(TraceError) {
        var index = 0
        while true {
            filled.wait()
            let slot = slots[index % slots.count]
            index += 1
            if let failure = slot.failure { throw failure }
            guard try body(slot.batch.pointer.pointee.events, slot.bytesConsumed), !slot.isLast else { return }
            vacant.signal()
        }
    }
}
