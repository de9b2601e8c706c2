import VestigeCore

/// One thing that happened to a goroutine, or that it did.
public struct LifelineEntry: BitwiseCopyable, Sendable {
    public enum Kind: BitwiseCopyable, Sendable {
        /// It was created by `other`.
        case created
        /// It was in a state, for `durationNanoseconds`; `other` ended that from outside.
        case state(GoroutineState)
        case regionBegin, regionEnd, taskBegin, taskEnd, log, rangeBegin, rangeEnd, sample
        case ended
    }

    public var kind: Kind
    public var timeNanoseconds: Int64
    /// Of states, and of regions that have ended; nil where there is none.
    public var durationNanoseconds: Int64?
    /// Reason, or the name of the region, task, range or category of the log message.
    public var name = StringID.empty
    /// Of a log.
    public var message = StringID.empty
    public var task = TaskID.absent
    /// Where it was.
    public var stack = StackID.absent
    /// Who created or woke it, and where that one was.
    public var other = GoroutineID.absent
    public var otherStack = StackID.absent
    public var proc = ProcID.absent
    public var thread = ThreadID.absent
    public var flags: LifelineSpan.Flags = []
    /// How many regions enclose it.
    public var depth: UInt32 = 0

    init(_ kind: Kind, at time: Int64) {
        self.kind = kind
        timeNanoseconds = time
    }
}

/// Puts together the story of one goroutine, in order: each state, followed by what it did in it.
///
/// An entry comes when the state that it belongs to has ended, so that memory follows what happens
/// within one state.
public struct LifelineStory {
    private let goroutine: GoroutineID
    /// What happened in the state that has not ended yet, in order of time.
    private var pending: [LifelineEntry] = []
    private var openRegions: UInt32 = 0
    /// True once the goroutine has been heard of.
    public private(set) var isKnown = false
    /// The nearest numbers of other goroutines, for whoever mistyped one.
    public private(set) var nearestBelow: GoroutineID?
    public private(set) var nearestAbove: GoroutineID?

    public init(of goroutine: GoroutineID) { self.goroutine = goroutine }

    /// Takes what a batch holds and what ended in it; hands over entries in order.
    public mutating func add(
        _ events: UnsafeBufferPointer<Event>, _ spans: UnsafeBufferPointer<LifelineSpan>,
        _ body: (LifelineEntry) -> Void
    ) {
        for event in events { note(event) }
        for span in spans where span.goroutine == goroutine && span.kind == .region && !span.flags.contains(.isOpen) {
            addDuration(span)
        }
        for span in spans where span.goroutine == goroutine && span.kind == .goroutineState { end(span, body) }
    }

    /// Hands over what is left.
    public mutating func finish(_ body: (LifelineEntry) -> Void) {
        for entry in pending { body(entry) }
        pending = []
    }

    private mutating func end(_ span: LifelineSpan, _ body: (LifelineEntry) -> Void) {
        handOver(through: span.startNanoseconds, where: { !$0.isWithinState }, body)
        var entry = LifelineEntry(.state(span.state), at: span.startNanoseconds)
        entry.durationNanoseconds = span.durationNanoseconds
        entry.name = span.name
        entry.stack = span.startStack != .absent ? span.startStack : span.endStack
        (entry.other, entry.otherStack) = (span.endedBy, span.endedByStack)
        (entry.proc, entry.thread, entry.flags) = (span.proc, span.thread, span.flags)
        body(entry)
        handOver(through: span.endNanoseconds, where: { $0.isWithinState }, body)
    }

    /// Hands over the first pending entries up to a time, as long as they are of a kind.
    private mutating func handOver(
        through time: Int64, where belongs: (LifelineEntry) -> Bool, _ body: (LifelineEntry) -> Void
    ) {
        var count = 0
        while count < pending.count, pending[count].timeNanoseconds <= time, belongs(pending[count]) {
            body(pending[count])
            count += 1
        }
        pending.removeFirst(count)
    }

    private mutating func note(_ event: Event) {
        if event.kind == .goroutineTransition { return noteTransition(event) }
        guard event.goroutine == goroutine, let kind = Self.kind(of: event) else { return }
        isKnown = true
        if event.kind == .rangeBegin || event.kind == .rangeEnd {
            guard event.scope == .goroutine, event.scopeID == goroutine.rawValue else { return }
        }
        var entry = LifelineEntry(kind, at: event.timeNanoseconds)
        entry.name = event.name
        entry.stack = event.stack
        (entry.proc, entry.thread) = (event.proc, event.thread)
        switch event.kind {
        case .taskBegin, .taskEnd, .regionBegin, .regionEnd, .log: entry.task = event.task
        default: break
        }
        if event.kind == .log { entry.message = event.message }
        if event.kind == .regionEnd, openRegions > 0 { openRegions -= 1 }
        entry.depth = openRegions
        if event.kind == .regionBegin { openRegions += 1 }
        pending.append(entry)
    }

    private mutating func noteTransition(_ event: Event) {
        let subject = event.subjectGoroutine
        guard subject == goroutine else {
            if subject < goroutine { nearestBelow = max(nearestBelow ?? subject, subject) }
            if subject > goroutine { nearestAbove = min(nearestAbove ?? subject, subject) }
            return
        }
        isKnown = true
        let isCreation = event.fromGoroutineState == .notExist && event.toGoroutineState != .notExist
        guard isCreation || event.toGoroutineState == .notExist else { return }
        var entry = LifelineEntry(isCreation ? .created : .ended, at: event.timeNanoseconds)
        if event.goroutine != goroutine { (entry.other, entry.otherStack) = (event.goroutine, event.stack) }
        entry.stack = event.transitionStack
        entry.name = event.name
        pending.append(entry)
    }

    /// The end of a region tells its length, which the event does not.
    private mutating func addDuration(_ span: LifelineSpan) {
        let end = pending.firstIndex { entry in
            guard case .regionEnd = entry.kind else { return false }
            return entry.timeNanoseconds == span.endNanoseconds && entry.durationNanoseconds == nil
        }
        guard let end else { return }
        pending[end].durationNanoseconds = span.durationNanoseconds
        pending[end].flags = span.flags
    }

    private static func kind(of event: Event) -> LifelineEntry.Kind? {
        switch event.kind {
        case .regionBegin: .regionBegin
        case .regionEnd: .regionEnd
        case .taskBegin: .taskBegin
        case .taskEnd: .taskEnd
        case .log: .log
        case .rangeBegin: .rangeBegin
        case .rangeEnd: .rangeEnd
        case .stackSample: .sample
        default: nil
        }
    }
}

extension LifelineEntry {
    /// True for what a goroutine does while it is in a state; false for its creation and end.
    fileprivate var isWithinState: Bool {
        switch kind {
        case .created, .ended: false
        default: true
        }
    }
}
