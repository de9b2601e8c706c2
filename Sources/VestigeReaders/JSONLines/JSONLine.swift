import FoundationEssentials
import VestigeCore

/// One line, decoded into an event or into the reader's state.
struct JSONLine: DecodableWithConfiguration {
    enum Content {
        case event(Event)
        case trailer(JSONTrailer)
        /// It is no event: a header, a stack, or of an unknown kind.
        case nothing
    }

    let content: Content

    init(from decoder: any Decoder, configuration state: JSONLinesState) throws {
        let fields = JSONFields(try decoder.container(keyedBy: JSONField.self), state: state)
        let kind: String = try fields.required("kind")
        switch kind {
        case "Header":
            try state.begin(JSONHeader(fields))
            content = .nothing
        case "Stack":
            state.define(stack: try fields.required("id"), as: try fields.exactStack())
            content = .nothing
        case "Trailer":
            content = .trailer(try JSONTrailer(fields))
        default:
            let event = try Self.event(kind, fields)
            if event == nil { state.diagnostics.count(.linesUnknown) }
            content = event.map(Content.event) ?? .nothing
        }
    }

    /// The event, or nil if this version knows no such kind or resource.
    private static func event(_ kindName: String, _ fields: JSONFields) throws -> Event? {
        guard var kind = JSONLines.eventKinds[kindName] else { return nil }
        if kindName == JSONLines.stateTransition {
            switch try fields.required("resource") as String {
            case "goroutine": kind = .goroutineTransition
            case "proc": kind = .procTransition
            default: return nil
            }
        }
        let time: Int64 = try fields.required("t")
        var event = Event(
            kind: kind, timeNanoseconds: time,
            goroutine: GoroutineID(try fields.optional("g") ?? -1), proc: ProcID(try fields.optional("p") ?? -1),
            thread: ThreadID(try fields.optional("m") ?? -1), stack: try fields.stack("stack", "stack_id"),
            source: try fields.state.source(
                try fields.optional("source") ?? 0, process: try fields.optional("process")))
        event.isSynthetic = try fields.optional("synthetic") ?? false
        try fill(&event, fields)
        event.timeNanoseconds = fields.state.inOrder(time)
        if event.hasSince {
            event.sinceNanoseconds = try fields.optional("since") ?? event.timeNanoseconds
        }
        return event
    }

    private static func fill(_ event: inout Event, _ fields: JSONFields) throws {
        switch event.kind {
        case .sync: try fillSync(&event, fields)
        case .metric:
            event.name = try fields.string("name")
            event.argument0 = try fields.required("value")
        case .label:
            event.name = try fields.string("label")
            try fillScope(&event, fields)
        case .stackSample: break
        case .rangeBegin, .rangeActive, .rangeEnd:
            event.name = try fields.string("name")
            try fillScope(&event, fields)
            try fillAttributes(&event, fields)
        case .taskBegin, .taskEnd:
            event.argument0 = try fields.task("task").rawValue
            event.argument1 = try fields.task("parent").rawValue
            event.name = try fields.string("type")
        case .regionBegin, .regionEnd:
            event.argument0 = try fields.task("task").rawValue
            event.name = try fields.string("type")
        case .log:
            event.argument0 = try fields.task("task").rawValue
            event.name = try fields.string("category")
            event.argument1 = UInt64(try fields.string("message").rawValue)
        case .goroutineTransition:
            event.argument0 = UInt64(bitPattern: try fields.required("id") as Int64)
            event.detail |= Event.pack(
                try fields.choice("from", JSONLines.goroutineStates), try fields.choice("to", JSONLines.goroutineStates)
            )
            try fillTransition(&event, fields)
        case .procTransition:
            event.argument0 = UInt64(bitPattern: Int64(try fields.required("id") as Int32))
            event.detail |= Event.pack(
                try fields.choice("from", JSONLines.procStates), try fields.choice("to", JSONLines.procStates))
            try fillTransition(&event, fields)
        case .experimental: try fillExperimental(&event, fields)
        case .experimentalBatch:
            event.name = try fields.string("experiment")
            event.argument0 = UInt64(try fields.bytes("payload").rawValue)
        case .observed: try fillObserved(&event, fields)
        case .breakpoint:
            event.name = try fields.string("name")
            event.argument1 = UInt64(try fields.attributes("args").rawValue)
        }
    }

    private static func fillSync(_ event: inout Event, _ fields: JSONFields) throws {
        event.argument0 = UInt64(bitPattern: try fields.optional("n") ?? Int64(0))
        guard let clock: Clock = try fields.optional("clock") else { return }
        event.argument1 = fields.state.tables.add(
            ClockSnapshot(
                traceNanoseconds: clock.trace, monotonicNanoseconds: clock.mono,
                wallUnixNanoseconds: clock.wall_unix_ns))
    }

    private struct Clock: Decodable {
        var trace: Int64
        var mono: UInt64
        var wall_unix_ns: Int64
    }

    private static func fillTransition(_ event: inout Event, _ fields: JSONFields) throws {
        event.name = try fields.string("reason")
        event.argument1 = UInt64(try fields.stack("tstack", "tstack_id").rawValue)
    }

    private static func fillScope(_ event: inout Event, _ fields: JSONFields) throws {
        event.detail |= Event.pack(try fields.choice("scope", JSONLines.scopes))
        event.argument0 = UInt64(bitPattern: try fields.optional("scope_id") ?? Int64(-1))
    }

    private static func fillAttributes(_ event: inout Event, _ fields: JSONFields) throws {
        let values: [String: UInt64] = try fields.optional("attrs") ?? [:]
        let swept = values[EventIR.sweepAttributeNames.swept.description]
        let reclaimed = values[EventIR.sweepAttributeNames.reclaimed.description]
        event.argument1 = swept ?? 0
        event.argument2 = reclaimed ?? 0
        event.detail |= Event.pack(.global, attributes: reclaimed != nil ? 2 : swept != nil ? 1 : 0)
    }

    private static func fillExperimental(_ event: inout Event, _ fields: JSONFields) throws {
        let arguments = try fields.arguments()
        guard arguments.count <= 3 else {
            throw LineDefect(expected: "at most 3 arguments", found: "\(arguments.count)")
        }
        let strings = fields.state.tables.strings
        let shape = ExperimentalShape(
            name: try fields.string("name"), experiment: try fields.string("experiment"),
            argumentNames: arguments.map { strings.intern($0.name) })
        guard let index = fields.state.tables.intern(shape) else {
            throw LineDefect(expected: "at most 64 kinds of experimental events", found: "one more")
        }
        event.name = shape.name
        event.detail |= Event.pack(shape: index)
        let values = arguments.map(\.value) + [0, 0, 0]
        (event.argument0, event.argument1, event.argument2) = (values[0], values[1], values[2])
    }
}
