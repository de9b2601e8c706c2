import VestigeCore
import VestigeStages

/// Writes the fields of a table's rows: each method writes one field (or as many as it says), and
/// `end` ends the row.
///
/// Every field puts the delimiter behind it; `end` turns the last one into the line's end.
///
/// It keeps the place where the next byte goes to itself while a row is written. What is rarely needed, and not
/// inlined, is handed the place and returns it, so that the compiler may have it in a register. All stores are raw: a
/// typed one over a byte that a raw one had written was lost in release builds.
struct CSVRow: CSVFields {
    /// Room that there is whenever a field begins: for all fields of a row that have no text.
    static let fixedRoom = 2048

    private var place: UnsafeMutablePointer<UInt8>
    private let buffer: TextBuffer
    private let file: CSVFile
    private let cells: CSVCells
    private let delimiter: UInt8
    private let isForSpreadsheets: Bool
    /// Where each row is written in place and none is counted.
    let isPlain: Bool
    /// Nil if the rows go straight to the file.
    private let lane: CSVLane?
    private let fixed: CSVFixedFields
    // Times of rows that follow each other hardly differ in their upper digits.
    private var timeDigits = RepeatedDigits()
    private var clockDigits = RepeatedDigits()

    /// What the last field says where there are several processes; else nothing.
    private let process: UnsafeBufferPointer<UInt8>

    /// - Parameter lane: where rows go to; nil for the file's own buffer.
    init(
        _ file: CSVFile, _ cells: CSVCells, _ style: TableStyle, process: UnsafeBufferPointer<UInt8>,
        to lane: CSVLane? = nil
    ) {
        self.process = process
        self.file = file
        self.cells = cells
        self.lane = lane
        buffer = lane?.buffer ?? file.selection?.scratch ?? file.buffer
        delimiter = style.delimiter
        isForSpreadsheets = style.isForSpreadsheets
        isPlain = file.isPlain && process.baseAddress == nil
        fixed = cells.fixed
        place = buffer.beginWriting(room: Self.fixedRoom)
    }

    /// Goes on where its buffer is.
    mutating func begin() { place = buffer.beginWriting(room: Self.fixedRoom) }

    /// Leaves its buffer as it is between rows.
    func pause() { buffer.endWriting(at: place) }

    /// Ends the row, and hands full buffers on.
    @inline(__always) mutating func end() throws(TraceError) {
        guard isPlain else {
            if process.baseAddress != nil { message(process) }
            return place = try endCounted(at: place)
        }
        // Over the delimiter.
        UnsafeMutableRawPointer(place - 1).storeBytes(of: Self.lineEnd, as: UInt16.self)
        place += 1
        if buffer.room(behind: place) < Self.flushRoom { place = try makeRoom(at: place) }
    }

    /// The same row, for a table that has very many.
    /// - Precondition: `isPlain`.
    func plain() -> CSVPlainRow { CSVPlainRow(self, buffer, cells, delimiter, at: place) }

    /// Goes on behind the rows that another has written.
    mutating func resume(_ plain: CSVPlainRow) { place = plain.place }

    static var flushRoom: Int { 128 << 10 }
    static var lineEnd: UInt16 { UInt16(0x0a0d).littleEndian }

    /// Ends a row of chosen columns, or of a file that is to have no more than so many.
    @inline(never)
    private func endCounted(at place: UnsafeMutablePointer<UInt8>) throws(TraceError) -> UnsafeMutablePointer<UInt8> {
        buffer.endWriting(at: place)
        if let selection = file.selection { selection.moveRow(to: file.buffer) }
        try file.endLine()
        return buffer.beginWriting(room: Self.fixedRoom)
    }

    @inline(never)
    func makeRoom(at place: UnsafeMutablePointer<UInt8>) throws(TraceError) -> UnsafeMutablePointer<UInt8> {
        buffer.endWriting(at: place)
        if let lane { try lane.makeRoom(Self.flushRoom) } else { try buffer.flush() }
        return buffer.beginWriting(room: Self.fixedRoom)
    }

    @inline(__always) private mutating func endField() {
        UnsafeMutableRawPointer(place).storeBytes(of: delimiter, as: UInt8.self)
        place += 1
        noteField()
    }

    /// What a choice of columns must know of each field.
    @inline(__always) private func noteField() {
        if !isPlain { file.selection?.endField(buffer, at: place) }
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
        noteField()
        return true
    }

    @inline(__always) mutating func integer(_ value: UInt64) {
        if writeSmall(value) { return }
        if isForSpreadsheets, value > Self.largestExactNumber { markAsText() }
        place = TextBuffer.write(value, at: place)
        endField()
    }

    @inline(__always) private mutating func markAsText() {
        UnsafeMutableRawPointer(place).storeBytes(of: UInt8(ascii: "'"), as: UInt8.self)
        place += 1
    }

    /// A spreadsheet keeps 15 digits of a number, so that a longer one has to be text.
    private static var largestExactNumber: UInt64 { 999_999_999_999_999 }

    // MARK: - Times

    /// A time since the recording's first event: a column `…_ns`, for spreadsheets `…_s`.
    @inline(__always) mutating func time(_ value: Int64) {
        if isForSpreadsheets {
            place = file.writeSeconds(value, to: buffer, at: place)
        } else {
            place = timeDigits.write(value, at: place)
        }
        endField()
    }

    /// A duration: a column `…_ns`, for spreadsheets `…_s`.
    @inline(__always) mutating func nanoseconds(_ value: Int64) {
        guard isForSpreadsheets else { return integer(value) }
        place = file.writeSeconds(value, to: buffer, at: place)
        endField()
    }

    /// A time on the source's clock: a column `…clock_ns`, for spreadsheets `…time_utc`.
    @inline(__always) mutating func clock(_ value: Int64) {
        if isForSpreadsheets {
            place = file.writeDate(value, to: buffer, at: place)
        } else {
            place = clockDigits.write(value, at: place)
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
        noteField()
    }

    /// A word of ours, which needs no quotes.
    @inline(__always) mutating func word(_ word: StaticString) {
        UnsafeMutableRawPointer(place).copyMemory(from: word.utf8Start, byteCount: word.utf8CodeUnitCount)
        place += word.utf8CodeUnitCount
        endField()
    }

    // MARK: - Ids: empty if absent

    @inline(__always) mutating func goroutine(_ id: GoroutineID) {
        id == .absent ? none() : number(of: id.rawValue)
    }

    @inline(__always) mutating func proc(_ id: ProcID) {
        id == .absent ? none() : number(of: Int64(id.rawValue))
    }

    @inline(__always) mutating func thread(_ id: ThreadID) {
        id == .absent ? none() : number(of: id.rawValue)
    }

    @inline(__always) mutating func task(_ id: TaskID) {
        id == .absent ? none() : integer(id.rawValue)
    }

    /// A number, which may be negative, of something that comes again.
    @inline(__always) mutating func number(of id: Int64) {
        guard let end = fixed.write(id: UInt64(bitPattern: id), at: place) else { return integer(id) }
        place = end
        noteField()
    }

    // MARK: - Text of the program

    /// A string that comes again and again: a name, a reason.
    @inline(__always) mutating func text(_ id: StringID, _ tables: TraceTables) {
        if id != .empty { place = cells.append(id, to: buffer, at: place, tables) }
        endField()
    }

    /// A string that hardly comes again: a message.
    @inline(__always) mutating func message(_ id: StringID, _ tables: TraceTables) {
        if id != .empty { place = cells.append(tables.strings.bytes(id), to: buffer, at: place) }
        endField()
    }

    @inline(__always) mutating func message(_ text: UnsafeBufferPointer<UInt8>) {
        place = cells.append(text, to: buffer, at: place)
        endField()
    }

    /// The unit of what `nanoseconds` writes.
    mutating func timeUnit() { word(isForSpreadsheets ? "s" : "ns") }

    @inline(__always) mutating func message(_ text: String) {
        var text = text
        let here = place
        place = text.withUTF8 { cells.append($0, to: buffer, at: here) }
        endField()
    }

    @inline(__always) mutating func stack(_ id: StackID, _ tables: TraceTables) {
        if id != .absent { place = cells.append(id, to: buffer, at: place, tables) }
        endField()
    }

    // MARK: - Several fields

    /// The four fields of `CSVColumn.interval`.
    @inline(__always) mutating func interval(_ span: LifelineSpan, since first: Int64) {
        time(span.startNanoseconds &- first)
        time(span.endNanoseconds &- first)
        nanoseconds(span.durationNanoseconds)
        clock(span.startNanoseconds)
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
        if flags.isEmpty, isPlain {
            place = fixed.writeNoFlags(at: place)
            return
        }
        boolean(flags.contains(.beganBefore))
        boolean(flags.contains(.isOpen))
        boolean(flags.contains(.isBroken))
    }
}
