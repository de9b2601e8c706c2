import VestigeCore
import VestigeStages

/// A query made ready for its inputs: what it must know from later in the recording has been found, in passes of
/// their own, for which pipes are spooled.
struct InputSelection {
    /// Nil if everything is wanted.
    let stage: QueryStage?
    /// The inputs that could not be opened a second time, by their places; empty if one reading is enough.
    private(set) var spooled: [SpooledInput?] = []
    private let query: Query

    /// - Parameter spooled: inputs that are open already.
    /// - Throws: `usage` for a query that makes no sense, also for names that the recording does not have; what
    ///   reading throws.
    init(
        _ query: Query, paths: [String], times: [ManualTime], goVersion: String?, spooled: [SpooledInput?] = [],
        onProgress: ((Progress) -> Void)?
    ) throws(TraceError) {
        self.query = query
        self.spooled = spooled
        guard !query.isEmpty else {
            stage = nil
            return
        }
        try query.check()
        let needsClosure = ClosureSurvey.isNeeded(for: query)
        guard QuerySurvey.isNeeded(for: query) || needsClosure else {
            stage = QueryStage(query)
            return
        }
        if spooled.isEmpty { self.spooled = try Self.spool(paths) }
        let survey = QuerySurvey(query)
        let narrowing = paths.count == 1 ? try EntryNarrowing(paths[0], query, nil) : nil
        let first = try InputSet(
            paths, self.spooled, times: times, goVersion: goVersion, nil, narrowing, onProgress: onProgress)
        try first.readAll(onProgress: onProgress) { events throws(TraceError) in
            survey.process(events, tables: first.tables)
        }
        try first.refuseTotalLoss()
        var facts = survey.finish()
        if let (name, sort, known) = facts.unknownName(in: query) {
            throw Suggestion.missing(name, sort: sort, among: known, in: first.name)
        }
        if needsClosure {
            let survey = ClosureSurvey(query, facts: facts)
            let second = try InputSet(
                paths, self.spooled, times: times, goVersion: goVersion, nil, onProgress: onProgress)
            try second.readAll(onProgress: onProgress) { events throws(TraceError) in
                try survey.process(events, tables: second.tables)
            }
            facts = survey.finish()
        }
        stage = QueryStage(query, facts: facts)
    }

    /// Opens what cannot be opened a second time.
    static func spool(_ paths: [String]) throws(TraceError) -> [SpooledInput?] {
        var spooled: [SpooledInput?] = []
        for path in paths {
            let isEntry = try InputPath.archiveAndEntry(path) != nil
            spooled.append(isEntry ? nil : try SpooledInput(path))
        }
        return spooled
    }

    /// Lets the reader pass over what comes before the window, if it can.
    func skip(in input: TraceInput) throws(TraceError) {
        guard let stage, query.canSkip else { return }
        try input.skip { (start) throws(TraceError) in try stage.begin(of: start) }
    }
}

extension Suggestion {
    /// A usage error for a name that an input does not have.
    static func missing(_ name: String, sort: String, among names: [String], in path: String) -> TraceError {
        let some = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", and \(names.count - 8) more" : "")
        let hint = nearest(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
        let expected = names.isEmpty ? "no \(sort), since it has none" : "a \(sort) that it has (\(some))"
        return TraceError(.usage, file: path, expected: expected, found: "\"\(name)\"\(hint)")
    }
}
