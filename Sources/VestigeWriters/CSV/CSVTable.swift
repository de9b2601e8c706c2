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

    init()
    func write(_ batch: CSVBatch, to row: CSVRow) throws(TraceError)
}

/// What a table is given to make rows of.
struct CSVBatch {
    /// Valid only during the call; empty for the last batch, which brings what was open at the end.
    let events: UnsafeBufferPointer<Event>
    /// What the stage ended in this batch.
    let spans: UnsafeBufferPointer<LifelineSpan>
    let lives: [GoroutineLife]
    let tables: TraceTables
    /// Time of the first event of the recording, from which the columns `…_ns` count.
    let firstNanoseconds: Int64
}

/// One column, described as the table's schema describes it.
struct CSVColumn: Sendable {
    enum Kind: String, Sendable {
        case integer, string, boolean
    }

    let name: String
    let kind: Kind
    let description: String
    /// Never empty.
    let isRequired: Bool
    let minimum: Int?
    /// The values there are, of a column with few.
    let values: [String]

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
                "start_ns", .integer, "When \(what) began: nanoseconds since the recording's first event.",
                required: true),
            CSVColumn(
                "end_ns", .integer, "When \(what) ended: nanoseconds since the recording's first event.",
                required: true),
            CSVColumn("duration_ns", .integer, "Nanoseconds from start_ns to end_ns.", required: true, minimum: 0),
            CSVColumn(
                "start_clock_ns", .integer,
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

    static func stack(_ name: String, _ description: String) -> CSVColumn {
        CSVColumn(name, .string, description + " Frames as 'function file:line', innermost first, joined by ' < '.")
    }

    static let function = CSVColumn(
        "function", .string, "The function that the goroutine was started with; empty where no stack tells it.")
    static let source = CSVColumn(
        "source", .integer, "Which input it comes from, counted from 0 in the order in which they were given.",
        required: true, minimum: 0)
    static let goroutineStates = GoroutineState.allCases.map { "\($0.name)" }
}
