import VestigeCore
import VestigeStages

/// One table: its name, its columns, and how its rows come out of events and lifelines.
///
/// `write` puts down one field for each column, in their order.
protocol CSVTable: AnyObject {
    /// Name of the table, and of its file without the suffix.
    static var name: String { get }
    /// What a row is, for the schema.
    static var summary: String { get }
    static var columns: [CSVColumn] { get }
    /// False if the rows come from the events alone.
    static var usesLifelines: Bool { get }
    /// True if each row is made of one event or span alone, so that the halves of a batch can be written at the same
    /// time.
    static var isDivisible: Bool { get }

    init()
    func write(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError)
    /// Writes the rows that are known only when all has been read; called after the last `write`.
    func finish(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError)
}

extension CSVTable {
    static var isDivisible: Bool { false }
    func finish(_ batch: CSVBatch, to row: inout CSVRow) throws(TraceError) {}
}

/// What a table is given to make rows of.
struct CSVBatch {
    /// Valid only during the call; empty for the last batch, which brings what was open at the end.
    var events: UnsafeBufferPointer<Event>
    /// The place of the first of them in the recording.
    var firstSequence: UInt64
    /// What the stage ended in this batch.
    var spans: UnsafeBufferPointer<LifelineSpan>
    let lives: [GoroutineLife]
    let tables: TraceTables
    /// Time of the first event of the recording, from which the columns `…_ns` count.
    let firstNanoseconds: Int64
    /// What was lost on the way, if it is to be said.
    let diagnostics: Diagnostics?

    /// The first and the second half of both events and spans.
    var halves: (CSVBatch, CSVBatch) {
        var (first, second) = (self, self)
        let (eventCount, spanCount) = (events.count / 2, spans.count / 2)
        first.events = UnsafeBufferPointer(rebasing: events[..<eventCount])
        second.events = UnsafeBufferPointer(rebasing: events[eventCount...])
        second.firstSequence += UInt64(eventCount)
        first.spans = UnsafeBufferPointer(rebasing: spans[..<spanCount])
        second.spans = UnsafeBufferPointer(rebasing: spans[spanCount...])
        return (first, second)
    }
}

/// One column, described as the table's schema describes it.
struct CSVColumn: Sendable {
    enum Kind: String, Sendable {
        case integer, string, boolean
        /// A duration, or a time since the recording's first event, in nanoseconds: `…_ns`. For spreadsheets a
        /// decimal number of seconds: `…_s`.
        case nanoseconds
        /// A time on the source's clock, in nanoseconds: `…clock_ns`. For spreadsheets the date and time in
        /// UTC, where the wall clock is known: `…time_utc`.
        case clock
    }

    let name: String
    let kind: Kind
    let description: String
    /// Never empty.
    let isRequired: Bool
    let minimum: Int?
    /// The values there are, of a column with few.
    let values: [String]

    /// The name in a style of writing.
    func name(in style: TableStyle) -> String {
        guard style.isForSpreadsheets else { return name }
        switch kind {
        case .nanoseconds: return name.replacing("_ns", with: "_s")
        case .clock: return name.replacing("clock_ns", with: "time_utc")
        case .integer, .string, .boolean: return name
        }
    }

    /// The type in the table's schema.
    var schemaType: String {
        switch kind {
        case .integer, .nanoseconds, .clock: "integer"
        case .string: "string"
        case .boolean: "boolean"
        }
    }

    init(
        _ name: String, _ kind: Kind, _ description: String, required: Bool = false, minimum: Int? = nil,
        values: [String] = []
    ) {
        self.name = name
        self.kind = kind
        self.description = description
        isRequired = required
        self.minimum = minimum
        self.values = values
    }
}

// MARK: - Columns that several tables have

extension CSVColumn {
    /// Start, end and duration of something that lasts; `CSVRow.interval` writes them.
    static func interval(_ what: String) -> [CSVColumn] {
        [
            CSVColumn(
                "start_ns", .nanoseconds, "When \(what) began: nanoseconds since the recording's first event.",
                required: true),
            CSVColumn(
                "end_ns", .nanoseconds, "When \(what) ended: nanoseconds since the recording's first event.",
                required: true),
            CSVColumn("duration_ns", .nanoseconds, "Nanoseconds from start_ns to end_ns.", required: true, minimum: 0),
            CSVColumn(
                "start_clock_ns", .clock,
                "The start on the source's own clock, in nanoseconds (Go 1.22 and later: the machine's monotonic "
                    + "clock), to compare with other recordings.", required: true),
        ]
    }

    /// How much of something the recording shows; `CSVRow.flags` writes them.
    static func flags(_ what: String) -> [CSVColumn] {
        [
            CSVColumn(
                "began_before", .boolean,
                "\(what) began before the recording, or its begin is lost: the start is where the recording begins.",
                required: true),
            CSVColumn(
                "open", .boolean,
                "\(what) had not ended when the recording did: the end is that of the last event.", required: true),
            CSVColumn(
                "broken", .boolean,
                "What ended it contradicts what came before: the input is damaged and something between is missing.",
                required: true),
        ]
    }

    /// How many there were and how long they took; `CSVRow.distribution` writes them.
    static func distribution(_ what: String) -> [CSVColumn] {
        let quantiles = [("p50_ns", "Half"), ("p90_ns", "Nine of ten"), ("p99_ns", "99 of 100")].map { name, share in
            CSVColumn(
                name, .nanoseconds,
                "\(share) of \(what) took at most so many nanoseconds: exact up to \(Distribution.exactCount) of "
                    + "them, else at most 1 % more than exact.", required: true, minimum: 0)
        }
        return [
            CSVColumn("count", .integer, "How many of \(what) there were.", required: true, minimum: 0),
            CSVColumn("total_ns", .nanoseconds, "Nanoseconds that they took together.", required: true, minimum: 0),
        ] + quantiles + [
            CSVColumn("max_ns", .nanoseconds, "Nanoseconds that the longest took.", required: true, minimum: 0)
        ]
    }

    static func stack(_ name: String, _ description: String) -> CSVColumn {
        CSVColumn(name, .string, description + " Frames as 'function file:line', innermost first, joined by ' < '.")
    }

    static let function = CSVColumn(
        "function", .string, "The function that the goroutine was started with; empty where no stack tells it.")
    static let source = CSVColumn(
        "source", .integer, "Which input it comes from, counted from 0 in the order in which they were given.",
        required: true, minimum: 0)
    static let process = CSVColumn(
        "process", .string, "The name of the process; this column is there if the output is of several.",
        required: true)
    static let goroutineStates = GoroutineState.allCases.map { "\($0.name)" }
}
