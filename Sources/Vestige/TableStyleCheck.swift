import VestigeCore

extension OutputPlan {
    /// Refuses a style of tables that makes no sense for this output.
    /// - Throws: `usage`.
    func check(_ style: TableStyle, tables: [String]?) throws(TraceError) {
        guard style != TableStyle() else { return }
        guard !format.tableNames.isEmpty else {
            let option = Self.option(of: style)
            throw TraceError(.usage, expected: "no \(option) for \(format.name), which has no tables", found: option)
        }
        guard TableStyle.delimiters.contains(style.delimiter) else {
            throw TraceError(
                .usage, expected: "a --delimiter that no number or word holds: one of , ; | ^ ~ tab",
                found: "\"\(Unicode.Scalar(style.delimiter))\"")
        }
        if style.isForSpreadsheets, style.delimiter == style.decimalMark {
            throw TraceError(
                .usage, expected: "a --delimiter other than the --decimal mark",
                found: "\"\(Unicode.Scalar(style.delimiter))\" for both")
        }
        if let columns = style.columns { try check(columns, style, tables: tables) }
    }

    private func check(_ columns: [String], _ style: TableStyle, tables: [String]?) throws(TraceError) {
        var chosen = tables ?? format.tableNames
        if tables == nil, case .folder = place {} else if tables == nil { chosen = [format.defaultTableName ?? ""] }
        guard chosen.count == 1 else {
            throw TraceError(.usage, expected: "one --table for --columns", found: "\(chosen.count)")
        }
        let names = format.tableColumns?(chosen[0], style) ?? []
        for column in columns where !names.contains(column) {
            throw Suggestion.unknown(column, kind: "column of \(chosen[0])", among: names)
        }
    }

    /// The option that a style comes from.
    private static func option(of style: TableStyle) -> String {
        if style.isForSpreadsheets { return "--excel" }
        if style.columns != nil { return "--columns" }
        return style.hasHeader ? "--delimiter" : "--no-header"
    }
}
