import VestigeCore

/// What is known of one proc while the file is written.
struct ProcTrack: PagedElement {
    /// 0: vacant.
    var track: UInt64
    /// The goroutine that has it, and since when.
    var occupant = GoroutineID.absent
    var startNanoseconds: Int64 = 0
    /// Its slice has begun. Where the occupant's name is not known in full it begins when it ends.
    var hasBegun = false
    /// It had the proc before, says a synthetic event.
    var isClipped = false
    /// The occupant is in a system call, whose slice has begun.
    var isInSyscall = false
    var syscallStartNanoseconds: Int64 = 0
    var syscallStack = StackID.absent
    var isSyscallClipped = false
    /// Ranges of the proc: sweeps.
    var open = SliceStack.empty
    var rangesTrack: UInt64 = 0
    /// The thread that holds it, whose slice has begun.
    var thread = ThreadID.absent
    var threadTrack: UInt64 = 0

    static var vacant: ProcTrack { ProcTrack(track: 0) }
    var isOccupied: Bool { track != 0 }
}

/// The tracks of the procs: which goroutine had each when, with its system calls nested; and below, which
/// thread it was.
///
/// A proc holds one goroutine at a time whatever the trace says. A goroutine in a system call has it until
/// it is taken away, as in Go's own counting.
final class ProcTracks {
    typealias Row = UnsafeMutablePointer<ProcTrack>

    private let packets: PacketWriter
    private let tracks: PerfettoTracks
    private let goroutines: GoroutineTracks
    private let thinner: SpanThinner<Occupancy>?
    private var table = PagedTable<ProcTrack>()
    private let showsThreads: Bool

    /// A goroutine that had a proc.
    private struct Occupancy: BitwiseCopyable {
        var goroutine: GoroutineID
        var startFunction: StringID
        var startNanoseconds: Int64
        var endNanoseconds: Int64
    }

    init(
        _ packets: PacketWriter, _ tracks: PerfettoTracks, _ goroutines: GoroutineTracks, _ thinning: Thinning?,
        showsThreads: Bool
    ) {
        self.showsThreads = showsThreads
        thinner = SpanThinner(thinning)
        self.packets = packets
        self.tracks = tracks
        self.goroutines = goroutines
    }

    /// The goroutine runs here from now on, or again after a system call.
    func enter(_ event: Event, at now: Int64) {
        guard let row = record(Int64(event.proc.rawValue)) else { return }
        let goroutine = event.subjectGoroutine
        if event.thread != .absent, row.pointee.thread != event.thread { change(row, to: event, at: now) }
        if row.pointee.occupant == goroutine { return endSyscall(row, at: now) }
        vacate(row, at: now)
        row.pointee.occupant = goroutine
        row.pointee.startNanoseconds = now
        row.pointee.isClipped = event.isSynthetic
        row.pointee.hasBegun = thinner == nil && goroutines.find(goroutine)?.pointee.startFunction != .empty
        if row.pointee.hasBegun { begin(row) }
    }

    func enterSyscall(_ event: Event, at now: Int64) {
        guard let row = record(Int64(event.proc.rawValue)) else { return }
        enter(event, at: now)
        row.pointee.isInSyscall = true
        row.pointee.syscallStartNanoseconds = now
        row.pointee.syscallStack = event.transitionStack
        row.pointee.isSyscallClipped = event.isSynthetic
        // Of two slices that begin at the same time the outer one is to come first.
        if !row.pointee.hasBegun, row.pointee.startNanoseconds == now {
            row.pointee.hasBegun = true
            begin(row)
        }
        if thinner == nil { beginSyscall(row) }
    }

    private func beginSyscall(_ row: Row) {
        let now = row.pointee.syscallStartNanoseconds
        packets.beginEvent(.sliceBegin, row.pointee.track, at: now)
        packets.name(.syscall)
        packets.annotate(.stack, stack: row.pointee.syscallStack)
        if row.pointee.isSyscallClipped { packets.annotate(.clippedBefore) }
        packets.endEvent()
    }

    /// A thread holds the proc from now on.
    func hold(_ proc: ProcID, _ event: Event, at now: Int64) {
        guard event.thread != .absent, let row = record(Int64(proc.rawValue)),
            row.pointee.thread != event.thread
        else { return }
        change(row, to: event, at: now)
    }

    /// The goroutine is here no more.
    func leave(_ proc: ProcID, _ goroutine: GoroutineID, at now: Int64) {
        guard let row = table.find(Int64(proc.rawValue)), row.pointee.occupant == goroutine else { return }
        vacate(row, at: now)
    }

    /// Whoever is here is here no more: the proc stopped, or was taken from a goroutine in a system call.
    func release(_ proc: ProcID, at now: Int64) {
        guard let row = table.find(Int64(proc.rawValue)) else { return }
        vacate(row, at: now)
        change(row, to: nil, at: now)
    }

    /// The thread of an event holds the proc now, or none.
    private func change(_ row: Row, to event: Event?, at now: Int64) {
        guard showsThreads else { return }
        if row.pointee.thread != .absent { endSlice(row.pointee.threadTrack, at: now) }
        let thread = event?.thread ?? .absent
        row.pointee.thread = thread
        guard thread != .absent else { return }
        if row.pointee.threadTrack == 0 {
            row.pointee.threadTrack = tracks.child(of: row.pointee.track, "thread", rank: 1)
        }
        packets.beginEvent(.sliceBegin, .thread, row.pointee.threadTrack, at: now)
        packets.name {
            $0.buffer.append("M")
            $0.buffer.append(thread.rawValue)
        }
        packets.annotate(.thread, thread.rawValue)
        if let event, event.isSynthetic { packets.annotate(.clippedBefore) }
        packets.endEvent()
    }

    private func begin(_ row: Row) {
        packets.beginEvent(.sliceBegin, row.pointee.track, at: row.pointee.startNanoseconds)
        goroutines.nameEvent(row.pointee.occupant)
        if row.pointee.isClipped { packets.annotate(.clippedBefore) }
        packets.endEvent()
    }

    private func vacate(_ row: Row, at now: Int64) {
        guard row.pointee.occupant != .absent else { return }
        endSyscall(row, at: now)
        if !merge(row, at: now) {
            if !row.pointee.hasBegun { begin(row) }
            endSlice(row.pointee.track, at: now)
        }
        row.pointee.occupant = .absent
    }

    /// Merges a short stay with others; what is clipped is shown as it is.
    private func merge(_ row: Row, at now: Int64) -> Bool {
        guard let thinner else { return false }
        let track = row.pointee.track
        if row.pointee.hasBegun || row.pointee.isClipped || packets.isCut {
            thinner.end(Int64(bitPattern: track)) { write($0, on: track) }
            return false
        }
        let goroutine = row.pointee.occupant
        let occupancy = Occupancy(
            goroutine: goroutine, startFunction: goroutines.find(goroutine)?.pointee.startFunction ?? .empty,
            startNanoseconds: row.pointee.startNanoseconds, endNanoseconds: now)
        return thinner.take(
            occupancy, .running, row.pointee.startNanoseconds, now, of: Int64(bitPattern: track)
        ) { write($0, on: track) }
    }

    private func write(_ block: SpanBlock<Occupancy>, on track: UInt64) {
        guard block.count == 1, let occupancy = block.first else { return packets.write(block, on: track) }
        packets.beginEvent(.sliceBegin, track, at: occupancy.startNanoseconds)
        packets.name { $0.append(occupancy.goroutine, occupancy.startFunction, packets.tables) }
        packets.endEvent()
        packets.endSlice(track, at: occupancy.endNanoseconds)
    }

    private func endSyscall(_ row: Row, at now: Int64) {
        guard row.pointee.isInSyscall else { return }
        row.pointee.isInSyscall = false
        if let thinning = thinner?.thinning {
            // (One that is too short to be shown is within a stay that is, or in a block.)
            let isShort = now &- row.pointee.syscallStartNanoseconds < thinning.minSpanNanoseconds
            if isShort, !row.pointee.isSyscallClipped, !packets.isCut { return thinning.noteNested() }
            beginSyscall(row)
        }
        endSlice(row.pointee.track, at: now)
    }

    private func endSlice(_ track: UInt64, at now: Int64) {
        packets.beginEvent(.sliceEnd, track, at: now)
        // Nothing ends at the same time as a part of the recording, but by it.
        if packets.isCut { packets.annotate(.clippedAfter) }
        packets.endEvent()
    }

    /// The record of a proc; nil for no proc.
    func record(_ proc: Int64) -> Row? {
        if let row = table.find(proc) { return row }
        guard proc >= 0 else { return nil }
        let uuid = tracks.newUUID()
        packets.describeTrack(uuid, in: tracks.fixed(.procs), rank: proc) {
            $0.buffer.append("P")
            $0.buffer.append(proc)
        }
        return table.insert(proc, ProcTrack(track: uuid))
    }

    /// The track of a proc's ranges, below its own.
    func ranges(_ row: Row) -> UInt64 {
        if row.pointee.rangesTrack == 0 { row.pointee.rangesTrack = tracks.child(of: row.pointee.track, "GC", rank: 0) }
        return row.pointee.rangesTrack
    }

    /// Ends all slices; `endRanges` those of the ranges.
    func finish(at now: Int64, endRanges: (Row) -> Void) {
        table.forEach { _, row in
            vacate(row, at: now)
            change(row, to: nil, at: now)
            let track = row.pointee.track
            thinner?.end(Int64(bitPattern: track)) { write($0, on: track) }
            endRanges(row)
        }
    }
}
