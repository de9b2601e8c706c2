import VestigeCore

/// How observers and execution traces name the same wait. Dumps and debuggers have the words of
/// `runtime/runtime2.go` (`waitReasonStrings`), traces those of `runtime/traceruntime.go`
/// (`traceBlockReasonStrings`), which are fewer.
enum WaitReasons {
    /// The trace's words for an observer's; nil where they say nothing about each other.
    static func inTrace(_ observed: String) -> String? {
        switch withoutMarks(observed) {
        case "chan receive", "chan send", "select", "sleep": withoutMarks(observed)
        case "chan receive (nil chan)", "chan send (nil chan)", "select (no cases)": "forever"
        case "semacquire", "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "sync.WaitGroup.Wait": "sync"
        case "sync.Cond.Wait": "sync.(*Cond).Wait"
        case "IO wait": "network"
        default: nil
        }
    }

    /// Without what marks a wait in a synctest bubble.
    private static func withoutMarks(_ reason: String) -> String {
        for mark in [" (durable)", " (synctest)"] where reason.hasSuffix(mark) {
            return String(reason.dropLast(mark.count))
        }
        return reason
    }
}
