/// Strings that the runtime registers before a generation opens, always in the same order
/// (`runtime/trace.go`, `traceRegisterLabelsAndReasons`), so that their ids are known even where a
/// generation is cut before its string table, which is written last. Ids read off real traces of every
/// version.
enum WellKnownStrings {
    /// The string of an id, or nil where the version does not settle it.
    static func string(_ id: UInt64, version: Int) -> String? {
        if id >= 1, id <= UInt64(common.count) { return common[Int(id) - 1] }
        switch (version, id) {
        case (22, 20): return "runtime.Gosched"
        case (23, 20), (25, 20), (26, 20): return "GC weak to strong wait"
        // Header 1.23 is written by Go 1.23 and 1.24, which differ from here on.
        case (25, 21), (26, 21): return "synctest"
        case (25, 22), (26, 22): return "runtime.Gosched"
        default: return nil
        }
    }

    private static let common = [
        "Not worker", "GC (dedicated)", "GC (fractional)", "GC (idle)", "unspecified", "forever", "network",
        "select", "sync.(*Cond).Wait", "sync", "chan send", "chan receive", "GC mark assist wait for work",
        "GC background sweeper wait", "system goroutine wait", "preempted", "wait for debug call",
        "wait until GC ends", "sleep",
    ]
}
