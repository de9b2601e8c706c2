import VestigeCore
import VestigeReaders

/// Finds what the index says of a generation: times by its clock, names by its strings.
struct GenerationContent {
    private let bytes: UnsafeRawBufferPointer
    private let place: GenerationPlace

    init(_ bytes: UnsafeRawBufferPointer, _ place: GenerationPlace) {
        self.bytes = bytes
        self.place = place
    }

    /// - Returns: nil if anything is not known, so that the generation must be read.
    func content(_ facts: SegmentFacts) -> ChunkContent? {
        guard facts.batchCount == place.eventBatchCount, let clock = clock(), let ticks = facts.ticks,
            let first = nanoseconds(min(place.minimumTicks, ticks.lowerBound), clock), let last = nanoseconds(ticks.upperBound, clock),
            let regions = regions(Set(facts.names))
        else { return nil }
        return ChunkContent(
            firstNanoseconds: first, lastNanoseconds: max(first, last), wallOffsetNanoseconds: clock.wallOffset,
            goroutines: Self.ranges(facts.goroutines), regions: regions)
    }

    private struct Clock {
        var nanosecondsPerTick: Double
        var wallOffset: Int64?
    }

    private func nanoseconds(_ ticks: UInt64, _ clock: Clock) -> Int64? {
        Int64(exactly: (Double(ticks) * clock.nanosecondsPerTick).rounded(.towardZero))
    }

    /// The generation's frequency, and the clock snapshot where there is one
    /// (`internal/trace/generation.go`, `setSyncBatch`).
    private func clock() -> Clock? {
        var clock = Clock(nanosecondsPerTick: 0)
        var snapshot: (ticks: UInt64, wall: Int64)?
        for batch in place.sync {
            guard let payload = payload(batch) else { return nil }
            var input = ByteColumn(reading: payload)
            var ticks = batch.ticks
            while let type = input.next() {
                switch type {
                case WireEvent.sync: continue
                case WireEvent.frequency:
                    guard let value = input.nextVarint(), value > 0 else { return nil }
                    clock.nanosecondsPerTick = 1.0 / (Double(value) / 1e9)
                case WireEvent.clockSnapshot:
                    guard let delta = input.nextVarint(), input.nextVarint() != nil, let seconds = input.nextVarint(),
                        let nanoseconds = input.nextVarint()
                    else { return nil }
                    ticks &+= delta
                    snapshot = (ticks, Int64(bitPattern: seconds &* 1_000_000_000 &+ nanoseconds))
                default: return nil
                }
            }
        }
        guard clock.nanosecondsPerTick > 0 else { return nil }
        if let snapshot, let time = nanoseconds(snapshot.ticks, clock) { clock.wallOffset = snapshot.wall &- time }
        return clock
    }

    /// The names behind string ids; nil unless all are there.
    private func regions(_ ids: Set<UInt64>) -> [String]? {
        guard !ids.isEmpty else { return [] }
        var names: Set<String> = []
        var found = 0
        for batch in place.strings {
            guard let payload = payload(batch) else { return nil }
            var input = ByteColumn(reading: payload)
            guard input.next() == WireEvent.strings else { return nil }
            while input.next() == WireEvent.string {
                guard let id = input.nextVarint(), let length = input.nextVarint(), length <= WireLimit.stringBytes,
                    let text = input.next(Int(length))
                else { return nil }
                if ids.contains(id) {
                    names.insert(String(decoding: text, as: UTF8.self))
                    found += 1
                }
            }
        }
        return found == ids.count ? names.sorted() : nil
    }

    private func payload(_ batch: GenerationPlace.Batch) -> UnsafeRawBufferPointer? {
        guard batch.payload >= 0, batch.size >= 0, batch.payload <= bytes.count - batch.size else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[batch.payload..<batch.payload + batch.size])
    }

    /// Ids as ascending ranges.
    static func ranges(_ ids: [UInt64]) -> [ClosedRange<UInt64>] {
        var ranges: [ClosedRange<UInt64>] = []
        for id in ids.sorted() where id != 0 {
            guard let last = ranges.last?.upperBound else {
                ranges.append(id...id)
                continue
            }
            if id == last { continue }
            if id == last + 1 {
                ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound...id
            } else {
                ranges.append(id...id)
            }
        }
        return ranges
    }
}
