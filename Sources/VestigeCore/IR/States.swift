/// What a goroutine is doing. The names and meanings are those of Go's reader API
/// (`internal/trace/resources.go`, `GoState`).
@frozen public enum GoroutineState: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// Not known yet: the goroutine is older than the recording.
    case undetermined = 0
    /// Not created yet, or gone.
    case notExist = 1
    /// Ready to run, waiting for a proc.
    case runnable = 2
    /// Executing Go code on a proc and a thread.
    case running = 3
    /// Blocked; the transition's reason says on what.
    case waiting = 4
    /// In a system call or in C code.
    case syscall = 5

    /// The name in JSON lines, as in Go's reader API.
    public var name: StaticString {
        switch self {
        case .undetermined: "Undetermined"
        case .notExist: "NotExist"
        case .runnable: "Runnable"
        case .running: "Running"
        case .waiting: "Waiting"
        case .syscall: "Syscall"
        }
    }

    /// The name in the JSON line of an observation.
    public var observedName: StaticString {
        switch self {
        case .undetermined: "undetermined"
        case .notExist: "notexist"
        case .runnable: "runnable"
        case .running: "running"
        case .waiting: "waiting"
        case .syscall: "syscall"
        }
    }
}

/// What a proc is doing (`internal/trace/resources.go`, `ProcState`). A proc whose goroutine
/// is in a system call counts as running until it is stopped or taken away.
@frozen public enum ProcState: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case undetermined = 0
    case notExist = 1
    case running = 2
    case idle = 3

    /// The name in JSON lines, as in Go's reader API.
    public var name: StaticString {
        switch self {
        case .undetermined: "Undetermined"
        case .notExist: "NotExist"
        case .running: "Running"
        case .idle: "Idle"
        }
    }
}

/// What a range or label is bound to.
@frozen public enum Scope: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// The whole program, e.g. the concurrent mark phase.
    case global = 0
    case goroutine = 1
    case proc = 2

    /// The name in JSON lines: none, goroutine, proc.
    public var name: StaticString {
        switch self {
        case .global: "none"
        case .goroutine: "goroutine"
        case .proc: "proc"
        }
    }
}
