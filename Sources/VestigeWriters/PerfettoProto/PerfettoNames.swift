/// Names of events that are the same in every file. Raw values are interning ids.
enum FixedName: UInt64, CaseIterable {
    case running = 1
    case runnable, syscall, waiting, wakes, creates, handsOver

    init(_ flow: Flow) {
        switch flow {
        case .creation: self = .creates
        case .wakeUp: self = .wakes
        case .channel: self = .handsOver
        }
    }

    var text: StaticString {
        switch self {
        case .running: "running"
        case .runnable: "runnable"
        case .syscall: "syscall"
        case .waiting: "waiting"
        case .wakes: Flow.wakeUp.name
        case .creates: Flow.creation.name
        case .handsOver: Flow.channel.name
        }
    }
}

/// Categories, by which SQL can tell the kinds of events. States, by far the most, have none. Raw values are interning ids.
enum EventCategory: UInt64, CaseIterable {
    case region = 1
    case task, log, label, range, wake, thread, observed

    var text: StaticString {
        switch self {
        case .region: "region"
        case .task: "task"
        case .log: "log"
        case .label: "label"
        case .range: "range"
        case .wake: "wake"
        case .thread: "thread"
        case .observed: "observed"
        }
    }
}

/// Names of debug annotations. Raw values are interning ids.
enum AnnotationName: UInt64, CaseIterable {
    case stack = 1
    case reason, proc, thread, goroutine, task, message, category
    case createdBy, createdAt, endedBy, endedAt, parentTask, begunBy
    case bytesSwept, bytesReclaimed, beganBefore, goesOn, endIsLost
    case clippedBefore, clippedBeforeNanoseconds, clippedAfter
    case spans, running, runningNanoseconds, runnable, runnableNanoseconds, waiting, waitingNanoseconds
    case syscall, syscallNanoseconds, minSpanNanoseconds
    case state, count, leastWait, leaked, durable, scan, locked, system, stackUnavailable
    case bubble, elided, stray, labels, attributes

    var text: StaticString {
        switch self {
        case .stack: "stack"
        case .reason: "reason"
        case .proc: "proc"
        case .thread: "thread"
        case .goroutine: "goroutine"
        case .task: "task"
        case .message: "message"
        case .category: "category"
        case .createdBy: "created_by"
        case .createdAt: "created_at"
        case .endedBy: "ended_by"
        case .endedAt: "ended_at"
        case .parentTask: "parent_task"
        case .begunBy: "begun_by"
        case .bytesSwept: "bytes_swept"
        case .bytesReclaimed: "bytes_reclaimed"
        case .beganBefore: "began_before_recording"
        case .goesOn: "goes_on_after_recording"
        case .endIsLost: "end_is_lost"
        case .spans: "spans"
        case .running: "running"
        case .runningNanoseconds: "running_ns"
        case .runnable: "runnable"
        case .runnableNanoseconds: "runnable_ns"
        case .waiting: "waiting"
        case .waitingNanoseconds: "waiting_ns"
        case .syscall: "syscall"
        case .syscallNanoseconds: "syscall_ns"
        case .minSpanNanoseconds: "min_span_ns"
        case .clippedBefore: "clipped_before"
        case .clippedBeforeNanoseconds: "clipped_before_ns"
        case .clippedAfter: "clipped_after"
        case .state: "state"
        case .count: "count"
        case .leastWait: "wait_ns_at_least"
        case .leaked: "leaked"
        case .durable: "durable"
        case .scan: "scan"
        case .locked: "locked"
        case .system: "system"
        case .stackUnavailable: "stack_unavailable"
        case .bubble: "bubble"
        case .elided: "elided"
        case .stray: "stray"
        case .labels: "labels"
        case .attributes: "attributes"
        }
    }
}
