import Foundation
import VestigeCore

/// The events of a truth listing (`NAME.events.jsonl.gz`) as events and tables of the IR, so that
/// stages and writers can be tested without a reader.
///
/// What the listing does not tell is missing here too: program counters of frames, and the order of
/// an experimental event's arguments (they come by name).
public struct TruthListing {
    public struct Malformed: Error {
        public let line: String
    }

    public let tables = TraceTables()
    public private(set) var events: [Event] = []
    private var stacks: [[String]: StackID] = [:]

    /// - Parameter path: a listing, compressed or not.
    public init(path: String) throws {
        let bytes = try Corpus.bytes(of: path)
        tables.sources.append(SourceInfo(path: path, format: "truth-listing"))
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
                let event = event(Line(object))
            else { throw Malformed(line: String(decoding: line, as: UTF8.self)) }
            events.append(event)
        }
    }

    /// Hands out the events in batches, as a reader would.
    public func forEachBatch(
        of size: Int = EventBatch.defaultCapacity, _ body: (UnsafeBufferPointer<Event>) throws -> Void
    ) rethrows {
        try events.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: size) {
                try body(UnsafeBufferPointer(rebasing: all[start..<min(start + size, all.count)]))
            }
        }
    }

    // MARK: - Lines

    private struct Line {
        let fields: [String: Any]
        init(_ fields: [String: Any]) { self.fields = fields }

        func int(_ name: String) -> Int64 { (fields[name] as? NSNumber)?.int64Value ?? -1 }
        func unsigned(_ name: String) -> UInt64? { (fields[name] as? NSNumber)?.uint64Value }
        func text(_ name: String) -> String { fields[name] as? String ?? "" }
        func frames(_ name: String) -> [String] { fields[name] as? [String] ?? [] }
    }

    private mutating func event(_ line: Line) -> Event? {
        guard let kind = Self.kind(line) else { return nil }
        var event = Event(
            kind: kind, timeNanoseconds: line.int("t"), goroutine: GoroutineID(line.int("g")),
            proc: ProcID(Int32(truncatingIfNeeded: line.int("p"))), thread: ThreadID(line.int("m")),
            stack: stack(line.frames("stack")))
        switch kind {
        case .sync: fillSync(&event, line)
        case .metric:
            event.name = string(line, "name")
            event.argument0 = line.unsigned("value") ?? 0
        case .label, .rangeBegin, .rangeActive, .rangeEnd: fillScoped(&event, line)
        case .taskBegin, .taskEnd, .regionBegin, .regionEnd:
            event.name = string(line, "type")
            event.argument0 = line.unsigned("task") ?? 0
            event.argument1 = line.unsigned("parent") ?? .max
        case .log:
            event.name = string(line, "category")
            event.argument0 = line.unsigned("task") ?? 0
            event.argument1 = UInt64(string(line, "message").rawValue)
        case .goroutineTransition, .procTransition: fillTransition(&event, line)
        case .experimental: fillExperimental(&event, line)
        case .stackSample, .experimentalBatch, .observed, .breakpoint: break
        }
        return event
    }

    private static func kind(_ line: Line) -> EventKind? {
        let name = line.text("kind")
        if name == "StateTransition" {
            return line.text("resource") == "goroutine" ? .goroutineTransition : .procTransition
        }
        return EventKind.allCases.first { "\($0.name)" == name }
    }

    private func fillSync(_ event: inout Event, _ line: Line) {
        event.argument0 = UInt64(bitPattern: line.int("n"))
        guard let clock = line.fields["clock"] as? [String: Any] else { return }
        let snapshot = Line(clock)
        event.argument1 = tables.add(
            ClockSnapshot(
                traceNanoseconds: snapshot.int("trace"), monotonicNanoseconds: snapshot.unsigned("mono") ?? 0,
                wallUnixNanoseconds: snapshot.int("wall_unix_ns")))
    }

    private func fillScoped(_ event: inout Event, _ line: Line) {
        event.name = string(line, event.kind == .label ? "label" : "name")
        event.argument0 = UInt64(bitPattern: line.int("scope_id"))
        let scope = Scope.allCases.first { "\($0.name)" == line.text("scope") } ?? .global
        let attributes = Line(line.fields["attrs"] as? [String: Any] ?? [:])
        event.argument1 = attributes.unsigned("bytes swept") ?? 0
        event.argument2 = attributes.unsigned("bytes reclaimed") ?? 0
        event.detail = Event.pack(scope, attributes: attributes.fields.count)
    }

    private mutating func fillTransition(_ event: inout Event, _ line: Line) {
        event.name = string(line, "reason")
        event.argument0 = UInt64(bitPattern: line.int("id"))
        event.argument1 = UInt64(stack(line.frames("tstack")).rawValue)
        if event.kind == .goroutineTransition {
            event.detail = Event.pack(Self.goroutineState(line.text("from")), Self.goroutineState(line.text("to")))
        } else {
            event.detail = Event.pack(Self.procState(line.text("from")), Self.procState(line.text("to")))
        }
    }

    private func fillExperimental(_ event: inout Event, _ line: Line) {
        let arguments = (line.fields["args"] as? [String: NSNumber] ?? [:]).sorted { $0.key < $1.key }
        event.name = string(line, "name")
        let shape = ExperimentalShape(
            name: event.name, experiment: string(line, "experiment"),
            argumentNames: arguments.map { tables.strings.intern($0.key) })
        event.detail = Event.pack(shape: tables.intern(shape) ?? 0)
        let values = arguments.map(\.value.uint64Value) + [0, 0, 0]
        (event.argument0, event.argument1, event.argument2) = (values[0], values[1], values[2])
    }

    private static func goroutineState(_ name: String) -> GoroutineState {
        GoroutineState.allCases.first { "\($0.name)" == name } ?? .undetermined
    }

    private static func procState(_ name: String) -> ProcState {
        ProcState.allCases.first { "\($0.name)" == name } ?? .undetermined
    }

    // MARK: - Strings and stacks

    /// The exact bytes stand in hex beside a string that is not UTF-8.
    private func string(_ line: Line, _ name: String) -> StringID {
        guard let hex = line.fields[name + "_hex"] as? String else { return tables.strings.intern(line.text(name)) }
        let digits = Array(hex)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
        return bytes.withUnsafeBytes { tables.strings.intern($0) }
    }

    private mutating func stack(_ frames: [String]) -> StackID {
        if frames.isEmpty { return .absent }
        if let known = stacks[frames] { return known }
        let stack = tables.stacks.intern(innermostFirst: frames.map(frame))
        stacks[frames] = stack
        return stack
    }

    /// `func file:line`, where either may hold blanks: a path most often begins with a slash.
    private func frame(_ text: String) -> Frame {
        let place = text.range(of: " /") ?? text.range(of: " ", options: .backwards)
        let function = place.map { text[..<$0.lowerBound] } ?? text[...]
        let file = place.map { text[text.index(after: $0.lowerBound)...] } ?? ""
        let colon = file.lastIndex(of: ":") ?? file.endIndex
        return Frame(
            programCounter: 0, function: tables.strings.intern(String(function)),
            file: tables.strings.intern(String(file[..<colon])), line: UInt64(file[colon...].dropFirst()) ?? 0)
    }
}
