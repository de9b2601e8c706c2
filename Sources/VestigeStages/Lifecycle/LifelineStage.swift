import VestigeCore

/// Turns events into lifelines: spans and summaries of lives.
///
/// Events come in order of time; those of several sources count as one process. Its memory follows
/// what is alive and open at one time, never the length of the recording. Whatever the events say, it
/// goes on: contradictions end a span with the flag `isBroken`, and times that go back count as no time.
public final class LifelineStage {
    private let state = HeapValue(LifelineCore())
    private var core: UnsafeMutablePointer<LifelineCore> { state.pointer }

    /// The spans that ended in the last `process` or `finish`, in the order in which they ended; valid
    /// until the next.
    public var spans: UnsafeBufferPointer<LifelineSpan> { core.pointee.output.spans }
    /// The goroutines whose lives ended in the last `process` or `finish`.
    public var lives: [GoroutineLife] { core.pointee.output.lives }
    /// Time of the first and of the last event so far.
    public var firstNanoseconds: Int64 { core.pointee.output.firstNanoseconds }
    public var lastNanoseconds: Int64 { core.pointee.output.lastNanoseconds }

    public init() {}

    /// Takes the next events; afterwards `spans` and `lives` hold what they ended.
    public func process(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {
        core.pointee.process(events, tables)
    }

    /// Ends everything that is open at the time of the last event, marked `isOpen`. The spans come by
    /// goroutine (its regions, innermost first, then its state), then by proc, then tasks and ranges by
    /// their start.
    public func finish(tables: TraceTables) { core.pointee.finish() }

    /// The start function of a goroutine that is alive, as far as it is known now; empty if it is not.
    public func startFunction(of goroutine: GoroutineID) -> StringID {
        core.pointee.goroutines.startFunction(of: goroutine)
    }
}

/// The stage's state as one value.
struct LifelineCore: ~Copyable {
    var output = LifelineOutput()
    var goroutines = GoroutineTracker()
    var procs = ProcTracker()
    var tasks = TaskTracker()
    var ranges = RangeTracker()

    deinit { output.deallocate() }

    mutating func process(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) {
        output.clear()
        guard let first = events.baseAddress, events.count > 0 else { return }
        let end = first + events.count
        output.note(first: first.pointee.timeNanoseconds, last: end[-1].timeNanoseconds)
        var event = first
        while event < end {
            take(event, tables)
            event += 1
        }
    }

    mutating func finish() {
        output.clear()
        goroutines.finish(&output)
        procs.finish(&output)
        tasks.finish(&output)
        ranges.finish(&output)
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
        case .sync, .metric, .label, .log, .experimental, .experimentalBatch, .observed, .breakpoint: break
        }
    }
}

/// What the trackers write to, and the time frame they clip to. Whoever made it calls `deallocate`.
struct LifelineOutput {
    var lives: [GoroutineLife] = []
    private(set) var firstNanoseconds: Int64 = 0
    private(set) var lastNanoseconds: Int64 = 0
    private var hasBegun = false
    /// Memory for spans, and how far it is filled: appending to an array one by one costs more than all
    /// else. There is always place for one more.
    private var start: UnsafeMutablePointer<LifelineSpan>
    private var next: UnsafeMutablePointer<LifelineSpan>
    private var end: UnsafeMutablePointer<LifelineSpan>

    init() {
        start = .allocate(capacity: 64)
        next = start
        end = start + 64
    }

    func deallocate() { start.deallocate() }

    var spans: UnsafeBufferPointer<LifelineSpan> { UnsafeBufferPointer(start: start, count: next - start) }

    @inline(__always)
    mutating func add(_ span: LifelineSpan) {
        next.initialize(to: span)
        next += 1
        if next == end { makeRoom() }
    }

    mutating func clear() {
        next = start
        if !lives.isEmpty { lives.removeAll(keepingCapacity: true) }
    }

    mutating func note(first: Int64, last: Int64) {
        if !hasBegun {
            (firstNanoseconds, lastNanoseconds, hasBegun) = (first, first, true)
        }
        lastNanoseconds = max(lastNanoseconds, last)
    }

    @inline(never)
    private mutating func makeRoom() {
        let count = next - start
        let larger = UnsafeMutablePointer<LifelineSpan>.allocate(capacity: count * 2)
        larger.moveInitialize(from: start, count: count)
        start.deallocate()
        start = larger
        next = larger + count
        end = larger + count * 2
    }
}
