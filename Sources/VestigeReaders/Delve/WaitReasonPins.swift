/// What functions on a blocked goroutine's stack say of its wait reason, whatever a debugger prints:
/// each of these parks with known reasons only.
struct WaitReasonPin: Hashable {
    /// Possible reasons, as bits of `WaitReasons.numbers`, up to Go 1.19 and since Go 1.20.
    var before120: UInt64
    var since120: UInt64

    func reasons(table: Int) -> UInt64 { table == 0 ? before120 : since120 }

    private init(before120: [String]? = nil, _ reasons: String...) {
        since120 = WaitReasons.mask(reasons)
        self.before120 = before120.map(WaitReasons.mask) ?? since120
    }

    /// The pin that the function of a frame gives, or nil.
    static func of(frame function: some StringProtocol) -> WaitReasonPin? { frames[String(function)] }

    /// The pin that the start function of one of the runtime's own goroutines gives, as long as it does not
    /// run a user's code.
    static func of(start function: some StringProtocol) -> WaitReasonPin? { starts[String(function)] }

    private static let receive = WaitReasonPin(
        "chan receive", "chan receive (nil chan)", "chan receive (synctest)", "chan receive (durable)")
    private static let send = WaitReasonPin(
        "chan send", "chan send (nil chan)", "chan send (synctest)", "chan send (durable)")
    private static let mutex = WaitReasonPin(before120: ["semacquire"], "sync.Mutex.Lock")

    private static let frames: [String: WaitReasonPin] = [
        "runtime.chanrecv": receive, "runtime.chanrecv1": receive, "runtime.chanrecv2": receive,
        "runtime.chansend": send, "runtime.chansend1": send,
        "runtime.selectgo": WaitReasonPin("select", "select (synctest)", "select (durable)"),
        "runtime.block": WaitReasonPin("select (no cases)"),
        "sync.(*Mutex).Lock": mutex, "sync.(*Mutex).lockSlow": mutex, "internal/sync.(*Mutex).Lock": mutex,
        "internal/sync.(*Mutex).lockSlow": mutex, "sync.runtime_SemacquireMutex": mutex,
        "internal/sync.runtime_SemacquireMutex": mutex,
        "sync.runtime_SemacquireRWMutexR": WaitReasonPin("sync.RWMutex.RLock"),
        "sync.runtime_SemacquireRWMutex": WaitReasonPin("sync.RWMutex.Lock"),
        "sync.runtime_SemacquireWaitGroup": WaitReasonPin("sync.WaitGroup.Wait", "sync.WaitGroup.Wait (durable)"),
        "sync.runtime_Semacquire": WaitReasonPin("semacquire"),
        "sync.runtime_notifyListWait": WaitReasonPin("sync.Cond.Wait"),
        "time.Sleep": WaitReasonPin("sleep"), "runtime.timeSleep": WaitReasonPin("sleep"),
        "runtime.ReadTrace": WaitReasonPin("trace reader (blocked)"),
        "internal/poll.runtime_pollWait": WaitReasonPin("IO wait"), "runtime.netpollblock": WaitReasonPin("IO wait"),
    ]

    private static let starts: [String: WaitReasonPin] = [
        "runtime.forcegchelper": WaitReasonPin("force gc (idle)"),
        "runtime.bgsweep": WaitReasonPin("GC sweep wait"),
        "runtime.bgscavenge": WaitReasonPin("GC scavenge wait", "sleep"),
        "runtime.runfinq": WaitReasonPin("finalizer wait"),
        "runtime.runFinalizers": WaitReasonPin("finalizer wait"),
        "runtime.runCleanups": WaitReasonPin("cleanup wait"),
        "runtime.updateMaxProcsGoroutine": WaitReasonPin("GOMAXPROCS updater (idle)"),
        "runtime.gcBgMarkWorker": WaitReasonPin(
            "GC worker (idle)", "GC worker (active)", "semacquire", "GC mark termination", "stopping the world"),
    ]
}
