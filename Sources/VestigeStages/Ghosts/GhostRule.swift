/// Why a goroutine that looks like a ghost is none. `docs/ghosts.md` gives the reasons; each can be switched off.
public enum GhostRule: UInt8, CaseIterable, Sendable {
    case systemGoroutines
    case libraryGoroutines
    case acceptLoops
    case tickers
    case signalWaiters
    case idleWorkers
    case dueTimers
    case workingChildren
    case workingPeers
    case livingCreator
    case mainWaits
    case olderThanRecording
    case awaited
    case sharedWorkers
    case setup

    /// The name in options and reports.
    public var name: String {
        switch self {
        case .systemGoroutines: "system-goroutines"
        case .libraryGoroutines: "library-goroutines"
        case .acceptLoops: "accept-loops"
        case .tickers: "tickers"
        case .signalWaiters: "signal-waiters"
        case .idleWorkers: "idle-workers"
        case .dueTimers: "due-timers"
        case .workingChildren: "working-children"
        case .workingPeers: "working-peers"
        case .livingCreator: "living-creator"
        case .mainWaits: "main-waits"
        case .olderThanRecording: "older-than-recording"
        case .awaited: "awaited"
        case .sharedWorkers: "shared-workers"
        case .setup: "setup"
        }
    }

    public var summary: String {
        switch self {
        case .systemGoroutines: "belongs to Go's runtime or tracer"
        case .libraryGoroutines: "waits within Go's library, which started it for itself"
        case .acceptLoops: "waits for the network, that is, for the outside"
        case .tickers: "sleeps, or waits for a timer that wakes it again and again"
        case .signalWaiters: "waits for a signal of the operating system"
        case .idleWorkers: "has been given work there, and who gave it is still alive"
        case .dueTimers: "waits no longer than others there have waited before they were woken"
        case .workingChildren: "waits for goroutines that it started and that still work"
        case .workingPeers: "waits for goroutines in the same function that still work"
        case .livingCreator: "has waited since it began, and its creator can still wake it"
        case .mainWaits: "is the main goroutine, which keeps the process alive"
        case .olderThanRecording: "waits since before the recording, so that nobody knows who could wake it"
        case .awaited: "outlives its creator, but another goroutine waits for it"
        case .sharedWorkers: "outlives its creator, but works for others too"
        case .setup: "outlives a task or region of main of which there is only one: the program's setup"
        }
    }

    public static func named(_ name: String) -> GhostRule? { allCases.first { $0.name == name } }
}

/// A set of rules.
public struct GhostRules: Sendable {
    private var bits: UInt32

    public static let all = GhostRules(bits: .max)

    public func contains(_ rule: GhostRule) -> Bool { bits & 1 << UInt32(rule.rawValue) != 0 }
    public mutating func remove(_ rule: GhostRule) { bits &= ~(1 << UInt32(rule.rawValue)) }
}
