import VestigeCore
import VestigeStages

/// Everything that a stage gives, kept.
struct CollectedLifelines {
    let stage = LifelineStage()
    private(set) var spans: [LifelineSpan] = []
    private(set) var lives: [GoroutineLife] = []

    mutating func process(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) {
        stage.process(events, tables: tables)
        collect()
    }

    mutating func finish(_ tables: TraceTables) {
        stage.finish(tables: tables)
        collect()
    }

    private mutating func collect() {
        spans += stage.spans
        lives += stage.lives
    }
}
