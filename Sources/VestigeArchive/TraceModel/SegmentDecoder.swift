/// Puts segments together again from columns.
struct SegmentDecoder: ~Copyable {
    let columns: ColumnSet
    private let plan = SegmentPlan()

    init(columns: ColumnSet) { self.columns = columns }

    /// Writes the next segment of the columns.
    ///
    /// - Parameter output: exactly as large as the segment; behind it there must be room for
    ///   `ModelEvent.longestEvent` bytes.
    /// - Returns: false if the columns do not make a segment of this size.
    mutating func decode(into output: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        guard let base = output.baseAddress else { return true }
        plan.begin(base, byteCount: output.count)
        guard readLayout(base, output.count) else { return false }
        plan.finish()
        var walk = EventWalk(state: SchedulerModel(), port: DecodingPort(columns.columns), plan: plan)
        walk.run()
        return !walk.port.isRefused
    }

    /// Writes stored bytes and headers, and finds the places of payloads.
    private mutating func readLayout(_ base: UnsafeMutablePointer<UInt8>, _ count: Int) -> Bool {
        let layout = columns.columns + ColumnID.layout
        var position = 0
        var generation: UInt64 = 0
        while true {
            guard let storedCount = layout.pointee.nextVarint(), storedCount <= UInt64(count - position),
                let stored = columns.columns[ColumnID.stored].next(Int(storedCount)),
                let mark = layout.pointee.nextVarint()
            else { return false }
            if let source = stored.baseAddress {
                UnsafeMutableRawPointer(base + position).copyMemory(from: source, byteCount: stored.count)
            }
            position += stored.count
            if mark == LayoutWriter.Mark.end { return position == count }
            guard mark <= LayoutWriter.Mark.paddedBatch, let generationStep = layout.pointee.nextVarint(),
                let thread = layout.pointee.nextVarint(), let tickStep = layout.pointee.nextVarint(),
                let size = layout.pointee.nextVarint(), let eventCount = layout.pointee.nextVarint(),
                size > 0, size <= PlainBatch.largestPayload, eventCount > 0, eventCount <= size / 2
            else { return false }
            generation &+= unzigzag(generationStep)
            let ticks = plan.ticks(of: thread) &+ unzigzag(tickStep)
            let header = PlainBatch(
                generation: generation, thread: thread, ticks: ticks, isSizePadded: mark == LayoutWriter.Mark.paddedBatch,
                payload: 0, size: Int(size)).headerBytes
            guard header.count + Int(size) <= count - position else { return false }
            header.withUnsafeBufferPointer { (base + position).update(from: $0.baseAddress!, count: $0.count) }
            position += header.count
            guard readTypesAndTimes(Int(eventCount)) else { return false }
            plan.add(thread: thread, ticks: ticks, payload: position, size: Int(size), eventCount: Int(eventCount))
            position += Int(size)
        }
    }

    private func readTypesAndTimes(_ count: Int) -> Bool {
        guard plan.hasRoom(for: count) else { return false }
        let columns = self.columns.columns
        let (types, deltas, argumentCount) = (plan.types, plan.deltas, ModelEvent.argumentCount)
        var previous = 0
        for event in plan.eventCount..<plan.eventCount + count {
            guard let type = columns[ColumnID.types + previous].next() else { return false }
            guard argumentCount[Int(type)] != ModelEvent.unknown else { return false }
            let row = ModelEvent.row(type)
            guard let delta = Number.next(columns + ColumnID.time(previous, row)), delta <= UInt64(UInt32.max)
            else { return false }
            types[event] = type
            deltas[event] = UInt32(truncatingIfNeeded: delta)
            previous = row
        }
        return true
    }
}
