import VestigeCore

/// A stretch of one proc's events in the file: a batch, or a part of one that is too long.
struct SegmentV1 {
    /// Of the first event, behind the batch's header.
    var offset: UInt64
    var size: Int
    /// Time of the event before it, or of the batch; and, in Go 1.5 and 1.6, its sequence number.
    var ticks: UInt64
    var sequence: UInt64
    /// Least place in the order of the exits from system calls in it that happened earlier than they were
    /// written; Int64.max if there are none.
    var firstExitKey: Int64
    /// Type of its first event.
    var firstType: UInt8
}

/// What one pass over a v1 trace finds: where the events of each proc are, and what stands anywhere in
/// the file but holds for all of it (strings, stacks, clock frequency, CPU samples).
///
/// A proc's batches are in order, but nothing orders those of different procs, and stacks and frequency
/// come last, so that no event can be delivered before the whole file has been seen. What is kept is 48
/// bytes a batch, never an event.
final class TraceIndexV1 {
    struct Proc {
        var id: Int32
        var segments: [SegmentV1] = []
        var largestSegment = 0
    }

    let source: ByteSource
    let context: ReaderContext
    let layout: LayoutV1
    let tables: TablesV1
    private(set) var procs: [Proc] = []
    private(set) var samples: [CPUSample] = []
    private(set) var timerGoroutines: Set<UInt64> = []
    private(set) var ticksPerSecond: UInt64 = 0
    /// The defect that the reader throws when all events are delivered.
    private(set) var failure: TraceError?

    private var procIndices: [Int32: Int] = [:]
    private var window: WindowV1

    // The batch being scanned.
    private var currentProc = -1
    private var segment = SegmentV1(offset: 0, size: 0, ticks: 0, sequence: 0, firstExitKey: .max, firstType: 0)
    private var ticks: UInt64 = 0
    private var sequence: UInt64 = 0
    private var batchStart: UInt64 = 0
    /// Times of the first batch and of the latest event, to know a plausible batch by.
    private var firstTicks: UInt64?
    private var lastTicks: UInt64 = 0

    init(source: ByteSource, context: ReaderContext, layout: LayoutV1) {
        self.source = source
        self.context = context
        self.layout = layout
        tables = TablesV1(context: context, layout: layout)
        window = WindowV1(source: source, offset: UInt64(GoTraceHeader.length))
    }

    // MARK: - The pass

    /// Reads the whole input.
    func build() throws(TraceError) {
        while try window.fill() {
            let defect = scan()
            guard let defect else { continue }
            closeSegment(at: defect.pointer)
            try recover(defect)
        }
        closeSegment(at: window.pointer)
        if ticksPerSecond == 0 { assumeFrequency() }
        samples.sort { $0.ticks < $1.ticks }
    }

    /// What is wrong, and where in the window.
    private struct Defect {
        var pointer: UnsafePointer<UInt8>
        var code: TraceError.Code
        var expected: String
        var found: String
    }

    private enum Step {
        case event
        case cut
        case malformed(expected: String)
    }

    /// Scans up to where an event might not be whole in the window.
    private func scan() -> Defect? {
        let (safe, end) = (window.safeEnd, window.end)
        var pointer = window.pointer
        while pointer < safe {
            if currentProc >= 0 { pointer = scanEvents(pointer, safe, end) }
            guard pointer < safe else { break }
            let start = pointer
            let type = start[0] & 63
            let isEvent = currentProc >= 0 && WireV1.isTimed(type)
            let step = isEvent ? scanTimed(type, &pointer, end) : scanTable(type, &pointer, end)
            guard case .event = step, pointer <= end else {
                window.pointer = start
                return defect(step, start)
            }
        }
        window.pointer = pointer
        return nil
    }

    /// Scans the common events of a batch, with everything at hand in locals.
    /// - Returns: where the first event is that needs more care.
    private func scanEvents(
        _ start: UnsafePointer<UInt8>, _ safe: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> UnsafePointer<UInt8> {
        let layout = layout
        let last = min(safe, segmentStart + LimitV1.segmentBytes)
        var (pointer, next) = (start, start)
        var (ticks, sequence) = (ticks, sequence)
        var (lastTicks, lastSequence) = (ticks, sequence)
        while pointer < last {
            let type = pointer[0] & 63
            guard WireV1.isTimed(type), type != WireV1.goSysExit, type != WireV1.userLog,
                layout.skipEvent(&next, limit: end, ticks: &ticks, sequence: &sequence), next <= end
            else { break }
            (lastTicks, lastSequence) = (ticks, sequence)
            pointer = next
        }
        if pointer > start, segment.firstType == 0 { segment.firstType = start[0] & 63 }
        (self.ticks, self.sequence) = (lastTicks, lastSequence)
        return pointer
    }

    private func defect(_ step: Step, _ start: UnsafePointer<UInt8>) -> Defect {
        let name = "event type \(start[0] & 63)"
        if case .malformed(let expected) = step {
            return Defect(pointer: start, code: .damaged, expected: expected, found: "\(name) with other arguments")
        }
        return Defect(
            pointer: start, code: .truncated, expected: "the rest of an event", found: "the end of the file in \(name)")
    }

    private func scanTimed(
        _ type: UInt8, _ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> Step {
        let start = pointer
        let before = (ticks, sequence)
        if start - segmentStart >= LimitV1.segmentBytes { splitSegment(at: start) }
        guard layout.skipEvent(&pointer, limit: end, ticks: &ticks, sequence: &sequence) else {
            (ticks, sequence) = before
            return .malformed(expected: "an event of go 1.\(layout.version)")
        }
        if segment.firstType == 0 { segment.firstType = type }
        if type == WireV1.goSysExit {
            guard pointer <= end else { return .cut }
            noteExit(start)
        } else if type == WireV1.userLog {
            return skipMessage(&pointer, end)
        }
        return .event
    }

    /// An exit from a system call is written when the goroutine has a proc again, often long after.
    private func noteExit(_ start: UnsafePointer<UInt8>) {
        let exit = ExitV1(event: start, ticks: ticks, sequence: sequence, layout: layout)
        guard let exit else { return }
        segment.firstExitKey = min(segment.firstExitKey, exit.key)
    }

    // MARK: - Segments

    private var segmentStart: UnsafePointer<UInt8> { window.pointer(at: segment.offset) }

    private func openSegment(at pointer: UnsafePointer<UInt8>) {
        segment = SegmentV1(
            offset: window.offset(of: pointer), size: 0, ticks: ticks, sequence: sequence, firstExitKey: .max,
            firstType: 0)
    }

    /// Ends the open segment; one without events is forgotten.
    private func closeSegment(at pointer: UnsafePointer<UInt8>) {
        guard currentProc >= 0, segment.firstType != 0 else { return }
        segment.size = Int(window.offset(of: pointer) - segment.offset)
        procs[currentProc].segments.append(segment)
        procs[currentProc].largestSegment = max(procs[currentProc].largestSegment, segment.size)
        segment.firstType = 0
        lastTicks = max(lastTicks, ticks)
    }

    private func splitSegment(at pointer: UnsafePointer<UInt8>) {
        closeSegment(at: pointer)
        openSegment(at: pointer)
    }

    // MARK: - Batches and tables

    private func scanTable(
        _ type: UInt8, _ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> Step {
        if type == WireV1.batch { return scanBatch(&pointer, end) }
        guard currentProc >= 0 else { return .malformed(expected: "a batch") }
        var body = pointer + 1
        let step: Step
        switch type {
        case WireV1.string where layout.version >= 7: step = scanString(&body, end)
        case WireV1.stack: step = scanStack(pointer[0], &body, end)
        case WireV1.cpuSample where layout.version >= 19: step = scanSample(&pointer, end)
        case WireV1.frequency where pointer[0] >> 6 == 0: step = scanFrequency(&body, end)
        case WireV1.timerGoroutine where pointer[0] >> 6 == 0:
            timerGoroutines.insert(Varint.readLenient(&body))
            if layout.hasGlobalSequence { _ = Varint.readLenient(&body) }
            step = .event
        default: step = .malformed(expected: "an event of go 1.\(layout.version)")
        }
        if type != WireV1.cpuSample { pointer = body }
        return step
    }

    private func scanBatch(_ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Step {
        let start = pointer
        guard let header = BatchHeaderV1(&pointer, layout) else { return .malformed(expected: "a batch header") }
        guard pointer <= end else { return .cut }
        guard let index = index(of: header.proc) else {
            return .malformed(expected: "batches of at most \(LimitV1.procCount) procs")
        }
        closeSegment(at: start)
        currentProc = index
        batchStart = window.offset(of: start)
        (ticks, sequence) = (header.ticks, header.sequence)
        if firstTicks == nil { firstTicks = ticks }
        lastTicks = max(lastTicks, ticks)
        openSegment(at: pointer)
        return .event
    }

    private func index(of proc: Int32) -> Int? {
        if let index = procIndices[proc] { return index }
        guard procs.count < LimitV1.procCount else { return nil }
        procIndices[proc] = procs.count
        procs.append(Proc(id: proc))
        return procs.count - 1
    }

    private func scanString(_ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Step {
        let id = Varint.readLenient(&pointer)
        let length = Varint.readLenient(&pointer)
        guard id != 0, length > 0, length <= LimitV1.stringBytes else {
            return .malformed(expected: "a string of 1 to \(LimitV1.stringBytes) bytes")
        }
        guard pointer + Int(length) <= end else { return .cut }
        tables.addString(id, UnsafeRawBufferPointer(start: pointer, count: Int(length)))
        pointer += Int(length)
        return .event
    }

    private func scanStack(
        _ head: UInt8, _ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> Step {
        let length = Varint.readLenient(&pointer)
        guard WireV1.hasLength(head), length <= LimitV1.stackBytes else { return .malformed(expected: "a stack") }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: Int(length))
        pointer += Int(length)
        guard pointer <= end else { return .cut }
        return tables.addStack(bytes) ? .event : .malformed(expected: "a stack whose frames fill it")
    }

    private func scanFrequency(_ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Step {
        let frequency = Varint.readLenient(&pointer)
        if layout.hasGlobalSequence { _ = Varint.readLenient(&pointer) }
        guard pointer <= end else { return .cut }
        guard frequency > 0, frequency <= UInt64(Int64.max) else { return .malformed(expected: "a frequency above 0") }
        ticksPerSecond = frequency
        return .event
    }

    /// A sample's own time is its first argument; the time of writing, before it, says nothing.
    private func scanSample(_ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Step {
        var arguments = pointer + 1
        var (ignoredTicks, ignoredSequence) = (UInt64(0), UInt64(0))
        guard layout.skipEvent(&pointer, limit: end, ticks: &ignoredTicks, sequence: &ignoredSequence) else {
            return .malformed(expected: "a CPU sample")
        }
        guard pointer <= end else { return .cut }
        for _ in 0..<2 { _ = Varint.readLenient(&arguments) }  // length, time of writing
        let ticks = Varint.readLenient(&arguments)
        let proc = Int32(truncatingIfNeeded: Varint.readLenient(&arguments))
        let goroutine = Varint.readLenient(&arguments)
        samples.append(
            CPUSample(
                time: 0, ticks: ticks, thread: .absent, proc: ProcID(proc),
                goroutine: goroutine == 0 ? .absent : GoroutineID(Int64(bitPattern: goroutine)),
                stack: Varint.readLenient(&arguments)))
        return .event
    }

    // MARK: - Log messages

    /// A log event is followed by its message.
    ///
    /// When a message does not fit into the runtime's buffer, it is cut, but the length that is written
    /// is too large by the bytes of the length itself (`runtime/trace.go`, `trace_userLog`): the next
    /// batch then begins within the message, and is looked for there.
    private func skipMessage(_ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Step {
        guard pointer <= end else { return .cut }
        let lengthStart = pointer
        let length = Varint.readLenient(&pointer)
        guard length <= LimitV1.stringBytes else { return .malformed(expected: "a shorter log message") }
        let excess = pointer - lengthStart
        pointer += Int(length)
        if excess >= 3, isBatch(pointer - excess), !isBatch(pointer) { pointer -= excess }
        return .event
    }

    private func isBatch(_ pointer: UnsafePointer<UInt8>) -> Bool {
        if pointer == window.end { return window.isAtEnd }
        return pointer < window.end && isPlausibleBatch(pointer)
    }

    // MARK: - Damage

    /// Counts what is lost, and goes on with the next batch if there is one.
    private func recover(_ defect: Defect) throws(TraceError) {
        let offset = window.offset(of: defect.pointer)
        let isHeader = GoTraceHeader.version(window.bytes(from: defect.pointer)) != nil
        note(
            source.error(
                defect.code, at: offset, context: place, expected: defect.expected,
                found: isHeader ? "another trace; cut the file here" : defect.found))
        if currentProc >= 0 { context.diagnostics.count(.batchesLost) }
        currentProc = -1
        window.pointer = defect.pointer + 1
        while !isHeader, try window.fill() {
            if findBatch() { break }
        }
        if isHeader { try window.skipToEnd() }
        context.diagnostics.count(isHeader ? .trailingBytes : .bytesLost, window.offset(of: window.pointer) - offset)
    }

    private var place: [String] {
        currentProc < 0 ? [] : ["batch of proc \(procs[currentProc].id) at byte \(batchStart)"]
    }

    private func note(_ error: TraceError) {
        if failure == nil { failure = error } else { context.diagnostics.record(error) }
    }

    private func findBatch() -> Bool {
        var pointer = window.pointer
        while pointer < window.safeEnd {
            if pointer[0] == WireV1.batchHead, isPlausibleBatch(pointer) { break }
            pointer += 1
        }
        window.pointer = pointer
        return pointer < window.safeEnd
    }

    /// Whether a batch of a likely time begins here, and events follow that look whole.
    private func isPlausibleBatch(_ start: UnsafePointer<UInt8>) -> Bool {
        var pointer = start
        guard let header = BatchHeaderV1(&pointer, layout), pointer <= window.end else { return false }
        if let firstTicks {
            let slack: UInt64 = 1 << 36  // about half an hour
            guard header.ticks &+ slack >= firstTicks, header.ticks < max(lastTicks, lastTicks &+ slack) else {
                return false
            }
        }
        var (ticks, sequence) = (header.ticks, header.sequence)
        for _ in 0..<16 {
            guard pointer < window.end, pointer[0] != WireV1.batchHead else { return true }
            let type = pointer[0] & 63
            guard WireV1.isTimed(type) else { return (1...WireV1.cpuSample).contains(type) }
            guard layout.skipEvent(&pointer, limit: window.end, ticks: &ticks, sequence: &sequence) else {
                return false
            }
            if type == WireV1.userLog { return true }  // a message of any bytes follows
        }
        return true
    }

    /// Frequency and stacks are written when tracing stops; a process that was killed left none.
    /// 40 MHz is a processor of 2.56 GHz: on x86 a tick is 64 cycles (`runtime/trace.go`, `traceTickDiv`).
    private func assumeFrequency() {
        ticksPerSecond = 40_000_000
        context.diagnostics.count(.frequencyAssumed)
        note(
            source.error(
                .truncated, at: window.offset(of: window.end),
                expected: "the clock's frequency, which is written when tracing stops",
                found: "the end of the file; durations are a guess"))
    }
}

/// The header of a batch: proc, sequence number (Go 1.5 and 1.6) and time.
struct BatchHeaderV1 {
    var proc: Int32
    var ticks: UInt64
    var sequence: UInt64

    /// - Returns: nil if the bytes are none. May read beyond the end, as far as the padding goes.
    init?(_ pointer: inout UnsafePointer<UInt8>, _ layout: LayoutV1) {
        guard pointer[0] == WireV1.batchHead else { return nil }
        pointer += 1
        let id = Varint.readLenient(&pointer)
        sequence = layout.hasGlobalSequence ? Varint.readLenient(&pointer) : 0
        ticks = Varint.readLenient(&pointer)
        guard id < LimitV1.procID || id == .max else { return nil }
        proc = id == .max ? -1 : Int32(id)
    }
}
