import VestigeCore
import VestigeStages

/// Writes the fields of a table's rows: each method writes one field (or as many as it says), and
/// `end` ends the row.
///
/// Every field puts a comma behind it; `end` turns the last one into the line's end.
struct CSVRow {
    private let buffer: TextBuffer
    let cells: CSVCells

    init(_ buffer: TextBuffer, _ cells: CSVCells) {
        self.buffer = buffer
        self.cells = cells
    }

    func header(_ columns: [CSVColumn]) {
        for column in columns {
            buffer.append(column.name)
            comma()
        }
        endOfLine()
    }

    /// Ends the row, and hands full buffers on.
    @inline(__always) func end() throws(TraceError) {
        endOfLine()
        try buffer.flushIfNeeded()
    }

    @inline(__always) private func comma() { buffer.append(byte: UInt8(ascii: ",")) }

    private func endOfLine() {
        buffer.removeLast()
        buffer.append("\r\n")
    }

    // MARK: - Plain fields

    @inline(__always) func none() { comma() }

    @inline(__always) func integer(_ value: Int64) {
        buffer.append(value)
        comma()
    }

    @inline(__always) func integer(_ value: UInt64) {
        buffer.append(value)
        comma()
    }

    /// Empty where the value is the one that says nothing.
    func integer<Value: FixedWidthInteger>(_ value: Value, unless nothing: Value) {
        if value != nothing { Value.isSigned ? buffer.append(Int64(value)) : buffer.append(UInt64(value)) }
        comma()
    }

    @inline(__always) func boolean(_ value: Bool) {
        buffer.append(value ? "true" : "false")
        comma()
    }

    /// A word of ours, which needs no quotes.
    @inline(__always) func word(_ word: StaticString) {
        buffer.append(word)
        comma()
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
        comma()
    }

    /// A string that hardly comes again: a message.
    func message(_ id: StringID, _ tables: TraceTables) {
        if id != .empty { buffer.appendCSVText(tables.strings.bytes(id)) }
        comma()
    }

    func message(_ text: String) {
        var text = text
        text.withUTF8 { buffer.appendCSVText($0) }
        comma()
    }

    @inline(__always) func stack(_ id: StackID, _ tables: TraceTables) {
        if id != .absent { cells.append(id, to: buffer, tables) }
        comma()
    }

    // MARK: - Several fields

    /// The four fields of `CSVColumn.interval`.
    @inline(__always) func interval(_ span: LifelineSpan, since first: Int64) {
        integer(span.startNanoseconds &- first)
        integer(span.endNanoseconds &- first)
        integer(span.durationNanoseconds)
        integer(span.startNanoseconds)
    }

    /// The three fields of `CSVColumn.flags`.
    @inline(__always) func flags(_ flags: LifelineSpan.Flags) {
        boolean(flags.contains(.beganBefore))
        boolean(flags.contains(.isOpen))
        boolean(flags.contains(.isBroken))
    }
}

extension TextBuffer {
    /// A field of text that comes from outside: made safe for spreadsheets, then quoted as needed.
    func appendCSVText(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.beginsLikeFormula else { return appendCSVField(bytes) }
        let safe = [UInt8(ascii: "'")] + bytes
        safe.withUnsafeBufferPointer { appendCSVField($0) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// True if a spreadsheet would run it (OWASP, "CSV Injection").
    var beginsLikeFormula: Bool {
        guard let first else { return false }
        switch first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0a, 0x0d: return true
        // The full-width forms, U+FF1D, U+FF0B, U+FF0D and U+FF20, which East Asian versions take too.
        case 0xef where count >= 3 && self[1] == 0xbc: return [0x9d, 0x8b, 0x8d, 0xa0].contains(self[2])
        default: return false
        }
    }
}
