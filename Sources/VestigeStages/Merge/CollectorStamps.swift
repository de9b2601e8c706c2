import VestigeCore

/// Cycles of the garbage collector, as far as a recording has been read.
struct CollectionCount: Equatable, Sendable {
    /// Cycles whose mark phase has begun, and those of them whose mark phase has ended.
    private(set) var begun = 0
    private(set) var ended = 0
    var isMarking: Bool { begun > ended }

    mutating func begin() { begun = ended + 1 }
    /// False if the recording has not seen it begin.
    mutating func end() -> Bool {
        guard isMarking else { return false }
        ended = begun
        return true
    }
}

/// What a debugger shows of the stamps that the garbage collector leaves in waiting goroutines (`waitSince`).
///
/// A cycle stamps every goroutine that it finds waiting and that has no stamp, with the end of the cycle before
/// (`runtime/mgcmark.go`, `markroot`); the program's first cycle has none to give. So a goroutine without a stamp
/// has not waited through two whole cycles. The stamp goes when the goroutine is picked to run (`execute`), and not
/// before: one with a stamp has met a mark phase since then (while it ran, too: one that marks passes for waiting).
/// Where the recording says otherwise, the snapshot is of another moment.
struct CollectorStamps {
    enum Stamp: Sendable { case unknown, absent, present }

    /// What there had been of the collector when a goroutine that waits blocked, and when it was picked to run
    /// before; nil where the recording does not tell.
    struct Wait: Sendable {
        var atBlock: CollectionCount
        var atRun: CollectionCount?
    }

    private(set) var collections = CollectionCount()
    /// Goroutines without a stamp by how many cycles they have waited through: one that is under way counts −1,
    /// the last place is for two and more.
    private var unstamped: InlineArray<4, Int> = [0, 0, 0, 0]
    /// Goroutines with a stamp that were picked to run since the last mark phase.
    private var stampedLately = 0

    /// Goroutines that cannot have the stamp that the debugger shows, or the lack of it.
    var contradictionCount: Int { unstamped[3] + (collections.isMarking ? 0 : stampedLately) }

    mutating func collectionBegins() { collections.begin() }

    mutating func collectionEnds() {
        guard collections.end() else { return }
        unstamped[3] += unstamped[2]
        for age in [2, 1] { unstamped[age] = unstamped[age - 1] }
        unstamped[0] = 0
        stampedLately = 0
    }

    /// Counts a goroutine that waits (1), or no longer (−1).
    mutating func count(_ change: Int, _ stamp: Stamp, _ wait: Wait) {
        switch stamp {
        case .unknown: break
        case .absent: unstamped[min(max(collections.ended - wait.atBlock.begun + 1, 0), 3)] += change
        case .present:
            if let run = wait.atRun, !run.isMarking, run.ended == collections.ended { stampedLately += change }
        }
    }
}
