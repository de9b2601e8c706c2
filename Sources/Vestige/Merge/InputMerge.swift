import VestigeCore
import VestigeStages

/// Finds out how several inputs lie in time, and makes one stream of them.
struct InputMerge {
    private let tables: TraceTables
    private let times: [ManualTime]
    /// Whether inputs are to be compared, however different they are.
    private let comparesOnly: Bool
    private(set) var recordings: [InputStream] = []
    private(set) var observers: [InputStream] = []

    init(
        _ inputs: [TraceInput], tables: TraceTables, times: [ManualTime], comparesOnly: Bool = false
    ) throws(TraceError) {
        self.tables = tables
        self.comparesOnly = comparesOnly
        self.times = times
        let firstFurther = tables.sources.count
        for input in inputs {
            let stream = try InputStream(input)
            stream.isPlacedByHand = times.contains { $0.path == input.path || $0.path == nil }
            if Self.isObserver(stream) { observers.append(stream) } else { recordings.append(stream) }
        }
        try checkTimes()
        try settleProcess(inputs, firstFurther..<tables.sources.count)
    }

    /// Inputs that do not say of which process they are are of the one that others name.
    /// - Throws: `usage` if inputs say that they are of different ones.
    private func settleProcess(_ inputs: [TraceInput], _ further: Range<Int>) throws(TraceError) {
        let places = inputs.map { Int($0.place) } + Array(further)
        let names = Set(places.compactMap { tables.sources[$0].process })
        if names.count > 1, inputs.count > 1 {
            throw TraceError(
                .usage, file: inputs.map(\.path).joined(separator: " + "),
                expected: "inputs of one process (--process NAME=FILE… for each process keeps them apart)",
                found: "those of several: \(names.sorted().joined(separator: ", "))")
        }
        guard let name = names.first, names.count == 1 else { return }
        for place in places { tables.sources[place].process = name }
    }

    /// True for a dump or a debugger's snapshots: nothing but what was seen from outside, or nothing at all.
    private static func isObserver(_ stream: InputStream) -> Bool {
        stream.input.format.name.hasPrefix("delve")
            || stream.pending.allSatisfy { $0.kind == .observed || $0.kind == .breakpoint || $0.kind == .log }
    }

    /// Refuses times of inputs that there are not.
    static func check(_ times: [ManualTime], _ inputs: [TraceInput]) throws(TraceError) {
        for time in times {
            guard let path = time.path else { continue }
            if !inputs.contains(where: { $0.path == path }) {
                throw TraceError(
                    .usage, file: path,
                    expected: "an input for --at, one of \(inputs.map(\.path).joined(separator: ", "))",
                    found: "none of that name")
            }
        }
    }

    private func checkTimes() throws(TraceError) {
        if times.contains(where: { $0.path == nil }), observers.count + recordings.count > 2 {
            throw TraceError(.usage, expected: "--at FILE=TIME, since there are several inputs", found: "--at TIME")
        }
    }

    func run(onProgress: ((Progress) -> Void)?) throws(TraceError) -> MergedStream {
        let observations = Self.sorted(try align(onProgress: onProgress))
        return MergedStream(recordings, observations: observations, tables: tables)
    }

    /// Puts the recordings on one clock; returns what observers say at its places in them.
    ///
    /// - Parameter base: an input of another process, whose clock that is to be; nil for that of the first recording.
    func align(
        onProgress: ((Progress) -> Void)?, clockOf base: InputStream? = nil
    ) throws(TraceError) -> [Event] {
        let clocks = RecordingClocks(recordings, tables: tables, manual: manualTime)
        try clocks.align()
        var observed: [[Event]] = []
        for stream in observers { observed.append(try place(stream, onProgress: onProgress).events) }
        guard let base else { return observed.flatMap(\.self) }
        if let first = recordings.first {
            let shift = first === base ? 0 : try clocks.align(first, to: base)
            for recording in recordings.dropFirst() { recording.shiftNanoseconds &+= shift }
            for stream in recordings.dropFirst() + observers { move(alignmentsOf: stream, by: shift) }
            for index in observed.indices { Self.move(&observed[index], by: shift) }
        } else {
            for (index, stream) in observers.enumerated() where stream !== base {
                let start = observed[index].first?.timeNanoseconds
                let shift = try clocks.align(stream, startingAt: start, to: base)
                Self.move(&observed[index], by: shift)
            }
        }
        return observed.flatMap(\.self)
    }

    private static func move(_ events: inout [Event], by shift: Int64) {
        for index in events.indices { events[index].timeNanoseconds &+= shift }
    }

    private func move(alignmentsOf stream: InputStream, by shift: Int64) {
        let place = Int(stream.input.place)
        for index in tables.sources[place].alignments.indices {
            tables.sources[place].alignments[index].move(by: shift)
        }
    }

    /// Keeps the order of the inputs where times are the same.
    static func sorted(_ events: [Event]) -> [Event] {
        events.enumerated().sorted {
            ($0.element.timeNanoseconds, $0.offset) < ($1.element.timeNanoseconds, $1.offset)
        }.map(\.element)
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

    /// What an observer's input tells, at its places in the recording.
    private struct Placed {
        var snapshots: [(snapshot: ObservedSnapshot, alignment: SourceAlignment)] = []
        var log: LifecyclePlacement?
        var events: [Event]

        mutating func add(_ snapshot: ObservedSnapshot, _ alignment: SourceAlignment) {
            snapshots.append((snapshot, alignment))
            events += snapshot.events.map { event in
                var event = event
                event.timeNanoseconds = alignment.timeNanoseconds
                return event
            }
        }
    }

    /// The events of a dump, of snapshots or of a debugger's log at their places in the recording.
    private func place(_ stream: InputStream, onProgress: ((Progress) -> Void)?) throws(TraceError) -> Placed {
        let all = try stream.takeAll()
        if recordings.isEmpty { return Placed(events: all) }
        if let manual = manualTime(of: stream), let start = all.first {
            let shift = firstNanoseconds &+ manual &- start.timeNanoseconds
            return place(all.filter { $0.kind != .goroutineTransition }, of: stream, shift: shift)
        }
        // A breakpoint alone belongs to the snapshot that was taken there.
        let isLog = all.contains { $0.kind == .goroutineTransition } || !all.contains { $0.kind == .observed }
        if isLog, all.contains(where: { $0.kind == .breakpoint }) {
            return try place(log: all, of: stream, onProgress: onProgress)
        }
        var placed = Placed(events: [])
        let snapshots = divide(all, stream)
        for (snapshot, fit) in zip(snapshots, try search(snapshots, onProgress: onProgress)) {
            guard let fit, fit.isCredible else { throw misfit(fit, stream) }
            guard fit.isOfOneProgram || comparesOnly else { throw stranger(fit, stream) }
            placed.add(snapshot, SourceAlignment(fit))
        }
        tables.sources[Int(stream.input.place)].alignments = placed.snapshots.map(\.alignment)
        return placed
    }

    /// At the places that the user gave.
    private func place(_ events: [Event], of stream: InputStream, shift: Int64) -> Placed {
        var placed = Placed(events: events)
        for index in events.indices { placed.events[index].timeNanoseconds &+= shift }
        placed.snapshots = ObservedSnapshot.divide(placed.events, isDebugger: isDebugger(stream), tables: tables).map {
            ($0, SourceAlignment(method: .manual, timeNanoseconds: $0.events[0].timeNanoseconds))
        }
        tables.sources[Int(stream.input.place)].alignments = placed.snapshots.map(\.alignment)
        return placed
    }

    private func divide(_ events: [Event], _ stream: InputStream) -> [ObservedSnapshot] {
        ObservedSnapshot.divide(events, isDebugger: isDebugger(stream), clock: clock(stream), tables: tables)
    }

    /// A debugger's log: listings of goroutines have their places as any other; what else it tells lies between
    /// the births and deaths that the recording has too.
    private func place(
        log all: [Event], of stream: InputStream, onProgress: ((Progress) -> Void)?
    ) throws(TraceError) -> Placed {
        var placed = Placed(events: [])
        let others = all.filter { $0.kind != .breakpoint && $0.kind != .goroutineTransition }
        let snapshots = divide(others, stream)
        let listings = snapshots.map { $0.isListing ? $0 : nil }
        var fits = try search(listings.compactMap(\.self), onProgress: onProgress)[...]
        // Which of the others are not placed yet.
        var isLeft: [Bool] = []
        for (snapshot, listing) in zip(snapshots, listings) {
            var isPlaced = false
            if listing != nil, let fit = fits.removeFirst(), fit.isCredible {
                placed.add(snapshot, SourceAlignment(fit))
                isPlaced = true
            }
            isLeft += Array(repeating: !isPlaced, count: snapshot.events.count)
        }
        var rest = isLeft[...]
        let sequence = all.filter {
            $0.kind == .breakpoint || $0.kind == .goroutineTransition || rest.removeFirst()
        }
        let log = try find(sequence, of: stream, onProgress: onProgress)
        placed.log = log
        placed.events += log.events
        tables.sources[Int(stream.input.place)].alignments =
            [SourceAlignment(log)] + placed.snapshots.map(\.alignment)
        return placed
    }

    /// What a debugger's log says of births and deaths, at their places.
    private func find(
        _ hits: [Event], of stream: InputStream, onProgress: ((Progress) -> Void)?
    ) throws(TraceError) -> LifecyclePlacement {
        let search = LifecycleSearch(hits, tables: tables)
        let again = try SecondReading(of: recordings, tables: tables)
        try again.readAll(onProgress: onProgress) { events throws(TraceError) in search.process(events) }
        let isOneClock = clock(stream) == .monotonic && recordings.allSatisfy { clock($0) == .monotonic }
        let log = search.finish(isOneClock: isOneClock)
        if log.isCredible { return log }
        let path = stream.input.path
        throw TraceError(
            .usage, file: path,
            expected: "births and deaths of goroutines that \(recordingNames) has too (is it of the same run of the "
                + "program? --process NAME=FILE… keeps different ones apart, --at \(path)=TIME places it all the same)",
            found: log.isPlaced
                ? "\(log.matchCount) that agree and \(log.missing.count) that it has not" : "none that both know")
    }

    private var recordingNames: String { recordings.map(\.input.path).joined(separator: " + ") }

    /// Every snapshot, where it is placed, and what the recording says there.
    func agreements(onProgress: ((Progress) -> Void)?) throws(TraceError) -> [SnapshotAgreement] {
        try RecordingClocks(recordings, tables: tables, manual: manualTime).align()
        guard !recordings.isEmpty, !observers.isEmpty else {
            throw TraceError(
                .usage, expected: "a recording, and a dump or snapshot to compare with it",
                found: recordings.isEmpty ? "no recording" : "nothing but recordings")
        }
        var found: [(path: String, snapshot: ObservedSnapshot, alignment: SourceAlignment)] = []
        var agreements: [SnapshotAgreement] = []
        for stream in observers {
            let (path, placed) = (stream.input.path, try place(stream, onProgress: onProgress))
            found += placed.snapshots.map { (path, $0.snapshot, $0.alignment) }
            if let log = placed.log, let alignment = tables.sources[Int(stream.input.place)].alignments.first {
                agreements.append(SnapshotAgreement(path: path, alignment: alignment, agreement: log.agreement))
            }
        }
        let collector = MomentStatesCollector(found.map(\.alignment.timeNanoseconds), tables: tables)
        try SecondReading(of: recordings, tables: tables).readAll { events throws(TraceError) in
            collector.process(events)
        }
        return agreements
            + zip(found, collector.finish()).map { found, states in
                SnapshotAgreement(
                    path: found.path, alignment: found.alignment,
                    agreement: Agreement(of: found.snapshot, with: states, tables: tables))
            }
    }

    private func clock(_ stream: InputStream) -> ClockKind { tables.sources[Int(stream.input.place)].clock }

    private func isDebugger(_ stream: InputStream) -> Bool {
        tables.sources[Int(stream.input.place)].format.hasPrefix("delve")
    }

    /// The best places of snapshots; nil for one that has nothing in common with the recording.
    private func search(
        _ snapshots: [ObservedSnapshot], onProgress: ((Progress) -> Void)?
    ) throws(TraceError) -> [Fit?] {
        if snapshots.isEmpty { return [] }
        let search = AlignmentSearch(snapshots, tables: tables)
        let again = try SecondReading(of: recordings, tables: tables)
        try again.readAll(onProgress: onProgress) { events throws(TraceError) in search.process(events) }
        return search.finish()
    }

    /// The states may be the same, but not the program.
    private func stranger(_ fit: Fit, _ stream: InputStream) -> TraceError {
        let (path, evidence) = (stream.input.path, fit.evidence)
        let same = evidence.agreeing + evidence.inMainOnly
        return TraceError(
            .usage, file: path,
            expected: "goroutines at lines of code at which \(recordingNames) has them too (is it of the same "
                + "program? --process NAME=FILE… keeps different ones apart, --at \(path)=TIME places it all the same)",
            found: "\(same) such, \(evidence.differing) elsewhere, and \(fit.matchCount) that agree in their states")
    }

    private func misfit(_ fit: Fit?, _ stream: InputStream) -> TraceError {
        let found =
            fit.map {
                "at best \($0.matchCount) that agree, \($0.mismatchCount) that differ and \($0.missingCount) that it "
                    + "has not"
            } ?? "none that both know"
        return TraceError(
            .usage, file: stream.input.path,
            expected:
                "goroutines in the states that \(recordingNames) has at some moment (is it of the same run of the "
                + "program? --process NAME=FILE… keeps different ones apart, --at \(stream.input.path)=TIME places "
                + "it all the same)", found: found)
    }
}

extension Fit {
    /// Fewer goroutines that agree than that do not: chance.
    var isCredible: Bool {
        if place == .wallClock, matchCount + mismatchCount == 0 { return true }
        return agreement > 0.5 && (place != .anyMoment || agreement > 0.8)
    }

    /// States can agree by chance; then lines of code tell. Where none can be compared, a mark in the recording does.
    var isOfOneProgram: Bool {
        if evidence.isEmpty { return place == .stopTheWorld || place == .silence || place == .wallClock }
        return evidence.speaksFor
    }
}

extension SourceAlignment {
    fileprivate mutating func move(by shift: Int64) {
        timeNanoseconds &+= shift
        if let rival = rivalNanoseconds { rivalNanoseconds = rival &+ shift }
    }

    init(_ log: LifecyclePlacement) {
        self.init(
            method: log.matchCount > 0 ? .lifecycle : .monotonicClock,
            timeNanoseconds: log.events.first?.timeNanoseconds ?? 0)
        agreeing = UInt64(log.matchCount)
        differing = UInt64(log.missing.count)
    }

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
