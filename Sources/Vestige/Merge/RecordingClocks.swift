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
    private static let largestCorrection: Int64 = 3_600_000_000_000

    func align() throws(TraceError) {
        guard let first = recordings.first, recordings.count > 1 else { return }
        for other in recordings.dropFirst() {
            let (method, shift) = try relation(of: other, to: first)
            other.shiftNanoseconds = shift
            let start = other.nextNanoseconds ?? shift
            tables.sources[Int(other.input.place)].alignments = [
                SourceAlignment(method: method, timeNanoseconds: start)
            ]
        }
    }

    private func relation(
        of other: InputStream, to first: InputStream
    ) throws(TraceError) -> (SourceAlignment.Method, shift: Int64) {
        if let time = manual(other) {
            let (start, ownStart) = (first.nextNanoseconds ?? 0, other.nextNanoseconds ?? 0)
            return (.manual, start &+ time &- ownStart)
        }
        let anchors = (wallOffset(first), wallOffset(other))
        if clock(first) == .monotonic, clock(other) == .monotonic {
            if let a = anchors.0, let b = anchors.1, (a &- b).magnitude > Self.largestCorrection.magnitude {
                throw refusal(
                    other, expected: "a recording of the same boot of the machine as \(first.input.path)",
                    found: "monotonic clocks that are \((a &- b).magnitude / 1_000_000_000) s apart on the wall clock")
            }
            return (.monotonicClock, 0)
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
