import VestigeCore

/// The cells of strings and stacks, rendered once and kept as bytes: a trace names the same few over
/// and over, and a stack takes a microsecond to write out. All tables share them.
final class CSVCells {
    private let strings = RenderedCells()
    private let stacks = RenderedCells()
    /// A stack's text is put together here before it becomes a cell.
    private let text = TextBuffer(MemorySink(), capacity: 4 << 10)
    /// Valid as long as the cells are.
    let fixed: CSVFixedFields
    private let delimiter: UInt8
    private let keepsType: Bool

    init(_ style: TableStyle) {
        fixed = CSVFixedFields(delimiter: style.delimiter)
        delimiter = style.delimiter
        keepsType = style.isForSpreadsheets
    }

    deinit {
        text.deallocate()
        fixed.deallocate()
    }

    /// Puts down the cell of a string, and returns where it ends. The buffer's own position need not be right.
    @inline(__always) func append(
        _ id: StringID, to buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>, _ tables: TraceTables
    ) -> UnsafeMutablePointer<UInt8> {
        strings.append(id.rawValue, to: buffer, at: place) ?? render(id, to: buffer, at: place, tables)
    }

    @inline(__always) func append(
        _ id: StackID, to buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>, _ tables: TraceTables
    ) -> UnsafeMutablePointer<UInt8> {
        stacks.append(id.rawValue, to: buffer, at: place) ?? render(id, to: buffer, at: place, tables)
    }

    /// Puts down text that is not kept.
    @inline(never) func append(
        _ text: UnsafeBufferPointer<UInt8>, to buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        buffer.endWriting(at: place)
        buffer.appendCSVText(text, delimiter: delimiter, keepsType: keepsType)
        return buffer.beginWriting(room: CSVRow.fixedRoom)
    }

    @inline(never) private func render(
        _ id: StringID, to buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>, _ tables: TraceTables
    ) -> UnsafeMutablePointer<UInt8> {
        buffer.endWriting(at: place)
        let roomy = buffer.beginWriting(room: strings.length(id.rawValue) + CSVRow.fixedRoom)
        if let end = strings.append(id.rawValue, to: buffer, at: roomy) { return end }
        // What is kept grows with the id, so an id that was never handed out must not get that far.
        if id.rawValue < tables.strings.count {
            strings.render(id.rawValue, to: buffer) {
                $0.appendCSVText(tables.strings.bytes(id), delimiter: delimiter, keepsType: keepsType)
            }
        }
        return buffer.beginWriting(room: CSVRow.fixedRoom)
    }

    @inline(never) private func render(
        _ id: StackID, to buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>, _ tables: TraceTables
    ) -> UnsafeMutablePointer<UInt8> {
        buffer.endWriting(at: place)
        let roomy = buffer.beginWriting(room: stacks.length(id.rawValue) + CSVRow.fixedRoom)
        if let end = stacks.append(id.rawValue, to: buffer, at: roomy) { return end }
        renderStack(id, to: buffer, tables)
        return buffer.beginWriting(room: CSVRow.fixedRoom)
    }

    private func renderStack(_ id: StackID, to buffer: TextBuffer, _ tables: TraceTables) {
        guard id.rawValue < tables.stacks.count else { return }
        text.removeAll()
        for (position, frame) in tables.stacks.frames(id).enumerated() {
            if position > 0 { text.append(" < ") }
            text.append(tables.strings.bytes(frame.function))
            text.append(" ")
            text.append(tables.strings.bytes(frame.file))
            text.append(":")
            text.append(frame.line)
        }
        stacks.render(id.rawValue, to: buffer) {
            $0.appendCSVText(text.pending, delimiter: delimiter, keepsType: keepsType)
        }
    }
}

/// Rendered bytes by id, up to a fixed size. When it is full all is forgotten; what is still in use
/// soon comes back.
private final class RenderedCells {
    private struct Entry {
        var offset: UInt32 = 0
        /// Length plus one; 0: not there.
        var lengthPlusOne: UInt32 = 0
    }

    private static let capacity = 8 << 20

    private var entries = UnsafeMutableBufferPointer<Entry>(start: nil, count: 0)
    private let bytes = UnsafeMutablePointer<UInt8>.allocate(
        capacity: RenderedCells.capacity + TextBuffer.blockSize)
    private var count = 0

    deinit {
        bytes.deallocate()
        entries.deallocate()
    }

    /// How many bytes there are of an id; 0 if none.
    func length(_ id: UInt32) -> Int { Int(id) < entries.count ? max(0, Int(entries[Int(id)].lengthPlusOne) - 1) : 0 }

    /// Puts down the bytes of an id if they are there and there is room, and returns where they end.
    @inline(__always) func append(
        _ id: UInt32, to buffer: TextBuffer, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8>? {
        guard Int(id) < entries.count else { return nil }
        let entry = entries[Int(id)]
        guard entry.lengthPlusOne > 0 else { return nil }
        let length = Int(entry.lengthPlusOne) &- 1
        guard buffer.room(behind: place) >= length + CSVRow.fixedRoom else { return nil }
        return TextBuffer.copyInBlocks(bytes + Int(entry.offset), count: length, to: place)
    }

    /// Has the bytes of an id written by `body`, and keeps them.
    @inline(never) func render(_ id: UInt32, to buffer: TextBuffer, _ body: (TextBuffer) -> Void) {
        let start = buffer.count
        body(buffer)
        keep(UnsafeBufferPointer(rebasing: buffer.pending[start...]), of: id)
    }

    private func keep(_ cell: UnsafeBufferPointer<UInt8>, of id: UInt32) {
        guard cell.count <= Self.capacity / 4, let start = cell.baseAddress else { return }
        if count + cell.count > Self.capacity {
            for index in entries.indices { entries[index].lengthPlusOne = 0 }
            count = 0
        }
        if Int(id) >= entries.count {
            let grown = UnsafeMutableBufferPointer<Entry>.allocate(capacity: max(Int(id) + 1, entries.count * 2))
            let rest = grown.moveInitialize(fromContentsOf: entries)
            grown[rest...].initialize(repeating: Entry())
            entries.deallocate()
            entries = grown
        }
        (bytes + count).update(from: start, count: cell.count)
        entries[Int(id)] = Entry(offset: UInt32(count), lengthPlusOne: UInt32(cell.count) + 1)
        count += cell.count
    }
}
