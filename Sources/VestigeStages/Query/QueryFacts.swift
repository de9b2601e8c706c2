import VestigeCore

/// What a selection must know before it begins, since a recording tells it later or all over: found by
/// `QuerySurvey` and `ClosureSurvey` in passes of their own.
///
/// Conditions are named by the numbers of their bits, regions and spans by the order in which they begin: both
/// are the same in every pass. Strings are kept as such, since each pass has its own tables.
public struct QueryFacts {
    /// A region whose begin the recording does not have.
    struct EarlyRegion {
        var task: TaskID
        var name: String
        /// The region conditions that it satisfies.
        var mask: UInt64
    }

    /// Times of the first and the last event.
    public internal(set) var firstNanoseconds: Int64 = 0
    public internal(set) var lastNanoseconds: Int64 = 0
    /// Goroutines that satisfy function conditions.
    var functions: [Int: IDSet] = [:]
    /// Tasks that satisfy task conditions.
    var tasks: [Int: IDSet] = [:]
    /// Regions, and spans of a state, that last long enough.
    var regions: [Int: IDSet] = [:]
    var spans: [Int: IDSet] = [:]
    /// By goroutine, in the order of their ends.
    var earlyRegions: [Int64: [EarlyRegion]] = [:]
    /// Of the regions that the window is around, with the margin: sorted, apart from each other.
    var windows: [Range<Int64>] = []
    /// The goroutines that closures add.
    var added = IDSet()
    /// Names there are, for messages about those there are not.
    var regionNames = SeenNames()
    var taskNames = SeenNames()
    var functionNames = SeenNames()

    init() {}

    /// A name that the query asks for and the recording does not have, of which sort it is, and the names there
    /// are: more likely a mistake than a question.
    public func unknownName(in query: Query) -> (name: String, sort: String, known: [String])? {
        let sorts = [
            ("region", query.regions + query.around, regionNames), ("task", query.tasks, taskNames),
            ("function", query.functions, functionNames),
        ]
        for (sort, globs, seen) in sorts {
            if let glob = seen.missing(among: globs).first { return (glob.description, sort, seen.names.sorted()) }
        }
        return nil
    }
}

/// Names of one sort, as many as a message can use.
struct SeenNames {
    private static let limit = 2000
    private var seen = IDSet()
    private(set) var names: [String] = []

    @inline(__always) mutating func add(_ name: StringID, _ tables: TraceTables) {
        if seen.insert(UInt64(name.rawValue)), names.count < Self.limit, name != .empty {
            names.append(tables.strings.string(name))
        }
    }

    /// The patterns that no name satisfies. None, if not all names are known.
    func missing(among globs: [Glob]) -> [Glob] {
        if names.count == Self.limit { return [] }
        return globs.filter { glob in !names.contains { glob.matches($0) } }
    }
}
