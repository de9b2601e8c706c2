import VestigeCore

/// Watches a number that goes up and down: is it beyond a limit, and for long enough?
struct LevelWatch {
    private let limit: CheckLimit
    private let lasting: Int64
    private(set) var level: Int64 = 0
    private(set) var highest: Int64 = 0
    /// Since when it is beyond the limit; nil if it is not.
    private(set) var beyondSince: Int64?
    private var isCounted = false

    init(_ limit: CheckLimit, lasting: Int64) {
        self.limit = limit
        self.lasting = lasting
    }

    /// - Returns: true if by then it has been beyond the limit for long enough, and that is news.
    @inline(__always) mutating func isBroken(at time: Int64) -> Bool {
        guard let beyondSince, !isCounted, time.subtractingClamped(beyondSince) >= lasting else { return false }
        isCounted = true
        return true
    }

    @inline(__always) mutating func change(by step: Int64, at time: Int64) {
        level &+= step
        highest = max(highest, level)
        if !limit.isBroken(by: level) {
            beyondSince = nil
            isCounted = false
        } else if beyondSince == nil {
            beyondSince = time
        }
    }
}
