import VestigeCore

/// Hand-made events, written down one by one, with the tables that they refer to.
///
/// Strings are given as text, and stacks as function names, innermost first. Unless it is said
/// otherwise an event happens in the context of the goroutine it is about, on proc 0 and thread 100.
public final class EventScript {
    public let tables = TraceTables()
    public private(set) var events: [Event] = []

    public init() { tables.sources.append(SourceInfo(path: "made-by-hand", format: "script")) }

    public func add(_ event: Event) { events.append(event) }

    public func string(_ text: String) -> StringID { tables.strings.intern(text) }

    public func stack(_ functions: [String]) -> StackID {
        tables.stacks.intern(
            innermostFirst: functions.map {
                Frame(programCounter: 0, function: string($0), file: string("/src/\($0).go"), line: 7)
            })
    }

    /// A goroutine goes from one state to another.
    /// - Parameter context: in whose context it happens; nil for its own.
    public func go(
        _ goroutine: Int64, _ from: GoroutineState, _ to: GoroutineState, at time: Int64, _ reason: String = "",
        by context: Int64? = nil, ownStack: [String] = [], stack: [String] = [], proc: Int32 = 0, thread: Int64 = 100
    ) {
        add(
            Event(
                kind: .goroutineTransition, timeNanoseconds: time, goroutine: GoroutineID(context ?? goroutine),
                proc: ProcID(proc), thread: ThreadID(thread), stack: self.stack(stack), name: string(reason),
                argument0: UInt64(bitPattern: goroutine), argument1: UInt64(self.stack(ownStack).rawValue),
                detail: Event.pack(from, to)))
    }

    public func proc(_ proc: Int32, _ from: ProcState, _ to: ProcState, at time: Int64, thread: Int64 = 100) {
        add(
            Event(
                kind: .procTransition, timeNanoseconds: time, proc: ProcID(proc), thread: ThreadID(thread),
                argument0: UInt64(bitPattern: Int64(proc)), detail: Event.pack(from, to)))
    }

    /// An event whose name and first arguments are all that matters: tasks, regions, logs, metrics.
    public func mark(
        _ kind: EventKind, _ name: String, at time: Int64, on goroutine: Int64 = -1, task: UInt64 = 0,
        _ argument1: UInt64 = .max, stack: [String] = []
    ) {
        add(
            Event(
                kind: kind, timeNanoseconds: time, goroutine: GoroutineID(goroutine), proc: ProcID(0),
                thread: ThreadID(100), stack: self.stack(stack), name: string(name), argument0: task,
                argument1: argument1))
    }

    public func range(
        _ kind: EventKind, _ name: String, at time: Int64, _ scope: Scope = .global, _ scopeID: Int64 = -1,
        on goroutine: Int64 = -1, swept: UInt64? = nil, reclaimed: UInt64 = 0
    ) {
        add(
            Event(
                kind: kind, timeNanoseconds: time, goroutine: GoroutineID(goroutine), proc: ProcID(0),
                thread: ThreadID(100), name: string(name), argument0: UInt64(bitPattern: scopeID),
                argument1: swept ?? 0, argument2: swept == nil ? 0 : reclaimed,
                detail: Event.pack(scope, attributes: swept == nil ? 0 : 2)))
    }

    public func sync(at time: Int64) {
        add(Event(kind: .sync, timeNanoseconds: time, argument0: 1))
    }

    /// Hands out the events in batches, as a reader would.
    public func forEachBatch(
        of size: Int = EventBatch.defaultCapacity, _ body: (UnsafeBufferPointer<Event>) throws -> Void
    ) rethrows {
        try events.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: size) {
                try body(UnsafeBufferPointer(rebasing: all[start..<min(start + size, all.count)]))
            }
        }
    }
}
