import VestigeCore

/// Writes packets of the first of the two sequences that a process has in the file: track events, track descriptors, CPU samples.
///
/// A track event is begun, given its parts, and ended; interned entries that it is the first to need go
/// into its own packet:
///
///     packets.beginEvent(.sliceBegin, track, at: time)
///     packets.name(.running)
///     packets.annotate(.proc, 3)
///     packets.endEvent()
///
/// Times are on a clock that counts from packet to packet, which saves most of their bytes; a packet of
/// an earlier time than the last one is on the file's absolute clock, nanoseconds since its first event.
final class PacketWriter {
    enum EventType: UInt64 {
        case sliceBegin = 1
        case sliceEnd, instant, counter
    }

    /// Of `TracePacket.sequence_flags`: it refers to interned entries and defaults of earlier packets.
    static let needsIncrementalState: UInt64 = 2
    static let stateClearedFlags: UInt64 = 3
    /// Clocks 64 to 127 are a sequence's own.
    private static let incrementalClock: UInt64 = 64
    private static let bootClock: UInt64 = 6
    private static let wallClock: UInt64 = 1

    let buffer: ProtoBuffer
    let process: OutputProcess
    /// The sequence's id; the next one is the scheduler's.
    let sequence: UInt64
    private(set) var tables = TraceTables()
    /// Time of the first event: times in the file are relative to it.
    var originNanoseconds: Int64 = 0
    /// True if the recording goes on after the last event, which then is a synthetic sync event.
    var isCut = false
    let text = PerfettoText()
    private var ids = InternedIDs()
    /// The entries that the packet at hand interns.
    private let interned = ProtoBuffer(capacity: 8 << 10)
    /// Where the clock is that counts from packet to packet.
    private var clock: UInt64 = 0
    private var packetContent = 0
    private var eventContent = 0

    /// Packets go out some quarter of a megabyte at a time, compressed if wanted.
    init(_ sink: any ByteSink, isCompressed: Bool, _ process: OutputProcess) {
        self.process = process
        sequence = UInt64(process.number) * 2 + 1
        let target =
            isCompressed
            ? DeflatedMessageSink(
                sink, outerField: PerfettoField.tracePacket, innerField: PerfettoField.Packet.compressedPackets) : sink
        buffer = ProtoBuffer(target, capacity: 512 << 10)
    }

    deinit {
        buffer.deallocate()
        interned.deallocate()
    }

    func use(_ tables: TraceTables) {
        if self.tables !== tables { self.tables = tables }
    }

    /// The time in the file: nanoseconds since the first event.
    @inline(__always) func fileTime(_ time: Int64) -> UInt64 {
        UInt64(bitPattern: max(0, time &- originNanoseconds))
    }

    // MARK: - Packets

    /// The first packet: clocks, defaults, and the names that every file has.
    func open() {
        let packet = buffer.begin(PerfettoField.tracePacket)
        buffer.field(PerfettoField.Packet.sequenceID, sequence)
        buffer.field(PerfettoField.Packet.incrementalStateCleared, true)
        buffer.field(PerfettoField.Packet.sequenceFlags, Self.stateClearedFlags)
        let snapshot = buffer.begin(PerfettoField.Packet.clockSnapshot)
        writeClock(Self.bootClock, 0)
        let clock = buffer.begin(PerfettoField.Clock.clocks)
        buffer.field(PerfettoField.Clock.id, Self.incrementalClock)
        buffer.field(PerfettoField.Clock.timestamp, 0)
        buffer.field(PerfettoField.Clock.isIncremental, true)
        buffer.field(PerfettoField.Clock.unitNanoseconds, 1)
        buffer.end(clock)
        buffer.end(snapshot)
        writeDefaults()
        for name in FixedName.allCases { intern(PerfettoField.Interned.eventNames, name.rawValue, name.text) }
        for name in EventCategory.allCases { intern(PerfettoField.Interned.categories, name.rawValue, name.text) }
        for name in AnnotationName.allCases { intern(PerfettoField.Interned.annotationNames, name.rawValue, name.text) }
        internProgram()
        writeInterned()
        buffer.end(packet)
    }

    private func writeDefaults() {
        let defaults = buffer.begin(PerfettoField.Packet.defaults)
        buffer.field(PerfettoField.Defaults.clockID, Self.incrementalClock)
        let samples = buffer.begin(PerfettoField.Defaults.perfSample)
        let timebase = buffer.begin(PerfettoField.Defaults.timebase)
        // Go samples at 100 Hz unless the program asked for another rate, which a trace does not say.
        buffer.field(PerfettoField.Defaults.timebaseFrequency, 100)
        buffer.field(PerfettoField.Defaults.timebaseCounter, 1)  // SW_CPU_CLOCK
        buffer.field(PerfettoField.Defaults.timebaseName, "CPU samples")
        buffer.end(timebase)
        buffer.end(samples)
        buffer.end(defaults)
    }

    private func writeClock(_ id: UInt64, _ time: UInt64) {
        let clock = buffer.begin(PerfettoField.Clock.clocks)
        buffer.field(PerfettoField.Clock.id, id)
        buffer.field(PerfettoField.Clock.timestamp, time)
        buffer.end(clock)
    }

    /// Says what time of day it was at a moment of the trace, so that viewers can show it.
    func writeWallTime(_ snapshot: ClockSnapshot) {
        let (since, overflows) = snapshot.traceNanoseconds.subtractingReportingOverflow(originNanoseconds)
        guard !overflows, since.magnitude < 1 << 50, snapshot.wallUnixNanoseconds > 1 << 50 else { return }
        let packet = buffer.begin(PerfettoField.tracePacket)
        let content = buffer.begin(PerfettoField.Packet.clockSnapshot)
        writeClock(Self.bootClock, UInt64(max(0, since)))
        writeClock(Self.wallClock, UInt64(snapshot.wallUnixNanoseconds &- min(0, since)))
        buffer.end(content)
        buffer.end(packet)
    }

    @inline(__always) private func beginPacket(at time: Int64) {
        packetContent = buffer.begin(PerfettoField.tracePacket)
        let now = fileTime(time)
        if now >= clock {
            buffer.field(PerfettoField.Packet.timestamp, now &- clock)
            clock = now
        } else {
            buffer.field(PerfettoField.Packet.timestamp, now)
            buffer.field(PerfettoField.Packet.clockID, Self.bootClock)
        }
        buffer.field(PerfettoField.Packet.sequenceID, sequence)
        buffer.field(PerfettoField.Packet.sequenceFlags, Self.needsIncrementalState)
    }

    @inline(__always) private func endPacket() {
        if !interned.isEmpty { writeInterned() }
        buffer.end(packetContent)
    }

    private func writeInterned() {
        buffer.field(PerfettoField.Packet.internedData, interned.pending)
        interned.removeAll()
    }

    // MARK: - Tracks

    /// What a counter counts.
    struct CounterUnit {
        var unit: UInt64
        var name: StaticString?
        /// Counters of one key have one scale.
        var shareKey: StaticString?
        static let bytes = CounterUnit(unit: 3, name: nil, shareKey: "heap")
        static let procs = CounterUnit(unit: 2, name: "procs", shareKey: nil)
        static let goroutines = CounterUnit(unit: 2, name: "goroutines", shareKey: "goroutines")
        static let other = CounterUnit(unit: 0, name: nil, shareKey: nil)
    }

    /// Describes a track; `body` makes its name. `rank` orders it among its parent's children.
    func describeTrack(
        _ uuid: UInt64, in parent: UInt64, rank: Int64, isLeaf: Bool = false, counter: CounterUnit? = nil,
        _ body: (PerfettoText) -> Void
    ) {
        let packet = buffer.begin(PerfettoField.tracePacket)
        buffer.field(PerfettoField.Packet.sequenceID, sequence)
        let track = buffer.begin(PerfettoField.Packet.trackDescriptor)
        buffer.field(PerfettoField.Track.uuid, uuid)
        buffer.field(PerfettoField.Track.name, text.make(body))
        if parent != 0 { buffer.field(PerfettoField.Track.parent, parent) }
        if let counter { write(counter) }
        if !isLeaf { buffer.field(PerfettoField.Track.childOrdering, 3) }  // EXPLICIT
        buffer.field(PerfettoField.Track.rank, UInt64(bitPattern: min(rank, Int64(Int32.max))))
        buffer.end(track)
        buffer.end(packet)
    }

    /// Describes the track of a thread.
    func describeTrack(_ uuid: UInt64, ofThread thread: UInt64, in process: UInt64) {
        let packet = buffer.begin(PerfettoField.tracePacket)
        buffer.field(PerfettoField.Packet.sequenceID, sequence)
        let track = buffer.begin(PerfettoField.Packet.trackDescriptor)
        buffer.field(PerfettoField.Track.uuid, uuid)
        let content = buffer.begin(PerfettoField.Track.thread)
        buffer.field(PerfettoField.Thread.pid, process)
        buffer.field(PerfettoField.Thread.tid, thread)
        buffer.end(content)
        buffer.field(PerfettoField.Track.childOrdering, 3)  // EXPLICIT
        buffer.end(track)
        buffer.end(packet)
    }

    private func write(_ counter: CounterUnit) {
        let content = buffer.begin(PerfettoField.Track.counter)
        buffer.field(PerfettoField.Track.counterUnit, counter.unit)
        if let name = counter.name { buffer.field(PerfettoField.Track.counterUnitName, name) }
        if let key = counter.shareKey { buffer.field(PerfettoField.Track.counterShareKey, key) }
        buffer.end(content)
    }

    // MARK: - Track events

    @inline(__always) func beginEvent(_ type: EventType, _ track: UInt64, at time: Int64) {
        beginPacket(at: time)
        eventContent = buffer.begin(PerfettoField.Packet.trackEvent)
        buffer.field(PerfettoField.Event.type, type.rawValue)
        buffer.field(PerfettoField.Event.track, track)
    }

    @inline(__always) func beginEvent(_ type: EventType, _ category: EventCategory, _ track: UInt64, at time: Int64) {
        beginEvent(type, track, at: time)
        buffer.field(PerfettoField.Event.category, category.rawValue)
    }

    @inline(__always) func endEvent() {
        buffer.end(eventContent)
        endPacket()
    }

    /// A slice's end that has nothing more to say.
    @inline(__always) func endSlice(_ track: UInt64, at time: Int64) {
        beginEvent(.sliceEnd, track, at: time)
        endEvent()
    }

    func counter(_ track: UInt64, _ value: UInt64, at time: Int64) {
        beginEvent(.counter, track, at: time)
        buffer.field(PerfettoField.Event.counterValue, value)
        endEvent()
    }

    @inline(__always) func name(_ name: FixedName) { buffer.field(PerfettoField.Event.nameIID, name.rawValue) }

    func name(_ name: StringID) {
        let iid = InternedIDs.name(name)
        if ids.names.insert(name.rawValue) {
            intern(PerfettoField.Interned.eventNames, iid, text.make { $0.append(name, tables) })
        }
        buffer.field(PerfettoField.Event.nameIID, iid)
    }

    /// `waiting: chan receive`
    func nameWaiting(_ reason: StringID) {
        guard reason != .empty else { return name(.waiting) }
        let iid = InternedIDs.waitingName(reason)
        if ids.waitingNames.insert(reason.rawValue) {
            let name = text.make {
                $0.buffer.append("waiting: ")
                $0.append(reason, tables)
            }
            intern(PerfettoField.Interned.eventNames, iid, name)
        }
        buffer.field(PerfettoField.Event.nameIID, iid)
    }

    /// A goroutine's name, under its own interning number.
    func name(goroutine number: UInt64, isNew: Bool, _ body: (PerfettoText) -> Void) {
        let iid = InternedIDs.goroutineName(number)
        if isNew { intern(PerfettoField.Interned.eventNames, iid, text.make(body)) }
        buffer.field(PerfettoField.Event.nameIID, iid)
    }

    /// A name that will hardly come again.
    func name(_ body: (PerfettoText) -> Void) { buffer.field(PerfettoField.Event.name, text.make(body)) }

    @inline(__always) func flow(_ id: UInt64) { buffer.field(PerfettoField.Event.flow, fixed64: process.unique(id)) }
    @inline(__always) func terminatingFlow(_ id: UInt64) {
        buffer.field(PerfettoField.Event.terminatingFlow, fixed64: process.unique(id))
    }

    // MARK: - Annotations

    @inline(__always)
    private func annotate(_ name: AnnotationName, _ field: UInt32, _ value: UInt64) {
        let content = buffer.begin(PerfettoField.Event.annotation)
        buffer.field(PerfettoField.Annotation.nameIID, name.rawValue)
        buffer.field(field, value)
        buffer.end(content)
    }

    @inline(__always) func annotate(_ name: AnnotationName, _ value: Int64) {
        annotate(name, PerfettoField.Annotation.signed, UInt64(bitPattern: value))
    }

    func annotate(_ name: AnnotationName, unsigned value: UInt64) {
        annotate(name, PerfettoField.Annotation.unsigned, value)
    }

    func annotate(_ name: AnnotationName) { annotate(name, PerfettoField.Annotation.bool, 1) }

    /// Says how long before its start here something began, or that it began before the recording.
    func annotate(beganBefore start: Int64, since: Int64?) {
        guard let since else { return annotate(.beganBefore) }
        annotate(.clippedBeforeNanoseconds, start &- since)
    }

    /// Says that something goes on where the recording, or this part of it, ends.
    func annotateGoesOn() { annotate(isCut ? .clippedAfter : .goesOn) }

    /// Several spans in one slice.
    func write(_ block: SpanBlock<some BitwiseCopyable>, on track: UInt64) {
        beginEvent(.sliceBegin, track, at: block.startNanoseconds)
        name {
            $0.buffer.append(block.count)
            $0.buffer.append(" short spans")
        }
        annotate(.spans, unsigned: block.count)
        block.forEachState { state, sum in
            switch state {
            case .running: annotate(.running, .runningNanoseconds, sum.count, sum.nanoseconds)
            case .runnable: annotate(.runnable, .runnableNanoseconds, sum.count, sum.nanoseconds)
            case .syscall: annotate(.syscall, .syscallNanoseconds, sum.count, sum.nanoseconds)
            default: annotate(.waiting, .waitingNanoseconds, sum.count, sum.nanoseconds)
            }
        }
        endEvent()
        endSlice(track, at: block.endNanoseconds)
    }

    private func annotate(_ name: AnnotationName, _ timeName: AnnotationName, _ count: Int64, _ nanoseconds: Int64) {
        annotate(name, count)
        annotate(timeName, nanoseconds)
    }

    func annotate(_ name: AnnotationName, _ string: StringID) {
        let iid = InternedIDs.annotation(string: string)
        if ids.annotationStrings.insert(string.rawValue) {
            intern(PerfettoField.Interned.annotationStrings, iid, text.make { $0.append(string, tables) })
        }
        annotate(name, PerfettoField.Annotation.stringIID, iid)
    }

    /// A stack, as one line; nothing if there is none.
    func annotate(_ name: AnnotationName, stack: StackID) {
        guard stack != .absent else { return }
        let iid = InternedIDs.annotation(stack: stack)
        if ids.annotationStacks.insert(stack.rawValue) {
            intern(PerfettoField.Interned.annotationStrings, iid, text.make { $0.append(stack: stack, tables) })
        }
        annotate(name, PerfettoField.Annotation.stringIID, iid)
    }

    /// The place in the program where a stack is; nothing if there is none.
    func annotate(_ name: AnnotationName, programFrameOf stack: StackID) {
        guard stack != .absent else { return }
        let iid = InternedIDs.annotation(frameOf: stack)
        if ids.annotationFrames.insert(stack.rawValue) {
            let frame = text.make { $0.append(programFrameOf: stack, tables) }
            intern(PerfettoField.Interned.annotationStrings, iid, frame)
        }
        annotate(name, PerfettoField.Annotation.stringIID, iid)
    }

    func annotate(
        _ name: AnnotationName, goroutine number: UInt64, isNew: Bool, _ body: (PerfettoText) -> Void
    ) {
        let iid = InternedIDs.annotation(goroutine: number)
        if isNew { intern(PerfettoField.Interned.annotationStrings, iid, text.make(body)) }
        annotate(name, PerfettoField.Annotation.stringIID, iid)
    }

    /// A string that will hardly come again.
    func annotate(_ name: AnnotationName, _ body: (PerfettoText) -> Void) {
        let content = buffer.begin(PerfettoField.Event.annotation)
        buffer.field(PerfettoField.Annotation.nameIID, name.rawValue)
        buffer.field(PerfettoField.Annotation.string, text.make(body))
        buffer.end(content)
    }

    // MARK: - Interning

    private func intern(_ list: UInt32, _ iid: UInt64, _ bytes: UnsafeBufferPointer<UInt8>) {
        let entry = interned.begin(list)
        interned.field(PerfettoField.Interned.iid, iid)
        interned.field(PerfettoField.Interned.text, bytes)
        interned.end(entry)
    }

    private func intern(_ list: UInt32, _ iid: UInt64, _ name: StaticString) {
        intern(list, iid, UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}

// MARK: - CPU samples

extension PacketWriter {
    /// A mapping has to be named for a frame to be one, and a trace does not say what the program was.
    private func internProgram() {
        intern(PerfettoField.Interned.mappingPaths, 1, "Go program")
        let mapping = interned.begin(PerfettoField.Interned.mappings)
        interned.field(PerfettoField.Interned.iid, 1)
        interned.field(PerfettoField.Frame.mappingEnd, UInt64(Int64.max))
        interned.field(PerfettoField.Frame.mappingPath, 1)
        interned.end(mapping)
    }

    /// A CPU profile sample of a thread of the process of goroutines; of none if `tid` is 0.
    func sample(_ tid: UInt64, in pid: UInt64, cpu: UInt64?, _ stack: StackID, at time: Int64) {
        if stack != .absent, ids.callstacks.insert(stack.rawValue) { intern(callstack: stack) }
        beginPacket(at: time)
        let sample = buffer.begin(PerfettoField.Packet.perfSample)
        if let cpu { buffer.field(PerfettoField.PerfSample.cpu, cpu) }
        buffer.field(PerfettoField.PerfSample.pid, tid == 0 ? 0 : pid)
        buffer.field(PerfettoField.PerfSample.tid, tid)
        if stack != .absent { buffer.field(PerfettoField.PerfSample.callstack, UInt64(stack.rawValue)) }
        buffer.field(PerfettoField.PerfSample.mode, 2)  // MODE_USER
        buffer.end(sample)
        endPacket()
    }

    /// A callstack has its outermost frame first. Frames and stacks are interned under the id of the node
    /// in the stack table.
    private func intern(callstack: StackID) {
        var nodes: [StackID] = []
        var id = callstack
        while id != .absent {
            nodes.append(id)
            id = tables.stacks.node(id).caller
        }
        for node in nodes where ids.frames.insert(node.rawValue) { intern(frame: node) }
        let entry = interned.begin(PerfettoField.Interned.callstacks)
        interned.field(PerfettoField.Interned.iid, UInt64(callstack.rawValue))
        for node in nodes.reversed() { interned.field(PerfettoField.Frame.callstackFrames, UInt64(node.rawValue)) }
        interned.end(entry)
    }

    private func intern(frame node: StackID) {
        let frame = tables.stacks.node(node).frame
        let (function, file) = (UInt64(frame.function.rawValue) + 1, UInt64(frame.file.rawValue) + 1)
        if ids.functions.insert(frame.function.rawValue) {
            intern(PerfettoField.Interned.functionNames, function, text.make { $0.append(frame.function, tables) })
        }
        if ids.sourcePaths.insert(frame.file.rawValue) {
            intern(PerfettoField.Interned.sourcePaths, file, text.make { $0.append(frame.file, tables) })
        }
        let entry = interned.begin(PerfettoField.Interned.frames)
        interned.field(PerfettoField.Interned.iid, UInt64(node.rawValue))
        interned.field(PerfettoField.Frame.function, function)
        interned.field(PerfettoField.Frame.mapping, 1)
        interned.field(PerfettoField.Frame.programCounter, frame.programCounter)
        interned.field(PerfettoField.Frame.sourcePath, file)
        interned.field(PerfettoField.Frame.line, min(frame.line, UInt64(UInt32.max)))
        interned.end(entry)
    }
}
