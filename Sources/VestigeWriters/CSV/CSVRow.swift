import VestigeCore
import VestigeStages

/// Writes the fields of a table's rows: each method writes one field (or as many as it says), and
/// `end` ends the row.
///
/// Every field puts the delimiter behind it; `end` turns the last one into the line's end.
///
/// It keeps the place where the next byte goes to itself while a row is written, so that the compiler has it in a
/// register: going through memory for each field took a third of the time.
struct CSVRow {
    /// Room that there is whenever a field begins: for all fields of a row that have no text.
    static let fixedRoom = 2048

    private var place: UnsafeMutablePointer<UInt8>
    private let buffer: TextBuffer
    private let file: CSVFile
    private let cells: CSVCells
    private let delimiter: UInt8
    private let isForSpreadsheets: Bool
    /// Nil if all columns are written.
    private let selection: CSVSelection?
    private let fixed: CSVFixedFields
    // Times of rows that follow each other hardly differ in their upper digits.
    private var timeDigits = RepeatedDigits()
    private var clockDigits = RepeatedDigits()

    /// What the last field says where there are several processes; else nothing.
    private let process: UnsafeBufferPointer<UInt8>

    init(_ file: CSVFile, _ cells: CSVCells, _ style: TableStyle, process: UnsafeBufferPointer<UInt8>) {
        self.process = process
        self.file = file
        self.cells = cells
        selection = file.selection
        buffer = file.selection?.scratch ?? file.buffer
        delimiter = style.delimiter
        isForSpreadsheets = style.isForSpreadsheets
        isPlain = selection == nil && !isForSpreadsheets && process.baseAddress == nil
        fixed = cells.fixed
        place = buffer.beginWriting(room: Self.fixedRoom)
    }

    /// Goes on where its buffer is.
    mutating func begin() { place = buffer.beginWriting(room: Self.fixedRoom) }

    /// Leaves its buffer as it is between rows.
    func pause() { buffer.endWriting(at: place) }

    /// Ends the row, and hands full buffers on.
    @inline(__always) mutating func end() throws(TraceError) {
        if isPlain {
            // Over the delimiter, by a raw store as those of the fields are: a typed one was lost in release builds.
            UnsafeMutableRawPointer(place - 1).storeBytes(of: Self.lineEnd, as: UInt16.self)
            place += 1
            if buffer.room(behind: place) < Self.flushRoom { try flush() }
            return
        }
        if process.baseAddress != nil { message(process) }
        buffer.endWriting(at: place)
        if let selection { selection.moveRow(to: file.buffer) }
        try file.endLine()
        begin()
    }

    /// Where each row is written in place and none is counted.
    private let isPlain: Bool
    private static var flushRoom: Int { 128 << 10 }
    private static var lineEnd: UInt16 { UInt16(0x0a0d).littleEndian }

    @inline(never) private mutating func flush() throws(TraceError) {
        buffer.endWriting(at: place)
        try buffer.flush()
        begin()
    }

    @inline(__always) private mutating func endField() {
        place.pointee = delimiter
        place += 1
        if let selection { selection.endField(buffer, at: place) }
    }

    /// Puts down what goes through the buffer.
    @inline(__always) private mutating func append(_ body: (TextBuffer) -> Void) {
        buffer.endWriting(at: place)
        body(buffer)
        begin()
    }

    // MARK: - Plain fields

    @inline(__always) mutating func none() { endField() }

    @inline(__always) mutating func integer(_ value: Int64) {
        if writeSmall(UInt64(bitPattern: value)) { return }
        if isForSpreadsheets, value.magnitude > Self.largestExactNumber { markAsText() }
        place = TextBuffer.write(value, at: place)
        endField()
    }

    /// A number that is at hand with its delimiter: most ids.
    @inline(__always) private mutating func writeSmall(_ value: UInt64) -> Bool {
        guard value < CSVFixedFields.smallCount else { return false }
        place = fixed.write(small: value, at: place)
        if let selection { selection.endField(buffer, at: place) }
        return true
    }

    @inline(__always) mutating func integer(_ value: UInt64) {
        if writeSmall(value) { return }
        if isForSpreadsheets, value > Self.largestExactNumber { markAsText() }
        place = TextBuffer.write(value, at: place)
        endField()
    }

    private mutating func markAsText() {
        place.pointee = UInt8(ascii: "'")
        place += 1
    }

    /// A spreadsheet keeps 15 digits of a number, so that a longer one has to be text.
    private static var largestExactNumber: UInt64 { 999_999_999_999_999 }

    // MARK: - Times

    /// A duration, or a time since the recording's first event: a column `…_ns`, for spreadsheets `…_s`.
    @inline(__always) mutating func nanoseconds(_ value: Int64) {
        if isForSpreadsheets { return seconds(value) }
        place = timeDigits.write(value, at: place)
        endField()
    }

    /// A time on the source's clock: a column `…clock_ns`, for spreadsheets `…time_utc`.
    @inline(__always) mutating func clock(_ value: Int64) {
        if isForSpreadsheets { return utc(value) }
        place = clockDigits.write(value, at: place)
        endField()
    }

    @inline(never) private mutating func seconds(_ nanoseconds: Int64) {
        let mark = file.decimalMark
        append { $0.appendSeconds(nanoseconds, decimalMark: mark) }
        endField()
    }

    @inline(never) private mutating func utc(_ clockNanoseconds: Int64) {
        if let offset = file.wallClock.offsetNanoseconds {
            let mark = file.decimalMark
            append { $0.appendDateTime(unixNanoseconds: clockNanoseconds &+ offset, decimalMark: mark) }
        }
        endField()
    }

    /// Empty where the value is the one that says nothing.
    mutating func integer<Value: FixedWidthInteger>(_ value: Value, unless nothing: Value) {
        if value == nothing { return none() }
        Value.isSigned ? integer(Int64(value)) : integer(UInt64(value))
    }

    // MARK: - Words

    @inline(__always) mutating func boolean(_ value: Bool) {
        value ? word("true") : word("false")
    }

    @inline(__always) mutating func state(_ state: GoroutineState) {
        place = fixed.write(state, at: place)
        if let selection { selection.endField(buffer, at: place) }
    }

    /// A word of ours, which needs no quotes.
    @inline(__always) mutating func word(_ word: StaticString) {
        place.update(from: word.utf8Start, count: word.utf8CodeUnitCount)
        place += word.utf8CodeUnitCount
        endField()
    }

    // MARK: - Ids: empty if absent

    @inline(__always) mutating func goroutine(_ id: GoroutineID) {
        id == .absent ? none() : integer(id.rawValue)
    }

    @inline(__always) mutating func proc(_ id: ProcID) {
        id == .absent ? none() : integer(Int64(id.rawValue))
    }

    @inline(__always) mutating func thread(_ id: ThreadID) {
        id == .absent ? none() : integer(id.rawValue)
    }

    @inline(__always) mutating func task(_ id: TaskID) {
        id == .absent ? none() : integer(id.rawValue)
    }

    // MARK: - Text of the program

    /// A string that comes again and again: a name, a reason.
    @inline(__always) mutating func text(_ id: StringID, _ tables: TraceTables) {
        if id != .empty { place = cells.append(id, to: buffer, at: place, tables) }
        endField()
    }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        let (delimiter, keepsType) = (delimiter, isForSpreadsheets)
        append { $0.appendCSVText(text, delimiter: delimiter, keepsType: keepsType) }
    }

    /// A string that hardly comes again: a message.
    mutating func message(_ id: StringID, _ tables: TraceTables) {
        if id != .empty { append(tables.strings.bytes(id)) }
        endField()
    }

    mutating func message(_ text: UnsafeBufferPointer<UInt8>) {
        append(text)
        endField()
    }

    /// The unit of what `nanoseconds` writes.
    mutating func timeUnit() { word(isForSpreadsheets ? "s" : "ns") }

    mutating func message(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
        endField()
    }

    @inline(__always) mutating func stack(_ id: StackID, _ tables: TraceTables) {
        if id != .absent { place = cells.append(id, to: buffer, at: place, tables) }
        endField()
    }

    // MARK: - Several fields

    /// The four fields of `CSVColumn.interval`.
    @inline(__always) mutating func interval(_ span: LifelineSpan, since first: Int64) {
        if isPlain { return plainInterval(span, since: first) }
        nanoseconds(span.startNanoseconds &- first)
        nanoseconds(span.endNanoseconds &- first)
        nanoseconds(span.durationNanoseconds)
        clock(span.startNanoseconds)
    }

    @inline(never) private mutating func plainInterval(_ span: LifelineSpan, since first: Int64) {
        // Of its own, so that the place stays in a register.
        var next = timeDigits.write(span.startNanoseconds &- first, at: place)
        next.pointee = delimiter
        next = timeDigits.write(span.endNanoseconds &- first, at: next + 1)
        next.pointee = delimiter
        let duration = UInt64(bitPattern: span.durationNanoseconds)
        if duration < CSVFixedFields.smallCount {
            next = fixed.write(small: duration, at: next + 1)
        } else {
            next = TextBuffer.write(span.durationNanoseconds, at: next + 1)
            next.pointee = delimiter
            next += 1
        }
        next = clockDigits.write(span.startNanoseconds, at: next)
        next.pointee = delimiter
        place = next + 1
    }

    /// Count, sum, percentiles and maximum: the six fields of `CSVColumn.distribution`.
    mutating func distribution(_ distribution: Distribution) {
        integer(distribution.count)
        nanoseconds(distribution.total)
        nanoseconds(distribution.percentile(50))
        nanoseconds(distribution.percentile(90))
        nanoseconds(distribution.percentile(99))
        nanoseconds(distribution.largest)
    }

    /// The three fields of `CSVColumn.flags`.
    @inline(__always) mutating func flags(_ flags: LifelineSpan.Flags) {
        if flags.isEmpty, selection == nil {
            place = fixed.writeNoFlags(at: place)
            return
        }
        boolean(flags.contains(.beganBefore))
        boolean(flags.contains(.isOpen))
        boolean(flags.contains(.isBroken))
    }
}
