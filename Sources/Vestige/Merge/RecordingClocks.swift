import VestigeCore

/// Puts several recordings on the clock of the first.
struct RecordingClocks {
    private let recordings: [InputStream]
    private let tables: TraceTables
    private let manual: (InputStream) -> Int64?

    init(_ recordings: [InputStream], tables: TraceTables, manual: @escaping (InputStream) -> Int64?) {
        self.recordings = recordings
        self.tables = tables
        self.manual = manual
    }

    /// Two clocks of one boot differ by less: what the wall clock was corrected by in between.
    private static let largestCorrection: UInt64 = 3_600_000_000_000
    /// Processes may be of different machines, which hardly began at the same second; if they did, the wall clock
    /// tells no less.
    private static let smallestBootDistance: UInt64 = 1_000_000_000

    func align() throws(TraceError) {
        guard let first = recordings.first, recordings.count > 1 else { return }
        for other in recordings.dropFirst() { _ = try align(other, to: first, isSameProcess: true) }
    }

    /// Puts one input on the clock of another; returns what that adds to its times.
    ///
    /// - Parameter start: the time of its first event; nil if that is the next one.
    func align(
        _ other: InputStream, startingAt start: Int64? = nil, to first: InputStream, isSameProcess: Bool = false
    ) throws(TraceError) -> Int64 {
        let start = start ?? other.nextNanoseconds ?? 0
        let (method, shift) = try relation(of: other, startingAt: start, to: first, isSameProcess)
        other.shiftNanoseconds = shift
        tables.sources[Int(other.input.place)].alignments = [
            SourceAlignment(method: method, timeNanoseconds: start &+ shift)
        ]
        return shift
    }

    private func relation(
        of other: InputStream, startingAt start: Int64, to first: InputStream, _ isSameProcess: Bool
    ) throws(TraceError) -> (SourceAlignment.Method, shift: Int64) {
        if let time = manual(other) { return (.manual, (first.nextNanoseconds ?? 0) &+ time &- start) }
        let anchors = (wallOffset(first), wallOffset(other))
        if clock(first) == .monotonic, clock(other) == .monotonic {
            guard let a = anchors.0, let b = anchors.1 else { return (.monotonicClock, 0) }
            let distance = (a &- b).magnitude
            if distance <= (isSameProcess ? Self.largestCorrection : Self.smallestBootDistance) {
                return (.monotonicClock, 0)
            }
            if isSameProcess {
                throw refusal(
                    other, expected: "a recording of the same boot of the machine as \(first.input.path)",
                    found: "monotonic clocks that are \(distance / 1_000_000_000) s apart on the wall clock")
            }
        }
        if let a = anchors.0, let b = anchors.1 { return (.wallClock, b &- a) }
        throw refusal(
            other, expected: "a clock that can be compared with that of \(first.input.path)",
            found: "\(clock(first).rawValue) and \(clock(other).rawValue) ones")
    }

    private func refusal(_ stream: InputStream, expected: String, found: String) -> TraceError {
        TraceError(
            .usage, file: stream.input.path,
            expected: "\(expected) (or --at \(stream.input.path)=TIME, counted from the first event there)",
            found: found)
    }

    private func clock(_ stream: InputStream) -> ClockKind { tables.sources[Int(stream.input.place)].clock }

    /// The wall clock less the recording's; nil if no generation at its start tells.
    private func wallOffset(_ stream: InputStream) -> Int64? {
        if clock(stream) == .wall { return 0 }
        for event in stream.pending where event.kind == .sync {
            guard let index = event.clockSnapshotIndex, tables.clockSnapshots.indices.contains(index) else { continue }
            let snapshot = tables.clockSnapshots[index]
            return snapshot.wallUnixNanoseconds &- snapshot.traceNanoseconds
        }
        return nil
    }
}
