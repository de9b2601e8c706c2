import VestigeCore

/// The scheduler's events of one CPU on their way into a bundle: those that come often as columns, and
/// the others one by one.
final class CPUBundle {
    let cpu: UInt64
    /// The thread that runs, 0 none; and the goroutine that it stands for.
    var current: UInt32 = 0
    var goroutine = GoroutineID.absent
    /// A bundle's columns do not say what ran before, so the first switch of a CPU is an event of its own; and
    /// what happens at the same time, since readers take columns first.
    private var firstSwitchTime: UInt64?

    private struct Column {
        let threads = ProtoBuffer(capacity: 1024)
        let times = ProtoBuffer(capacity: 2048)
        var count = 0
        /// Time of the last entry: times are differences.
        var lastTime: UInt64 = 0

        mutating func append(_ thread: UInt32, at time: UInt64) {
            times.append(varint: time &- lastTime)
            lastTime = time
            threads.append(varint: UInt64(thread))
            count += 1
        }

        func deallocate() {
            times.deallocate()
            threads.deallocate()
        }

        mutating func removeAll() {
            times.removeAll()
            threads.removeAll()
            (count, lastTime) = (0, 0)
        }
    }

    private var switches = Column()
    private let switchStates = ProtoBuffer(capacity: 1024)
    private var wakings = Column()
    private let events = ProtoBuffer(capacity: 4096)

    /// Of any thread: what Linux gives to one that is no real-time thread.
    private static let priority: UInt8 = 120

    init(cpu: UInt64) { self.cpu = cpu }

    deinit {
        switches.deallocate()
        wakings.deallocate()
        switchStates.deallocate()
        events.deallocate()
    }

    var isEmpty: Bool { switches.count == 0 && wakings.count == 0 && events.isEmpty }
    var isFull: Bool { switches.count >= 512 || wakings.count >= 512 || events.count >= 8 << 10 }

    // MARK: - Events

    /// `next` runs from now on; the thread that ran is in `state` now.
    func switchThread(to next: UInt32, previousState state: UInt64, at time: UInt64) {
        if isLaterThanFirst(time) {
            switches.append(next, at: time)
            switchStates.append(varint: state)
        } else {
            if firstSwitchTime == nil { firstSwitchTime = time }
            event(PerfettoField.Ftrace.schedSwitch, pid: current, at: time) { buffer in
                buffer.field(PerfettoField.Ftrace.previousThread, UInt64(current))
                buffer.field(PerfettoField.Ftrace.previousPriority, UInt64(Self.priority))
                buffer.field(PerfettoField.Ftrace.previousState, state)
                buffer.field(PerfettoField.Ftrace.nextThread, UInt64(next))
                buffer.field(PerfettoField.Ftrace.nextPriority, UInt64(Self.priority))
            }
        }
        current = next
    }

    private func isLaterThanFirst(_ time: UInt64) -> Bool { firstSwitchTime.map { time > $0 } ?? false }

    /// `waker` (0: no goroutine) made a thread runnable.
    func wake(_ thread: UInt32, by waker: UInt32, at time: UInt64) {
        if isLaterThanFirst(time), waker == current { return wakings.append(thread, at: time) }
        event(PerfettoField.Ftrace.schedWaking, pid: waker, at: time) { buffer in
            buffer.field(PerfettoField.Ftrace.wokenThread, UInt64(thread))
            buffer.field(PerfettoField.Ftrace.wokenPriority, UInt64(Self.priority))
            buffer.field(PerfettoField.Ftrace.wokenCPU, cpu)
        }
    }

    /// Says what a thread that is blocked waits for: an interned kernel symbol.
    func explain(_ thread: UInt32, _ symbol: UInt64, isIO: Bool, at time: UInt64) {
        event(PerfettoField.Ftrace.blockedReason, pid: thread, at: time) { buffer in
            buffer.field(PerfettoField.Ftrace.blockedThread, UInt64(thread))
            buffer.field(PerfettoField.Ftrace.blockedSymbol, symbol)
            buffer.field(PerfettoField.Ftrace.blockedOnIO, isIO)
        }
    }

    @inline(__always)
    private func event(_ kind: UInt32, pid: UInt32, at time: UInt64, _ body: (ProtoBuffer) -> Void) {
        let event = events.begin(PerfettoField.Bundle.event)
        events.field(PerfettoField.Ftrace.timestamp, time)
        events.field(PerfettoField.Ftrace.pid, UInt64(pid))
        let content = events.begin(kind)
        body(events)
        events.end(content)
        events.end(event)
    }

    // MARK: - The bundle

    /// Appends the bundle's content, and begins the next.
    func write(to buffer: ProtoBuffer) {
        buffer.field(PerfettoField.Bundle.cpu, cpu)
        buffer.append(events.pending)
        if switches.count + wakings.count > 0 {
            let compact = buffer.begin(PerfettoField.Bundle.compact)
            // All names are the table's only one, which is empty: threads are named elsewhere.
            buffer.field(PerfettoField.Bundle.strings, "")
            writeSwitches(to: buffer)
            writeWakings(to: buffer)
            buffer.end(compact)
        }
        events.removeAll()
        switches.removeAll()
        switchStates.removeAll()
        wakings.removeAll()
    }

    private func writeSwitches(to buffer: ProtoBuffer) {
        guard switches.count > 0 else { return }
        buffer.field(PerfettoField.Bundle.switchTimes, switches.times.pending)
        buffer.field(PerfettoField.Bundle.switchStates, switchStates.pending)
        buffer.field(PerfettoField.Bundle.switchThreads, switches.threads.pending)
        constant(PerfettoField.Bundle.switchPriorities, Self.priority, switches.count, buffer)
        constant(PerfettoField.Bundle.switchNames, 0, switches.count, buffer)
    }

    private func writeWakings(to buffer: ProtoBuffer) {
        guard wakings.count > 0 else { return }
        buffer.field(PerfettoField.Bundle.wakingTimes, wakings.times.pending)
        buffer.field(PerfettoField.Bundle.wakingThreads, wakings.threads.pending)
        let cpus = buffer.begin(PerfettoField.Bundle.wakingCPUs)
        for _ in 0..<wakings.count { buffer.append(varint: cpu) }
        buffer.end(cpus)
        constant(PerfettoField.Bundle.wakingPriorities, Self.priority, wakings.count, buffer)
        constant(PerfettoField.Bundle.wakingNames, 0, wakings.count, buffer)
    }

    private func constant(_ field: UInt32, _ value: UInt8, _ count: Int, _ buffer: ProtoBuffer) {
        let content = buffer.begin(field)
        buffer.append(repeating: value, count: count)
        buffer.end(content)
    }
}
