/// What is wrong with a goroutine. In the order of how bad it is: a goroutine to which several apply is named once,
/// under the first.
public enum GhostClass: UInt8, CaseIterable, Sendable {
    /// Proved to wait for ever: by Go's goroutineleak profile, by a debugger, or by a wait that nothing can end.
    case leaked
    /// Blocked to the end of the recording, and nothing in the recording is left that could wake it.
    case stuck
    /// Lives on after the task, region or request that started it.
    case orphan
    /// One of a creation site's goroutines, of which there are only ever more.
    case pilingUp
    /// Runs for long without yielding.
    case hog
    /// Ready to run for long before it runs.
    case starved

    /// The name in reports.
    public var name: String {
        switch self {
        case .leaked: "leaked"
        case .stuck: "stuck"
        case .orphan: "orphan"
        case .pilingUp: "piling up"
        case .hog: "hog"
        case .starved: "starved"
        }
    }

    /// One sentence for people.
    public var summary: String {
        switch self {
        case .leaked: "proved to wait for ever, by a leak profile, a debugger, or a wait that nothing can end"
        case .stuck: "blocked to the end of the recording, with nothing left in it that could wake it"
        case .orphan: "outlives the task, region or request that started it"
        case .pilingUp: "one of a creation site's goroutines, of which there are only ever more"
        case .hog: "runs for long without yielding"
        case .starved: "is ready to run for long before it runs"
        }
    }
}
