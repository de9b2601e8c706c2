import VestigeCore

/// Decodes a generation's structural batches: strings, stacks, CPU samples and clocks.
///
/// Damage in one costs the rest of that batch; what was read before it stays.
final class GenerationTables {
    private let source: ByteSource
    private let context: ReaderContext
    /// This generation's string and stack ids, as ids of the run.
    var strings = IDMap()
    var stacks = IDMap()
    private(set) var samples: [CPUSample] = []
    /// Nanoseconds per tick; 0 if the generation does not say.
    private(set) var nanosecondsPerTick: Double = 0
    private(set) var ticksPerSecond: UInt64 = 0
    private(set) var clockIndex: UInt64 = 0

    private var frames: [UInt64: Frame] = [:]
    private var stackFrames: [Frame] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(WireLimit.batchBytes), alignment: 16)
    private var generation: UInt64 = 0

    private let version: Int

    init(source: ByteSource, context: ReaderContext, version: Int) {
        self.version = version
        self.source = source
        self.context = context
    }

    deinit { buffer.deallocate() }

    /// Replaces everything by what `generation` holds. A missing frequency is taken over from the
    /// generation before: it does not change while a program runs.
    func load(_ generation: Generation) throws(TraceError) {
        self.generation = generation.number
        strings.removeAll()
        stacks.removeAll()
        // Emptying a dictionary takes as long as it has room.
        frames.removeAll(keepingCapacity: frames.count > frames.capacity / 8)
        samples.removeAll(keepingCapacity: true)
        clockIndex = 0
        var snapshot: Snapshot?
        for batch in generation.syncBatches { try decode(batch) { decodeSync($0, batch, &snapshot) } }
        if let snapshot { add(snapshot) }
        for batch in generation.stringBatches { try decode(batch) { decodeStrings($0, batch) } }
        for batch in generation.stackBatches { try decode(batch) { decodeStacks($0, batch) } }
        for batch in generation.sampleBatches { try decode(batch) { decodeSamples($0, batch) } }
        finishSamples()
    }

    /// The payload of an experimental batch, interned.
    func payload(_ batch: BatchHeader) throws(TraceError) -> StringID {
        var id = StringID.empty
        try decode(batch) {
            id = context.tables.strings.intern($0)
            return nil
        }
        return id
    }

    // MARK: - Batches

    /// What was wrong, and where in the payload.
    private struct Defect {
        var position: Int
        var expected: String
        var found: String
    }

    private func decode(
        _ batch: BatchHeader, _ body: (UnsafeRawBufferPointer) -> Defect?
    ) throws(TraceError) {
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<batch.size])
        let count = try source.read(at: batch.payloadOffset, into: target)
        guard let defect = body(UnsafeRawBufferPointer(rebasing: target[0..<count])) else { return }
        noteDamage(batch, at: defect.position, thread: nil, expected: defect.expected, found: defect.found)
    }

    /// Counts the rest of a batch as lost. That a batch is torn has been noted where it was found.
    func noteDamage(_ batch: BatchHeader, at position: Int, thread: ThreadID?, expected: String, found: String) {
        context.diagnostics.count(.bytesLost, UInt64(max(0, batch.size - position)))
        guard !batch.isTorn else { return }
        context.diagnostics.count(.batchesLost)
        let owner = thread.map { "batch of thread \($0.rawValue)" } ?? "batch"
        context.diagnostics.record(
            source.error(
                .damaged, at: batch.payloadOffset + UInt64(position),
                context: ["generation \(generation)", "\(owner) at byte \(batch.offset)"],
                expected: expected, found: found))
    }

    private struct Snapshot {
        var ticks: UInt64
        var monotonic: UInt64
        var seconds: UInt64
        var nanoseconds: UInt64
    }

    /// Before Go 1.25 a lone frequency, since then a sync event, a frequency and a clock snapshot
    /// whose time is a delta on the batch's (`internal/trace/generation.go`, `setSyncBatch`).
    private func decodeSync(
        _ bytes: UnsafeRawBufferPointer, _ batch: BatchHeader, _ snapshot: inout Snapshot?
    ) -> Defect? {
        var position = batch.firstEvent == WireEvent.sync ? 1 : 0
        var ticks = batch.ticks
        while position < bytes.count {
            let start = position
            let type = bytes[position]
            position += 1
            switch type {
            case WireEvent.frequency:
                guard let value = Varint.read(bytes, at: &position), value > 0 else {
                    return Defect(position: start, expected: "a frequency above 0", found: "none")
                }
                ticksPerSecond = value
                nanosecondsPerTick = 1.0 / (Double(value) / 1e9)
            case WireEvent.clockSnapshot:
                guard let delta = Varint.read(bytes, at: &position), let mono = Varint.read(bytes, at: &position),
                    let seconds = Varint.read(bytes, at: &position), let nano = Varint.read(bytes, at: &position)
                else { return Defect(position: start, expected: "a clock snapshot", found: "a part of one") }
                ticks &+= delta
                snapshot = Snapshot(ticks: ticks, monotonic: mono, seconds: seconds, nanoseconds: nano)
            default:
                return Defect(
                    position: start, expected: "a frequency or clock snapshot event", found: "event type \(type)")
            }
        }
        return nil
    }

    /// Sets a frequency that the trace does not state.
    func assumeFrequency(_ ticksPerSecond: UInt64) {
        nanosecondsPerTick = 1.0 / (Double(ticksPerSecond) / 1e9)
        finishSamples()
    }

    private func add(_ snapshot: Snapshot) {
        let wall = Int64(bitPattern: snapshot.seconds &* 1_000_000_000 &+ snapshot.nanoseconds)
        clockIndex = context.tables.add(
            ClockSnapshot(
                traceNanoseconds: nanoseconds(snapshot.ticks), monotonicNanoseconds: snapshot.monotonic,
                wallUnixNanoseconds: wall))
    }

    /// The latest time of a batch; the deltas of its events can add to it and Int64 still holds the sum.
    static let latestNanoseconds: Int64 = 9_000_000_000_000_000_000

    /// Ticks in nanoseconds, cut to an integer as Go does it; limited to `latestNanoseconds`.
    func nanoseconds(_ ticks: UInt64) -> Int64 {
        let product = Double(ticks) * nanosecondsPerTick
        guard product < Double(Self.latestNanoseconds) else {
            context.diagnostics.count(.timesClamped)
            return Self.latestNanoseconds
        }
        return Int64(product)
    }

    private func decodeStrings(_ bytes: UnsafeRawBufferPointer, _ batch: BatchHeader) -> Defect? {
        var position = 1
        while position < bytes.count {
            let start = position
            guard bytes[position] == WireEvent.string else {
                return Defect(position: start, expected: "a string event", found: "event type \(bytes[position])")
            }
            position += 1
            guard let id = Varint.read(bytes, at: &position), let length = Varint.read(bytes, at: &position),
                length <= WireLimit.stringBytes, position + Int(length) <= bytes.count
            else {
                return Defect(
                    position: start, expected: "a string of at most \(WireLimit.stringBytes) bytes within the batch",
                    found: "a longer one")
            }
            let content = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(length)])
            guard strings.insert(id, context.tables.strings.intern(content).rawValue) else {
                return Defect(position: start, expected: "a new string id", found: "id \(id) again")
            }
            position += Int(length)
        }
        return nil
    }

    /// A frame is looked up by its PC: the first function, file and line seen for a PC in a generation
    /// hold for all its stacks (`internal/trace/generation.go`, `addStacks`).
    private func decodeStacks(_ bytes: UnsafeRawBufferPointer, _ batch: BatchHeader) -> Defect? {
        var position = 1
        while position < bytes.count {
            let start = position
            guard bytes[position] == WireEvent.stack else {
                return Defect(position: start, expected: "a stack event", found: "event type \(bytes[position])")
            }
            position += 1
            guard let id = Varint.read(bytes, at: &position), let count = Varint.read(bytes, at: &position),
                count <= WireLimit.stackFrames
            else {
                return Defect(
                    position: start, expected: "a stack of at most \(WireLimit.stackFrames) frames",
                    found: "a longer one")
            }
            stackFrames.removeAll(keepingCapacity: true)
            for _ in 0..<count {
                guard let frame = decodeFrame(bytes, &position) else {
                    return Defect(position: start, expected: "\(count) frames", found: "\(stackFrames.count)")
                }
                stackFrames.append(frame)
            }
            guard stacks.insert(id, context.tables.stacks.intern(innermostFirst: stackFrames).rawValue) else {
                return Defect(position: start, expected: "a new stack id", found: "id \(id) again")
            }
        }
        return nil
    }

    private func decodeFrame(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Frame? {
        guard let pc = Varint.read(bytes, at: &position), let function = Varint.read(bytes, at: &position),
            let file = Varint.read(bytes, at: &position), let line = Varint.read(bytes, at: &position)
        else { return nil }
        if let known = frames[pc] { return known }
        let frame = Frame(
            programCounter: pc, function: resolve(string: function), file: resolve(string: file), line: line)
        frames[pc] = frame
        return frame
    }

    private func decodeSamples(_ bytes: UnsafeRawBufferPointer, _ batch: BatchHeader) -> Defect? {
        var position = 1
        while position < bytes.count {
            let start = position
            guard bytes[position] == WireEvent.cpuSample else {
                return Defect(position: start, expected: "a CPU sample", found: "event type \(bytes[position])")
            }
            position += 1
            guard let ticks = Varint.read(bytes, at: &position), let thread = Varint.read(bytes, at: &position),
                let proc = Varint.read(bytes, at: &position), let goroutine = Varint.read(bytes, at: &position),
                let stack = Varint.read(bytes, at: &position)
            else { return Defect(position: start, expected: "a CPU sample", found: "a part of one") }
            samples.append(
                CPUSample(
                    time: 0, ticks: ticks, thread: ThreadID(Int64(bitPattern: thread)),
                    proc: ProcID(Int32(exactly: Int64(bitPattern: proc)) ?? -1),
                    goroutine: goroutine == 0 ? .absent : GoroutineID(Int64(bitPattern: goroutine)), stack: stack))
        }
        return nil
    }

    /// Samples come unsorted, in ticks.
    private func finishSamples() {
        for index in samples.indices { samples[index].time = nanoseconds(samples[index].ticks) }
        samples.sort { $0.time < $1.time }
    }

    // MARK: - Ids of the generation

    /// The string of a generation's id. Strings are written last, so a cut generation lacks most.
    @inline(__always) func resolve(string id: UInt64) -> StringID {
        let value = strings[id]
        return value == IDMap.missing ? missingString(id) : StringID(value)
    }

    @inline(__always) func resolve(stack id: UInt64) -> StackID {
        let value = stacks[id]
        return value == IDMap.missing ? missingStack(id) : StackID(value)
    }

    @inline(never) private func missingString(_ id: UInt64) -> StringID {
        if let known = WellKnownStrings.string(id, version: version) {
            let string = context.tables.strings.intern(known)
            _ = strings.insert(id, string.rawValue)
            return string
        }
        context.diagnostics.count(.stringsUnresolved)
        let placeholder = context.tables.strings.intern("?string \(id)")
        _ = strings.insert(id, placeholder.rawValue)
        return placeholder
    }

    @inline(never) private func missingStack(_ id: UInt64) -> StackID {
        context.diagnostics.count(.stacksUnresolved)
        _ = stacks.insert(id, StackID.absent.rawValue)
        return .absent
    }
}
