/// What is remembered of goroutines, procs and code while a segment's events pass in order of time, to
/// predict what the next event says. A wrong prediction costs bytes, never correctness: so tables have a
/// fixed size, and what falls into the same place shares it.
///
/// Part of the archive format: encoder and decoder must predict the same, bit for bit.
struct SchedulerModel: ~Copyable {
    enum Status: UInt8 {
        case other
        case runnable
        case waiting
    }

    /// A goroutine, by the low bits of its id.
    struct Goroutine {
        var id: UInt64 = 0
        var sequence: UInt64 = 0
        /// The task it began or was in last.
        var task: UInt64 = 0
        /// Who made it runnable last.
        var wakener: UInt64 = 0
        /// The stack of its last event, which tells where in the code it is.
        var stack: UInt64 = 0
        var status = Status.other
        /// Where it waits.
        var waitClass: UInt8 = 0
    }

    /// A proc, by the low bits of its id.
    struct Proc {
        var sequence: UInt64 = 0
        var lastCreated: UInt64 = 0
        /// The goroutine that it runs next, before those in its queue.
        var next: UInt64 = 0
        var thread: UInt64 = 0
    }

    /// The two values that followed something last, the later one first.
    struct Candidates {
        var first: UInt64 = 0
        var second: UInt64 = 0
    }

    static let goroutineCount: UInt64 = 1 << 14
    static let procCount: UInt64 = 1 << 8
    static let contextBits: UInt64 = 14
    static let waitClassCount: UInt64 = 1 << 8
    /// The queue of goroutines that no proc has.
    static let globalQueue = Int(procCount)

    let goroutines: UnsafeMutablePointer<Goroutine>
    let procs: UnsafeMutablePointer<Proc>
    let contexts: UnsafeMutablePointer<Candidates>
    /// The last value of each argument of each event.
    let last: UnsafeMutablePointer<UInt64>
    let runQueues = GoroutineQueues(count: Int(procCount) + 1)
    let waitQueues = GoroutineQueues(count: Int(waitClassCount))
    var highestGoroutine: UInt64 = 0
    var highestTask: UInt64 = 0
    var gcSequence: UInt64 = 0

    init() {
        goroutines = .allocate(capacity: Int(Self.goroutineCount))
        procs = .allocate(capacity: Int(Self.procCount))
        contexts = .allocate(capacity: 1 << Int(Self.contextBits))
        last = .allocate(capacity: ModelEvent.rowCount * ModelEvent.mostArguments)
        goroutines.initialize(repeating: Goroutine(), count: Int(Self.goroutineCount))
        procs.initialize(repeating: Proc(), count: Int(Self.procCount))
        contexts.initialize(repeating: Candidates(), count: 1 << Int(Self.contextBits))
        last.initialize(repeating: 0, count: ModelEvent.rowCount * ModelEvent.mostArguments)
    }

    deinit {
        goroutines.deallocate()
        procs.deallocate()
        contexts.deallocate()
        last.deallocate()
    }

    @inline(__always) func goroutine(_ id: UInt64) -> UnsafeMutablePointer<Goroutine> {
        goroutines + Int(id % Self.goroutineCount)
    }

    @inline(__always) func procIndex(_ id: UInt64) -> Int { Int(id % Self.procCount) }

    /// What kind of thing a context is about, so that equal numbers do not meet.
    enum ContextKind: UInt64 {
        case stack, ownStack, reason, target, name, waitClass, parent, label
    }

    /// Where the candidates for what follows `a` and `b` are.
    @inline(__always) func context(
        _ kind: ContextKind, _ a: UInt64, _ b: UInt64 = 0
    ) -> UnsafeMutablePointer<Candidates> {
        let mixed = a &* 0x9e37_79b9_7f4a_7c15 ^ (b &+ kind.rawValue &<< 56) &* 0xc2b2_ae3d_27d4_eb4f
        return contexts + Int((mixed &* 0x9e37_79b9_7f4a_7c15) &>> (64 - Self.contextBits))
    }

    /// The goroutine that has been in a run queue longest; 0 if none is known.
    @inline(__always) func firstRunnable(_ queue: Int) -> UInt64 {
        runQueues.first(of: queue) { goroutine($0).pointee.id == $0 && goroutine($0).pointee.status == .runnable }
    }

    /// The goroutine that has waited longest in a place; 0 if none is known.
    @inline(__always) func firstWaiting(_ waitClass: UInt64) -> UInt64 {
        let place = UInt8(truncatingIfNeeded: waitClass)
        return waitQueues.first(of: Int(place)) {
            let record = goroutine($0)
            return record.pointee.id == $0 && record.pointee.status == .waiting && record.pointee.waitClass == place
        }
    }

    /// A goroutine became runnable on a proc, which will run it next.
    @inline(__always) func makeRunnable(_ id: UInt64, on proc: UInt64) {
        let record = goroutine(id)
        record.pointee.id = id
        record.pointee.status = .runnable
        let index = procIndex(proc)
        if procs[index].next != 0 { runQueues.push(procs[index].next, to: index) }
        procs[index].next = id
    }
}
