import Vestige

/// One cell of a table: what it is, not how it looks.
enum ReportValue: Equatable {
    case none
    case number(Int64)
    case unsigned(UInt64)
    case nanoseconds(Int64)
    case bytes(Int64)
    /// How many times as much.
    case ratio(Double)
    case text(String)
    case flag(Bool)
}

/// One column of a table that a command shows.
struct ReportColumn<Record> {
    /// Where it is shown.
    enum Place {
        case everywhere
        /// On a terminal only if there is room.
        case ifItFits
        /// In JSON and CSV alone.
        case machines
    }

    /// In JSON, in CSV, and for --sort; with its unit.
    let name: String
    /// On the terminal.
    let title: String
    let place: Place
    let isText: Bool
    let value: (Record) -> ReportValue

    init(
        _ name: String, _ title: String, _ place: Place = .everywhere, isText: Bool = false,
        _ value: @escaping (Record) -> ReportValue
    ) {
        self.name = name
        self.title = title
        self.place = place
        self.isText = isText
        self.value = value
    }
}

/// A table: its columns, its rows in order, and what is to be said of all rows together.
struct Report<Record> {
    /// In JSON.
    let name: String
    let columns: [ReportColumn<Record>]
    var records: [Record] = []
    /// How many there are; more than `records` if only the top is shown.
    var count: UInt64 = 0
    /// Percentiles of a column, over all rows there are.
    var percentiles: [(column: String, distribution: Distribution)] = []
    /// How a row is emphasised on a terminal.
    var emphasis: ((Record) -> Emphasis)?
}

/// Colours of whole lines.
enum Emphasis {
    case none, faint, running, waiting, ready, inSystemCall
}
