import VestigeCore

/// Turns events into lifelines: spans and summaries of lives.
///
/// Events come in order of time; those of several sources count as one process. Its memory follows
/// what is alive and open at one time, never the length of the recording. Whatever the events say, it
/// goes on: contradictions end a span with the flag `isBroken`, and times that go back count as no time.
public final class LifelineStage {
    private var core = LifelineCore()

    /// The spans that ended in the last `process` or `finish`, in the order in which they ended.
    public var spans: [LifelineSpan] { core.output.spans }
    /// The goroutines whose lives ended in the last `process` or `finish`.
    public var lives: [GoroutineLife] { core.output.lives }
    /// Time of the first and of the last event so far.
    public var firstNanoseconds: Int64 { core.output.firstNanoseconds }
    public var lastNanoseconds: Int64 { core.output.lastNanoseconds }

    public init() {}

    /// Takes the next events; afterwards `spans` and `lives` hold what they ended.
    public func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {
        core.process(events, tables)
    }

    /// Ends everything that is open at the time of the last event, marked `isOpen`. The spans come by
    /// goroutine (its regions, innermost first, then its state), then by proc, then tasks and ranges by
    /// their start.
    public func finish(tables: TraceTables) { core.finish() }

    /// The start function of a goroutine that is alive, as far as it is known now; empty if it is not.
    public func startFunction(of goroutine: GoroutineID) -> StringID { core.goroutines.startFunction(of: goroutine) }
}

/// The stage's state as one value, so that a batch costs one check for exclusive access.
struct LifelineCore: ~Copyable {
    var output = LifelineOutput()
    var goroutines = GoroutineTracker()
    var procs = ProcTracker()
    var tasks = TaskTracker()
    var ranges = RangeTracker()

    mutating func process(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) {
        output.clear()
        guard var event = events.baseAddress, !events.isEmpty else { return }
        output.note(first: event.pointee.timeNanoseconds, last: events[events.count - 1].timeNanoseconds)
        let end = event + events.count
        while event < end {
            take(event, tables)
            event += 1
        }
    }

    @inline(__always)
    private mutating func take(_ event: UnsafePointer<Event>, _ tables: TraceTables) {
        switch event.pointee.kind {
        case .goroutineTransition: goroutines.transition(event, tables, &output)
        case .procTransition: procs.transition(event, &output)
        case .stackSample: goroutines.stackSample(event)
        case .regionBegin: goroutines.regionBegin(event)
        case .regionEnd: goroutines.regionEnd(event, &output)
        case .taskBegin: tasks.begin(event, &output)
        case .taskEnd: tasks.end(event, &output)
        case .rangeBegin: ranges.begin(event, &output)
        case .rangeActive: ranges.active(event)
        case .rangeEnd: ranges.end(event, &output)
        case .sync, .metric, .label, .log, .experimental, .experimentalBatch: break
        }
    }

    mutating func finish() {
        output.clear()
        goroutines.finish(&output)
        procs.finish(&output)
        tasks.finish(&output)
        ranges.finish(&output)
    }
}

/// What the trackers write to, and the time frame they clip to.
struct LifelineOutput {
    var spans: [LifelineSpan] = []
    var lives: [GoroutineLife] = []
    var firstNanoseconds: Int64 = 0
    var lastNanoseconds: Int64 = 0
    private var hasBegun = false

    mutating func clear() {
        spans.removeAll(keepingCapacity: true)
        lives.removeAll(keepingCapacity: true)
    }

    mutating func note(first: Int64, last: Int64) {
        if !hasBegun {
            (firstNanoseconds, lastNanoseconds, hasBegun) = (first, first, true)
        }
        lastNanoseconds = max(lastNanoseconds, last)
    }
}
