import VestigeCore

/// An exit from a system call that happened earlier than it was written.
struct ExitV1: BitwiseCopyable {
    /// Its place in the order: time in ticks, or in Go 1.5 and 1.6 the global sequence number.
    var key: Int64
    /// The place of the event that tells of it; orders exits of the same `key`.
    var writtenKey: Int64
    var ticks: Int64
    var goroutine: UInt64

    /// Decodes a GoSysExit event: goroutine, sequence number, time of the exit (0: not known).
    /// - Parameters: `ticks` and `sequence` are those of the event itself.
    /// - Returns: nil if the exit happened when it was written.
    init?(event: UnsafePointer<UInt8>, ticks: UInt64, sequence: UInt64, layout: LayoutV1) {
        var arguments = event + 1
        _ = Varint.readLenient(&arguments)  // length
        if layout.hasGlobalSequence { _ = Varint.readLenient(&arguments) }
        _ = Varint.readLenient(&arguments)
        goroutine = Varint.readLenient(&arguments)
        let exitSequence = Varint.readLenient(&arguments)
        let exitTicks = Varint.readLenient(&arguments)
        if layout.hasGlobalSequence {
            (key, writtenKey) = (Int64(bitPattern: exitSequence), Int64(bitPattern: sequence))
            self.ticks = Int64(bitPattern: exitTicks == 0 ? ticks : exitTicks)
        } else {
            (key, writtenKey) = (Int64(bitPattern: exitTicks), Int64(bitPattern: ticks))
            self.ticks = key
        }
        guard key < writtenKey, exitTicks != 0 || layout.hasGlobalSequence else { return nil }
    }

    func precedes(_ other: ExitV1) -> Bool { (key, writtenKey) < (other.key, other.writtenKey) }
}

/// Hands out exits in the order in which they happened, ahead of the events that tell of them.
///
/// A segment is searched for exits only when the merge comes to the first of them, so that few are held
/// at a time, however many the trace has.
struct ExitQueueV1: ~Copyable {
    private let index: TraceIndexV1
    private let buffer: UnsafeMutablePointer<UInt8>
    /// Segments with exits, as (proc, segment), the one with the earliest exit last.
    private var segments: [(proc: Int32, segment: Int32, firstKey: Int64)] = []
    /// A binary heap.
    private var heap: [ExitV1] = []
    /// Key of the next exit; Int64.max where there is none.
    private(set) var nextKey = Int64.max

    init(_ index: TraceIndexV1) {
        self.index = index
        let largest = index.procs.map(\.largestSegment).max() ?? 0
        buffer = .allocate(capacity: largest + LimitV1.padding)
        for (procIndex, proc) in index.procs.enumerated() {
            for (segmentIndex, segment) in proc.segments.enumerated() where segment.firstExitKey != .max {
                segments.append((Int32(procIndex), Int32(segmentIndex), segment.firstExitKey))
            }
        }
        segments.sort { ($1.firstKey, $1.proc, $1.segment) < ($0.firstKey, $0.proc, $0.segment) }
        nextKey = segments.last?.firstKey ?? .max
    }

    deinit { buffer.deallocate() }

    /// Takes the exit whose key is `nextKey`, or nil if the input does not hold it any more.
    mutating func pop() throws(TraceError) -> ExitV1? {
        while let segment = segments.last, segment.firstKey <= nextKey {
            segments.removeLast()
            try collect(index.procs[Int(segment.proc)].segments[Int(segment.segment)])
        }
        let exit = heap.isEmpty ? nil : removeFirst()
        nextKey = min(heap.first?.key ?? .max, segments.last?.firstKey ?? .max)
        return exit
    }

    private mutating func collect(_ segment: SegmentV1) throws(TraceError) {
        let count = try index.source.read(
            at: segment.offset, into: UnsafeMutableRawBufferPointer(start: buffer, count: segment.size))
        (buffer + count).initialize(repeating: 0, count: LimitV1.padding)
        var pointer = UnsafePointer(buffer)
        let end = pointer + count
        var (ticks, sequence) = (segment.ticks, segment.sequence)
        while pointer < end {
            let start = pointer
            let type = start[0] & 63
            guard WireV1.isTimed(type) else {
                guard LayoutV1.skipTable(&pointer, end, index.layout) else { return }
                continue
            }
            guard index.layout.skipEvent(&pointer, limit: end, ticks: &ticks, sequence: &sequence), pointer <= end
            else { return }
            if type == WireV1.userLog { guard LayoutV1.skipMessage(&pointer, end) != nil else { return } }
            if type == WireV1.goSysExit,
                let exit = ExitV1(event: start, ticks: ticks, sequence: sequence, layout: index.layout)
            {
                insert(exit)
            }
        }
    }

    private mutating func insert(_ exit: ExitV1) {
        heap.append(exit)
        var index = heap.count - 1
        while index > 0, heap[index].precedes(heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func removeFirst() -> ExitV1 {
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var index = 0
        while true {
            let left = 2 * index + 1
            guard left < heap.count else { return first }
            let right = left + 1
            let least = right < heap.count && heap[right].precedes(heap[left]) ? right : left
            guard heap[least].precedes(heap[index]) else { return first }
            heap.swapAt(index, least)
            index = least
        }
    }
}
