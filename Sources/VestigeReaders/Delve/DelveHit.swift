import VestigeCore

/// A breakpoint or tracepoint that was hit.
struct DelveHit {
    enum Kind: String {
        /// The target stopped there.
        case stop
        /// A tracepoint, which lets the target go on.
        case trace
        /// A tracepoint where a function returns.
        case `return`
    }

    var kind: Kind
    /// 0: no goroutine is known for the thread.
    var goroutine: Int64 = 0
    var thread: Int64 = 0
    /// The breakpoint's own name; empty where it has none.
    var name = ""
    var function = ""
    var stack = StackID.absent
    /// Arguments, results and variables, in the order in which they are shown.
    var values: [(name: String, value: String)] = []
    /// Facts about the hit itself.
    var facts: [(name: String, value: String)] = []

    func value(_ name: String) -> String? { values.first { $0.name == name }?.value }
}

/// Turns hits into events; and into the birth and death of goroutines where they prove those.
struct DelveLifecycle {
    private let state: DelveState
    /// Goroutines whose end has been told: the runtime passes several places on the way.
    private var ended: Set<Int64> = []
    private var born: Set<Int64> = []

    init(_ state: DelveState) { self.state = state }

    mutating func emit(_ hit: DelveHit, at time: Int64) {
        var list = hit.values.map { state.attribute($0.name, $0.value) }
        list.append(state.attribute("breakpoint.kind", hit.kind.rawValue))
        if !hit.function.isEmpty { list.append(state.attribute("breakpoint.function", hit.function)) }
        for fact in hit.facts { list.append(state.attribute("breakpoint.\(fact.name)", fact.value)) }
        let name = hit.name.isEmpty ? hit.function : hit.name
        state.emit(
            Event(
                kind: .breakpoint, timeNanoseconds: time, goroutine: Self.goroutine(hit.goroutine),
                thread: hit.thread == 0 ? .absent : ThreadID(hit.thread), stack: hit.stack, name: state.intern(name),
                argument1: UInt64(state.tables.observations.intern(list).rawValue)))
        emitTransition(hit, at: time)
    }

    private static func goroutine(_ id: Int64) -> GoroutineID { id == 0 ? .absent : GoroutineID(id) }

    private mutating func emitTransition(_ hit: DelveHit, at time: Int64) {
        switch hit.function {
        case "runtime.newproc1":
            // Where it returns, the new goroutine is complete. A coroutine is created parked, and only the
            // stack tells: without it nothing is certain.
            guard hit.kind == .return, let id = hit.value("newg.goid").flatMap({ Int64($0) }), id > 0,
                hit.stack != .absent, born.insert(id).inserted
            else { return }
            let isCoroutine = state.tables.stacks.frames(hit.stack).contains {
                state.tables.strings.string($0.function).hasPrefix("runtime.newcoro")
            }
            let reason = isCoroutine ? state.intern("coroutine") : .empty
            transition(id, .notExist, isCoroutine ? .waiting : .runnable, reason, hit, time)
        case "runtime.goexit1", "runtime.goexit0", "runtime.gdestroy":
            guard hit.kind != .return else { return }
            let id = hit.value("gp.goid").flatMap { Int64($0) } ?? hit.goroutine
            guard id > 0, ended.insert(id).inserted else { return }
            transition(id, .running, .notExist, .empty, hit, time)
        default: break
        }
    }

    private func transition(
        _ id: Int64, _ from: GoroutineState, _ to: GoroutineState, _ reason: StringID, _ hit: DelveHit, _ time: Int64
    ) {
        state.emit(
            Event(
                kind: .goroutineTransition, timeNanoseconds: time, goroutine: Self.goroutine(hit.goroutine),
                thread: hit.thread == 0 ? .absent : ThreadID(hit.thread), stack: hit.stack, name: reason,
                argument0: UInt64(bitPattern: id), detail: Event.pack(from, to)))
    }
}
