import VestigeCore
import VestigeStages

/// Reads inputs of one run once and finds the goroutines that have something wrong with them.
public struct GhostSearch {
    /// The paths of the inputs, which are of one process; `-` for standard input.
    public var inputs: [String]
    /// What the user says of when inputs were taken.
    public var times: [ManualTime] = []
    /// Which part of the inputs counts.
    public var query = Query()
    /// That of the recorded program, for inputs that do not say it.
    public var goVersion: String?
    public var thresholds = GhostThresholds()
    public var rules = GhostRules.all
    /// Called at most ten times a second.
    public var onProgress: ((Progress) -> Void)?

    public init(inputs: [String]) { self.inputs = inputs }

    /// Reads everything. What can be read of a damaged input counts.
    /// - Throws: `unreadable`, `damaged` or `truncated` if nothing could be read; `usage` if the inputs do not
    ///   belong together.
    public func run() throws(TraceError) -> GhostReport {
        let input = try InputSet(inputs, times: times, query: query, goVersion: goVersion, onProgress: onProgress)
        let stage = GhostStage(thresholds, rules: rules)
        try input.readAll(onProgress: onProgress, readsAhead: true) { events throws(TraceError) in
            stage.process(events, tables: input.tables)
        }
        try input.refuseTotalLoss()
        let result = stage.finish(tables: input.tables)
        return GhostReport(result, self, input)
    }
}
