import VestigeCore

/// Shows Go's scheduler as an operating system's: procs are its CPUs, goroutines its threads, and those of one start
/// function are a process. So viewers' own tools for scheduling (rows of CPUs, states of threads, who woke whom, what a
/// thread was blocked on) work on goroutines.
///
/// - A running goroutine has its proc's CPU; waiting is an interruptible sleep whose blocked function is
///   Go's wait reason, followed by the stack at which it waits.
/// - A goroutine in a system call leaves the CPU for an uninterruptible sleep on I/O, although its proc
///   is not free for others until it is taken away: so the time that a thread runs is the time that Go
///   calls running. The blocked function is then `syscall`.
/// - Whoever is woken by no goroutine (timers, network) is woken by the idle thread, number 0.
/// - Goroutines end as dead threads, in state X.
///
/// Of several processes each has threads and CPUs of its own: P0 of the second may be CPU 500.
///
/// States that no scheduler event can establish (a goroutine that waits when the recording begins, or that
/// no goroutine creates) are set by generic task events.
final class SchedulerEvents {
    /// How many CPUs there are for the procs: the trace processor refuses a whole trace that has one above 1024.
    let cpuLimit: Int32
    /// The CPU of P0.
    private let firstCPU: UInt64
    /// Procs that are no CPUs for that reason, and have run goroutines.
    private(set) var procsBeyond: Set<Int32> = []
    private let process: OutputProcess
    /// By start function: the number of the goroutine whose thread is the main one of its process, or 0.
    private var groups: [UInt32] = []

    /// States as Linux names them in `sched_switch`.
    private enum ThreadState {
        static let runnable: UInt64 = 0
        static let sleeping: UInt64 = 1
        static let uninterruptible: UInt64 = 2
        static let dead: UInt64 = 16

        static func of(_ state: GoroutineState) -> UInt64 {
            switch state {
            case .waiting: sleeping
            case .syscall: uninterruptible
            case .notExist: dead
            case .runnable, .running, .undetermined: runnable
            }
        }
    }

    private let packets: PacketWriter
    private var cpus: [CPUBundle?] = []
    /// Wait reasons with their stacks that have been interned, and those that the next bundle interns.
    private var blocked = BlockedFunctions()
    private let newSymbols = ProtoBuffer(capacity: 1024)

    init(_ packets: PacketWriter) {
        self.packets = packets
        process = packets.process
        cpuLimit = process.isOnly ? 1024 : Self.cpuCount(process.count)
        firstCPU = process.isOnly ? 0 : UInt64(process.number - 1) * UInt64(cpuLimit)
    }

    /// How many CPUs each of several processes gets: a round number, so that one sees whose a CPU is.
    private static func cpuCount(_ processCount: Int) -> Int32 {
        [500, 200, 100, 50, 20, 10].first { Int($0) * processCount <= 1000 } ?? Int32(max(1, 1000 / processCount))
    }

    deinit { newSymbols.deallocate() }

    private var buffer: ProtoBuffer { packets.buffer }

    // MARK: - Packets

    private func packet(_ time: UInt64?, _ body: () -> Void) {
        let packet = buffer.begin(PerfettoField.tracePacket)
        if let time { buffer.field(PerfettoField.Packet.timestamp, time) }
        buffer.field(PerfettoField.Packet.sequenceID, packets.sequence + 1)
        body()
        buffer.end(packet)
    }

    /// The first packet.
    func open() {
        packet(0) {
            buffer.field(PerfettoField.Packet.incrementalStateCleared, true)
            buffer.field(PerfettoField.Packet.sequenceFlags, PacketWriter.stateClearedFlags)
        }
    }

    /// The process of a goroutine's thread, which a thread cannot leave: that of its start function, as far as it is
    /// known now. Viewers color by process. Its id is that of its first thread, since ids of both must differ.
    func pid(of row: UnsafeMutablePointer<GoroutineTrack>) -> UInt64 {
        guard isThread(row.pointee.number) else { return 0 }
        if row.pointee.process != 0 { return tid(row.pointee.process) }
        let function = row.pointee.startFunction
        let index = Int(function.rawValue)
        if index >= groups.count { groups.append(contentsOf: repeatElement(0, count: index + 1 - groups.count)) }
        if groups[index] == 0 {
            groups[index] = row.pointee.number
            name(process: tid(row.pointee.number), function)
        }
        row.pointee.process = groups[index]
        return tid(row.pointee.process)
    }

    private func name(process pid: UInt64, _ function: StringID) {
        packet(nil) {
            let tree = buffer.begin(PerfettoField.Packet.processTree)
            let entry = buffer.begin(PerfettoField.ProcessTree.processes)
            buffer.field(PerfettoField.ProcessTree.pid, pid)
            let name = packets.text.make {
                if !process.isOnly {
                    $0.append(process.name)
                    // Perfetto takes what is behind a blank for arguments.
                    $0.buffer.append("/")
                }
                if function == .empty { $0.buffer.append("(unknown)") }
                $0.append(function, packets.tables)
            }
            buffer.field(PerfettoField.ProcessTree.commandLine, name)
            buffer.end(entry)
            buffer.end(tree)
        }
    }

    /// Names a thread. Names may come late, when more is known of a goroutine.
    func name(_ row: UnsafeMutablePointer<GoroutineTrack>, _ body: (PerfettoText) -> Void) {
        guard isThread(row.pointee.number) else { return }
        let (pid, thread) = (pid(of: row), tid(row.pointee.number))
        packet(nil) {
            let tree = buffer.begin(PerfettoField.Packet.processTree)
            let entry = buffer.begin(PerfettoField.ProcessTree.threads)
            buffer.field(PerfettoField.ProcessTree.tid, thread)
            buffer.field(PerfettoField.ProcessTree.threadName, packets.text.make(body))
            buffer.field(PerfettoField.ProcessTree.threadProcess, pid)
            buffer.end(entry)
            buffer.end(tree)
        }
    }

    /// Thread numbers have 31 bits: goroutines beyond them are shown as tracks only.
    private func isThread(_ number: UInt32) -> Bool { process.unique(UInt64(number)) <= UInt64(Int32.max) }

    private func write(_ bundle: CPUBundle) {
        packet(nil) {
            buffer.field(PerfettoField.Packet.sequenceFlags, PacketWriter.needsIncrementalState)
            let content = buffer.begin(PerfettoField.Packet.ftraceEvents)
            bundle.write(to: buffer)
            buffer.end(content)
            if newSymbols.isEmpty { return }
            buffer.field(PerfettoField.Packet.internedData, newSymbols.pending)
            newSymbols.removeAll()
        }
    }

    private func intern(_ symbol: UInt64, _ body: (PerfettoText) -> Void) {
        let entry = newSymbols.begin(PerfettoField.Interned.kernelSymbols)
        newSymbols.field(PerfettoField.Interned.iid, symbol)
        newSymbols.field(PerfettoField.Interned.text, packets.text.make(body))
        newSymbols.end(entry)
    }

    /// The thread of a goroutine's number; 0, none, for one that has no thread.
    func tid(_ number: UInt32) -> UInt64 {
        isThread(number) && number != 0 ? process.unique(UInt64(number)) : 0
    }

    /// The CPU of a proc; nil for no proc, and for the numbers that Go 1.5–1.21 use for timers and the like.
    func cpuNumber(_ proc: ProcID) -> UInt64? {
        proc.rawValue >= 0 && proc.rawValue < cpuLimit ? firstCPU + UInt64(proc.rawValue) : nil
    }

    @inline(__always) private func cpu(_ proc: ProcID) -> CPUBundle? {
        guard proc.rawValue >= 0, proc.rawValue < cpuLimit, firstCPU <= 1024 else { return nil }
        let index = Int(proc.rawValue)
        if index >= cpus.count { cpus.append(contentsOf: repeatElement(nil, count: index + 1 - cpus.count)) }
        if let cpu = cpus[index] { return cpu }
        let cpu = CPUBundle(cpu: firstCPU + UInt64(index))
        cpus[index] = cpu
        return cpu
    }

    // MARK: - Transitions

    /// A goroutine changes state. `cause` is the number of the goroutine in whose context it happens, 0 if
    /// there is none or it is itself. `displaced` is called if the CPU was another goroutine's until now.
    func transition(
        _ event: Event, _ row: UnsafeMutablePointer<GoroutineTrack>, cause: UInt32, displaced: (GoroutineID) -> Void
    ) {
        guard isThread(row.pointee.number) else { return }
        let thread = UInt32(truncatingIfNeeded: tid(row.pointee.number))
        let (from, to) = (row.pointee.state, event.toGoroutineState)
        let time = packets.fileTime(event.timeNanoseconds)
        let here = cpu(event.proc)
        if to == .running, let here {
            leave(row, .runnable, at: time)
            if here.current != 0 { displaced(here.goroutine) }
            here.switchThread(to: thread, previousState: ThreadState.runnable, at: time)
            here.goroutine = event.subjectGoroutine
            row.pointee.cpu = event.proc
            return flush(here)
        }
        if to == .running { noteBeyond(event.proc) }
        guard let explainer = here ?? cpu(ProcID(0)) else { return }
        if leave(row, to, at: time) {
            // It went by itself.
        } else if to == .runnable, from == .waiting || from == .syscall || isCreated(event, by: cause) {
            // (An event for the creation of a thread would put it in its creator's process.)
            explainer.wake(thread, by: UInt32(truncatingIfNeeded: tid(cause)), at: time)
        } else {
            set(thread, to, at: time)
        }
        if to == .waiting || to == .syscall { explain(thread, event, explainer, at: time + 1) }
        flush(explainer)
    }

    private func isCreated(_ event: Event, by cause: UInt32) -> Bool {
        event.fromGoroutineState == .notExist && cause != 0
    }

    @inline(never)
    private func noteBeyond(_ proc: ProcID) {
        if proc.rawValue >= cpuLimit { procsBeyond.insert(proc.rawValue) }
    }

    /// Takes a goroutine off its CPU, if it has one.
    @discardableResult
    private func leave(_ row: UnsafeMutablePointer<GoroutineTrack>, _ state: GoroutineState, at time: UInt64) -> Bool {
        guard let old = cpu(row.pointee.cpu) else { return false }
        row.pointee.cpu = .absent
        old.switchThread(to: 0, previousState: ThreadState.of(state), at: time)
        old.goroutine = .absent
        flush(old)
        return true
    }

    private func flush(_ cpu: CPUBundle) {
        if cpu.isFull { write(cpu) }
    }

    /// Sets a state that does not follow from the one before.
    private func set(_ thread: UInt32, _ state: GoroutineState, at time: UInt64) {
        let value: UInt64
        switch state {
        case .runnable: value = 2
        case .waiting: value = 4
        case .syscall: value = 5
        case .notExist: value = 8
        // Nothing is known, or it runs on a proc that is no CPU.
        case .undetermined, .running: return
        }
        packet(time) {
            let content = buffer.begin(PerfettoField.Packet.taskState)
            buffer.field(PerfettoField.TaskState.thread, UInt64(thread))
            buffer.field(PerfettoField.TaskState.state, value)
            buffer.field(PerfettoField.TaskState.priority, 120)
            buffer.end(content)
        }
    }

    /// Says what a thread is blocked in: `chan receive ← main.worker (main.go:42) ← …`.
    private func explain(_ thread: UInt32, _ event: Event, _ cpu: CPUBundle, at time: UInt64) {
        let isSyscall = event.toGoroutineState == .syscall
        guard isSyscall || event.name != .empty else { return }
        let stack = event.transitionStack
        let (symbol, isNew) = blocked.number(isSyscall ? .syscall : .waiting(event.name), at: stack)
        if isNew {
            intern(symbol) {
                if isSyscall { $0.buffer.append("syscall") } else { $0.append(event.name, packets.tables) }
                guard stack != .absent else { return }
                $0.buffer.append(" ← ")
                $0.append(stack: stack, packets.tables, withRuntime: false)
            }
        }
        cpu.explain(thread, symbol, isIO: isSyscall, at: time)
    }

    /// Ends what runs, so that its time is known, and writes what is left.
    func finish(at now: Int64) {
        for case let cpu? in cpus {
            if cpu.current != 0 {
                cpu.switchThread(to: 0, previousState: ThreadState.runnable, at: packets.fileTime(now))
            }
            if !cpu.isEmpty { write(cpu) }
        }
    }
}
