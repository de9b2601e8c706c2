import VestigeCore

/// What is known of a proc.
struct ProcRecord: PagedElement {
    var isOccupied = false
    var state: ProcState = .undetermined
    var source: UInt8 = 0
    var proc: ProcID = .absent
    var startNanoseconds: Int64 = 0
    var thread: ThreadID = .absent
    var reason: StringID = .empty
    var spanFlags: LifelineSpan.Flags = []
    var began = Int64.min

    static var vacant: ProcRecord { ProcRecord() }

    mutating func enter(_ newState: ProcState, _ event: UnsafePointer<Event>) {
        state = newState
        source = event.pointee.source
        startNanoseconds = event.pointee.timeNanoseconds
        thread = newState == .running ? event.pointee.thread : .absent
        reason = event.pointee.name
        (spanFlags, began) = event.pointee.isSynthetic ? ([.beganBefore], event.pointee.sinceNanoseconds) : ([], .min)
    }

    func span(endingAt time: Int64, flags: LifelineSpan.Flags) -> LifelineSpan {
        var span = LifelineSpan()
        span.kind = .procState
        span.procState = state
        span.proc = proc
        span.startNanoseconds = startNanoseconds
        span.endNanoseconds = max(startNanoseconds, time)
        span.thread = thread
        span.name = reason
        span.flags = flags.union(spanFlags)
        span.began = began
        span.source = source
        return span
    }
}

/// Follows the states of procs. A span of a running proc names the thread that started it.
struct ProcTracker: ~Copyable {
    private var records = PagedTable<ProcRecord>()

    mutating func transition(_ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        let (from, to) = (event.pointee.fromProcState, event.pointee.toProcState)
        let proc = event.pointee.subjectProc
        guard let record = records.find(Int64(proc.rawValue)) else { return discover(event, from, to, &output) }
        let state = record.pointee.state
        if to == state, from == to || from == .undetermined { return }
        let time = event.pointee.timeNanoseconds
        // What follows, or what came before, has been left out.
        let (isLeaving, isBack) = (event.pointee.isSynthetic && to == .undetermined, state == .undetermined)
        let flags: LifelineSpan.Flags = isLeaving ? .isOpen : from == state ? [] : .isBroken
        let span = record.pointee.span(endingAt: time, flags: flags)
        let isEmpty = span.flags.contains(.beganBefore) && span.endNanoseconds == span.startNanoseconds
        if !isBack, !isEmpty { output.add(span) }
        if to == .notExist {
            records.remove(Int64(proc.rawValue))
        } else {
            record.pointee.enter(to, event)
        }
    }

    private mutating func discover(
        _ event: UnsafePointer<Event>, _ from: ProcState, _ to: ProcState, _ output: inout LifelineOutput
    ) {
        var record = ProcRecord()
        record.isOccupied = true
        record.proc = event.pointee.subjectProc
        record.source = event.pointee.source
        let time = event.pointee.timeNanoseconds
        if from != .notExist, time > output.firstNanoseconds, !event.pointee.isSynthetic {
            record.startNanoseconds = output.firstNanoseconds
            output.add(record.span(endingAt: time, flags: .beganBefore))
        }
        guard to != .notExist else { return }
        record.enter(to, event)
        records.insert(Int64(record.proc.rawValue), record)
    }

    func forEachAlive(_ body: (UnsafePointer<ProcRecord>) -> Void) {
        records.forEach { body($1) }
    }

    mutating func finish(_ output: inout LifelineOutput) {
        let time = output.lastNanoseconds
        records.forEach { _, record in
            if record.pointee.state != .undetermined { output.add(record.pointee.span(endingAt: time, flags: .isOpen)) }
        }
        records = PagedTable()
    }
}
