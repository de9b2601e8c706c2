import VestigeCore

/// Writes packets of the first of the two sequences that a process has in the file: track events, track descriptors,
/// CPU samples.
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
    private let late: LateSink?
    let process: OutputProcess
    /// The sequence's id; the next one is the scheduler's.
    let sequence: UInt64
    private(set) var tables = TraceTables()
    /// Time of the first event: times in the file are relative to it.
    var originNanoseconds: Int64 = 0
    /// True if the recording goes on after the last event, which then is a synthetic sync event.
    var isCut = false
    let text = PerfettoText()
    var ids = InternedIDs()
    /// The entries that the packet at hand interns.
    let interned = ProtoBuffer(capacity: 8 << 10)
    /// Where the clock is that counts from packet to packet.
    private var clock: UInt64 = 0
    var packetContent = 0
    private var eventContent = 0

    /// Packets go out some quarter of a megabyte at a time, compressed if wanted.
    init(_ sink: any ByteSink, isCompressed: Bool, _ process: OutputProcess) {
        self.process = process
        sequence = UInt64(process.number) * 2 + 1
        var target = sink
        if isCompressed {
            let compressed = DeflatedMessageSink(
                sink, outerField: PerfettoField.tracePacket, innerField: PerfettoField.Packet.compressedPackets)
            // Of several processes each has a writer, and they take turns.
            late = process.isOnly && sink.allowsLateWrites ? LateSink(compressed) : nil
            target = late ?? compressed
        } else {
            late = nil
        }
        buffer = ProtoBuffer(target, capacity: 512 << 10)
    }

    /// Hands on everything.
    func finish() throws(TraceError) {
        try buffer.flush()
        try late?.wait()
    }

    deinit {
        try? late?.wait()
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

    @inline(__always) func beginPacket(at time: Int64) {
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

    @inline(__always) func endPacket() {
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

    // MARK: - Interning

    func intern(_ list: UInt32, _ iid: UInt64, _ bytes: UnsafeBufferPointer<UInt8>) {
        let entry = interned.begin(list)
        interned.field(PerfettoField.Interned.iid, iid)
        interned.field(PerfettoField.Interned.text, bytes)
        interned.end(entry)
    }

    func intern(_ list: UInt32, _ iid: UInt64, _ name: StaticString) {
        intern(list, iid, UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}
