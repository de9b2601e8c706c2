import Vestige

/// A lifeline stage of our own, and what must hold for what it says.
final class LifelineChecks {
    private let stage = LifelineStage()

    func process(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) {
        stage.process(events, tables: tables)
    }

    func finish(_ tables: TraceTables) { stage.finish(tables: tables) }

    /// Checks what the last step ended.
    func check(_ tables: TraceTables) throws {
        let (first, last) = (stage.firstNanoseconds, stage.lastNanoseconds)
        for span in stage.spans {
            let (start, end) = (span.startNanoseconds, span.endNanoseconds)
            try expect(start <= end, "a \(span.kind) span from \(start) to \(end)")
            try expect(first <= start && end <= last, "a \(span.kind) span \(start)…\(end) in \(first)…\(last)")
            for stack in [span.startStack, span.endStack, span.endedByStack] {
                try expect(stack.rawValue < tables.stacks.count, "a span with stack \(stack.rawValue)")
            }
            for name in [span.name, span.startFunction] {
                try expect(name.rawValue < tables.strings.count, "a span with string \(name.rawValue)")
            }
        }
        for life in stage.lives {
            try expect(life.firstSeenNanoseconds <= life.lastNanoseconds, "a life that ends before it begins")
        }
    }
}
