import VestigeCore

/// One input of several, read ahead by a batch.
final class InputStream {
    let input: TraceInput
    /// What is added to its times.
    var shiftNanoseconds: Int64 = 0
    /// The user said when it was, and knows better.
    var isPlacedByHand = false
    private var batch = EventBatch()
    private var position = 0
    private var isMore = true

    init(_ input: TraceInput) throws(TraceError) {
        self.input = input
        try refill()
    }

    /// Events that have been read and not taken.
    var pending: UnsafeBufferPointer<Event> { UnsafeBufferPointer(rebasing: batch.events[position...]) }

    /// Time of the next event; nil at the end.
    var nextNanoseconds: Int64? {
        position < batch.count ? shifted(batch.events[position].timeNanoseconds) : nil
    }

    /// Moves events up to and including a time to another batch, as long as that has room.
    func take(through end: Int64, into output: inout EventBatch) throws(TraceError) {
        while output.room > 0, let time = nextNanoseconds, time <= end {
            var event = batch.events[position]
            event.timeNanoseconds = time
            output.append(event)
            position += 1
            if position == batch.count { try refill() }
        }
    }

    /// Everything that is left.
    func takeAll() throws(TraceError) -> [Event] {
        var events: [Event] = []
        while position < batch.count {
            events.append(contentsOf: pending)
            try refill()
        }
        return events
    }

    private func refill() throws(TraceError) {
        position = 0
        batch.removeAll()
        while isMore, batch.isEmpty { isMore = try input.read(into: &batch) }
    }

    private func shifted(_ time: Int64) -> Int64 {
        let (sum, isTooLarge) = time.addingReportingOverflow(shiftNanoseconds)
        return isTooLarge ? (time < 0 ? .min : .max) : sum
    }
}

/// Several streams as one, in order of time; of events at the same time, those of the earlier input
/// come first.
final class MergedStream {
    private let streams: [InputStream]
    /// Observations, in order of time.
    private let observations: [Event]
    private var observationPosition = 0
    /// Nil if there are no recordings that could contradict each other.
    private let continuity: RunContinuity?

    init(_ streams: [InputStream], observations: [Event], tables: TraceTables) {
        self.streams = streams
        self.observations = observations
        continuity = streams.count > 1 ? RunContinuity(streams, tables) : nil
    }

    var bytesConsumed: UInt64 { streams.reduce(0) { $0 + $1.input.bytesConsumed } }

    /// Fills the rest of the batch; false when there are no more events.
    func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        while batch.room > 0 {
            let next = streams.enumerated().compactMap { index, stream in
                stream.nextNanoseconds.map { (time: $0, index: index) }
            }.sorted { ($0.time, $0.index) < ($1.time, $1.index) }
            guard let first = next.first else {
                appendObservations(before: .max, to: &batch)
                return observationPosition < observations.count
            }
            appendObservations(before: first.time, to: &batch)
            // The stream goes on until it meets the next one, or an observation.
            var end = next.count > 1 ? next[1].time : Int64.max
            if observationPosition < observations.count {
                end = min(end, observations[observationPosition].timeNanoseconds)
            }
            let countBefore = batch.count
            try continuity?.begin(first.index)
            try streams[first.index].take(through: max(end, first.time), into: &batch)
            try continuity?.note(first.index, batch.events.dropFirst(countBefore))
        }
        return true
    }

    private func appendObservations(before time: Int64, to batch: inout EventBatch) {
        while batch.room > 0, observationPosition < observations.count,
            time == .max || observations[observationPosition].timeNanoseconds < time
        {
            batch.append(observations[observationPosition])
            observationPosition += 1
        }
    }
}
