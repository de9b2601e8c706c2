import ArgumentParser
import Vestige

/// The dialect of CSV.
struct TableStyleOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "For spreadsheets: byte order mark, times as decimal seconds and as dates, and no more rows a file than "
                + "they open."))
    var excel = false

    @Option(help: ArgumentHelp("What stands between fields: , ; | ^ ~ or tab.", valueName: "mark"))
    var delimiter: Delimiter?

    @Option(
        help: ArgumentHelp(
            "With --excel, the decimal mark: . or , (then fields are separated by ; unless --delimiter says otherwise).",
            valueName: "mark"))
    var decimal: DecimalMark?

    @Option(help: ArgumentHelp("Only these columns of one table, in this order.", valueName: "a,b,c"))
    var columns: ColumnList?

    @Flag(name: .customLong("no-header"), help: "No line with the names of the columns.")
    var noHeader = false

    /// The options as words, for another process.
    var words: [String] {
        var words: [String] = []
        if excel { words.append("--excel") }
        if let delimiter { words.append("--delimiter=\(String(UnicodeScalar(delimiter.byte)))") }
        if let decimal { words.append("--decimal=\(String(UnicodeScalar(decimal.byte)))") }
        if let columns { words.append("--columns=\(columns.names.joined(separator: ","))") }
        if noHeader { words.append("--no-header") }
        return words
    }

    /// - Throws: `usage` for a decimal mark where there are no decimal numbers.
    func style() throws(TraceError) -> TableStyle {
        if decimal != nil, !excel {
            throw TraceError(
                .usage, expected: "--excel with --decimal (other tables hold whole numbers)", found: "none")
        }
        var style = TableStyle()
        style.isForSpreadsheets = excel
        style.hasHeader = !noHeader
        style.columns = columns?.names
        if let decimal { style.decimalMark = decimal.byte }
        if style.decimalMark == style.delimiter { style.delimiter = UInt8(ascii: ";") }
        if let delimiter { style.delimiter = delimiter.byte }
        return style
    }
}

/// One character, or the word `tab`.
struct Delimiter: ExpressibleByArgument {
    let byte: UInt8

    init?(argument: String) {
        let text = ["tab", "\\t"].contains(argument.lowercased()) ? "\t" : argument
        guard text.utf8.count == 1, let byte = text.utf8.first else { return nil }
        self.byte = byte
    }
}

struct DecimalMark: ExpressibleByArgument {
    let byte: UInt8

    init?(argument: String) {
        guard [".", ","].contains(argument), let byte = argument.utf8.first else { return nil }
        self.byte = byte
    }
}

struct ColumnList: ExpressibleByArgument {
    let names: [String]

    init?(argument: String) {
        names = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        if names.contains("") { return nil }
    }
}
