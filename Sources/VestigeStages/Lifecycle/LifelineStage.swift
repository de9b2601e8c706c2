import VestigeCore

/// Turns events into lifelines: spans and summaries of lives.
public final class LifelineStage {
    /// The spans that ended in the last `process` or `finish`, in the order in which they ended.
    public private(set) var spans: [LifelineSpan] = []
    /// The goroutines whose lives ended in the last `process` or `finish`.
    public private(set) var lives: [GoroutineLife] = []
    /// Time of the first and of the last event so far.
    public private(set) var firstNanoseconds: Int64 = 0
    public private(set) var lastNanoseconds: Int64 = 0

    public init() {}

    /// Takes the next events; afterwards `spans` and `lives` hold what they ended.
    public func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {}

    /// Ends everything that is open at the time of the last event, marked `isOpen`.
    public func finish(tables: TraceTables) {}

    /// The start function of a goroutine that is alive, as far as it is known now.
    public func startFunction(of goroutine: GoroutineID) -> StringID { .empty }
}
