import VestigeCore

/// Tables for spreadsheets and databases: a folder of `TABLE.csv`, or one table as a single file.
///
/// The dialect is RFC 4180: comma, quotes doubled within quotes, lines end in CR LF, and the first
/// line holds the column names, also where no row follows. Text is UTF-8 without a byte order mark;
/// a byte that is not UTF-8 becomes U+FFFD, and NUL becomes U+2400. An empty field means none or not
/// known. Numbers are plain decimals. `Schemas/csv/TABLE.json` describes every column.
///
/// Where the output is of several processes, each row ends with a column `process`, the name of its own; rows of
/// different processes are in no particular order to each other.
///
/// Text comes from the traced program, which need not be friendly: a spreadsheet runs a cell that
/// begins with `=`, `+`, `-`, `@`, tab, CR or LF (or a full-width form of these) as a formula. Such
/// text gets an apostrophe in front, which makes it text everywhere. Numbers are left alone.
///
/// The style for spreadsheets differs in what they are known to get wrong: a byte order mark, without which
/// they take UTF-8 for something older; times as decimal seconds and as dates, since they keep 15 digits of a
/// number, which nanoseconds of a clock exceed; an apostrophe before longer integers and before text that they
/// would make a number, a date or a truth value of, so that both are text; and a file `TABLE-2.csv` where a
/// table has more rows than they open.
public enum CSVFormat {
    public static let format = OutputFormat(
        name: "csv", summary: "CSV tables of goroutines, spans, events, waits and more (a folder, or one table)",
        suffix: ".csv", shape: .folder, tableNames: tables.map { $0.name },
        defaultTableName: defaultTable.name,
        tableColumns: { name, style in
            tables.first { $0.name == name }.map { ($0.columns + [.process]).map { $0.name(in: style) } } ?? []
        }
    ) { target, options throws(TraceError) in
        let tables = try CSVWriter.tables(target, options)
        return ProcessWriters { process, leader throws(TraceError) in
            try CSVWriter(tables, target, options, process, leader as? CSVWriter)
        }
    }

    /// The tables there are. A new one is a type of its own and one line here.
    static var tables: [any CSVTable.Type] {
        [
            CSVGoroutinesTable.self,
            CSVSpansTable.self,
            CSVEventsTable.self,
            CSVRegionsTable.self,
            CSVTasksTable.self,
            CSVLogsTable.self,
            CSVWaitsTable.self,
            CSVRangesTable.self,
            CSVMetricsTable.self,
            CSVStacksTable.self,
            CSVObservationsTable.self,
            CSVSummaryTable.self,
        ]
    }

    /// What a single file holds if no table is named.
    static var defaultTable: any CSVTable.Type { CSVSpansTable.self }

    /// The Frictionless Table Schema of a table, as JSON, or nil if there is no such table.
    public static func schema(ofTable name: String) -> String? {
        tables.first { $0.name == name }.map(CSVSchema.json)
    }
}
