import VestigeCore
import VestigeStages

/// The fields of a span's row, written as `CSVRow` tells.
protocol CSVFields {
    mutating func number(of id: Int64)
    mutating func goroutine(_ id: GoroutineID)
    mutating func proc(_ id: ProcID)
    mutating func thread(_ id: ThreadID)
    mutating func text(_ id: StringID, _ tables: TraceTables)
    mutating func state(_ state: GoroutineState)
    mutating func interval(_ span: LifelineSpan, since first: Int64)
    mutating func stack(_ id: StackID, _ tables: TraceTables)
    mutating func flags(_ flags: LifelineSpan.Flags)
    mutating func integer(_ value: UInt64)
    mutating func end() throws(TraceError)
}

/// A row of all columns and in the plain style: the same bytes as those of `CSVRow`, without asking at each field what
/// style it is. With that a row took half as long again, since no more than so much is inlined into one function.
struct CSVPlainRow: CSVFields {
    private(set) var place: UnsafeMutablePointer<UInt8>
    private let buffer: TextBuffer
    private let cells: CSVCells
    private let fixed: CSVFixedFields
    private let delimiter: UInt8
    private let row: CSVRow
    // Times of rows that follow each other hardly differ in their upper digits.
    private var timeDigits = RepeatedDigits()
    private var clockDigits = RepeatedDigits()

    init(
        _ row: CSVRow, _ buffer: TextBuffer, _ cells: CSVCells, _ delimiter: UInt8,
        at place: UnsafeMutablePointer<UInt8>
    ) {
        self.row = row
        self.buffer = buffer
        self.cells = cells
        self.delimiter = delimiter
        self.place = place
        fixed = cells.fixed
    }

    @inline(__always) private mutating func endField() {
        UnsafeMutableRawPointer(place).storeBytes(of: delimiter, as: UInt8.self)
        place += 1
    }

    @inline(__always) mutating func end() throws(TraceError) {
        UnsafeMutableRawPointer(place - 1).storeBytes(of: CSVRow.lineEnd, as: UInt16.self)
        place += 1
        if buffer.room(behind: place) < CSVRow.flushRoom { place = try row.makeRoom(at: place) }
    }

    // MARK: - Numbers

    @inline(__always) mutating func goroutine(_ id: GoroutineID) {
        if id == .absent { endField() } else { number(of: id.rawValue) }
    }

    @inline(__always) mutating func proc(_ id: ProcID) {
        if id == .absent { endField() } else { number(of: Int64(id.rawValue)) }
    }

    @inline(__always) mutating func thread(_ id: ThreadID) {
        if id == .absent { endField() } else { number(of: id.rawValue) }
    }

    @inline(__always) mutating func number(of id: Int64) {
        place = fixed.write(id: UInt64(bitPattern: id), at: place) ?? Self.write(id, delimiter, at: place)
    }

    @inline(__always) mutating func integer(_ value: UInt64) {
        if value < CSVFixedFields.smallCount {
            place = fixed.write(small: value, at: place)
        } else {
            place = Self.write(Int64(bitPattern: value), delimiter, at: place)
        }
    }

    @inline(never) private static func write(
        _ value: Int64, _ delimiter: UInt8, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        let end = TextBuffer.write(value, at: place)
        UnsafeMutableRawPointer(end).storeBytes(of: delimiter, as: UInt8.self)
        return end + 1
    }

    @inline(__always) mutating func interval(_ span: LifelineSpan, since first: Int64) {
        place = timeDigits.write(span.startNanoseconds &- first, at: place)
        endField()
        place = timeDigits.write(span.endNanoseconds &- first, at: place)
        endField()
        integer(UInt64(bitPattern: span.durationNanoseconds))
        place = clockDigits.write(span.startNanoseconds, at: place)
        endField()
    }

    // MARK: - Text

    @inline(__always) mutating func text(_ id: StringID, _ tables: TraceTables) {
        if id != .empty { place = cells.append(id, to: buffer, at: place, tables) }
        endField()
    }

    @inline(__always) mutating func stack(_ id: StackID, _ tables: TraceTables) {
        if id != .absent { place = cells.append(id, to: buffer, at: place, tables) }
        endField()
    }

    @inline(__always) mutating func state(_ state: GoroutineState) { place = fixed.write(state, at: place) }

    @inline(__always) mutating func flags(_ flags: LifelineSpan.Flags) {
        place = flags.isEmpty ? fixed.writeNoFlags(at: place) : Self.write(flags, delimiter, at: place)
    }

    @inline(never) private static func write(
        _ flags: LifelineSpan.Flags, _ delimiter: UInt8, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var place = place
        for flag in [LifelineSpan.Flags.beganBefore, .isOpen, .isBroken] {
            place = TextBuffer.copy(flags.contains(flag) ? "true" : "false", to: place)
            UnsafeMutableRawPointer(place).storeBytes(of: delimiter, as: UInt8.self)
            place += 1
        }
        return place
    }
}
