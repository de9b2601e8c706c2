/// Splits segments into columns. A segment is any run of bytes; what in it are batches of events that the
/// model knows is predicted, everything else is stored.
struct SegmentEncoder: ~Copyable {
    let columns: ColumnSet
    private let plan = SegmentPlan()
    /// What the last segment mentions.
    private(set) var facts = SegmentFacts()

    init(columns: ColumnSet) { self.columns = columns }

    /// Appends a segment to the columns.
    ///
    /// - Parameter bytes: the segment; behind it there must be `ModelEvent.longestEvent` bytes that may be read.
    /// - Returns: false if it must be stored as a whole, since a decoder would not get the same; the columns are
    ///   of no use then.
    mutating func append(_ bytes: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        plan.begin(base, byteCount: bytes.count)
        var scan = SegmentScan(base, count: bytes.count, plan: plan)
        var layout = LayoutWriter(columns.columns)
        while let batch = scan.next() {
            layout.append(stored: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[scan.stored]))
            layout.append(batch, previousTicks: plan.ticks(of: batch.thread), eventCount: scan.eventCount)
            appendTypesAndTimes(scan.eventCount)
            plan.add(
                thread: batch.thread, ticks: batch.ticks, payload: batch.payload, size: batch.size,
                eventCount: scan.eventCount)
        }
        layout.appendLast(stored: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[scan.stored]))
        plan.finish()
        var walk = EventWalk(state: SchedulerModel(), port: EncodingPort(columns.columns), plan: plan)
        walk.run()
        facts = SegmentFacts(plan, walk.port)
        return !walk.port.isRefused
    }

    /// Types and times of the next events in the plan, which are one batch.
    private func appendTypesAndTimes(_ count: Int) {
        var previous = 0
        let columns = self.columns.columns
        let (types, deltas) = (plan.types, plan.deltas)
        for event in plan.eventCount..<plan.eventCount + count {
            let type = types[event]
            let row = ModelEvent.row(type)
            columns[ColumnID.types + previous].append(type)
            Number.append(UInt64(deltas[event]), to: columns + ColumnID.time(previous, row))
            previous = row
        }
    }
}

/// What a segment mentions, in its own terms.
struct SegmentFacts {
    /// From the earliest batch to the latest event, in clock ticks.
    var ticks: ClosedRange<UInt64>?
    /// How many batches the model holds.
    var batchCount = 0
    /// Goroutines and string ids of regions and tasks, some more than once.
    var goroutines: [UInt64] = []
    var names: [UInt64] = []

    init() {}

    init(_ plan: SegmentPlan, _ port: borrowing EncodingPort) {
        batchCount = plan.batches.count
        goroutines = port.goroutines
        names = port.names
        if let first = plan.batches.map(\.ticks).min(), let last = plan.lastTicks.max(), first <= last {
            ticks = first...last
        }
    }
}
