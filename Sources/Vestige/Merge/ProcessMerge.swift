import VestigeCore

/// Makes one stream of the inputs of several processes. What is of one process is aligned by its goroutines; the
/// processes are put on one clock, since they have nothing else in common.
struct ProcessMerge {
    private let merges: [InputMerge]
    private let tables: TraceTables

    /// - Parameter inputs: those of each process.
    init(_ inputs: [[TraceInput]], tables: TraceTables, times: [ManualTime]) throws(TraceError) {
        if times.contains(where: { $0.path == nil }) {
            throw TraceError(.usage, expected: "--at FILE=TIME, since there are several processes", found: "--at TIME")
        }
        self.tables = tables
        var merges: [InputMerge] = []
        for own in inputs { merges.append(try InputMerge(own, tables: tables, times: times)) }
        self.merges = merges
    }

    func run(onProgress: ((Progress) -> Void)?) throws(TraceError) -> MergedStream {
        // The clock of all is that of the first recording.
        let base = merges.lazy.compactMap(\.recordings.first).first ?? merges.first?.observers.first
        var recordings: [InputStream] = []
        var observations: [Event] = []
        for merge in merges {
            recordings += merge.recordings
            observations += try merge.align(onProgress: onProgress, clockOf: base)
        }
        return MergedStream(recordings, observations: InputMerge.sorted(observations), tables: tables)
    }
}
