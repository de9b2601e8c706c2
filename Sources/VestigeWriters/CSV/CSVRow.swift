import VestigeCore
import VestigeStages

/// Writes the fields of a table's rows: each method writes one field (or as many as it says), and
/// `end` ends the row.
///
/// Every field puts the delimiter behind it; `end` turns the last one into the line's end.
struct CSVRow {
    private let buffer: TextBuffer
    private let file: CSVFile
    private let cells: CSVCells
    private let delimiter: UInt8
    private let isForSpreadsheets: Bool
    /// Nil if all columns are written.
    private let selection: CSVSelection?

    init(_ file: CSVFile, _ cells: CSVCells, _ style: TableStyle) {
        self.file = file
        self.cells = cells
        selection = file.selection
        buffer = file.selection?.scratch ?? file.buffer
        delimiter = style.delimiter
        isForSpreadsheets = style.isForSpreadsheets
    }

    /// Ends the row, and hands full buffers on.
    @inline(__always) func end() throws(TraceError) {
        if let selection { selection.moveRow(to: file.buffer) }
        try file.endLine()
    }

    @inline(__always) private func endField() {
        buffer.append(byte: delimiter)
        noteField()
    }

    @inline(__always) private func noteField() {
        if let selection { selection.endField() }
    }

    // MARK: - Plain fields

    @inline(__always) func none() { endField() }

    @inline(__always) func integer(_ value: Int64) {
        if isForSpreadsheets, value.magnitude > Self.largestExactNumber { buffer.append("'") }
        buffer.append(value, endedBy: delimiter)
        noteField()
    }

    @inline(__always) func integer(_ value: UInt64) {
        if isForSpreadsheets, value > Self.largestExactNumber { buffer.append("'") }
        buffer.append(value, endedBy: delimiter)
        noteField()
    }

    /// A spreadsheet keeps 15 digits of a number, so that a longer one has to be text.
    private static var largestExactNumber: UInt64 { 999_999_999_999_999 }

    // MARK: - Times

    /// A duration, or a time since the recording's first event: a column `…_ns`, for spreadsheets `…_s`.
    @inline(__always) func nanoseconds(_ value: Int64) {
        if isForSpreadsheets { return seconds(value) }
        buffer.append(value, endedBy: delimiter)
        noteField()
    }

    /// A time on the source's clock: a column `…clock_ns`, for spreadsheets `…time_utc`.
    @inline(__always) func clock(_ value: Int64) {
        if isForSpreadsheets { return utc(value) }
        buffer.append(value, endedBy: delimiter)
        noteField()
    }

    @inline(never) private func seconds(_ nanoseconds: Int64) {
        buffer.appendSeconds(nanoseconds, decimalMark: file.decimalMark)
        endField()
    }

    @inline(never) private func utc(_ clockNanoseconds: Int64) {
        if let offset = file.wallClock.offsetNanoseconds {
            buffer.appendDateTime(unixNanoseconds: clockNanoseconds &+ offset, decimalMark: file.decimalMark)
        }
        endField()
    }

    /// Empty where the value is the one that says nothing.
    func integer<Value: FixedWidthInteger>(_ value: Value, unless nothing: Value) {
        if value == nothing { return none() }
        Value.isSigned ? integer(Int64(value)) : integer(UInt64(value))
    }

    // MARK: - Words

    @inline(__always) func boolean(_ value: Bool) {
        value ? word("true") : word("false")
    }

    /// A word of ours, which needs no quotes.
    @inline(__always) func word(_ word: StaticString) {
        buffer.append(word, endedBy: delimiter)
        noteField()
    }

    // MARK: - Ids: empty if absent

    @inline(__always) func goroutine(_ id: GoroutineID) {
        id == .absent ? none() : integer(id.rawValue)
    }

    @inline(__always) func proc(_ id: ProcID) {
        id == .absent ? none() : integer(Int64(id.rawValue))
    }

    @inline(__always) func thread(_ id: ThreadID) {
        id == .absent ? none() : integer(id.rawValue)
    }

    @inline(__always) func task(_ id: TaskID) {
        id == .absent ? none() : integer(id.rawValue)
    }

    // MARK: - Text of the program

    /// A string that comes again and again: a name, a reason.
    @inline(__always) func text(_ id: StringID, _ tables: TraceTables) {
        if id != .empty { cells.append(id, to: buffer, tables) }
        endField()
    }

    private func append(_ text: UnsafeBufferPointer<UInt8>) {
        buffer.appendCSVText(text, delimiter: delimiter, keepsType: isForSpreadsheets)
    }

    /// A string that hardly comes again: a message.
    func message(_ id: StringID, _ tables: TraceTables) {
        if id != .empty { append(tables.strings.bytes(id)) }
        endField()
    }

    func message(_ text: UnsafeBufferPointer<UInt8>) {
        append(text)
        endField()
    }

    /// The unit of what `nanoseconds` writes.
    func timeUnit() { word(isForSpreadsheets ? "s" : "ns") }

    func message(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
        endField()
    }

    @inline(__always) func stack(_ id: StackID, _ tables: TraceTables) {
        if id != .absent { cells.append(id, to: buffer, tables) }
        endField()
    }

    // MARK: - Several fields

    /// The four fields of `CSVColumn.interval`.
    @inline(__always) func interval(_ span: LifelineSpan, since first: Int64) {
        nanoseconds(span.startNanoseconds &- first)
        nanoseconds(span.endNanoseconds &- first)
        nanoseconds(span.durationNanoseconds)
        clock(span.startNanoseconds)
    }

    /// Count, sum, percentiles and maximum: the six fields of `CSVColumn.distribution`.
    func distribution(_ distribution: Distribution) {
        integer(distribution.count)
        nanoseconds(distribution.total)
        nanoseconds(distribution.percentile(50))
        nanoseconds(distribution.percentile(90))
        nanoseconds(distribution.percentile(99))
        nanoseconds(distribution.largest)
    }

    /// The three fields of `CSVColumn.flags`.
    @inline(__always) func flags(_ flags: LifelineSpan.Flags) {
        boolean(flags.contains(.beganBefore))
        boolean(flags.contains(.isOpen))
        boolean(flags.contains(.isBroken))
    }
}
