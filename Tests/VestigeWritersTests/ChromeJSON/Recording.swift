import Vestige

/// Events made by hand: each method takes the time in nanoseconds since the recording began.
struct Recording {
    let tables = TraceTables()
    private(set) var events: [Event] = []
    private let origin: Int64 = 1_000_000_000_000

    func string(_ text: String) -> StringID { tables.strings.intern(text) }

    /// A stack of functions, innermost first, as `name` in `/src/name.go:1`.
    func stack(_ functions: String...) -> StackID {
        tables.stacks.intern(
            innermostFirst: functions.map {
                Frame(programCounter: 0, function: string($0), file: string("/src/\($0).go"), line: 7)
            })
    }

    mutating func add(_ time: Int64, _ event: Event) {
        var event = event
        event.timeNanoseconds = origin &+ time
        events.append(event)
    }

    /// A goroutine's transition, in the context of `by` (nil: its own).
    mutating func transition(
        _ time: Int64, _ goroutine: Int64, _ from: GoroutineState, _ to: GoroutineState, by: Int64? = nil,
        proc: Int32 = 0, thread: Int64 = 100, reason: String = "", stack: StackID = .absent, own: StackID = .absent
    ) {
        add(
            time,
            Event(
                kind: .goroutineTransition, timeNanoseconds: 0, goroutine: GoroutineID(by ?? goroutine),
                proc: ProcID(proc), thread: ThreadID(thread), stack: stack, name: string(reason),
                argument0: UInt64(bitPattern: goroutine), argument1: UInt64(own.rawValue), detail: Event.pack(from, to))
        )
    }

    mutating func procStops(_ time: Int64, _ proc: Int32) {
        add(
            time,
            Event(
                kind: .procTransition, timeNanoseconds: 0, argument0: UInt64(proc),
                detail: Event.pack(ProcState.running, ProcState.idle)))
    }

    mutating func region(_ time: Int64, _ kind: EventKind, _ name: String, on goroutine: Int64, task: UInt64 = 0) {
        add(
            time,
            Event(
                kind: kind, timeNanoseconds: 0, goroutine: GoroutineID(goroutine), name: string(name), argument0: task))
    }

    mutating func range(
        _ time: Int64, _ kind: EventKind, _ name: String, _ scope: Scope, _ id: Int64 = -1, by goroutine: Int64 = -1,
        attributes: (UInt64, UInt64)? = nil
    ) {
        add(
            time,
            Event(
                kind: kind, timeNanoseconds: 0, goroutine: GoroutineID(goroutine), name: string(name),
                argument0: UInt64(bitPattern: id), argument1: attributes?.0 ?? 0, argument2: attributes?.1 ?? 0,
                detail: Event.pack(scope, attributes: attributes == nil ? 0 : 2)))
    }

    mutating func metric(_ time: Int64, _ name: String, _ value: UInt64) {
        add(time, Event(kind: .metric, timeNanoseconds: 0, name: string(name), argument0: value))
    }

    /// Goroutine 1 creates goroutine 18 and wakes it from waits of several reasons.
    static var wakeUps: Recording {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running, own: recording.stack("main.main"))
        recording.transition(1, 18, .notExist, .runnable, by: 1, own: recording.stack("main.worker"))
        var time: Int64 = 10
        for reason in ["chan receive", "sync", "select", "sleep", "chan send", "select (no cases)", ""] {
            recording.transition(time, 18, .runnable, .running, by: -1, proc: 1, thread: 101)
            recording.transition(time + 10, 18, .running, .waiting, proc: 1, thread: 101, reason: reason)
            // It is confirmed, without the reason.
            recording.transition(time + 20, 18, .waiting, .waiting, by: -1)
            recording.transition(time + 30, 18, .waiting, .runnable, by: 1)
            time += 100
        }
        return recording
    }

    static let wakeUpNames = [
        "1 creates", "40 channel hand-over", "140 wakes", "240 channel hand-over", "340 wakes", "440 channel hand-over",
        "540 wakes", "640 wakes",
    ]

    static let wakeUpKinds: [(FlowKinds, Set<String>)] = [
        (.creation, ["1 creates"]), ([.wakeUp], ["140 wakes", "340 wakes", "540 wakes", "640 wakes"]),
        (.channel, ["40 channel hand-over", "240 channel hand-over", "440 channel hand-over"]), ([], []),
    ]

    /// Goroutine 1 creates goroutine 18, which waits, is woken and ends.
    static var small: Recording {
        var recording = Recording()
        let start = recording.stack("main.worker")
        recording.transition(0, 1, .undetermined, .running, own: recording.stack("main.f", "main.main"))
        recording.transition(1000, 18, .notExist, .runnable, by: 1, stack: recording.stack("main.main"), own: start)
        recording.transition(2000, 18, .runnable, .running, by: -1, proc: 1, thread: 101)
        recording.transition(
            5000, 18, .running, .waiting, proc: 1, thread: 101, reason: "chan receive",
            own: recording.stack("runtime.chanrecv1", "main.worker"))
        recording.transition(
            7123, 18, .waiting, .runnable, by: 1, stack: recording.stack("runtime.chansend1", "main.main"))
        recording.transition(8000, 18, .runnable, .running, by: -1, proc: 1, thread: 101)
        recording.transition(9000, 18, .running, .notExist, proc: 1, thread: 101)
        recording.transition(9500, 1, .running, .notExist)
        return recording
    }
}
