import FoundationEssentials
import VestigeCore

/// What earlier lines of an input have established for later ones.
final class JSONLinesState {
    let tables: TraceTables
    let diagnostics: Diagnostics
    /// The line being decoded.
    var line = Data()
    private let path: String
    /// What the user calls the process that the input is of; nil if nothing was said.
    private let givenProcess: String?
    /// Sources of processes that only events name.
    private var processPlaces: [String: UInt8] = [:]
    /// Index in `tables.sources` of each source of the input.
    private var sources: [UInt8]
    /// The stacks that the input has numbered.
    private var stacks: [UInt64: StackID] = [:]
    private var hasHeader = false
    private var hasEvents = false
    private var lastTime = Int64.min

    init(context: ReaderContext, path: String) {
        tables = context.tables
        diagnostics = context.diagnostics
        sources = [context.source]
        self.path = path
        let place = Int(context.source)
        givenProcess = tables.sources.indices.contains(place) ? tables.sources[place].process : nil
    }

    func begin(_ header: JSONHeader) throws {
        if hasHeader || hasEvents {
            throw LineDefect(expected: "an event or a Trailer", found: "a Header, which comes first only")
        }
        if let format = header.format, format != EventIR.formatName {
            throw LineDefect(expected: "format \"\(EventIR.formatName)\"", found: "\"\(format)\"")
        }
        hasHeader = true
        if header.version ?? EventIR.version > EventIR.version { diagnostics.count(.unknownVersion) }
        try restore(header.sources ?? [])
    }

    /// The sources of the input take the place of the input itself, which is only their file form.
    private func restore(_ records: [JSONSource]) throws {
        for (index, record) in records.enumerated() {
            let place = Int(try source(UInt64(index)))
            guard place < tables.sources.count else { continue }
            record.restore(&tables.sources[place])
            // Processes of one input stay apart under the name that the user gives it.
            let names = [givenProcess, record.process].compactMap(\.self)
            if !names.isEmpty { tables.sources[place].process = names.joined(separator: "/") }
        }
    }

    func apply(_ trailer: JSONTrailer) {
        // There are as many sources as in the header, or as the 8 bits in an event allow.
        try? restore(trailer.sources ?? [])
        for (name, count) in trailer.losses ?? [:] {
            if let counter = Diagnostics.Counter(rawValue: name) { diagnostics.count(counter, count) }
        }
    }

    /// An output of ours that has no trailer was cut off between two lines.
    func checkEnd(_ lines: LineReader) throws(TraceError) {
        guard hasHeader else {
            let place = Int(sources[0])
            if tables.sources.indices.contains(place), tables.sources[place].byteCount == nil {
                tables.sources[place].byteCount = lines.source.size
            }
            return
        }
        throw lines.source.error(
            .truncated, at: lines.source.size, context: ["after line \(lines.number)"],
            expected: "a Trailer line", found: "the end of the file")
    }

    /// The index of the input's source `number` in the tables; entries are made as needed.
    func source(_ number: UInt64) throws -> UInt8 {
        while sources.count <= number {
            let index = tables.sources.count
            guard number <= 255, index <= 255 else {
                throw LineDefect(expected: "at most 256 sources", found: "source \(number)")
            }
            var info = SourceInfo(path: path, format: EventIR.jsonLinesName)
            info.process = givenProcess
            tables.sources.append(info)
            sources.append(UInt8(index))
        }
        return sources[Int(number)]
    }

    /// The same for an event that says of which process it is. Where the header does not say it, each process gets a
    /// source of its own.
    func source(_ number: UInt64, process: String?) throws -> UInt8 {
        let place = try source(number)
        guard let process, tables.sources.indices.contains(Int(place)) else { return place }
        let name = [givenProcess, process].compactMap(\.self).joined(separator: "/")
        let known = tables.sources[Int(place)].process
        if known == name { return place }
        if let other = processPlaces[name] { return other }
        if known == givenProcess, !processPlaces.values.contains(place) {
            tables.sources[Int(place)].process = name
            processPlaces[name] = place
            return place
        }
        guard let next = UInt8(exactly: tables.sources.count) else {
            throw LineDefect(expected: "at most 256 sources", found: "one more process")
        }
        var info = tables.sources[Int(place)]
        info.process = name
        tables.sources.append(info)
        processPlaces[name] = next
        return next
    }

    func define(stack number: UInt64, as stack: StackID) { stacks[number] = stack }

    func stack(numbered number: UInt64) -> StackID? { stacks[number] }

    /// A stack was named and its line is missing: its program counters are lost. Who picks single
    /// lines out of an output leaves out the header too, and knows.
    func noteUnresolvedStack() {
        if hasHeader { diagnostics.count(.stacksUnresolved) }
    }

    /// The time of the next event: what follows relies on time not going back.
    func inOrder(_ time: Int64) -> Int64 {
        hasEvents = true
        if time < lastTime { diagnostics.count(.timesClamped) }
        lastTime = max(time, lastTime)
        return lastTime
    }
}

struct JSONHeader {
    var format: String?
    var version: Int?
    var sources: [JSONSource]?

    init(_ fields: JSONFields) throws {
        format = try fields.optional("format")
        version = try fields.optional("version")
        sources = try fields.optional("sources")
    }
}

struct JSONTrailer {
    var sources: [JSONSource]?
    var losses: [String: UInt64]?

    init(_ fields: JSONFields) throws {
        sources = try fields.optional("sources")
        losses = try fields.optional("losses")
    }
}

/// A source as header and trailer describe it.
struct JSONSource: Decodable {
    var path: String?
    var process: String?
    var format: String?
    var formatVersion: String?
    var goVersion: String?
    var clock: String?
    var ticksPerSecond: UInt64?
    var generations: Int?
    var bytes: UInt64?
    var alignment: [JSONAlignment]?

    enum CodingKeys: String, CodingKey {
        case path, process, format
        case formatVersion = "format_version"
        case goVersion = "go_version"
        case clock
        case ticksPerSecond = "ticks_per_second"
        case generations, bytes, alignment
    }

    func restore(_ info: inout SourceInfo) {
        if let path { info.path = path }
        if let format { info.format = format }
        if let formatVersion { info.formatVersion = formatVersion }
        if let goVersion { info.goVersion = goVersion }
        if let clock { info.clock = ClockKind(rawValue: clock) ?? .unknown }
        if let ticksPerSecond { info.ticksPerSecond = ticksPerSecond }
        if let generations { info.generationCount = generations }
        if let bytes { info.byteCount = bytes }
        if let alignment { info.alignments = alignment.compactMap(\.alignment) }
    }
}

/// How a source was placed in time.
struct JSONAlignment: Decodable {
    var by: String
    var t: Int64
    var agreeing: UInt64?
    var differing: UInt64?
    var unseen: UInt64?
    var rivals: UInt64?
    var rivalTime: Int64?

    enum CodingKeys: String, CodingKey {
        case by, t, agreeing, differing, unseen, rivals
        case rivalTime = "rival_t"
    }

    /// Nil for a method that this version does not know.
    var alignment: SourceAlignment? {
        guard let method = SourceAlignment.Method(rawValue: by) else { return nil }
        var alignment = SourceAlignment(method: method, timeNanoseconds: t)
        alignment.agreeing = agreeing ?? 0
        alignment.differing = differing ?? 0
        alignment.unseen = unseen ?? 0
        alignment.rivals = rivals ?? 0
        alignment.rivalNanoseconds = rivalTime
        return alignment
    }
}
