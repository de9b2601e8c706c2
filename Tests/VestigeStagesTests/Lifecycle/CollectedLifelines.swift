import VestigeCore
import VestigeStages
import VestigeTestSupport

/// Everything that a stage gives, kept.
struct CollectedLifelines {
    let stage = LifelineStage()
    private(set) var spans: [LifelineSpan] = []
    private(set) var lives: [GoroutineLife] = []

    init() {}

    /// The lifelines of a script, to its end.
    init(_ script: EventScript, batchSize: Int = 3) {
        script.forEachBatch(of: batchSize) { process($0, script.tables) }
        finish(script.tables)
    }

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

    func spans(of kind: LifelineKind) -> [LifelineSpan] { spans.filter { $0.kind == kind } }

    /// The states of a goroutine in few words, e.g. `running 10…20 broken`.
    func states(of goroutine: Int64) -> [String] {
        spans(of: .goroutineState).filter { $0.goroutine.rawValue == goroutine }.map {
            "\($0.state) \($0.startNanoseconds)…\($0.endNanoseconds)" + words($0.flags)
        }
    }

    private func words(_ flags: LifelineSpan.Flags) -> String {
        (flags.contains(.beganBefore) ? " before" : "") + (flags.contains(.isOpen) ? " open" : "")
            + (flags.contains(.isBroken) ? " broken" : "")
    }
}
