import VestigeCore

/// Puts tables of the same kind from many inputs together: one file a table, with a column `source` in front that
/// names the input of each row.
public struct TableCombination {
    public var delimiter: UInt8 = UInt8(ascii: ",")
    /// Whether the tables begin with the names of their columns.
    public var hasHeader = true

    public init() {}

    /// The tables of one input.
    public struct Part {
        public let source: String
        /// The folder of its tables, or its only table.
        public let place: OutputPlace

        public init(source: String, place: OutputPlace) {
            self.source = source
            self.place = place
        }

        func path(ofTable name: String) -> String? {
            switch place {
            case .folder(let folder): "\(folder)/\(name)\(CSVFormat.format.suffix)"
            case .file(let path): path
            case .nothing, .standardOutput: nil
            }
        }
    }

    /// Writes the combined tables into a folder.
    /// - Parameters:
    ///   - tables: their names.
    ///   - overwrites: whether tables that are there may be replaced.
    /// - Throws: `unreadable` for a table, `damaged` if tables have other columns than those before, `usage` and
    ///   `outputFailed` for what concerns the folder.
    public func write(_ parts: [Part], tables: [String], to folder: String, overwrites: Bool) throws(TraceError) {
        let names = CSVFormat.format.tableNames.map { $0 + CSVFormat.format.suffix }
        let output = try OutputFolder(folder, overwrites: overwrites, tableNames: names)
        for table in tables {
            let buffer = TextBuffer(try output.sink(named: table + CSVFormat.format.suffix))
            defer { buffer.deallocate() }
            var passage = TablePassage(buffer, delimiter: delimiter, hasHeader: hasHeader)
            for part in parts {
                guard let path = part.path(ofTable: table) else { continue }
                try passage.append(path, of: part.source)
            }
            try buffer.flush()
        }
        try output.commit()
    }
}

/// Passes tables on, record by record; a line break in quotes ends none.
private struct TablePassage {
    private let buffer: TextBuffer
    private let delimiter: UInt8
    private let hasHeader: Bool
    /// The names of the columns of the tables so far.
    private var header: [UInt8]?

    init(_ buffer: TextBuffer, delimiter: UInt8, hasHeader: Bool) {
        self.buffer = buffer
        self.delimiter = delimiter
        self.hasHeader = hasHeader
    }

    /// How far a table has come.
    private struct State {
        var isInHeader: Bool
        var header: [UInt8] = []
        var isAtStart = true
        var isQuoted = false
    }

    mutating func append(_ path: String, of source: String) throws(TraceError) {
        let content = try ByteSource.open(path)
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { chunk.deallocate() }
        var state = State(isInHeader: hasHeader)
        var offset: UInt64 = 0
        while case let count = try content.read(at: offset, into: chunk), count > 0 {
            let bytes = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(chunk.bindMemory(to: UInt8.self))[..<count])
            guard try append(bytes, of: source, &state) else {
                throw TraceError(
                    .damaged, file: path, byteOffset: 0, expected: "the columns of the tables before", found: "others")
            }
            offset += UInt64(count)
            content.discard(before: offset)
        }
    }

    /// - Returns: false if the columns are not those of the tables before.
    private mutating func append(
        _ bytes: UnsafeBufferPointer<UInt8>, of source: String, _ state: inout State
    ) throws(TraceError) -> Bool {
        var start = 0
        while start < bytes.count {
            if state.isAtStart, !state.isInHeader { appendSource(source) }
            let (end, isWhole) = Self.recordEnd(bytes, from: start, &state.isQuoted)
            let piece = UnsafeBufferPointer(rebasing: bytes[start..<end])
            if state.isInHeader { state.header += piece } else { buffer.append(piece) }
            if state.isInHeader, isWhole {
                guard takeHeader(state.header) else { return false }
                state.isInHeader = false
            }
            state.isAtStart = isWhole
            start = end
            try buffer.flushIfNeeded()
        }
        return true
    }

    private static func recordEnd(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ isQuoted: inout Bool
    ) -> (end: Int, isWhole: Bool) {
        var (index, quoted) = (start, isQuoted)
        defer { isQuoted = quoted }
        while index < bytes.count {
            let byte = bytes[index]
            index &+= 1
            if byte == UInt8(ascii: "\"") {
                quoted.toggle()
            } else if byte == UInt8(ascii: "\n"), !quoted {
                return (index, true)
            }
        }
        return (index, false)
    }

    private func appendSource(_ source: String) {
        var source = source
        source.withUTF8 { buffer.appendCSVText($0, delimiter: delimiter) }
        buffer.append(byte: delimiter)
    }

    private mutating func takeHeader(_ names: [UInt8]) -> Bool {
        if let header { return header == names }
        header = names
        buffer.append("source")
        buffer.append(byte: delimiter)
        names.withUnsafeBufferPointer { buffer.append($0) }
        return true
    }
}
