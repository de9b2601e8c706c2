/// Named counters for defects that were tolerated, so that nothing is lost silently. Threads may share them.
public final class Diagnostics {
    public enum Severity: Int, Comparable, Sendable {
        /// Worth knowing; nothing is missing.
        case notice
        /// Something is doubtful, e.g. an impossible transition that was delivered all the same.
        case warning
        /// Something that the input held is not in the output.
        case loss

        public static func < (a: Severity, b: Severity) -> Bool { a.rawValue < b.rawValue }
    }

    public enum Counter: String, CaseIterable, Sendable {
        case bytesLost
        case batchesLost
        case eventsLost
        case generationsIncomplete
        case transitionsForced
        case transitionsImpossible
        case stacksUnresolved
        case stringsUnresolved
        case timesClamped
        case frequencyAssumed
        case unknownVersion
        case trailingBytes
        case linesUnknown
        case tableFilesAdded
        case rowsBeyondSpreadsheet
        case listingsIncomplete
        case answersFailed
        case detailsLeftOut
        case stacksCut
        case goroutinesMissing
        case procsWithoutCPU

        public var severity: Severity {
            switch self {
            case .bytesLost, .batchesLost, .eventsLost, .generationsIncomplete, .stacksUnresolved,
                .stringsUnresolved, .trailingBytes, .linesUnknown, .listingsIncomplete, .answersFailed, .stacksCut,
                .goroutinesMissing:
                .loss
            case .transitionsForced, .transitionsImpossible, .timesClamped, .frequencyAssumed, .unknownVersion:
                .warning
            case .tableFilesAdded, .rowsBeyondSpreadsheet, .detailsLeftOut, .procsWithoutCPU: .notice
            }
        }

        /// What a count of so many means, to follow the number in a sentence.
        public func meaning(of count: UInt64) -> String {
            let (one, many, rest) = words
            return "\(count == 1 ? one : many)\(rest)"
        }

        /// How a sentence goes on behind 1, behind other numbers, and behind both.
        private var words: (one: String, many: String, rest: String) {
            switch self {
            case .bytesLost: ("byte", "bytes", " could not be read")
            case .batchesLost: ("batch", "batches", " could not be read, or only in part")
            case .eventsLost: ("event", "events", " could be decoded but not placed in order")
            case .generationsIncomplete: ("generation is", "generations are", " cut off or damaged")
            case .transitionsForced:
                ("transition was", "transitions were", " placed by time alone, since what led there is missing")
            case .transitionsImpossible: ("transition contradicts", "transitions contradict", " what came before")
            case .stacksUnresolved: ("stack is", "stacks are", " named by events, but not in the input")
            case .stringsUnresolved: ("string is", "strings are", " named by events, but not in the input")
            case .timesClamped: ("time was", "times were", " out of range and limited")
            case .frequencyAssumed:
                (
                    "frequency of the clock is", "frequencies of the clock are",
                    " not stated, and a usual one was assumed: durations may be wrong"
                )
            case .unknownVersion: ("format version is", "format versions are", " newer than this reader knows")
            case .trailingBytes: ("byte follows", "bytes follow", " the end of the trace")
            case .linesUnknown: ("line is", "lines are", " of a kind that this version does not know")
            case .tableFilesAdded:
                ("file goes", "files go", " on with a table that has more rows than a spreadsheet opens (NAME-2.csv)")
            case .rowsBeyondSpreadsheet:
                (
                    "row is", "rows are",
                    " beyond what a spreadsheet opens: a folder as output (-o FOLDER) has them in further files"
                )
            case .listingsIncomplete:
                ("listing of goroutines is", "listings of goroutines are", " not complete: some are missing")
            case .answersFailed: ("answer of the debugger is", "answers of the debugger are", " an error")
            case .detailsLeftOut:
                ("detail has", "details have", " no place in events: variables, source lines, settings")
            case .stacksCut: ("stack is", "stacks are", " cut off, or broken by lines that are no frames")
            case .goroutinesMissing: ("goroutine is", "goroutines are", " missing: a profile states more than it lists")
            case .procsWithoutCPU:
                (
                    "proc has", "procs have",
                    " no row among the CPUs, of which Perfetto takes no more: its goroutines run on tracks only"
                )
            }
        }
    }

    private let lock = Lock()
    private var counts = [UInt64](repeating: 0, count: Counter.allCases.count)
    private var firstErrors: [TraceError] = []
    private var allErrorCount = 0

    public init() {}

    /// The first errors in full, for messages; later ones are only counted.
    public var errors: [TraceError] { lock.withLock { firstErrors } }
    public var errorCount: Int { lock.withLock { allErrorCount } }

    /// Counts up, and stays at what 64 bits hold: the amount may be what a file claims.
    public func count(_ counter: Counter, _ amount: UInt64 = 1) {
        lock.withLock {
            let (sum, isTooLarge) = counts[Self.index(counter)].addingReportingOverflow(amount)
            counts[Self.index(counter)] = isTooLarge ? .max : sum
        }
    }

    public subscript(counter: Counter) -> UInt64 { lock.withLock { counts[Self.index(counter)] } }

    /// Records an error that was survived.
    public func record(_ error: TraceError) {
        lock.withLock {
            allErrorCount += 1
            if firstErrors.count < 10 { firstErrors.append(error) }
        }
    }

    /// The counters that are not zero, worst first.
    public var nonZero: [(counter: Counter, count: UInt64)] {
        Counter.allCases.filter { self[$0] > 0 }.map { ($0, self[$0]) }
            .sorted { $0.counter.severity > $1.counter.severity }
    }

    public var hasLoss: Bool { nonZero.contains { $0.counter.severity == .loss } }

    private static func index(_ counter: Counter) -> Int { indices[counter]! }
    private static let indices = Dictionary(uniqueKeysWithValues: Counter.allCases.enumerated().map { ($1, $0) })
}
