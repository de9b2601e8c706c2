import VestigeCore

/// What a user says of the time of an input: its moment (of a dump) or its first event (of a recording).
public struct ManualTime: Sendable {
    /// The input's path; nil for the only one that needs it.
    public var path: String?
    /// Nanoseconds since the first event of the first recording.
    public var nanoseconds: Int64

    public init(path: String?, nanoseconds: Int64) {
        self.path = path
        self.nanoseconds = nanoseconds
    }
}

/// The inputs of one conversion as one stream of events, in order of time. Goroutine numbers join those that are of
/// one process; others differ in `SourceInfo.process`.
///
/// Recordings are streamed. Dumps and a debugger's snapshots are kept in memory: they are placed in the
/// recording before it is read for the output.
public final class InputSet {
    public let paths: [String]
    public let tables = TraceTables()
    public let diagnostics = Diagnostics()
    private let inputs: [TraceInput]
    /// Nil if everything is wanted.
    private let stage: QueryStage?
    /// Nil for a single input, which needs no merging.
    private let stream: MergedStream?
    /// Whether whoever reads it takes a goroutine's number for one goroutine.
    private let isOfOneProcess: Bool

    /// Opens all inputs and finds out how they lie in time.
    ///
    /// - Parameters:
    ///   - times: what the user says of it; that always wins.
    ///   - query: which part of the recording is wanted; `readAll` hands over nothing else.
    ///   - goVersion: that of the recorded program, for inputs that do not say it.
    ///   - spooled: inputs that are open already, by their places in `paths`; none if it is empty.
    ///   - onProgress: called while recordings are searched for the moments of snapshots.
    /// - Throws: `unreadable` for an input that cannot be read, `usage` if the inputs cannot belong together
    ///   or a time is needed.
    public convenience init(
        _ paths: [String], times: [ManualTime] = [], query: Query = Query(), goVersion: String? = nil,
        spooled: [SpooledInput?] = [], onProgress: ((Progress) -> Void)? = nil
    ) throws(TraceError) {
        let selection = try InputSelection(
            query, paths: paths, times: times, goVersion: goVersion, spooled: spooled, onProgress: onProgress)
        let narrowing = paths.count == 1 ? try EntryNarrowing(paths[0], query, selection.stage) : nil
        try self.init(
            paths, selection.spooled, times: times, goVersion: goVersion, selection.stage, narrowing,
            onProgress: onProgress)
        if paths.count == 1 { try selection.skip(in: inputs[0]) }
    }

    /// Opens the inputs of several processes, for readers that look of which process an event is; or inputs that may
    /// turn out to be of several.
    ///
    /// - Parameter processes: which of the inputs are of which process; empty if nobody says.
    init(
        _ paths: [String], processes: [NamedProcess], times: [ManualTime], goVersion: String?,
        onProgress: ((Progress) -> Void)?
    ) throws(TraceError) {
        self.paths = processes.isEmpty ? paths : processes.flatMap(\.inputs)
        try SameInput.check(self.paths, times: times)
        stage = nil
        isOfOneProcess = false
        let groups = processes.isEmpty ? [(name: nil, inputs: paths)] : processes.map { ($0.name, $0.inputs) }
        var opened: [[TraceInput]] = []
        for group in groups {
            var inputs: [TraceInput] = []
            for path in group.inputs {
                inputs.append(
                    try TraceInput(
                        path, source: nil, tables: tables, diagnostics: diagnostics, place: nil, goVersion, nil,
                        process: group.name))
            }
            opened.append(inputs)
        }
        inputs = opened.flatMap(\.self)
        stream = try Self.stream(opened, tables, times, onProgress)
    }

    /// - Parameter spooled: inputs that are open already, by their places in `paths`.
    init(
        _ paths: [String], _ spooled: [SpooledInput?], times: [ManualTime], goVersion: String?, _ stage: QueryStage?,
        _ narrowing: EntryNarrowing? = nil, onProgress: ((Progress) -> Void)?
    ) throws(TraceError) {
        self.paths = paths
        try SameInput.check(paths, times: times)
        self.stage = stage
        isOfOneProcess = true
        var inputs: [TraceInput] = []
        for (index, path) in paths.enumerated() {
            let source = try spooled.isEmpty ? nil : spooled[index]?.open()
            inputs.append(
                try TraceInput(
                    path, source: source, tables: tables, diagnostics: diagnostics, place: nil, goVersion, narrowing))
        }
        self.inputs = inputs
        stream = try Self.stream([inputs], tables, times, onProgress)
    }

    /// - Parameter inputs: those of each process.
    /// - Returns: nil for a single input.
    private static func stream(
        _ inputs: [[TraceInput]], _ tables: TraceTables, _ times: [ManualTime], _ onProgress: ((Progress) -> Void)?
    ) throws(TraceError) -> MergedStream? {
        let all = inputs.flatMap(\.self)
        guard all.count > 1 else {
            if !times.isEmpty { throw TraceError(.usage, expected: "several inputs for --at", found: "one") }
            return nil
        }
        try InputMerge.check(times, all)
        guard inputs.count > 1 else {
            return try InputMerge(all, tables: tables, times: times).run(onProgress: onProgress)
        }
        return try ProcessMerge(inputs, tables: tables, times: times).run(onProgress: onProgress)
    }

    /// The inputs as messages name them.
    public var name: String { paths.joined(separator: " + ") }

    /// The first input.
    var first: TraceInput { inputs[0] }

    /// True if there were events, and the query selected none of them.
    public var isSelectionEmpty: Bool { stage.map { !$0.hasSelected } ?? false && hasEvents }

    public var hasEvents: Bool { inputs.contains(where: \.hasEvents) }
    /// Size of all files in bytes, as they lie on disk; nil if one is a pipe.
    public var fileSize: UInt64? {
        var sum: UInt64 = 0
        for input in inputs {
            guard let size = input.fileSize else { return nil }
            sum += size
        }
        return sum
    }

    /// The error that ended the reading of an input before its end.
    public var failure: TraceError? { inputs.lazy.compactMap(\.failure).first }

    /// Reads everything that is wanted and hands it to `body`, batch by batch; afterwards `failure` tells of an input that
    /// was not read to its end. Everything that could be read has been handed over before.
    ///
    /// - Parameter readsAhead: whether a thread of its own may read while `body` works.
    /// - Throws: what `body` throws, and errors that are not the inputs'.
    public func readAll(
        onProgress: ((Progress) -> Void)? = nil, readsAhead: Bool = false,
        _ body: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) throws(TraceError) {
        guard let stage else { return try readEverything(onProgress: onProgress, readsAhead: readsAhead, body) }
        let sink = { (events: UnsafeBufferPointer<Event>) throws(TraceError) in try body(events) }
        try withoutActuallyEscaping(sink) { sink throws(TraceError) in
            let chain = StageChain([stage], tables: tables, sink: sink)
            // What lies behind the last window is not read, and so not counted.
            try readEverything(
                onProgress: onProgress, readsAhead: readsAhead && !stage.canEndEarly, while: { !stage.isDone }
            ) { events throws(TraceError) in
                try chain.process(events)
            }
            try chain.finish()
        }
    }

    private func readEverything(
        onProgress: ((Progress) -> Void)?, readsAhead: Bool, while isWanted: () -> Bool = { true },
        _ body: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) throws(TraceError) {
        guard let stream else {
            _ = try inputs[0].readAll(
                onProgress: onProgress, readsAhead: readsAhead, while: isWanted
            ) { events throws(TraceError) in
                try checkProcesses()
                try body(events)
            }
            return
        }
        try checkProcesses()
        try stream.readAll(
            byteCount: fileSize, onProgress: onProgress, readsAhead: readsAhead, while: isWanted, body)
        for failure in inputs.compactMap(\.failure).dropFirst() { diagnostics.record(failure) }
    }

    private func checkProcesses() throws(TraceError) {
        if isOfOneProcess { try tables.refuseProcesses(of: name) }
    }

    /// Throws if damage has cost all events of an input.
    func refuseTotalLoss() throws(TraceError) {
        for input in inputs { try input.refuseTotalLoss() }
    }
}

extension MergedStream {
    func readAll(
        byteCount: UInt64?, onProgress: ((Progress) -> Void)?, readsAhead: Bool = false,
        while isWanted: () -> Bool = { true }, _ body: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) throws(TraceError) {
        try EventLoop(onProgress: onProgress, byteCount: byteCount, readsAhead: readsAhead).run(
            read: { batch throws(TraceError) in try read(into: &batch) }, bytesConsumed: { bytesConsumed },
            while: isWanted, body)
    }
}
