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
        guard let first = events.first, let last = events.last else { return }
        output.note(first: first.timeNanoseconds, last: last.timeNanoseconds)
        withOutput(roomFor: events.count) { core in
            var event = events.baseAddress!
            let end = event + events.count
            while event < end {
                core.take(event, tables)
                event += 1
            }
        }
    }

    mutating func finish() {
        output.clear()
        withOutput(roomFor: 0) { core in
            core.goroutines.finish(&core.output)
            core.procs.finish(&core.output)
            core.tasks.finish(&core.output)
            core.ranges.finish(&core.output)
        }
    }

    /// Lets `body` write its spans straight into the array: appending one by one costs more than all else.
    private mutating func withOutput(roomFor count: Int, _ body: (inout LifelineCore) -> Void) {
        var spans: [LifelineSpan] = []
        swap(&spans, &output.spans)
        spans.append(addingCapacity: count + 64) { room in
            room.withUnsafeMutableBufferPointer { buffer, initializedCount in
                output.open(buffer)
                body(&self)
                initializedCount = output.close()
            }
        }
        output.take(spans)
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
}

/// What the trackers write to, and the time frame they clip to.
struct LifelineOutput {
    fileprivate(set) var spans: [LifelineSpan] = []
    var lives: [GoroutineLife] = []
    private(set) var firstNanoseconds: Int64 = 0
    private(set) var lastNanoseconds: Int64 = 0
    private var hasBegun = false
    /// Room for spans; valid between `open` and `close`. There is always place for one more.
    private var room = UnsafeMutableBufferPointer<LifelineSpan>(start: nil, count: 0)
    private var next: UnsafeMutablePointer<LifelineSpan>!
    private var end: UnsafeMutablePointer<LifelineSpan>!
    /// The spans that were written before the room was full.
    private var earlier: [LifelineSpan] = []

    @inline(__always)
    mutating func add(_ span: LifelineSpan) {
        next.initialize(to: span)
        next += 1
        if next == end { makeRoom() }
    }

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

    fileprivate mutating func open(_ buffer: UnsafeMutableBufferPointer<LifelineSpan>) {
        room = buffer
        next = buffer.baseAddress
        end = next + buffer.count
    }

    /// Returns how many spans are in the room.
    fileprivate mutating func close() -> Int { next - room.baseAddress! }

    fileprivate mutating func take(_ last: [LifelineSpan]) {
        spans = earlier.isEmpty ? last : earlier + last
        if !earlier.isEmpty { earlier = [] }
    }

    /// An event ends one span, but the end of a goroutine ends all its regions, and the end all that is open.
    @inline(never)
    private mutating func makeRoom() {
        earlier += room
        next = room.baseAddress
    }
}
