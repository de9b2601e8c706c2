import Glibc
import Vestige

/// Writes a table to standard output: for people, as JSON, or as CSV. Rows may come in portions.
final class ReportWriter<Record> {
    private let style: ReportStyle
    private var text: ReportText
    private let columns: [ReportColumn<Record>]
    private let name: String
    private let buffer: TextBuffer
    private let part: ReportPart?
    private var hasBegun = false
    private var hasRows = false

    /// - Parameter part: which of several reports of the same kind it is; nil if it is the only one.
    init(_ report: Report<Record>, _ style: ReportStyle, _ terminal: Terminal, _ part: ReportPart?) {
        self.style = style
        self.part = part
        text = ReportText(terminal)
        columns = report.columns
        name = report.name
        buffer = TextBuffer(DescriptorSink(descriptor: 1, path: "standard output"), capacity: 64 << 10)
    }

    deinit { buffer.deallocate() }

    /// Writes the rows of a report.
    func write(_ report: Report<Record>) throws(TraceError) {
        switch style {
        case .text:
            beginText()
            buffer.append(text.lines(report))
        case .json: try writeJSON(report.records)
        case .csv: try writeCSV(report.records)
        }
        hasRows = hasRows || !report.records.isEmpty
        try buffer.flushIfNeeded()
    }

    /// Writes what belongs to all rows together.
    func finish(_ report: Report<Record>) throws(TraceError) {
        switch style {
        case .text: beginText()
        case .csv: beginCSV()
        case .json: finishJSON(report)
        }
        try buffer.flush()
    }

    /// Columns for which the terminal has no room.
    var leftOut: [String] { text.leftOut }

    private func beginText() {
        if hasBegun { return }
        hasBegun = true
        guard let part else { return }
        buffer.append("\(part.isFirst ? "" : "\n")\(Console.escaped(part.source))\n")
    }

    // MARK: - JSON

    /// One object on one line.
    private func writeJSON(_ records: [Record]) throws(TraceError) {
        beginJSON()
        for (index, record) in records.enumerated() {
            if hasRows || index > 0 { buffer.append(",") }
            buffer.append("{")
            for (position, column) in columns.enumerated() {
                if position > 0 { buffer.append(",") }
                buffer.appendJSONString(column.name)
                buffer.append(":")
                appendJSON(column.value(record))
            }
            buffer.append("}")
            try buffer.flushIfNeeded()
        }
    }

    private func beginJSON() {
        if hasBegun { return }
        hasBegun = true
        buffer.append("{\"table\":")
        buffer.appendJSONString(name)
        if let part {
            buffer.append(",\"source\":")
            buffer.appendJSONString(part.source)
        }
        buffer.append(",\"rows\":[")
    }

    private func finishJSON(_ report: Report<Record>) {
        beginJSON()
        buffer.append("],\"count\":")
        buffer.append(report.count)
        if !report.percentiles.isEmpty {
            buffer.append(",\"percentiles\":{")
            for (position, entry) in report.percentiles.enumerated() {
                if position > 0 { buffer.append(",") }
                buffer.appendJSONString(entry.column)
                buffer.append(":{")
                for (index, percentile) in Percentile.allCases.enumerated() {
                    if index > 0 { buffer.append(",") }
                    buffer.append("\"\(percentile.rawValue)\":\(percentile.of(entry.distribution))")
                }
                buffer.append("}")
            }
            buffer.append("}")
        }
        buffer.append("}\n")
    }

    private func appendJSON(_ value: ReportValue) {
        switch value {
        case .none: buffer.append("null")
        case .number(let value), .nanoseconds(let value), .bytes(let value): buffer.append(value)
        case .unsigned(let value): buffer.append(value)
        case .ratio(let value): buffer.append(Units.decimal(value, digits: 6))
        case .text(let text): buffer.appendJSONString(text)
        case .flag(let value): buffer.append(value ? "true" : "false")
        }
    }

    // MARK: - CSV

    private func writeCSV(_ records: [Record]) throws(TraceError) {
        beginCSV()
        for record in records {
            if let part {
                appendCSV(.text(part.source))
                buffer.append(",")
            }
            for (position, column) in columns.enumerated() {
                if position > 0 { buffer.append(",") }
                appendCSV(column.value(record))
            }
            buffer.append("\r\n")
            try buffer.flushIfNeeded()
        }
    }

    private func beginCSV() {
        if hasBegun { return }
        hasBegun = true
        if let part, !part.isFirst { return }
        buffer.append(((part == nil ? [] : ["source"]) + columns.map(\.name)).joined(separator: ",") + "\r\n")
    }

    private func appendCSV(_ value: ReportValue) {
        switch value {
        case .none: break
        case .number(let value), .nanoseconds(let value), .bytes(let value): buffer.append(value)
        case .unsigned(let value): buffer.append(value)
        case .ratio(let value): buffer.append(Units.decimal(value, digits: 6))
        case .text(var text): text.withUTF8 { buffer.appendCSVText($0) }
        case .flag(let value): buffer.append(value ? "true" : "false")
        }
    }
}

/// One of several reports of the same kind: of an entry of an archive.
struct ReportPart {
    let source: String
    let isFirst: Bool
}

enum ReportStyle {
    case text, json, csv
}
