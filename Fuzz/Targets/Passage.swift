import Vestige

/// One input on its way through reader, checks, lifelines and writers.
final class Passage {
    enum Scope {
        case everything
        case readsAndWritesLines
    }

    let tables = TraceTables()
    let diagnostics = Diagnostics()
    private(set) var eventCount: UInt64 = 0
    private(set) var hasEvents = false
    /// What ended the reading before the input's end.
    private(set) var failure: TraceError?
    private let reader: any TraceReader
    private let capacity: Int
    private var eventChecks: EventChecks
    private var lifelines: LifelineChecks?
    private var outputs: [(target: CheckingTarget, writer: any TraceWriter)] = []

    /// - Returns: nil if no reader takes the input.
    init?(
        _ source: ByteSource, format: InputFormat? = nil, capacity: Int = EventBatch.defaultCapacity,
        _ scope: Scope = .everything
    ) throws {
        tables.sources.append(SourceInfo(path: "fuzz", format: "fuzz"))
        let context = ReaderContext(tables: tables, diagnostics: diagnostics, source: 0)
        do throws(TraceError) {
            let format = if let format { format } else { try Formats.detect(source) }
            reader = try format.open(source, context)
            // A trace gives no two events the same time; what others say may.
            eventChecks = EventChecks(allowsEqualTimes: !format.name.hasPrefix("gotrace"))
        } catch {
            return nil
        }
        self.capacity = capacity
        if scope == .everything { lifelines = LifelineChecks() }
        for format in Formats.outputs where format.shape != .archive {
            guard scope == .everything || format.name == EventIR.jsonLinesName else { continue }
            let target = CheckingTarget(format)
            var options = OutputOptions()
            // What a writer counts is about its output alone: in JSON lines stands what the reader counted.
            options.diagnostics = format.name == EventIR.jsonLinesName ? diagnostics : Diagnostics()
            outputs.append((target, try format.make(target, options)))
        }
    }

    /// What was written as JSON lines.
    var lines: [UInt8] { outputs.first { $0.target.formatName == EventIR.jsonLinesName }?.target.bytes ?? [] }

    func run() throws {
        try readAll()
        lifelines?.finish(tables)
        try lifelines?.check(tables)
        for output in outputs {
            try output.writer.finish(tables: tables)
            try output.target.finish()
        }
    }

    private func readAll() throws {
        var batch = EventBatch(capacity: capacity)
        var isMore = true
        var idleCount = 0
        while isMore {
            batch.removeAll()
            do throws(TraceError) { isMore = try reader.read(into: &batch) } catch {
                failure = error
                isMore = false
            }
            idleCount = batch.isEmpty ? idleCount + 1 : 0
            try expect(idleCount < 1000, "the reader delivers nothing and does not end")
            try take(batch.events)
        }
        batch.removeAll()
        let goesOn = try reader.read(into: &batch)
        try expect(!goesOn && batch.isEmpty, "the reader goes on behind its end")
    }

    private func take(_ events: UnsafeBufferPointer<Event>) throws {
        eventCount += UInt64(events.count)
        hasEvents = hasEvents || events.contains { $0.kind != .sync }
        try eventChecks.check(events, tables)
        lifelines?.process(events, tables)
        try lifelines?.check(tables)
        for output in outputs { try output.writer.write(events, tables: tables) }
    }
}
