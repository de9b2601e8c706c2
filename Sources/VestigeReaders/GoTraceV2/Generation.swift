import VestigeCore

/// A CPU profile sample as the wire has it; its time is in nanoseconds once the frequency is known.
struct CPUSample {
    var time: Int64
    var ticks: UInt64
    var thread: ThreadID
    var proc: ProcID
    var goroutine: GoroutineID
    var stack: UInt64
}

/// What is known of one generation before its events are ordered: where its batches are, by thread,
/// and its clock. The tables of strings and stacks are in `GenerationTables`.
package struct Generation {
    /// The event batches of one thread, in the order of the file, which is their order in time.
    package struct ThreadBatches {
        package var thread: ThreadID
        package var batches: [BatchHeader]
    }

    var number: UInt64
    /// Threads in the order in which they first appear in the generation.
    package var threads: [ThreadBatches] = []
    private var threadIndex: [Int64: Int] = [:]
    package var stringBatches: [BatchHeader] = []
    var stackBatches: [BatchHeader] = []
    var sampleBatches: [BatchHeader] = []
    package var syncBatches: [BatchHeader] = []
    var experimentalBatches: [BatchHeader] = []
    /// Smallest start time of any batch, in ticks.
    package var minimumTicks: UInt64 = 0
    /// False if the input ends or breaks within it.
    var isComplete = true

    init(number: UInt64) { self.number = number }

    /// Whether, at the end of the file, it looks whole. Since Go 1.26 a byte would have said so. Before, all
    /// that can be said is that strings are written last, and before Go 1.25 the frequency shortly before.
    func hasItsEnd(version: Int) -> Bool {
        version < 26 && !stringBatches.isEmpty && (version >= 25 || !syncBatches.isEmpty)
    }

    /// Where its first batch begins in the file.
    private(set) var firstOffset: UInt64 = .max

    var isEmpty: Bool { minimumTicks == 0 && threads.isEmpty && syncBatches.isEmpty && stringBatches.isEmpty }

    /// Where all batches begin in the file, in ascending order.
    package var batchOffsets: [UInt64] {
        let others = [stringBatches, stackBatches, sampleBatches, syncBatches, experimentalBatches]
        return (others + threads.map(\.batches)).flatMap { $0.map(\.offset) }.sorted()
    }

    /// Files a batch by what it holds, which the first event in it tells
    /// (`internal/trace/generation.go`, `processBatch`).
    mutating func add(_ batch: BatchHeader, version: Int) {
        firstOffset = min(firstOffset, batch.offset)
        if minimumTicks == 0 || batch.ticks < minimumTicks { minimumTicks = batch.ticks }
        if batch.experiment != 0 {
            experimentalBatches.append(batch)
            return
        }
        switch batch.firstEvent {
        case WireEvent.strings: stringBatches.append(batch)
        case WireEvent.stacks: stackBatches.append(batch)
        case WireEvent.cpuSamples: sampleBatches.append(batch)
        case WireEvent.sync where version >= 25: syncBatches.append(batch)
        case WireEvent.frequency where version < 25: syncBatches.append(batch)
        default: addEvents(batch)
        }
    }

    private mutating func addEvents(_ batch: BatchHeader) {
        if let index = threadIndex[batch.thread.rawValue] {
            threads[index].batches.append(batch)
        } else {
            threadIndex[batch.thread.rawValue] = threads.count
            threads.append(ThreadBatches(thread: batch.thread, batches: [batch]))
        }
    }

    /// Cuts the batch that was added last, whose size proved wrong.
    mutating func shorten(_ batch: BatchHeader, to size: Int) {
        guard let index = threadIndex[batch.thread.rawValue], let last = threads[index].batches.last,
            last.offset == batch.offset
        else { return }
        threads[index].batches[threads[index].batches.count - 1].size = size
    }
}
