import FoundationEssentials
import VestigeCore

/// The event IR as JSON lines: what `JSONLinesWriter` writes, and listings of events by other
/// programs that have neither header nor `Stack` lines.
public enum JSONLinesInputFormat {
    public static let format = InputFormat(
        name: EventIR.jsonLinesName, summary: "JSON lines: one event of the trace, one object a line",
        suffixes: [".jsonl", ".ndjson"], sniff: sniff
    ) { source, context in
        JSONLinesReader(source, context: context)
    }

    /// The first line that is not blank is an object with a known kind, and with a time where it is an event.
    @Sendable static func sniff(_ bytes: UnsafeRawBufferPointer) -> SniffResult {
        let text = bytes.starts(with: JSONLines.byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
        let line = text.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }
        guard let first = line.first else { return .needMore }
        guard first == UInt8(ascii: "{") else { return .no }
        if let end = line.firstIndex(of: 0x0a) {
            let probe = try? JSONDecoder().decode(Probe.self, from: Data(line[..<end]))
            return probe?.isOurs == true ? .yes : .no
        }
        return sniff(incompleteLine: line, isAllThereIs: bytes.count < 4096)
    }

    /// Looks at what stands before the first nested value, which in our lines is the kind and the time.
    private static func sniff(incompleteLine line: Slice<UnsafeRawBufferPointer>, isAllThereIs: Bool) -> SniffResult {
        let nested = line.dropFirst().firstIndex { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }
        let head = String(decoding: line[..<(nested ?? line.endIndex)], as: UTF8.self)
        if head.contains("\"kind\"") {
            if head.contains("\"t\"") || JSONLines.frameKinds.contains(where: { head.contains("\"\($0)\"") }) {
                return .yes
            }
        }
        return nested == nil && isAllThereIs ? .needMore : .no
    }

    private struct Probe: Decodable {
        var kind: String
        var t: Int64?

        var isOurs: Bool {
            JSONLines.frameKinds.contains(kind) || JSONLines.eventKinds[kind] != nil && t != nil
        }
    }
}

/// Names that reader and detection share.
enum JSONLines {
    static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
    static let stateTransition = EventKind.goroutineTransition.name.description
    /// Kinds of lines that are not events.
    static let frameKinds = ["Header", "Stack", "Trailer"]
    /// Event kinds by name. A state transition is of a goroutine until its resource says otherwise.
    static let eventKinds = Dictionary(
        EventKind.allCases.map { ($0.name.description, $0) }, uniquingKeysWith: { first, _ in first })
    static let goroutineStates = Dictionary(
        uniqueKeysWithValues: GoroutineState.allCases.map { ($0.name.description, $0) })
    static let observedStates = Dictionary(
        uniqueKeysWithValues: GoroutineState.allCases.map { ($0.observedName.description, $0) })
    static let procStates = Dictionary(uniqueKeysWithValues: ProcState.allCases.map { ($0.name.description, $0) })
    static let scopes = Dictionary(uniqueKeysWithValues: Scope.allCases.map { ($0.name.description, $0) })
}
