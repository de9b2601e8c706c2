import VestigeCore

/// One conversion: an input is read, passes through stages, and is written.
public struct Conversion {
    /// The paths of the inputs, which are of one process unless `processes` says otherwise; `-` for standard input.
    public var inputs: [String]
    /// What the user says of when inputs were taken.
    public var times: [ManualTime] = []
    /// Which of the inputs are of which process, in the order of `inputs`; empty if all are of one, without a name.
    public var processes: [NamedProcess] = []
    public var plan: OutputPlan
    public var options = OutputOptions()
    /// Whether an output that exists may be replaced.
    public var overwrites = false
    /// How many events an output may hold; more are refused. Nil for any number.
    public var maxEventCount: UInt64?
    /// The Go version of the recorded program, for inputs that do not say it.
    public var goVersion: String?
    /// Which part of the recording is wanted.
    public var query = Query()
    /// Writes several outputs of at most this size, and an index of them; nil for one output.
    public var split: SplitLimit?
    /// What the events pass through, in this order.
    public var stages: [any Stage] = []
    /// Called at most ten times a second.
    public var onProgress: ((Progress) -> Void)?

    public init(inputs: [String], plan: OutputPlan) {
        self.inputs = inputs
        self.plan = plan
    }

    /// Converts. What can be read of a damaged input is written, and the output is complete in itself.
    ///
    /// - Throws: `unreadable`, `damaged` or `truncated` if nothing could be read; `usage`,
    ///   `outputFailed` or `outputClosed` for what concerns the output, `usage` also if there are more
    ///   events than `maxEventCount`. No output appears then.
    public func run() throws(TraceError) -> ConversionResult {
        try checkOptions()
        let clock = ContinuousClock.now
        let input = try open()
        var options = options
        options.diagnostics = input.diagnostics
        let output = try ConversionOutput(self, options)
        var eventCount: UInt64 = 0
        var firstNanoseconds: Int64?
        let chain = StageChain(stages, tables: input.tables) { events throws(TraceError) in
            if firstNanoseconds == nil { firstNanoseconds = events.first?.timeNanoseconds }
            eventCount += UInt64(events.count)
            try checkEventCount(eventCount)
            try output.writer.write(events, tables: input.tables)
        }
        // Where nothing is made of the events, handing them to another thread costs more than it brings.
        let readsAhead = plan.format.shape != .nothing
        try input.readAll(onProgress: onProgress, readsAhead: readsAhead) { events throws(TraceError) in
            try chain.process(events)
        }
        try input.refuseTotalLoss()
        try chain.finish()
        try output.writer.finish(tables: input.tables)
        try output.commit()
        return ConversionResult(
            eventCount: eventCount, firstNanoseconds: firstNanoseconds ?? 0, outputPaths: output.paths,
            tables: input.tables, diagnostics: input.diagnostics, failure: input.failure,
            isInputEmpty: !input.hasEvents, isSelectionEmpty: input.isSelectionEmpty,
            inputSize: input.fileSize, elapsed: .now - clock)
    }

    private func open() throws(TraceError) -> InputSet {
        if query.isEmpty, split == nil {
            return try InputSet(
                inputs, processes: processes, times: times, goVersion: goVersion, onProgress: onProgress)
        }
        return try InputSet(inputs, times: times, query: query, goVersion: goVersion, onProgress: onProgress)
    }

    /// What selects, and what cuts, follows goroutines by their numbers.
    private func checkProcesses() throws(TraceError) {
        guard !processes.isEmpty else { return }
        if !query.isEmpty || split != nil {
            throw TraceError(
                .usage, expected: "several processes without a selection and without --split (convert each by itself)",
                found: query.isEmpty ? "--split" : "options that select a part")
        }
    }

    private func checkEventCount(_ count: UInt64) throws(TraceError) {
        guard let maxEventCount, count > maxEventCount else { return }
        // Of what viewers read, Perfetto's own format is the one that goes furthest.
        let (format, best) = (plan.format, PerfettoFormat.format.name)
        let advice = format.viewer != nil && format.name != best ? "--to \(best), of which viewers take more, or " : ""
        throw TraceError(
            .usage, file: inputs[0], expected: "at most \(maxEventCount) events (--max-events)",
            found: "more; try \(advice)a larger --max-events")
    }

    /// Looks whether the options mean something for the output's format.
    /// - Throws: `usage`.
    public func checkOptions() throws(TraceError) {
        try checkViewerOptions()
        try checkProcesses()
        try checkSplit()
        try checkTables()
        try plan.check(options.tableStyle, tables: options.tables)
    }

    private func checkViewerOptions() throws(TraceError) {
        let name = plan.format.name
        guard let viewer = plan.format.viewer else {
            let given = [
                ("--flows", options.flows != nil, "which has no arrows"),
                ("--views", options.views != nil, "which is for no viewer"),
                ("--min-span", options.thinning != nil, "which is for no viewer"),
            ]
            for (option, isGiven, reason) in given where isGiven {
                throw TraceError(.usage, expected: "no \(option) for \(name), \(reason)", found: option)
            }
            return
        }
        if viewer.views(options).isEmpty {
            throw TraceError(
                .usage, expected: "a view that \(name) has, or --to \(PerfettoFormat.format.name)",
                found: "--views scheduler")
        }
    }

    private func checkSplit() throws(TraceError) {
        guard split != nil else { return }
        guard plan.format.shape == .file else {
            throw TraceError(
                .usage, expected: "no --split for \(plan.format.name), which is no single file", found: "--split")
        }
        let path = plan.place.path ?? ""
        if OutputPlan.isPipe(path) || OutputPlan.isFolder(path) {
            let found = path == "-" ? "standard output" : OutputPlan.isFolder(path) ? "a folder" : "a device or a pipe"
            throw TraceError(
                .usage, file: path, expected: "a file name for --split, which makes several of it", found: found)
        }
        if maxEventCount != nil {
            throw TraceError(.usage, expected: "one of --split and --max-events", found: "both")
        }
    }

    private func checkTables() throws(TraceError) {
        guard let tables = options.tables else { return }
        let names = plan.format.tableNames
        if names.isEmpty {
            throw TraceError(.usage, expected: "no --table for \(plan.format.name), which has none", found: "--table")
        }
        for table in tables where !names.contains(table) {
            throw Suggestion.unknown(table, kind: "table", among: names)
        }
        if case .folder = plan.place { return }
        if tables.count > 1 {
            throw TraceError(
                .usage, file: plan.place.path, expected: "one --table for a single file", found: "\(tables.count)")
        }
    }
}

/// What became of a conversion.
public struct ConversionResult {
    /// Events handed to the writer.
    public let eventCount: UInt64
    /// Time of the first of them.
    public let firstNanoseconds: Int64
    /// What was written: one output, or parts and their index.
    public let outputPaths: [String]
    public let tables: TraceTables
    public let diagnostics: Diagnostics
    /// What ended the reading before the input's end; the output holds everything before.
    public let failure: TraceError?
    /// True if the input held no event but generation boundaries.
    public let isInputEmpty: Bool
    /// True if it held some, and the query selected none.
    public let isSelectionEmpty: Bool
    /// Size of the input in bytes, as it lies on disk; nil for a pipe.
    public let inputSize: UInt64?
    public let elapsed: Duration

    /// True if something that the input held, or should have held, is not in the output.
    public var hasLoss: Bool { failure != nil || diagnostics.hasLoss }
}
