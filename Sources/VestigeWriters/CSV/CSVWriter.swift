import VestigeCore
import VestigeStages

/// Writes CSV tables in one pass over the events; see `CSVFormat` for the dialect.
///
/// Rows come when what they tell of has ended: spans in the order of their ends. Its memory follows
/// what is alive and open in the recording, and the stacks and strings there are.
final class CSVWriter: TraceWriter {
    private struct Output {
        let table: any CSVTable
        let buffer: TextBuffer
        let row: CSVRow
    }

    private let outputs: [Output]
    /// Nil if no table needs it.
    private let stage: LifelineStage?
    private var firstNanoseconds: Int64?

    /// - Throws: `usage` for a table that there is not, or several for a single file.
    init(_ target: any OutputTarget, _ options: OutputOptions) throws(TraceError) {
        let types = try Self.tables(options.tables, isFolder: target.isFolder)
        let cells = CSVCells()
        var outputs: [Output] = []
        for type in types {
            let sink = try target.sink(named: target.isFolder ? type.name + ".csv" : nil)
            let buffer = TextBuffer(sink)
            let row = CSVRow(buffer, cells)
            row.header(type.columns)
            outputs.append(Output(table: type.init(), buffer: buffer, row: row))
        }
        self.outputs = outputs
        stage = types.contains { $0.usesLifelines } ? LifelineStage() : nil
    }

    deinit { for output in outputs { output.buffer.deallocate() } }

    func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError) {
        if firstNanoseconds == nil { firstNanoseconds = events.first?.timeNanoseconds }
        stage?.process(events, tables: tables)
        try writeRows(events, tables)
    }

    func finish(tables: TraceTables) throws(TraceError) {
        stage?.finish(tables: tables)
        try writeRows(UnsafeBufferPointer(start: nil, count: 0), tables)
        for output in outputs { try output.buffer.flush() }
    }

    private func writeRows(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) throws(TraceError) {
        let batch = CSVBatch(
            events: events, spans: stage?.spans ?? UnsafeBufferPointer(start: nil, count: 0), lives: stage?.lives ?? [], tables: tables,
            firstNanoseconds: firstNanoseconds ?? 0)
        for output in outputs { try output.table.write(batch, to: output.row) }
    }

    private static func tables(_ names: [String]?, isFolder: Bool) throws(TraceError) -> [any CSVTable.Type] {
        guard let names else { return isFolder ? CSVFormat.tables : [CSVFormat.defaultTable] }
        let known = CSVFormat.tables.map { $0.name }
        for name in names where !known.contains(name) {
            throw TraceError(.usage, expected: "a table of csv (\(known.joined(separator: ", ")))", found: name)
        }
        let tables = CSVFormat.tables.filter { names.contains($0.name) }
        guard isFolder || tables.count == 1 else {
            throw TraceError(.usage, expected: "one table for a single file", found: "\(tables.count)")
        }
        return tables
    }
}
