import VestigeCore

/// Finds in a pass of its own the goroutines that `--descendants` and `--related` add: those created, and those
/// that woke or were woken, anywhere in the recording, by goroutines of which something is selected.
public final class ClosureSurvey {
    private struct Edge: Hashable {
        var from: Int64
        var to: Int64
    }

    private let query: Query
    private var facts: QueryFacts
    private var selector: HeapBox<QuerySelector>?
    private var seeds = Set<Int64>()
    /// From creator to created.
    private var creations = Set<Edge>()
    /// From waker to woken.
    private var wakeUps = Set<Edge>()
    private var lastWakeUp: Edge?

    public static func isNeeded(for query: Query) -> Bool { query.includesDescendants || query.relatedHops > 0 }

    public init(_ query: Query, facts: QueryFacts) {
        self.query = query
        self.facts = facts
    }

    /// - Throws: `usage` for times that the recording's clock does not have.
    public func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError) {
        guard let first = events.first else { return }
        if selector == nil {
            let clock = QueryClock(first: first, facts: facts, tables: tables)
            let made = try QuerySelector(query.seedExpression, facts: facts, clock: clock, tables: tables)
            selector = HeapBox(made)
        }
        let selector = selector!.pointer
        for event in events {
            noteEdges(event)
            noteSeeds(event, selector, tables)
        }
    }

    private func noteSeeds(
        _ event: Event, _ selector: UnsafeMutablePointer<QuerySelector>, _ tables: TraceTables
    ) {
        selector.pointee.tracker.begin(event, tables)
        let mask = selector.pointee.mask(of: event, tables)
        if let context = selector.pointee.tracker.record(event.goroutine), !context.pointee.isIn,
            selector.pointee.holds(mask, context)
        {
            context.pointee.isIn = true
            seeds.insert(event.goroutine.rawValue)
        }
        if event.kind == .goroutineTransition,
            let subject = selector.pointee.tracker.record(event.subjectGoroutine), !subject.pointee.isIn,
            selector.pointee.selectsTransition(event, mask, subject, tables)
        {
            subject.pointee.isIn = true
            seeds.insert(event.subjectGoroutine.rawValue)
        }
        selector.pointee.tracker.end(event, tables)
    }

    private func noteEdges(_ event: Event) {
        guard event.kind == .goroutineTransition, event.goroutine != .absent, event.goroutine != event.subjectGoroutine
        else { return }
        let edge = Edge(from: event.goroutine.rawValue, to: event.subjectGoroutine.rawValue)
        if event.fromGoroutineState == .notExist {
            if query.includesDescendants { creations.insert(edge) }
        } else if event.toGoroutineState == .runnable, event.fromGoroutineState != .runnable, query.relatedHops > 0 {
            // Two that hand over to each other do so again and again.
            if edge != lastWakeUp { wakeUps.insert(edge) }
            lastWakeUp = edge
        }
    }

    /// The facts, complete.
    public func finish() -> QueryFacts {
        var added = Set<Int64>()
        if query.includesDescendants { added.formUnion(reached(creations.map { ($0.from, $0.to) }, hops: .max)) }
        if query.relatedHops > 0 {
            let both = wakeUps.map { ($0.from, $0.to) } + wakeUps.map { ($0.to, $0.from) }
            added.formUnion(reached(both, hops: query.relatedHops))
        }
        for id in added.subtracting(seeds) { facts.added.insert(UInt64(bitPattern: id)) }
        return facts
    }

    private func reached(_ edges: [(from: Int64, to: Int64)], hops: Int) -> Set<Int64> {
        let next = Dictionary(grouping: edges, by: \.from)
        var reached = seeds
        var front = Array(seeds)
        var hop = 0
        while hop < hops, !front.isEmpty {
            front = front.flatMap { next[$0] ?? [] }.map(\.to).filter { reached.insert($0).inserted }
            hop += 1
        }
        return reached
    }
}
