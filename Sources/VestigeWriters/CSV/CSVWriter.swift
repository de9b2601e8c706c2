import Glibc
import VestigeCore
import VestigeStages

/// Writes CSV tables in one pass over the events; see `CSVFormat` for the dialect.
///
/// Rows come when what they tell of has ended: spans in the order of their ends. Its memory follows
/// what is alive and open in the recording, and the stacks and strings there are.
///
/// Where there are processors for it, the second half of a batch's rows is written on a thread of its own.
final class CSVWriter: TraceWriter {
    private struct Output {
        let table: any CSVTable
        let file: CSVFile
        let row: CSVRow
        /// For the second half of batches, if the table's rows can be divided.
        let second: (lane: CSVLane, row: CSVRow)?
    }

    /// Fewer events are not worth waking another thread.
    private static let leastShared = 512

    private let outputs: [Output]
    /// Nil if no table needs it.
    private let stage: LifelineStage?
    private let wallClock: CSVWallClock
    private let cells: CSVCells
    /// The field with the process's name; nothing if there is only one process.
    private let process: UnsafeMutableBufferPointer<UInt8>
    private let diagnostics: Diagnostics?
    private var firstNanoseconds: Int64?
    private var eventCount: UInt64 = 0
    private let companion: Companion?

    /// - Parameters:
    ///   - types: the tables to write.
    ///   - leader: the writer of another process, whose files this one goes on with.
    init(
        _ types: [any CSVTable.Type], _ target: any OutputTarget, _ options: OutputOptions, _ process: OutputProcess,
        _ leader: CSVWriter?
    ) throws(TraceError) {
        let style = options.tableStyle
        wallClock = leader?.wallClock ?? CSVWallClock()
        cells = leader?.cells ?? CSVCells(style)
        self.process = process.isOnly ? .init(start: nil, count: 0) : Self.bytes(process.name)
        let isShared =
            process.isOnly && sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 && types.contains { $0.isDivisible }
        let secondCells = isShared ? CSVCells(style) : nil
        companion = isShared ? Companion() : nil
        var outputs: [Output] = []
        for (index, type) in types.enumerated() {
            let columns = type.columns + (process.isOnly ? [] : [.process])
            var file = leader?.outputs[index].file
            if file == nil { file = try CSVFile(type.name, columns, target, options, wallClock) }
            guard let file else { continue }
            let name = UnsafeBufferPointer(self.process)
            let row = CSVRow(file, cells, style, process: name)
            var second: (CSVLane, CSVRow)?
            if let secondCells, type.isDivisible, row.isPlain {
                let lane = CSVLane(file.sink)
                second = (lane, CSVRow(file, secondCells, style, process: name, to: lane))
            }
            outputs.append(Output(table: type.init(), file: file, row: row, second: second))
        }
        self.outputs = outputs
        firstNanoseconds = process.originNanoseconds
        // What is lost of all of them is told once.
        diagnostics = leader == nil ? options.diagnostics : nil
        stage = types.contains { $0.usesLifelines } ? LifelineStage() : nil
    }

    deinit { process.deallocate() }

    private static func bytes(_ text: String) -> UnsafeMutableBufferPointer<UInt8> {
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
        _ = bytes.initialize(from: text.utf8)
        return bytes
    }

    func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError) {
        if firstNanoseconds == nil { firstNanoseconds = events.first?.timeNanoseconds }
        wallClock.look(at: events, tables)
        stage?.process(events, tables: tables)
        try writeRows(events, tables)
    }

    func finish(tables: TraceTables) throws(TraceError) {
        stage?.finish(tables: tables)
        let none = UnsafeBufferPointer<Event>(start: nil, count: 0)
        try writeRows(none, tables)
        for output in outputs {
            var row = output.row
            row.begin()
            try output.table.finish(batch(none, tables), to: &row)
            row.pause()
            try output.file.buffer.flush()
        }
    }

    private func writeRows(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) throws(TraceError) {
        let batch = batch(events, tables)
        eventCount += UInt64(events.count)
        for output in outputs {
            if let second = output.second, let companion, max(events.count, batch.spans.count) >= Self.leastShared {
                try write(batch.halves, to: output, second.lane, second.row, companion)
            } else {
                try write(batch, to: output.row, of: output.table)
            }
        }
    }

    private func write(_ batch: CSVBatch, to row: CSVRow, of table: any CSVTable) throws(TraceError) {
        var row = row
        row.begin()
        try table.write(batch, to: &row)
        row.pause()
    }

    /// Writes the halves of a batch at the same time, and hands both on.
    private func write(
        _ halves: (CSVBatch, CSVBatch), to output: Output, _ lane: CSVLane, _ secondRow: CSVRow, _ companion: Companion
    ) throws(TraceError) {
        var failure: TraceError?
        var secondFailure: TraceError?
        companion.run {
            do throws(TraceError) {
                try write(halves.0, to: output.row, of: output.table)
                try output.file.buffer.flush()
            } catch { failure = error }
        } beside: { waitForFirst in
            withoutActuallyEscaping(waitForFirst) { waitForFirst in
                lane.waitForFirst = waitForFirst
                do throws(TraceError) {
                    try write(halves.1, to: secondRow, of: output.table)
                } catch { secondFailure = error }
                lane.waitForFirst = {}
            }
        }
        if let failure = failure ?? secondFailure { throw failure }
        try lane.buffer.flush()
    }

    private func batch(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) -> CSVBatch {
        CSVBatch(
            events: events, firstSequence: eventCount,
            spans: stage?.spans ?? UnsafeBufferPointer(start: nil, count: 0), lives: stage?.lives ?? [], tables: tables,
            firstNanoseconds: firstNanoseconds ?? 0, diagnostics: diagnostics)
    }

    /// The tables that are asked for.
    /// - Throws: `usage` for a table that there is not, or several for a single file.
    static func tables(
        _ target: any OutputTarget, _ options: OutputOptions
    ) throws(TraceError) -> [any CSVTable.Type] {
        let types = try tables(options.tables, isFolder: target.isFolder)
        if options.tableStyle.columns != nil, types.count > 1 {
            throw TraceError(.usage, expected: "one table for a choice of columns", found: "\(types.count)")
        }
        return types
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
