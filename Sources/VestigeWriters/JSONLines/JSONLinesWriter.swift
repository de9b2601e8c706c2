import VestigeCore

/// Writes the event IR as JSON lines, losslessly: `Schemas/event-ir.md` specifies the lines, and
/// `JSONLinesReader` takes them back.
///
/// A `Header` line comes first, then the events; a stack stands in full in a `Stack` line before
/// the first event that names it. Each event has its stacks as readable lists too, so that a line
/// says everything by itself. A `Trailer` line ends the output: one without it is cut off.
///
/// Memory: twelve bytes for each stack there is, and rendered lists up to a fixed size.
public final class JSONLinesWriter: TraceWriter {
    private let buffer: TextBuffer
    private let stacks = RenderedStacks()
    private let diagnostics: Diagnostics?
    private var eventCount: UInt64 = 0
    private var hasBegun = false

    /// - Parameter diagnostics: whose counts go into the trailer.
    public init(_ sink: any ByteSink, diagnostics: Diagnostics? = nil) {
        buffer = TextBuffer(sink)
        self.diagnostics = diagnostics
    }

    deinit { buffer.deallocate() }

    public func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError) {
        beginIfNeeded(tables)
        let line = JSONEventLine(buffer: buffer, tables: tables, stacks: stacks)
        var sequence = eventCount
        for index in events.indices {
            line.append(events[index], sequence: sequence)
            sequence += 1
            try buffer.flushIfNeeded()
        }
        eventCount = sequence
    }

    public func finish(tables: TraceTables) throws(TraceError) {
        beginIfNeeded(tables)
        buffer.appendTrailerLine(eventCount: eventCount, sources: tables.sources, diagnostics: diagnostics)
        try buffer.flush()
    }

    private func beginIfNeeded(_ tables: TraceTables) {
        if !hasBegun { buffer.appendHeaderLine(sources: tables.sources) }
        hasBegun = true
    }
}
