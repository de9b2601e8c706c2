import VestigeCore

/// The file of one table, or its files where a spreadsheet cannot open so many rows.
final class CSVFile {
    let buffer: TextBuffer
    let selection: CSVSelection?
    private let wallClock: CSVWallClock
    /// True if rows have all columns, and there may be any number of them.
    let isPlain: Bool
    /// Of the first file.
    let sink: any ByteSink
    private let name: String
    private let target: any OutputTarget
    private let style: TableStyle
    private let header: [String]
    private let diagnostics: Diagnostics?
    private var fileCount = 1
    /// Lines that still fit into the file.
    private var linesLeft = Int.max
    /// Where the line begins that is being written.
    private var lineStart = 0

    /// - Parameter columns: all that the table has.
    init(
        _ name: String, _ columns: [CSVColumn], _ target: any OutputTarget, _ options: OutputOptions,
        _ wallClock: CSVWallClock
    ) throws(TraceError) {
        self.name = name
        self.target = target
        self.wallClock = wallClock
        style = options.tableStyle
        diagnostics = options.diagnostics
        let names = columns.map { $0.name(in: options.tableStyle) }
        let order = try Self.order(of: names, chosen: options.tableStyle.columns)
        header = order?.map { names[$0] } ?? names
        selection = order.map { CSVSelection($0) }
        isPlain = order == nil && !options.tableStyle.isForSpreadsheets
        sink = try target.sink(named: target.isFolder ? name + ".csv" : nil)
        buffer = TextBuffer(sink)
        try begin()
    }

    deinit { buffer.deallocate() }

    private static func order(of names: [String], chosen: [String]?) throws(TraceError) -> [Int]? {
        guard let chosen else { return nil }
        var order: [Int] = []
        for name in chosen {
            guard let position = names.firstIndex(of: name) else {
                throw TraceError(.usage, expected: "a column (\(names.joined(separator: ", ")))", found: name)
            }
            order.append(position)
        }
        return order
    }

    /// What a file has before its rows.
    private func begin() throws(TraceError) {
        if style.isForSpreadsheets {
            buffer.append("\u{feff}")
            linesLeft = style.spreadsheetLineCount
        }
        guard style.hasHeader else { return }
        for name in header {
            buffer.append(name)
            buffer.append(byte: style.delimiter)
        }
        try endLine()
    }

    /// Puts down seconds with the decimal mark, and returns where they end.
    @inline(never) func writeSeconds(
        _ nanoseconds: Int64, to buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        buffer.endWriting(at: place)
        buffer.appendSeconds(nanoseconds, decimalMark: style.decimalMark)
        return buffer.beginWriting(room: CSVRow.fixedRoom)
    }

    /// Puts down the date and time of a moment on the recording's clock, where the wall clock is known, and returns
    /// where they end.
    @inline(never) func writeDate(
        _ clockNanoseconds: Int64, to buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        guard let offset = wallClock.offsetNanoseconds else { return place }
        buffer.endWriting(at: place)
        buffer.appendDateTime(unixNanoseconds: clockNanoseconds &+ offset, decimalMark: style.decimalMark)
        return buffer.beginWriting(room: CSVRow.fixedRoom)
    }

    /// Turns the last delimiter into the end of the line.
    @inline(__always) func endLine() throws(TraceError) {
        if linesLeft <= 0 { try moveLineToNextFile() }
        linesLeft &-= 1
        buffer.removeLast()
        buffer.append("\r\n")
        try buffer.flushIfNeeded()
        lineStart = buffer.count
    }

    /// The file is full and here is one more row. Where there is only one file, it takes it all the same.
    private func moveLineToNextFile() throws(TraceError) {
        guard target.isFolder else {
            diagnostics?.count(.rowsBeyondSpreadsheet)
            return
        }
        let line = Array(buffer.pending[lineStart...])
        buffer.removeLast(buffer.count - lineStart)
        fileCount += 1
        diagnostics?.count(.tableFilesAdded)
        try buffer.redirect(to: try target.sink(named: "\(name)-\(fileCount).csv"))
        try begin()
        line.withUnsafeBufferPointer { buffer.append($0) }
    }
}

/// The columns that were asked for, out of rows that are written whole.
final class CSVSelection {
    /// Where a row is put together.
    let scratch: TextBuffer
    /// Positions of the columns, in the order asked for.
    private let order: [Int]
    /// Where each field of the row ends, its delimiter included.
    private var ends: [Int] = []

    init(_ order: [Int]) {
        self.order = order
        scratch = TextBuffer(MemorySink(), capacity: 4 << 10)
    }

    deinit { scratch.deallocate() }

    @inline(never) func endField(_ buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>) {
        buffer.endWriting(at: place)
        ends.append(buffer.count)
    }

    /// Hands the chosen fields on, each with its delimiter, and forgets the row.
    func moveRow(to buffer: TextBuffer) {
        for position in order {
            let start = position == 0 ? 0 : ends[position - 1]
            buffer.append(UnsafeBufferPointer(rebasing: scratch.pending[start..<ends[position]]))
        }
        scratch.removeAll()
        ends.removeAll(keepingCapacity: true)
    }
}

/// What is known of the wall clock: the same for all tables.
final class CSVWallClock {
    /// What has to be added to a time of the output's clock; nil as long as nothing tells.
    private(set) var offsetNanoseconds: Int64?

    /// Looks for a reading of both clocks by the first source, whose clock is the output's.
    func look(at events: UnsafeBufferPointer<Event>, _ tables: TraceTables) {
        guard offsetNanoseconds == nil else { return }
        if tables.sources.first?.clock == .wall { return offsetNanoseconds = 0 }
        for event in events where event.kind == .sync && event.source == 0 {
            guard let index = event.clockSnapshotIndex, tables.clockSnapshots.indices.contains(index) else { continue }
            let clock = tables.clockSnapshots[index]
            return offsetNanoseconds = clock.wallUnixNanoseconds &- clock.traceNanoseconds
        }
    }
}
