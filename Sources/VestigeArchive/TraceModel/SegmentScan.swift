/// The header of a batch that the model can hold: its numbers are in their shortest form, but for the size,
/// for which the runtime leaves room (`runtime/tracebuf.go`, `varintReserve`).
struct PlainBatch {
    var generation: UInt64
    var thread: UInt64
    var ticks: UInt64
    var isSizePadded: Bool
    /// Where the payload is, in the segment, and its size.
    var payload: Int
    var size: Int

    static let type: UInt8 = 1
    static let paddedSizeLength = 10
    static let largestPayload: UInt64 = 64 << 10

    /// The header as it is written.
    var headerBytes: [UInt8] {
        // A type and four numbers of at most 10 bytes.
        [UInt8](unsafeUninitializedCapacity: 41) { buffer, count in
            var pointer = buffer.baseAddress!
            pointer[0] = Self.type
            pointer += 1
            for value in [generation, thread, ticks] { WireVarint.write(value, &pointer) }
            if isSizePadded {
                for index in 0..<9 { pointer[index] = UInt8(size >> (7 * index) & 0x7f) | 0x80 }
                pointer[9] = 0
                pointer += 10
            } else {
                WireVarint.write(UInt64(size), &pointer)
            }
            count = pointer - buffer.baseAddress!
        }
    }
}

/// Finds the batches of a segment that the model can hold.
struct SegmentScan {
    private let base: UnsafeMutablePointer<UInt8>
    private let count: Int
    private let plan: SegmentPlan
    private var position = 0
    private var storedStart = 0
    /// What lies between the batch before the last one that was found and that one; behind the last one in the end.
    private(set) var stored = 0..<0
    /// Events of the last batch that was found.
    private(set) var eventCount = 0
    /// How many bytes may still be looked at in vain, so that what only looks like batches takes no long time.
    private var patience: Int

    init(_ base: UnsafeMutablePointer<UInt8>, count: Int, plan: SegmentPlan) {
        self.base = base
        self.count = count
        self.plan = plan
        patience = 4 * count
    }

    /// The next batch; its types and times are in the plan, behind those there are.
    mutating func next() -> PlainBatch? {
        while position < count, patience > 0 {
            guard base[position] == PlainBatch.type, let batch = header() else {
                position += 1
                continue
            }
            guard readEvents(batch) else {
                patience -= batch.size
                // Most such batches are sound, and only not of events.
                position = batch.payload + (isFollowed(batch) ? batch.size : 0)
                continue
            }
            let start = position
            position = batch.payload + batch.size
            stored = storedStart..<start
            storedStart = position
            return batch
        }
        stored = storedStart..<count
        return nil
    }

    private func isFollowed(_ batch: PlainBatch) -> Bool {
        let end = batch.payload + batch.size
        return end == count || base[end] == PlainBatch.type || base[end] == 49 || base[end] == 52
    }

    /// The header at `position` of a batch that ends within the segment.
    private func header() -> PlainBatch? {
        let end = base + count
        var pointer = base + position + 1
        guard let generation = WireVarint.read(&pointer, before: end),
            let thread = WireVarint.read(&pointer, before: end), let ticks = WireVarint.read(&pointer, before: end)
        else { return nil }
        let padded = paddedSize(pointer, end)
        if padded != nil { pointer += PlainBatch.paddedSizeLength }
        guard let size = padded ?? WireVarint.read(&pointer, before: end), size > 0,
            size <= PlainBatch.largestPayload, Int(size) <= end - pointer
        else { return nil }
        return PlainBatch(
            generation: generation, thread: thread, ticks: ticks, isSizePadded: padded != nil,
            payload: pointer - base, size: Int(size))
    }

    private func paddedSize(_ pointer: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>) -> UInt64? {
        guard end - pointer >= PlainBatch.paddedSizeLength, pointer[9] == 0 else { return nil }
        var value: UInt64 = 0
        for index in 0..<9 {
            guard pointer[index] >= 0x80 else { return nil }
            value |= UInt64(pointer[index] & 0x7f) << UInt64(7 * index)
        }
        return value
    }

    /// Reads types and times of a batch's events, and looks whether all its bytes are what they would be written as.
    private mutating func readEvents(_ batch: PlainBatch) -> Bool {
        var pointer = base + batch.payload
        let end = pointer + batch.size
        guard plan.hasRoom(for: batch.size / 2) else { return false }
        let argumentCount = ModelEvent.argumentCount
        var types = plan.types + plan.eventCount
        var deltas = plan.deltas + plan.eventCount
        while pointer < end {
            let type = pointer[0]
            let arguments = argumentCount[Int(type)]
            pointer += 1
            guard arguments != ModelEvent.unknown, let delta = WireVarint.read(&pointer, before: end),
                delta <= UInt64(UInt32.max)
            else { return false }
            types[0] = type
            deltas[0] = UInt32(truncatingIfNeeded: delta)
            types += 1
            deltas += 1
            for _ in 0..<arguments {
                guard WireVarint.read(&pointer, before: end) != nil else { return false }
            }
        }
        eventCount = types - (plan.types + plan.eventCount)
        return true
    }
}
