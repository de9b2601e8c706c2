import VestigeCore

/// What a logger puts around each line of a dump: a JSON record, a prefix, or one in the other.
struct LineWrapping {
    /// The key in a JSON record whose value is the text.
    private(set) var key: [UInt8]?
    private var prefix: LinePrefix?
    /// The second line decides whether the first alone had a prefix, as where a dump is one log message.
    private var isSecondLine = false
    private(set) var time: Int64?
    private var recordTime: Int64?

    mutating func begin(key: [UInt8], record: DumpBytes) {
        self.key = key
        recordTime =
            Self.timeKeys.lazy.compactMap { JSONLogLine.value(of: $0, in: record) }
            .compactMap { $0.withUnsafeBufferPointer(WallTime.unixNanoseconds) }.first
    }

    private static let timeKeys = ["time", "timestamp", "@timestamp", "ts"].map { Array($0.utf8) }

    /// A goroutine begins behind these bytes.
    mutating func begin(prefix bytes: DumpBytes) {
        prefix = bytes.isEmpty ? nil : LinePrefix(bytes)
        isSecondLine = prefix != nil
        time = (bytes.isEmpty ? nil : WallTime.unixNanoseconds(bytes)) ?? recordTime
    }

    /// The text of a JSON record, or nil if it has none.
    func text(in record: DumpBytes) -> [UInt8]? { key.flatMap { JSONLogLine.value(of: $0, in: record) } }

    /// A line without its prefix, or nil if it is not of this log.
    mutating func unwrap(_ line: DumpBytes) -> DumpBytes? {
        guard let prefix else { return line }
        let isDecided = !isSecondLine
        isSecondLine = false
        if let text = prefix.strip(line) { return text }
        if isDecided, !line.isEmpty { return nil }
        if !isDecided { self.prefix = nil }
        return line
    }

    /// A line as it came from the input, without what is around it, or nil if it is of something else.
    func unwrapRecord(_ line: DumpBytes) -> [UInt8]? {
        var text = Array(line)
        if let key, JSONLogLine.isObject(line) {
            guard let value = JSONLogLine.value(of: key, in: line) else { return nil }
            text = value
            while let last = text.last, last == 0x0a || last == 0x20 { text.removeLast() }
        }
        guard let prefix else { return text }
        return text.withUnsafeBufferPointer { prefix.strip($0).map(Array.init) } ?? text
    }
}

/// Finds the first line of a goroutine or a profile in text.
enum DumpSearch {
    /// Where a goroutine or a profile begins in a line, behind whatever a logger has put there.
    @inline(__always) static func header(in line: DumpBytes) -> Int? {
        if isHeader(line) { return 0 }
        return embeddedHeader(line)
    }

    @inline(never) private static func embeddedHeader(_ line: DumpBytes) -> Int? {
        var start = 1
        while let found = line.find("goroutine", from: start) {
            if !isWordCharacter(line[found - 1]), isHeader(line.from(found)) { return found }
            start = found + 9
        }
        return nil
    }

    private static func isHeader(_ line: DumpBytes) -> Bool {
        line.begins(with: "goroutine") && (GoroutineHeader(line) != nil || CountedProfile.header(line) != nil)
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
    }

    static func holdsHeader(_ text: DumpBytes) -> Bool {
        var start = 0
        while start < text.count {
            let end = text.first("\n", from: start) ?? text.count
            if header(in: text.part(start..<end).trimmedEnd) != nil { return true }
            start = end + 1
        }
        return false
    }

    /// Begins like the header of a goroutine, and breaks off.
    static func isCutHeader(_ line: DumpBytes) -> Bool {
        line.begins(with: "goroutine ") && line.count > 10 && line.isDigit(at: 10) && header(in: line) == nil
    }
}
