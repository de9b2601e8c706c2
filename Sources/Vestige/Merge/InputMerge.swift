import VestigeCore
import VestigeStages

/// Finds out how several inputs lie in time, and makes one stream of them.
struct InputMerge {
    private let tables: TraceTables
    private let times: [ManualTime]
    private var recordings: [InputStream] = []
    private var observers: [InputStream] = []

    init(_ inputs: [TraceInput], tables: TraceTables, times: [ManualTime]) throws(TraceError) {
        self.tables = tables
        self.times = times
        if inputs.filter({ $0.path == "-" }).count > 1 {
            throw TraceError(.usage, expected: "standard input at most once", found: "- twice")
        }
        for input in inputs {
            let stream = try InputStream(input)
            if Self.isObserver(stream) { observers.append(stream) } else { recordings.append(stream) }
        }
        try checkTimes(inputs)
    }

    /// True for a dump or a debugger's snapshots: nothing but what was seen from outside, or nothing at all.
    private static func isObserver(_ stream: InputStream) -> Bool {
        stream.pending.allSatisfy { $0.kind == .observed || $0.kind == .breakpoint || $0.kind == .log }
    }

    private func checkTimes(_ inputs: [TraceInput]) throws(TraceError) {
        for time in times {
            guard let path = time.path else { continue }
            if !inputs.contains(where: { $0.path == path }) {
                throw TraceError(
                    .usage, file: path,
                    expected: "an input for --at, one of \(inputs.map(\.path).joined(separator: ", "))",
                    found: "none of that name")
            }
        }
        if times.contains(where: { $0.path == nil }), observers.count + recordings.count > 2 {
            throw TraceError(.usage, expected: "--at FILE=TIME, since there are several inputs", found: "--at TIME")
        }
    }

    func run(onProgress: ((Progress) -> Void)?) throws(TraceError) -> MergedStream {
        try RecordingClocks(recordings, tables: tables, manual: manualTime).align()
        var observed: [Event] = []
        for stream in observers { observed += try place(stream, onProgress: onProgress) }
        // The sort keeps the order of the inputs where times are the same.
        let sorted = observed.enumerated().sorted {
            ($0.element.timeNanoseconds, $0.offset) < ($1.element.timeNanoseconds, $1.offset)
        }
        return MergedStream(recordings, observations: sorted.map(\.element))
    }

    /// Time of the first event of a recording.
    var firstNanoseconds: Int64 { recordings.compactMap(\.nextNanoseconds).min() ?? 0 }

    private func manualTime(of stream: InputStream) -> Int64? {
        if let time = times.first(where: { $0.path == stream.input.path }) { return time.nanoseconds }
        guard let time = times.first(where: { $0.path == nil }) else { return nil }
        let needs = observers.first ?? recordings.last
        return needs === stream ? time.nanoseconds : nil
    }

    // MARK: - Snapshots

    /// The events of a dump or of snapshots at their places in the recording.
    private func place(
        _ stream: InputStream, onProgress: ((Progress) -> Void)?
    ) throws(TraceError) -> [Event] {
        let events = try stream.takeAll()
        if recordings.isEmpty { return events }
        let first = firstNanoseconds
        let snapshots = ObservedSnapshot.divide(
            events, isDebugger: isDebugger(stream), clock: clock(stream), tables: tables)
        let alignments: [SourceAlignment]
        if let manual = manualTime(of: stream) {
            alignments = snapshots.map { snapshot in
                let offset = snapshot.events[0].timeNanoseconds &- events[0].timeNanoseconds
                return SourceAlignment(method: .manual, timeNanoseconds: first &+ manual &+ offset)
            }
        } else {
            alignments = try search(snapshots, of: stream, onProgress: onProgress)
        }
        tables.sources[Int(stream.input.place)].alignments = alignments
        return zip(snapshots, alignments).flatMap { snapshot, alignment in
            snapshot.events.map { event in
                var placed = event
                placed.timeNanoseconds = alignment.timeNanoseconds
                return placed
            }
        }
    }

    /// Every snapshot, where it is placed, and what the recording says there.
    func agreements(onProgress: ((Progress) -> Void)?) throws(TraceError) -> [SnapshotAgreement] {
        try RecordingClocks(recordings, tables: tables, manual: manualTime).align()
        guard !recordings.isEmpty, !observers.isEmpty else {
            throw TraceError(
                .usage, expected: "a recording, and a dump or snapshot to compare with it",
                found: recordings.isEmpty ? "no recording" : "nothing but recordings")
        }
        var found: [(path: String, snapshot: ObservedSnapshot, alignment: SourceAlignment)] = []
        for stream in observers {
            let placed = try place(stream, onProgress: onProgress)
            let alignments = tables.sources[Int(stream.input.place)].alignments
            let snapshots = ObservedSnapshot.divide(placed, isDebugger: isDebugger(stream), tables: tables)
            for (snapshot, alignment) in zip(snapshots, alignments) {
                found.append((stream.input.path, snapshot, alignment))
            }
        }
        let collector = MomentStatesCollector(found.map(\.alignment.timeNanoseconds), tables: tables)
        try SecondReading(of: recordings, tables: tables).readAll { events throws(TraceError) in
            collector.process(events)
        }
        return zip(found, collector.finish()).map { found, states in
            SnapshotAgreement(
                path: found.path, alignment: found.alignment,
                agreement: Agreement(of: found.snapshot, with: states, tables: tables))
        }
    }

    private func clock(_ stream: InputStream) -> ClockKind { tables.sources[Int(stream.input.place)].clock }

    private func isDebugger(_ stream: InputStream) -> Bool {
        tables.sources[Int(stream.input.place)].format.hasPrefix("delve")
    }

    private func search(
        _ snapshots: [ObservedSnapshot], of stream: InputStream, onProgress: ((Progress) -> Void)?
    ) throws(TraceError) -> [SourceAlignment] {
        let search = AlignmentSearch(snapshots, tables: tables)
        let again = try SecondReading(of: recordings, tables: tables)
        try again.readAll(onProgress: onProgress) { events throws(TraceError) in search.process(events) }
        var alignments: [SourceAlignment] = []
        for fit in search.finish() {
            guard let fit, fit.isCredible else { throw misfit(fit, stream) }
            alignments.append(SourceAlignment(fit))
        }
        return alignments
    }

    private func misfit(_ fit: Fit?, _ stream: InputStream) -> TraceError {
        let names = recordings.map(\.input.path).joined(separator: " + ")
        let found =
            fit.map {
                "at best \($0.matchCount) that agree, \($0.mismatchCount) that differ and \($0.missingCount) that it "
                    + "has not"
            } ?? "none that both know"
        return TraceError(
            .usage, file: stream.input.path,
            expected: "goroutines in the states that \(names) has at some moment (is it of the same run of the "
                + "program? --at \(stream.input.path)=TIME places it all the same)", found: found)
    }
}

extension Fit {
    /// Fewer goroutines that agree than that do not: chance.
    var isCredible: Bool { place == .wallClock || agreement > 0.5 && (place != .anyMoment || agreement > 0.8) }
}

extension SourceAlignment {
    init(_ fit: Fit) {
        let method: Method =
            switch fit.place {
            case .anyMoment: .states
            case .end: .end
            case .wallClock: .wallClock
            case .silence: .silence
            case .stopTheWorld: .stopTheWorld
            }
        self.init(method: method, timeNanoseconds: fit.momentNanoseconds)
        agreeing = UInt64(fit.matchCount)
        differing = UInt64(fit.mismatchCount)
        unseen = UInt64(fit.missingCount)
        rivals = UInt64(fit.rivalCount)
        rivalNanoseconds = fit.rivalNanoseconds
    }
}
