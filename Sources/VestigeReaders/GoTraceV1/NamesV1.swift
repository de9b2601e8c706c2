import VestigeCore

/// Names that the IR has for what the v1 wire says by event type or number: those of Go's conversion
/// (`internal/trace/tracev1.go`).
struct NamesV1 {
    let common: Names
    /// Why a goroutine stops, by the type of the event that says so.
    private let reasons: [StringID]
    /// Ranges of a stopped world, by the number of the reason.
    private let stops: [StringID]
    private let version: Int

    init(_ tables: TraceTables, version: Int) {
        self.version = version
        common = Names(tables)
        var reasons = [StringID](repeating: .empty, count: 64)
        for (type, reason) in [
            (WireV1.goStop, "forever"), (WireV1.goSched, "runtime.Gosched"), (WireV1.goPreempt, "preempted"),
            (WireV1.goSleep, "sleep"), (WireV1.goBlockSend, "chan send"), (WireV1.goBlockRecv, "chan receive"),
            (WireV1.goBlockSelect, "select"), (WireV1.goBlockSync, "sync"), (WireV1.goBlockCond, "sync.(*Cond).Wait"),
            (WireV1.goBlockNet, "network"), (WireV1.goBlockGC, "GC mark assist wait for work"),
        ] { reasons[Int(type)] = tables.strings.intern(reason) }
        self.reasons = reasons
        stops = Self.stopReasons.map { tables.strings.intern("stop-the-world (\($0))") }
    }

    func reason(_ type: UInt8) -> StringID { reasons[Int(type & 63)] }

    /// Before Go 1.21 the number tells two phases of a collection apart, before Go 1.10 there is none.
    func stopTheWorld(_ kind: UInt64) -> StringID {
        if version >= 21 { return stops[kind < UInt64(stops.count) ? Int(kind) : 0] }
        return stops[kind < 2 ? Int(kind) + 1 : 0]
    }

    private static let stopReasons = [
        "", "GC mark termination", "GC sweep termination", "write heap dump", "goroutine profile",
        "goroutine profile cleanup", "all goroutine stack trace", "read mem stats", "AllThreadsSyscall", "GOMAXPROCS",
        "start trace", "stop trace", "CountPagesInUse (test)", "ReadMetricsSlow (test)", "ReadMemStatsSlow (test)",
        "PageCachePagesLeaked (test)", "ResetDebugLog (test)",
    ]
}
