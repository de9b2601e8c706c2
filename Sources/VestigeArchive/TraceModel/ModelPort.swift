/// One direction through the model. The model says what it expects; an encoder writes down how the truth
/// differs, a decoder finds the truth by that.
protocol ModelPort: ~Copyable {
    typealias Cursor = UnsafeMutablePointer<ModelCursor>

    /// Type and time of the next event, before its arguments.
    mutating func begin(_ type: UInt8, _ delta: UInt32, _ cursor: Cursor)
    /// The next argument of the event: the encoder's; a decoder does not know it yet.
    mutating func take(_ cursor: Cursor) -> UInt64
    /// Passes a number through a column, and gives it back.
    mutating func pass(_ number: UInt64, _ column: Int) -> UInt64
    /// Writes the next argument, where it is the decoder's turn.
    mutating func put(_ value: UInt64, _ cursor: Cursor)
    /// Ends the event.
    mutating func end(_ cursor: Cursor)
    /// The segment cannot be encoded like this.
    mutating func refuse()
    /// A goroutine is mentioned that was not lately.
    mutating func note(goroutine: UInt64)
    /// A region begins or ends under a name, or a task begins.
    mutating func note(name: UInt64)
    static var isEncoding: Bool { get }
}

/// Reads what the events of a segment say, which have been checked, and fills the columns.
struct EncodingPort: ModelPort, ~Copyable {
    private let columns: UnsafeMutablePointer<ByteColumn>
    private(set) var isRefused = false
    /// What is mentioned, some of it more than once.
    private(set) var goroutines: [UInt64] = []
    private(set) var names: [UInt64] = []
    /// Names that were noted, each at its place modulo their count; ids are counted from 1.
    private var lastNames = [UInt64](repeating: 0, count: 64)

    init(_ columns: UnsafeMutablePointer<ByteColumn>) { self.columns = columns }

    static var isEncoding: Bool { true }

    @inline(__always) mutating func begin(_ type: UInt8, _ delta: UInt32, _ cursor: Cursor) {
        cursor.pointee.pointer += 1 + WireVarint.length(UInt64(delta))
    }

    @inline(__always) mutating func take(_ cursor: Cursor) -> UInt64 {
        WireVarint.readChecked(&cursor.pointee.pointer)
    }

    @inline(__always) mutating func pass(_ number: UInt64, _ column: Int) -> UInt64 {
        Number.append(number, to: columns + column)
        return number
    }

    @inline(__always) mutating func put(_ value: UInt64, _ cursor: Cursor) {}
    @inline(__always) mutating func end(_ cursor: Cursor) {}
    mutating func refuse() { isRefused = true }
    mutating func note(goroutine: UInt64) { goroutines.append(goroutine) }

    @inline(__always) mutating func note(name: UInt64) {
        let place = Int(name % UInt64(lastNames.count))
        if lastNames[place] == name || name == 0 { return }
        lastNames[place] = name
        names.append(name)
    }
}

/// Reads the columns and writes the events of a segment.
struct DecodingPort: ModelPort, ~Copyable {
    private let columns: UnsafeMutablePointer<ByteColumn>
    private(set) var isRefused = false

    init(_ columns: UnsafeMutablePointer<ByteColumn>) { self.columns = columns }

    static var isEncoding: Bool { false }

    /// safe: behind the segment there is room for one event, and `end` looks where writing has come to.
    @inline(__always) mutating func begin(_ type: UInt8, _ delta: UInt32, _ cursor: Cursor) {
        cursor.pointee.pointer[0] = type
        cursor.pointee.pointer += 1
        WireVarint.write(UInt64(delta), &cursor.pointee.pointer)
    }

    @inline(__always) mutating func take(_ cursor: Cursor) -> UInt64 { 0 }

    @inline(__always) mutating func pass(_ number: UInt64, _ column: Int) -> UInt64 {
        guard let number = Number.next(columns + column) else {
            isRefused = true
            return 0
        }
        return number
    }

    @inline(__always) mutating func put(_ value: UInt64, _ cursor: Cursor) {
        WireVarint.write(value, &cursor.pointee.pointer)
    }

    @inline(__always) mutating func end(_ cursor: Cursor) {
        if cursor.pointee.pointer > cursor.pointee.end {
            isRefused = true
            cursor.pointee.pointer = cursor.pointee.end
        }
    }

    mutating func refuse() { isRefused = true }
    @inline(__always) mutating func note(goroutine: UInt64) {}
    @inline(__always) mutating func note(name: UInt64) {}
}
