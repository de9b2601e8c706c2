/// What a recipe knows of a goroutine.
struct GoroutineModel {
    /// Raw values are the wire's.
    enum State: UInt8 { case none = 0, runnable, running, syscall, waiting }

    let id: UInt64
    var state = State.none
    /// The number that its next sequenced event has.
    var sequence: UInt64 = 1
    /// The generation it was last mentioned in; 0: never.
    var generation: UInt64 = 0
}

/// What a recipe knows of a proc.
struct ProcModel {
    /// Raw values are the wire's.
    enum State: UInt8 { case running = 1, idle, syscall }

    let id: UInt64
    var state = State.idle
    var sequence: UInt64 = 1
    var generation: UInt64 = 0
    /// Index of the thread that holds it.
    var thread: Int?
}

/// What a recipe knows of a thread.
struct ThreadModel {
    let id: UInt64
    var goroutine: Int?
    var proc: Int?
    /// The batch being filled, its start and the time of its last event, in ticks.
    var payload: [UInt8] = []
    var start: UInt64 = 0
    var last: UInt64 = 0
}
