import VestigeWriters

/// A format that browser viewers read as it is.
public enum ViewerFormat: Sendable {
    /// Chrome's trace events: Perfetto and catapult read them.
    case chromeJSON
    /// Perfetto's native format, which catapult does not read.
    case perfetto

    /// The suffix of a file in this format.
    public var suffix: String { self == .chromeJSON ? ChromeJSONFormat.format.suffix : PerfettoFormat.format.suffix }

    /// Knows a format by the first bytes of a file, or nil where they are neither.
    public init?(prefix: [UInt8]) {
        if Self.isChromeJSON(prefix) {
            self = .chromeJSON
        } else if Self.isPerfetto(prefix) {
            self = .perfetto
        } else {
            return nil
        }
    }

    /// Perfetto takes a text for trace events if it begins with `{"` or `[{"`, blanks aside. So does
    /// much else, but then without these keys.
    private static func isChromeJSON(_ prefix: [UInt8]) -> Bool {
        let text = String(decoding: prefix, as: UTF8.self)
        let start = String(text.lazy.filter { !$0.isWhitespace }.prefix(3))
        guard start.hasPrefix("{\"") || start.hasPrefix("[{\"") else { return false }
        return text.contains("\"traceEvents\"") || text.contains("\"ph\"")
    }

    /// A `Trace` message holds packets (field 1) and nothing else; the fields of the first one have to
    /// make sense as far as the prefix goes.
    private static func isPerfetto(_ prefix: [UInt8]) -> Bool {
        // A text that begins with an empty line begins with the same byte.
        if prefix.allSatisfy({ (0x20..<0x7f).contains($0) || (0x09...0x0d).contains($0) }) { return false }
        var bytes = prefix[...]
        guard bytes.popFirst() == 0x0a, let length = varint(&bytes), length > 0 else { return false }
        var packet = bytes.prefix(Int(clamping: length))
        let isWhole = packet.count == Int(clamping: length)
        while let first = packet.first {
            guard first >= 8, let tag = varint(&packet) else { return !isWhole && first >= 8 }
            let size: UInt64
            switch tag & 7 {
            case 0:
                guard varint(&packet) != nil else { return !isWhole }
                size = 0
            case 1: size = 8
            case 2:
                guard let length = varint(&packet) else { return !isWhole }
                size = length
            case 5: size = 4
            default: return false
            }
            if size > UInt64(packet.count) { return !isWhole }
            packet.removeFirst(Int(size))
        }
        return true
    }

    /// Nil if the bytes end in it, or if it is longer than 64 bits.
    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
