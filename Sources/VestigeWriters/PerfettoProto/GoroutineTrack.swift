import VestigeCore

/// What is known of one goroutine while it is alive.
struct GoroutineTrack: PagedElement {
    struct Flags: OptionSet, BitwiseCopyable {
        var rawValue: UInt8
        /// Its track has been described.
        static var isDescribed: Flags { Flags(rawValue: 1) }
        /// A slice of its state is open.
        static var isOpen: Flags { Flags(rawValue: 2) }
        /// Its track has or will have something on it, or below it.
        static var isUsed: Flags { Flags(rawValue: 4) }
        /// Its name has been interned for events and for annotations, without and with the start function.
        static var eventName: Flags { Flags(rawValue: 16) }
        static var annotation: Flags { Flags(rawValue: 64) }
    }

    /// Its number in order of appearance, which is its thread's in the scheduler. 0: vacant.
    var number: UInt32
    var flags: Flags = []
    var state = GoroutineState.undetermined
    /// Why it waits, if it does.
    var waitReason = StringID.empty
    /// What it has in the tracks of procs.
    var proc = ProcID.absent
    /// The number of the goroutine whose thread is the main one of its thread's process; 0: not known yet.
    var process: UInt32 = 0
    /// The proc that it has as its CPU.
    var cpu = ProcID.absent
    var startFunction = StringID.empty
    var creator = GoroutineID.absent
    /// Tracks below its own, 0 if there are none.
    var regionsTrack: UInt64 = 0
    var logsTrack: UInt64 = 0
    var labelsTrack: UInt64 = 0
    var rangesTrack: UInt64 = 0
    var observationsTrack: UInt64 = 0
    /// Where a region began of which only the end is known: its creation, or the recording's begin.
    var earliestNanoseconds: Int64
    var track: UInt64
    var openRegions = SliceStack.empty
    var openRanges = SliceStack.empty

    static var vacant: GoroutineTrack { GoroutineTrack(number: 0, earliestNanoseconds: 0, track: 0) }
    var isOccupied: Bool { number != 0 }

    /// Tells its names from those of other goroutines, and the one with its start function from the one without.
    fileprivate var nameNumber: UInt64 { UInt64(number) * 2 + (startFunction == .empty ? 0 : 1) }

    /// Notes that a name has been interned, and returns true if it had not been.
    fileprivate mutating func intern(_ name: Flags) -> Bool {
        let flag = startFunction == .empty ? name : Flags(rawValue: name.rawValue << 1)
        return flags.insert(flag).inserted
    }
}

/// The event that began a state, and the arrow to it.
private struct BegunState: PagedElement {
    var event: Event
    var flow: Flow?
    /// Track from which the arrow comes; 0: none.
    var causeTrack: UInt64

    static var vacant: BegunState { BegunState(event: Event(kind: .sync, timeNanoseconds: 0), causeTrack: 0) }
    var isOccupied: Bool { event.kind == .goroutineTransition }
}

/// A state that has ended.
private struct StateSlice: BitwiseCopyable {
    var begin: BegunState
    var end: Event
}

/// The tracks of the goroutines: below a group for each start function one with the states, and below
/// that further ones for regions, logs, labels and ranges of the runtime, where there are any.
final class GoroutineTracks {
    typealias Row = UnsafeMutablePointer<GoroutineTrack>

    private let packets: PacketWriter
    private let tracks: PerfettoTracks
    private let flows: HeapValue<Flows>
    private var table = PagedTable<GoroutineTrack>()
    private let thinner: SpanThinner<StateSlice>?
    private let showsStates: Bool
    /// Where states are shown as a scheduler's threads and not as slices: then what else there is of a goroutine stands
    /// with its thread.
    var scheduler: SchedulerEvents?
    /// The begins of states that are not written yet, if short ones are merged.
    private var begun = PagedTable<BegunState>()
    /// Number 1 is kept for goroutine 1: thread 1 of process 1 is its main thread.
    private var lastNumber: UInt32 = 1
    private var isMainSeen = false
    private var flowCount: UInt64 = 0

    init(
        _ packets: PacketWriter, _ tracks: PerfettoTracks, _ views: ViewKinds, flows: FlowKinds, thinning: Thinning?
    ) {
        showsStates = views.contains(.goroutines)
        thinner = SpanThinner(thinning)
        self.packets = packets
        self.tracks = tracks
        self.flows = HeapValue(Flows(flows))
    }

    func find(_ goroutine: GoroutineID) -> Row? { table.find(goroutine.rawValue) }

    /// The record of a goroutine, made if there is none; then it is older than the recording unless
    /// `creationNanoseconds` says when it was created.
    func record(_ goroutine: GoroutineID, creationNanoseconds: Int64? = nil) -> Row {
        if let row = table.find(goroutine.rawValue) { return row }
        let earliest = creationNanoseconds ?? packets.originNanoseconds
        return table.insert(
            goroutine.rawValue,
            GoroutineTrack(number: newNumber(goroutine), earliestNanoseconds: earliest, track: tracks.newUUID()))
    }

    private func newNumber(_ goroutine: GoroutineID) -> UInt32 {
        if goroutine.rawValue == 1, !isMainSeen {
            isMainSeen = true
            return 1
        }
        lastNumber = lastNumber == .max ? .max : lastNumber + 1
        return lastNumber
    }

    // MARK: - Names

    func append(_ goroutine: GoroutineID, _ row: Row, to text: PerfettoText) {
        text.append(goroutine, row.pointee.startFunction, packets.tables)
    }

    func nameEvent(_ goroutine: GoroutineID) {
        guard let row = find(goroutine) else {
            return packets.name { $0.append(goroutine, .empty, packets.tables) }
        }
        packets.name(goroutine: row.pointee.nameNumber, isNew: row.pointee.intern(.eventName)) {
            append(goroutine, row, to: $0)
        }
    }

    /// Annotates with a goroutine's name; with nothing if there is none.
    func annotate(_ name: AnnotationName, _ goroutine: GoroutineID) {
        guard goroutine != .absent else { return }
        guard let row = find(goroutine) else {
            return packets.annotate(name) { $0.append(goroutine, .empty, packets.tables) }
        }
        packets.annotate(name, goroutine: row.pointee.nameNumber, isNew: row.pointee.intern(.annotation)) {
            append(goroutine, row, to: $0)
        }
    }

    func learn(_ startFunction: StringID, of row: Row, _ goroutine: GoroutineID) {
        row.pointee.startFunction = startFunction
        if row.pointee.flags.contains(.isUsed) { describe(row, goroutine) }
    }

    /// Describes the track of a goroutine, as soon as its start function is known, or else when it ends:
    /// the function decides in which group it is, and a track cannot move. A description may follow the
    /// events on the track.
    private func describe(_ row: Row, _ goroutine: GoroutineID) {
        guard row.pointee.flags.insert(.isDescribed).inserted else { return }
        if let scheduler, scheduler.tid(row.pointee.number) != 0 {
            let thread = scheduler.tid(row.pointee.number)
            return packets.describeTrack(row.pointee.track, ofThread: thread, in: scheduler.pid(of: row))
        }
        let group = tracks.group(row.pointee.startFunction)
        packets.describeTrack(row.pointee.track, in: group, rank: Int64(row.pointee.number)) {
            append(goroutine, row, to: $0)
        }
    }

    private func use(_ row: Row, _ goroutine: GoroutineID) {
        guard row.pointee.flags.insert(.isUsed).inserted, row.pointee.startFunction != .empty else { return }
        describe(row, goroutine)
    }

    // MARK: - Tracks below

    enum Child {
        case regions, logs, labels, ranges, observations
    }

    func child(_ child: Child, of row: Row, _ goroutine: GoroutineID) -> UInt64 {
        use(row, goroutine)
        let parent = row.pointee.track
        switch child {
        case .regions where scheduler != nil: return parent
        case .regions: return track(&row.pointee.regionsTrack, parent, "regions", rank: 0)
        case .logs: return track(&row.pointee.logsTrack, parent, "logs", rank: 1)
        case .labels: return track(&row.pointee.labelsTrack, parent, "labels", rank: 2)
        case .ranges: return track(&row.pointee.rangesTrack, parent, "GC", rank: 3)
        case .observations: return track(&row.pointee.observationsTrack, parent, "observed", rank: 4)
        }
    }

    private func track(_ track: inout UInt64, _ parent: UInt64, _ name: StaticString, rank: Int64) -> UInt64 {
        if track == 0 { track = tracks.child(of: parent, name, rank: rank) }
        return track
    }

    // MARK: - States

    /// Ends the slice of the state that was, and begins the next.
    func change(_ event: Event, _ row: Row) {
        let to = event.toGoroutineState
        guard showsStates else { return row.pointee.state = to }
        let flow = flows.pointer.pointee.flow(event, waited: row.pointee.waitReason, packets.tables.strings)
        row.pointee.waitReason = to == .waiting ? event.name : .empty
        if row.pointee.flags.contains(.isOpen) {
            row.pointee.flags.remove(.isOpen)
            endState(event, row)
        }
        row.pointee.state = to
        guard to != .undetermined, to != .notExist else { return }
        use(row, event.subjectGoroutine)
        row.pointee.flags.insert(.isOpen)
        let state = BegunState(event: event, flow: flow, causeTrack: flow == nil ? 0 : causeTrack(event))
        if thinner == nil { beginState(state, row) } else { begun.insert(event.subjectGoroutine.rawValue, state) }
    }

    /// The track of whoever creates or wakes a goroutine; 0 if it has no slice there.
    private func causeTrack(_ event: Event) -> UInt64 {
        guard let cause = find(event.goroutine), cause.pointee.flags.contains(.isOpen) else { return 0 }
        return cause.pointee.track
    }

    private func beginState(_ state: BegunState, _ row: Row) {
        let event = state.event
        let flow = writeCause(state)
        packets.beginEvent(.sliceBegin, row.pointee.track, at: event.timeNanoseconds)
        describeState(event, event.toGoroutineState)
        if event.fromGoroutineState == .notExist, event.goroutine != .absent {
            annotate(.createdBy, event.goroutine)
            packets.annotate(.createdAt, programFrameOf: event.stack)
        }
        if event.isSynthetic { packets.annotate(beganBefore: event.timeNanoseconds, since: event.sinceNanoseconds) }
        if flow != 0 { packets.terminatingFlow(flow) }
        packets.endEvent()
    }

    private func describeState(_ event: Event, _ state: GoroutineState) {
        switch state {
        case .waiting: packets.nameWaiting(event.name)
        case .runnable: packets.name(.runnable)
        case .syscall: packets.name(.syscall)
        case .running, .undetermined, .notExist: packets.name(.running)
        }
        if state != .waiting, event.name != .empty { packets.annotate(.reason, event.name) }
        // A running goroutine's stack is known where it stops, and there it is the next slice's.
        if state != .running { packets.annotate(.stack, stack: event.transitionStack) }
        if state == .running, event.proc != .absent { packets.annotate(.proc, Int64(event.proc.rawValue)) }
    }

    /// Ends the slice of the state by an event; without thinning it has begun.
    private func endState(_ event: Event, _ row: Row) {
        let isLost = !Self.goesOn(event) && event.fromGoroutineState != row.pointee.state
        guard let thinner, let state = begun.find(event.subjectGoroutine.rawValue)?.pointee else {
            return writeEnd(event, row, isLost: isLost)
        }
        let goroutine = event.subjectGoroutine.rawValue
        begun.remove(goroutine)
        let slice = StateSlice(begin: state, end: event)
        if isLost || Self.goesOn(event) || state.event.isSynthetic {
            // What is doubtful or clipped is shown as it is.
            thinner.end(goroutine) { write($0, row) }
        } else if thinner.take(
            slice, row.pointee.state, state.event.timeNanoseconds, event.timeNanoseconds, of: goroutine,
            hasFlow: state.causeTrack != 0, write: { write($0, row) })
        {
            return
        }
        beginState(state, row)
        writeEnd(event, row, isLost: isLost)
    }

    /// True for the end of a selection, at which the state goes on.
    private static func goesOn(_ event: Event) -> Bool {
        event.isSynthetic && event.toGoroutineState == .undetermined
    }

    private func writeEnd(_ event: Event, _ row: Row, isLost: Bool) {
        packets.beginEvent(.sliceEnd, row.pointee.track, at: event.timeNanoseconds)
        if event.goroutine != event.subjectGoroutine, event.goroutine != .absent {
            annotate(.endedBy, event.goroutine)
            packets.annotate(.endedAt, programFrameOf: event.stack)
        }
        if Self.goesOn(event) {
            packets.annotateGoesOn()
        } else if isLost {
            packets.annotate(.endIsLost)
        }
        packets.endEvent()
    }

    private func write(_ block: SpanBlock<StateSlice>, _ row: Row) {
        guard block.count == 1, let slice = block.first else { return packets.write(block, on: row.pointee.track) }
        beginState(slice.begin, row)
        writeEnd(slice.end, row, isLost: false)
    }

    /// Marks on the track of whoever creates or wakes a goroutine that it does, as the begin of an arrow,
    /// and returns the arrow's number; 0 if there is none.
    private func writeCause(_ state: BegunState) -> UInt64 {
        guard let flow = state.flow, state.causeTrack != 0 else { return 0 }
        flowCount += 1
        packets.beginEvent(.instant, .wake, state.causeTrack, at: state.event.timeNanoseconds)
        packets.name(FixedName(flow))
        annotate(.goroutine, state.event.subjectGoroutine)
        packets.flow(flowCount)
        packets.endEvent()
        return flowCount
    }

    // MARK: - The end

    /// Forgets a goroutine, which has ended: all of its tracks are described then.
    func end(_ goroutine: GoroutineID, _ row: Row) {
        thinner?.end(goroutine.rawValue) { write($0, row) }
        if row.pointee.flags.contains(.isUsed) { describe(row, goroutine) }
        table.remove(goroutine.rawValue)
    }

    /// Ends the state of a goroutine that goes on after the recording.
    func endRecording(_ goroutine: GoroutineID, _ row: Row, at now: Int64) {
        guard row.pointee.flags.contains(.isOpen) else { return }
        if let state = begun.find(goroutine.rawValue)?.pointee {
            begun.remove(goroutine.rawValue)
            thinner?.end(goroutine.rawValue) { write($0, row) }
            beginState(state, row)
        }
        packets.beginEvent(.sliceEnd, row.pointee.track, at: now)
        packets.annotateGoesOn()
        packets.endEvent()
    }

    /// The goroutines that are known now, in order of their ids.
    var known: [GoroutineID] {
        var ids: [GoroutineID] = []
        table.forEach { id, _ in ids.append(GoroutineID(id)) }
        return ids
    }
}
