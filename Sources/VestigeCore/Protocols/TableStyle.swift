/// How tables are written: what a user may choose of their dialect.
public struct TableStyle: Equatable, Sendable {
    /// The columns to write, in this order; nil for all.
    public var columns: [String]?
    public var hasHeader = true
    /// Between fields: one of `delimiters`.
    public var delimiter = UInt8(ascii: ",")
    /// For a spreadsheet that is opened by a double click: byte order mark, times that it computes with,
    /// and no file of more rows than it opens. See `CSVFormat`.
    public var isForSpreadsheets = false
    /// Between whole and fraction of a decimal number; these are only for spreadsheets.
    public var decimalMark = UInt8(ascii: ".")
    /// How many lines a spreadsheet opens, the header among them: those of LibreOffice and Excel since 2007.
    public var spreadsheetLineCount = 1_048_576

    /// What may stand between fields: nothing that numbers, times, words and names of columns hold.
    public static let delimiters = [UInt8](",;\t|^~".utf8)

    public init() {}
}
