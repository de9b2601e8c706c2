import Rainbow
import TextTable
import Vestige

/// Tables for people.
struct ReportText {
    let terminal: Terminal
    /// Columns for which there was no room.
    private(set) var leftOut: [String] = []

    init(_ terminal: Terminal) { self.terminal = terminal }

    /// The table's lines, each ended by a line break; empty without rows.
    mutating func lines<Record>(_ report: Report<Record>) -> String {
        let shown = report.columns.filter { $0.place != .machines }
        let rows = report.records.map { record in shown.map { Self.text($0.value(record)) } }
        guard !rows.isEmpty else { return "" }
        let fitted = FittedColumns(
            titles: shown.map(\.title), canShrink: shown.map(\.isText), canGo: shown.map { $0.place == .ifItFits },
            rows: rows, width: terminal.width)
        leftOut = fitted.leftOut.map { shown[$0].name }
        let emphasis = report.emphasis.map { report.records.map($0) } ?? []
        return draw(fitted, isText: shown.map(\.isText), rows: rows, emphasis: emphasis) + percentiles(report)
    }

    /// How a column's values are distributed over all rows.
    private func percentiles<Record>(_ report: Report<Record>) -> String {
        guard report.count > 1, !report.percentiles.isEmpty else { return "" }
        let titles = report.percentiles.map { entry in
            report.columns.first { $0.name == entry.column }?.title ?? entry.column
        }
        let rows = Percentile.allCases.map { percentile in
            [percentile.rawValue] + report.percentiles.map { Units.duration(percentile.of($0.distribution)) }
        }
        let columns = ["of \(Units.grouped(report.count))"] + titles
        let none = columns.map { _ in false }
        let fitted = FittedColumns(titles: columns, canShrink: none, canGo: none, rows: rows, width: terminal.width)
        return "\n" + draw(fitted, isText: none, rows: rows, emphasis: [])
    }

    private func draw(_ fitted: FittedColumns, isText: [Bool], rows: [[String]], emphasis: [Emphasis]) -> String {
        // The library pads on the left alone what is aligned to the right; what is aligned to the left
        // comes padded, since its own padding counts in UTF-16 and would cut some characters.
        let table = TextTable<[String]> { row in
            fitted.shown.map { index in
                let width = fitted.widths[index]
                let pad = { (text: String) in isText[index] ? Self.padded(text, width) : text }
                return Column(
                    title: pad(fitted.titles[index]), value: pad(Self.shortened(row[index], to: width)), width: width,
                    align: .right)
            }
        }
        let drawn = table.string(for: rows, style: Style.simple) ?? ""
        var text = ""
        for (number, line) in drawn.split(separator: "\n").enumerated() {
            let line = String(line.reversed().drop { $0 == " " }.reversed())
            let isHeader = number < 2
            let look =
                isHeader
                ? (number == 0 ? nil : Emphasis.faint) : emphasis.isEmpty ? Emphasis.none : emphasis[number - 2]
            text += terminal.coloured(line, look) + "\n"
        }
        return text
    }

    static func text(_ value: ReportValue) -> String {
        switch value {
        case .none: ""
        case .number(let value): (value < 0 ? "-" : "") + Units.grouped(value.magnitude)
        case .unsigned(let value): Units.grouped(value)
        case .nanoseconds(let value): Units.duration(value)
        case .bytes(let value): (value < 0 ? "-" : "") + Units.bytes(value.magnitude)
        case .ratio(let value): "× \(Units.decimal(value, digits: 2))"
        case .text(let text): Console.escaped(text)
        case .flag(let value): value ? "yes" : ""
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Without its middle if it is too long: the ends of functions and paths tell the most.
    static func shortened(_ text: String, to width: Int) -> String {
        guard text.count > width, width > 0 else { return text }
        let head = (width - 1) / 2
        return text.prefix(head) + "…" + text.suffix(width - 1 - head)
    }
}

/// The percentiles that are shown.
enum Percentile: String, CaseIterable {
    case p50, p90, p99, max

    func of(_ distribution: Distribution) -> Int64 {
        switch self {
        case .p50: distribution.percentile(50)
        case .p90: distribution.percentile(90)
        case .p99: distribution.percentile(99)
        case .max: distribution.largest
        }
    }
}

/// Widths such that a table fits: long texts are shortened first, then columns left out, the last first.
struct FittedColumns {
    let titles: [String]
    private(set) var widths: [Int]
    /// Indices of the columns that are shown.
    private(set) var shown: [Int]

    /// Indices of those for which there was no room.
    private(set) var leftOut: [Int] = []

    /// The least that a text is shortened to.
    private static let leastWidth = 12

    /// - Parameter width: columns of the terminal; nil for no limit.
    init(titles: [String], canShrink: [Bool], canGo: [Bool], rows: [[String]], width: Int?) {
        self.titles = titles
        widths = titles.map(\.count)
        for row in rows { for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) } }
        // A column without any value says nothing.
        shown = titles.indices.filter { index in !canGo[index] || rows.contains { !$0[index].isEmpty } }
        guard let width else { return }
        shrink(to: width, canShrink)
        while total > width, let last = shown.last(where: { canGo[$0] }) {
            shown.removeAll { $0 == last }
            leftOut.insert(last, at: 0)
        }
        widen(to: width, canShrink, rows)
    }

    /// With one blank between columns.
    private var total: Int { shown.reduce(0) { $0 + widths[$1] } + max(0, shown.count - 1) }

    /// Takes from the widest text until the table fits.
    private mutating func shrink(to width: Int, _ canShrink: [Bool]) {
        while total > width,
            let widest = shown.filter({ canShrink[$0] && widths[$0] > max(Self.leastWidth, titles[$0].count) })
                .max(by: { widths[$0] < widths[$1] })
        {
            widths[widest] -= 1
        }
    }

    /// Gives back what columns that were left out have made free.
    private mutating func widen(to width: Int, _ canShrink: [Bool], _ rows: [[String]]) {
        for index in shown where canShrink[index] {
            let wanted = rows.reduce(widths[index]) { max($0, $1[index].count) }
            widths[index] += max(0, min(wanted - widths[index], width - total))
        }
    }
}
