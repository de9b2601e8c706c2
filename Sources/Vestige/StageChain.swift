import VestigeCore

/// Stages one after the other: what the last one makes goes to `sink`.
final class StageChain {
    private let links: [StageLink]
    private let sink: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void

    init(
        _ stages: [any Stage], tables: TraceTables,
        sink: @escaping (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) {
        self.sink = sink
        var next = sink
        var links: [StageLink] = []
        for stage in stages.reversed() {
            let link = StageLink(stage, tables: tables, next: next)
            next = { events throws(TraceError) in try link.process(events) }
            links.append(link)
        }
        self.links = links.reversed()
    }

    func process(_ events: UnsafeBufferPointer<Event>) throws(TraceError) {
        if let first = links.first { try first.process(events) } else { try sink(events) }
    }

    /// Finishes the stages in their order, so that what one has left still passes through the next.
    func finish() throws(TraceError) {
        for link in links { try link.finish() }
    }
}

/// One stage with the batch that it fills.
private final class StageLink {
    private let stage: any Stage
    private let tables: TraceTables
    private let next: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    private var output = EventBatch()

    init(
        _ stage: any Stage, tables: TraceTables,
        next: @escaping (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) {
        self.stage = stage
        self.tables = tables
        self.next = next
    }

    func process(_ events: UnsafeBufferPointer<Event>) throws(TraceError) {
        try stage.process(events, tables: tables, into: &output) { batch throws(TraceError) in
            try Self.handOn(&batch, to: next)
        }
        // Small leftovers wait for the next batch, so that a filter does not make tiny ones.
        if output.room < output.capacity / 2 { try Self.handOn(&output, to: next) }
    }

    func finish() throws(TraceError) {
        try stage.finish(tables: tables, into: &output) { batch throws(TraceError) in
            try Self.handOn(&batch, to: next)
        }
        try Self.handOn(&output, to: next)
    }

    private static func handOn(
        _ batch: inout EventBatch, to next: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) throws(TraceError) {
        if !batch.isEmpty { try next(batch.events) }
        batch.removeAll()
    }
}
