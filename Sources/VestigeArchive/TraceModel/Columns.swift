/// The numbers of the columns that a block is made of. They are part of the archive format.
enum ColumnID {
    /// What a segment consists of.
    static let layout = 0
    /// Bytes that are stored as they are.
    static let stored = 1
    /// Event types, one column for each row that comes before.
    static let types = 2
    static let times = types + ModelEvent.rowCount
    static let arguments = times + 2 * timeContexts
    static let count = arguments + 2 * ModelEvent.rowCount * ModelEvent.mostArguments

    /// Times are told apart by the event before and the event itself.
    static let timeContexts = ModelEvent.rowCount * ModelEvent.rowCount

    @inline(__always) static func time(_ previousRow: Int, _ row: Int) -> Int {
        times + 2 * (previousRow &* ModelEvent.rowCount &+ row)
    }

    @inline(__always) static func argument(_ row: Int, _ index: Int) -> Int {
        arguments + 2 * (row &* ModelEvent.mostArguments &+ index)
    }
}

/// All columns of a block. A column of numbers is two columns of bytes: one byte a number, in the second
/// the bytes of those that need more.
final class ColumnSet {
    let columns: UnsafeMutablePointer<ByteColumn>

    init() {
        columns = .allocate(capacity: ColumnID.count)
        columns.initialize(repeating: ByteColumn(), count: ColumnID.count)
    }

    deinit {
        for index in 0..<ColumnID.count { columns[index].free() }
        columns.deallocate()
    }

    func removeAll() {
        for index in 0..<ColumnID.count { columns[index].removeAll() }
    }

    /// Bytes of all columns.
    var byteCount: Int { (0..<ColumnID.count).reduce(0) { $0 + columns[$1].count } }

    /// Whether reading has come to the end of all.
    var isRead: Bool { (0..<ColumnID.count).allSatisfy { columns[$0].isRead } }
}

/// Numbers in a pair of columns: those below `escape` are their own byte; of others the first byte says how
/// many bytes there are in the second column, least significant first.
enum Number {
    @inline(__always) static var escape: UInt64 { 248 }

    @inline(__always) static func append(_ value: UInt64, to column: UnsafeMutablePointer<ByteColumn>) {
        if value < escape { column.pointee.append(UInt8(truncatingIfNeeded: value)) } else { appendWide(value, column) }
    }

    /// - Returns: nil if the columns end.
    @inline(__always) static func next(_ column: UnsafeMutablePointer<ByteColumn>) -> UInt64? {
        guard let first = column.pointee.next() else { return nil }
        return first < escape ? UInt64(first) : nextWide(Int(first) - Int(escape) + 1, column + 1)
    }

    @inline(never) private static func appendWide(_ value: UInt64, _ column: UnsafeMutablePointer<ByteColumn>) {
        let length = (64 - value.leadingZeroBitCount + 7) / 8
        column.pointee.append(UInt8(Int(escape) + length - 1))
        for index in 0..<length { column[1].append(UInt8(truncatingIfNeeded: value &>> UInt64(8 * index))) }
    }

    @inline(never) private static func nextWide(
        _ length: Int, _ column: UnsafeMutablePointer<ByteColumn>
    ) -> UInt64? {
        guard let bytes = column.pointee.next(length) else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

@inline(__always) func zigzag(_ value: UInt64) -> UInt64 {
    value &<< 1 ^ UInt64(bitPattern: Int64(bitPattern: value) &>> 63)
}

@inline(__always) func unzigzag(_ value: UInt64) -> UInt64 { value &>> 1 ^ (0 &- (value & 1)) }
