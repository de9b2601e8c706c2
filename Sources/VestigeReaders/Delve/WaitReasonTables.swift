/// Wait reasons of Go's runtime by code: positions in the `waitReason` constants of
/// `runtime/runtime2.go`, which were reordered in Go 1.20, 1.24, 1.25 and 1.26.
enum WaitReasonTables {
    /// One table for Go versions whose codes mean the same, from the oldest to the newest.
    static let tables: [[String]] = [go118, go120, go122, go123, go124, go125, go126]
    /// Minor version of the first Go with each table.
    static let firstMinor = [18, 20, 22, 23, 24, 25, 26]
    /// Minor version of the newest Go whose codes were looked up.
    static let lastKnownMinor = 27

    /// The index of the table for Go 1.`minor`.
    static func index(minor: Int) -> Int { firstMinor.lastIndex { $0 <= minor } ?? 0 }

    private static let go118 = [
        "", "GC assist marking", "IO wait", "chan receive (nil chan)", "chan send (nil chan)", "dumping heap",
        "garbage collection", "garbage collection scan", "panicwait", "select", "select (no cases)",
        "GC assist wait", "GC sweep wait", "GC scavenge wait", "chan receive", "chan send", "finalizer wait",
        "force gc (idle)", "semacquire", "sleep", "sync.Cond.Wait", "timer goroutine (idle)",
        "trace reader (blocked)", "wait for GC cycle", "GC worker (idle)", "preempted", "debug call",
    ]
    private static let go120 = list(
        go118[..<21], ["sync.Mutex.Lock", "sync.RWMutex.RLock", "sync.RWMutex.Lock"], go118[22...24],
        ["GC worker (active)"], go118[25...], ["GC mark termination", "stopping the world"])
    private static let go122 = list(
        go120[...],
        ["flushing proc caches", "trace goroutine status", "trace proc status", "page trace flush", "coroutine"])
    private static let go123 = list(go122[...], ["GC weak to strong wait"])
    private static let go124 = list(
        go123[..<24], ["sync.WaitGroup.Wait"], go123[24...],
        ["synctest.Run", "synctest.Wait", "chan receive (synctest)", "chan send (synctest)", "select (synctest)"])
    private static let go125 = list(
        go124[..<18], ["GOMAXPROCS updater (idle)"], go124[18...40],
        ["chan receive (durable)", "chan send (durable)", "select (durable)"],
        ["sync.WaitGroup.Wait (durable)", "cleanup wait"])
    private static let go126 = list(
        [
            "", "GC assist marking", "IO wait", "dumping heap", "garbage collection", "garbage collection scan",
            "panicwait", "GC assist wait", "GC sweep wait", "GC scavenge wait", "finalizer wait", "force gc (idle)",
            "GOMAXPROCS updater (idle)", "semacquire", "sleep", "chan receive (nil chan)", "chan send (nil chan)",
            "select (no cases)", "select", "chan receive", "chan send",
        ], go125[21...])

    private static func list(_ parts: ArraySlice<String>...) -> [String] { Array(parts.joined()) }

    // MARK: - What Delve's command line client prints

    /// Where a client takes its words from.
    enum Client: Int, CaseIterable {
        /// Delve 1.20.0 to 1.22.1: the table of Go 1.18 for every target.
        case go118
        /// Delve 1.23.0 to 1.25.2: the same with seven later names behind it.
        case go118Extended
        /// Delve 1.26.0 and later: the target's own table.
        case perVersion

        /// Minor versions of Go that such clients support.
        var supportedMinors: ClosedRange<Int> {
            switch self {
            case .go118: 18...22
            case .go118Extended: 21...25
            case .perVersion: 24...99
            }
        }

        init(delveMinor: Int) { self = delveMinor >= 26 ? .perVersion : delveMinor >= 23 ? .go118Extended : .go118 }
    }

    private static let extended = list(
        go118[...],
        ["GC mark termination", "stopping the world", "flushing proc caches", "trace goroutine status"],
        ["trace proc status", "page trace flush", "coroutine"])

    /// The words of a client for each code of a target; a code beyond them prints as
    /// `unknown wait reason N`.
    static func words(of client: Client, table: Int) -> [String] {
        switch client {
        case .go118: go118
        case .go118Extended: extended
        case .perVersion: tables[table]
        }
    }
}
