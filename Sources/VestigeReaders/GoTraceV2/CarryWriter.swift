import VestigeCore

/// Writes what a generation leaves as a generation of its own.
///
/// What it says of each thread holds for a skim, not for the order of events: goroutines come and go without
/// transitions between, and no sequence numbers are right.
struct CarryWriter {
    private let tables: TraceTables
    private let names: Names
    private let generation: Generation
    private let nanosecondsPerTick: Double
    private var bytes: [UInt8] = []
    private var strings = Numbering<StringID>()
    private var stacks = Numbering<StackID>()

    // The thread whose batches are written.
    private var thread = ThreadID.absent
    private var payload: [UInt8] = []
    private var baseTicks: UInt64 = 0
    private var ticks: UInt64 = 0
    private var current = GoroutineID.absent
    private var proc = ProcID.absent
    /// Who runs on the thread to its end; others that are named there have to leave it.
    private var runner = GoroutineID.absent

    /// A batch ends before it is full: behind this there is room for the largest stack.
    private static let fullPayload = Int(WireLimit.batchBytes) - 8 * 1024

    init(_ generation: Generation, _ tables: TraceTables, _ nanosecondsPerTick: Double) {
        self.generation = generation
        self.tables = tables
        self.nanosecondsPerTick = nanosecondsPerTick
        names = Names(tables)
    }

    /// Takes over batches as they are.
    mutating func copy(_ batches: [BatchHeader], from source: ByteSource) throws(TraceError) {
        for batch in batches {
            let size = Int(batch.payloadOffset - batch.offset) + batch.size
            let target = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
            defer { target.deallocate() }
            let count = try source.read(at: batch.offset, into: target)
            bytes += target[..<count]
        }
    }

    /// - Parameter leftovers: as `GenerationSkim` has them.
    /// - Returns: the generation; nil if there are times that no ticks make.
    mutating func write(_ leftovers: [Event], version: Int) -> [UInt8]? {
        guard leftovers.allSatisfy({ $0.timeNanoseconds >= 0 }) else { return nil }
        writeBeginning(leftovers.filter(\.isBeginning))
        let places = Dictionary(
            generation.threads.enumerated().map { ($1.thread, $0) }, uniquingKeysWith: { first, _ in first })
        let others = leftovers.filter { !$0.isBeginning }.sorted { a, b in
            let (first, second) = (places[a.thread] ?? .max, places[b.thread] ?? .max)
            return (first, a.timeNanoseconds, a.rank) < (second, b.timeNanoseconds, b.rank)
        }
        for event in others { write(event) }
        endThread()
        writeStacks()
        writeStrings()
        if version >= 26 { bytes.append(WireEvent.endOfGeneration) }
        return bytes
    }

    // MARK: - Events

    /// What is read before everything else: ends of what began before, and states that were told.
    private mutating func writeBeginning(_ events: [Event]) {
        guard let first = generation.threads.first else { return }
        begin(first.thread)
        // Of ends it does not matter when they were.
        let start = Int64(Double(generation.minimumTicks) * nanosecondsPerTick)
        for event in events.sorted(by: { $0.timeNanoseconds < $1.timeNanoseconds }) {
            let time = max(start, event.timeNanoseconds)
            switch (event.kind, event.toGoroutineState) {
            case (.taskEnd, _): put(WireEvent.userTaskEnd, time, [event.argument0, 0])
            case (_, .notExist):
                run(event.subjectGoroutine, time)
                put(WireEvent.goDestroy, time, [])
                current = .absent
            default: writeStatus(event)
            }
        }
    }

    private mutating func writeStatus(_ event: Event) {
        let status = WireGoroutineStatus.number(event.toGoroutineState)
        // On no thread, so that it does not run here.
        let arguments = [event.argument0, .max, UInt64(status)]
        if event.transitionStack == .absent {
            put(WireEvent.goStatus, event.timeNanoseconds, arguments)
        } else {
            put(WireEvent.goStatusStack, event.timeNanoseconds, arguments + [number(event.transitionStack)])
        }
        if status == WireGoroutineStatus.running {
            put(WireEvent.goSyscallEndBlocked, event.timeNanoseconds, [])
            current = .absent
        }
    }

    private mutating func write(_ event: Event) {
        if event.thread != thread {
            endThread()
            begin(event.thread)
        }
        let time = event.timeNanoseconds
        switch event.kind {
        case .goroutineTransition where event.fromGoroutineState == .notExist:
            run(event.goroutine, time)
            put(
                event.toGoroutineState == .waiting ? WireEvent.goCreateBlocked : WireEvent.goCreate, time,
                [event.argument0, number(event.transitionStack), number(event.stack)])
        case .goroutineTransition: writeChange(event)
        case .metric: writeMetric(event)
        case .taskBegin:
            run(event.goroutine, time)
            let parent = event.parentTask == .absent ? .background : event.parentTask
            put(
                WireEvent.userTaskBegin, time,
                [event.argument0, parent.rawValue, number(event.name), number(event.stack)])
        default:
            run(event.goroutine, time)
            put(
                event.kind == .regionBegin ? WireEvent.userRegionBegin : WireEvent.userRegionEnd, time,
                [event.argument0, number(event.name), number(event.stack)])
        }
    }

    /// The last change of its state that a goroutine made itself.
    private mutating func writeChange(_ event: Event) {
        let time = event.timeNanoseconds
        hold(event.proc, time)
        guard event.toGoroutineState != .running else {
            put(WireEvent.goStart, time, [event.argument0, 0])
            (current, runner) = (event.subjectGoroutine, event.subjectGoroutine)
            return
        }
        run(event.subjectGoroutine, time)
        switch event.toGoroutineState {
        case .syscall: put(WireEvent.goSyscallBegin, time, [0, number(event.stack)])
        case .runnable:
            put(WireEvent.goStop, time, [number(event.name), number(event.stack)])
            current = .absent
        default:
            put(WireEvent.goBlock, time, [number(event.name), number(event.stack)])
            current = .absent
        }
    }

    private mutating func writeMetric(_ event: Event) {
        let time = event.timeNanoseconds
        hold(event.proc, time)
        run(event.goroutine, time)
        switch event.name {
        case names.gomaxprocs: put(WireEvent.procsChange, time, [event.argument0, number(event.stack)])
        case names.heapLive: put(WireEvent.heapAlloc, time, [event.argument0])
        default: put(WireEvent.heapGoal, time, [event.argument0])
        }
    }

    // MARK: - Who is on the thread

    private mutating func begin(_ thread: ThreadID) {
        self.thread = thread
        (current, proc, runner) = (.absent, .absent, .absent)
    }

    private mutating func run(_ goroutine: GoroutineID, _ time: Int64) {
        guard goroutine != current else { return }
        if goroutine == .absent {
            put(WireEvent.goSyscallEndBlocked, time, [])
        } else {
            put(WireEvent.goStart, time, [UInt64(bitPattern: goroutine.rawValue), 0])
        }
        current = goroutine
    }

    private mutating func hold(_ proc: ProcID, _ time: Int64) {
        guard proc != self.proc else { return }
        if proc == .absent {
            put(WireEvent.procStop, time, [])
        } else {
            put(WireEvent.procStart, time, [UInt64(proc.rawValue), 0])
        }
        self.proc = proc
    }

    private mutating func endThread() {
        if current != .absent, current != runner { putAtOnce(WireEvent.goSyscallEndBlocked) }
        endBatch()
    }

    // MARK: - Batches

    private mutating func put(_ type: UInt8, _ time: Int64, _ arguments: [UInt64]) {
        let target = UInt64((Double(time) / nanosecondsPerTick).rounded())
        if payload.count > Self.fullPayload || target < ticks { endBatch() }
        if payload.isEmpty { (baseTicks, ticks) = (target, target) }
        payload.append(type)
        Varint.append(target - ticks, to: &payload)
        ticks = target
        for argument in arguments { Varint.append(argument, to: &payload) }
    }

    private mutating func putAtOnce(_ type: UInt8) {
        payload += [type, 0]
    }

    private mutating func endBatch() {
        if !payload.isEmpty { appendBatch(UInt64(bitPattern: thread.rawValue), baseTicks) }
        ticks = 0
    }

    private mutating func appendBatch(_ thread: UInt64, _ ticks: UInt64) {
        bytes.append(WireEvent.eventBatch)
        for value in [generation.number, thread, ticks, UInt64(payload.count)] { Varint.append(value, to: &bytes) }
        bytes += payload
        payload.removeAll(keepingCapacity: true)
    }

    // MARK: - Tables

    private mutating func number(_ string: StringID) -> UInt64 {
        string == .empty ? 0 : strings.number(string)
    }

    private mutating func number(_ stack: StackID) -> UInt64 {
        stack == .absent ? 0 : stacks.number(stack)
    }

    private mutating func writeStacks() {
        writeTable(WireEvent.stacks, count: stacks.all.count) { writer, index in
            let frames = Array(writer.tables.stacks.frames(writer.stacks.all[index]))
            writer.payload.append(WireEvent.stack)
            Varint.append(UInt64(index + 1), to: &writer.payload)
            Varint.append(UInt64(frames.count), to: &writer.payload)
            for frame in frames {
                let (function, file) = (writer.number(frame.function), writer.number(frame.file))
                for value in [frame.programCounter, function, file, frame.line] {
                    Varint.append(value, to: &writer.payload)
                }
            }
        }
    }

    private mutating func writeStrings() {
        writeTable(WireEvent.strings, count: strings.all.count) { writer, index in
            let content = writer.tables.strings.bytes(writer.strings.all[index])
            writer.payload.append(WireEvent.string)
            Varint.append(UInt64(index + 1), to: &writer.payload)
            Varint.append(UInt64(content.count), to: &writer.payload)
            writer.payload += content
        }
    }

    /// Batches of a table, one at least: before Go 1.26 strings show that a generation is whole, and some batch must
    /// say when it began.
    private mutating func writeTable(
        _ type: UInt8, count: Int, _ append: (inout CarryWriter, Int) -> Void
    ) {
        payload.append(type)
        for index in 0..<count {
            append(&self, index)
            if payload.count > Self.fullPayload {
                appendBatch(.max, generation.minimumTicks)
                payload.append(type)
            }
        }
        appendBatch(.max, generation.minimumTicks)
    }
}

/// Numbers from 1, in the order in which they are asked for.
private struct Numbering<ID: Hashable> {
    private var numbers: [ID: UInt64] = [:]
    private(set) var all: [ID] = []

    mutating func number(_ id: ID) -> UInt64 {
        if let known = numbers[id] { return known }
        all.append(id)
        numbers[id] = UInt64(all.count)
        return UInt64(all.count)
    }
}

extension Event {
    /// Of leftovers: what a carry begins with.
    fileprivate var isBeginning: Bool {
        switch kind {
        case .taskEnd: true
        case .goroutineTransition: toGoroutineState == .notExist || fromGoroutineState == .undetermined
        default: false
        }
    }

    /// The order of leftovers with one time on one thread: ends before begins; who runs on comes last.
    fileprivate var rank: Int {
        switch kind {
        case .regionEnd: 0
        case .goroutineTransition: toGoroutineState == .running ? 3 : 2
        default: 1
        }
    }
}

extension WireGoroutineStatus {
    /// The status that says a state.
    fileprivate static func number(_ state: GoroutineState) -> UInt8 {
        switch state {
        case .runnable: runnable
        case .running: running
        case .syscall: syscall
        default: waiting
        }
    }
}
