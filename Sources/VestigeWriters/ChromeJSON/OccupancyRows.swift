import VestigeCore

/// What is known of one proc or thread while the file is written.
struct OccupancyRow: PagedElement {
    /// 0: vacant.
    var tid: UInt32
    /// The goroutine that has it, and since when.
    var occupant = GoroutineID.absent
    var startNanoseconds: Int64 = 0
    /// It had the proc or thread before, says a synthetic event.
    var isClipped = false
    /// The occupant is in a system call since then.
    var isInSyscall = false
    var syscallStartNanoseconds: Int64 = 0
    var syscallStack = StackID.absent
    var isSyscallClipped = false
    /// Ranges of a proc.
    var open = SliceStack.empty
    var isUsed = false
    var isSecondUsed = false

    static var vacant: OccupancyRow { OccupancyRow(tid: 0) }
    var isOccupied: Bool { tid != 0 }
}

/// The rows of the procs or of the threads: which goroutine had each when, with its system calls nested.
///
/// A row holds one goroutine at a time whatever the trace says, so its slices never overlap.
final class OccupancyRows {
    private let process: ChromeProcess
    private let text: ChromeText
    private let goroutines: GoroutineRows
    private let heapTable = HeapValue(PagedTable<OccupancyRow>())
    private var table: UnsafeMutablePointer<PagedTable<OccupancyRow>> { heapTable.pointer }

    private let thinner: SpanThinner<Occupancy>?

    /// A goroutine that had a proc or thread.
    private struct Occupancy: BitwiseCopyable {
        var goroutine: GoroutineID
        var startFunction: StringID
        var startNanoseconds: Int64
        var endNanoseconds: Int64
        var isClipped: Bool
    }

    init(_ process: ChromeProcess, _ text: ChromeText, _ goroutines: GoroutineRows, _ thinning: Thinning?) {
        thinner = SpanThinner(thinning)
        self.process = process
        self.text = text
        self.goroutines = goroutines
    }

    // MARK: - What happens to a proc or thread

    /// The goroutine runs here from now on, or again after a system call.
    func enter(_ id: Int64, _ event: Event, at now: Int64) {
        guard let row = record(id) else { return }
        occupy(row, event, at: now)
        endSyscall(row, at: now)
    }

    func enterSyscall(_ id: Int64, _ event: Event, at now: Int64) {
        guard let row = record(id) else { return }
        occupy(row, event, at: now)
        // A generation begins with the states of goroutines, which only confirms it.
        if row.pointee.isInSyscall { return }
        row.pointee.isInSyscall = true
        row.pointee.syscallStartNanoseconds = now
        row.pointee.syscallStack = event.transitionStack
        row.pointee.isSyscallClipped = event.isSynthetic
    }

    private func occupy(_ row: UnsafeMutablePointer<OccupancyRow>, _ event: Event, at now: Int64) {
        guard row.pointee.occupant != event.subjectGoroutine else { return }
        vacate(row, at: now)
        row.pointee.occupant = event.subjectGoroutine
        row.pointee.startNanoseconds = now
        row.pointee.isClipped = event.isSynthetic
    }

    /// The goroutine is here no more.
    func leave(_ id: Int64, _ goroutine: GoroutineID, at now: Int64) {
        guard let row = table.pointee.find(id), row.pointee.occupant == goroutine else { return }
        vacate(row, at: now)
    }

    /// Whoever is here is here no more: the proc stopped, or was taken from a goroutine in a system call.
    func release(_ id: Int64, at now: Int64) {
        if let row = table.pointee.find(id) { vacate(row, at: now) }
    }

    private func vacate(_ row: UnsafeMutablePointer<OccupancyRow>, at now: Int64) {
        guard row.pointee.occupant != .absent else { return }
        row.pointee.isUsed = true
        let occupancy = Occupancy(
            goroutine: row.pointee.occupant, startFunction: goroutines.startFunction(row.pointee.occupant),
            startNanoseconds: row.pointee.startNanoseconds, endNanoseconds: now, isClipped: row.pointee.isClipped)
        row.pointee.occupant = .absent
        // The outer slice comes first, which counts where both are of one length.
        if !merge(occupancy, row) { write(occupancy, row.pointee.tid) }
        endSyscall(row, at: now)
    }

    /// Merges a short stay with others; what is clipped is shown as it is.
    private func merge(_ occupancy: Occupancy, _ row: UnsafeMutablePointer<OccupancyRow>) -> Bool {
        guard let thinner else { return false }
        let tid = row.pointee.tid
        if occupancy.isClipped || text.isCut {
            thinner.end(Int64(tid)) { write($0, tid) }
            return false
        }
        return thinner.take(
            occupancy, .running, occupancy.startNanoseconds, occupancy.endNanoseconds, of: Int64(tid)
        ) { write($0, tid) }
    }

    private func write(_ block: SpanBlock<Occupancy>, _ tid: UInt32) {
        if block.count == 1, let occupancy = block.first { return write(occupancy, tid) }
        text.write(block, on: ChromeRow(process: process, tid: tid))
    }

    private func write(_ occupancy: Occupancy, _ tid: UInt32) {
        text.beginSlice(
            ChromeRow(process: process, tid: tid), occupancy.startNanoseconds, occupancy.endNanoseconds)
        text.buffer.append(",\"name\":\"")
        goroutines.appendName(occupancy.goroutine, occupancy.startFunction)
        text.buffer.append(byte: UInt8(ascii: "\""))
        writeClipping(occupancy.isClipped)
        text.end()
    }

    /// (One that is too short to be shown is within a stay that is, or in a block.)
    private func endSyscall(_ row: UnsafeMutablePointer<OccupancyRow>, at now: Int64) {
        guard row.pointee.isInSyscall else { return }
        row.pointee.isInSyscall = false
        let start = row.pointee.syscallStartNanoseconds
        let isShown = row.pointee.isSyscallClipped || text.isCut
        if let limit = text.thinning?.minSpanNanoseconds, now &- start < limit, !isShown {
            text.thinning?.noteNested()
            return
        }
        text.beginSlice(ChromeRow(process: process, tid: row.pointee.tid), start, now)
        text.name("syscall")
        text.color("thread_state_iowait")
        text.stack(row.pointee.syscallStack)
        writeClipping(row.pointee.isSyscallClipped)
        text.end()
    }

    /// Says that a slice is only what a part of the recording holds of it.
    private func writeClipping(_ isClippedBefore: Bool) {
        if isClippedBefore { text.flag("clipped_before") }
        // Nothing ends at the same time as the part, but by it.
        if text.isCut { text.flag("clipped_after") }
    }

    // MARK: - Rows

    /// The row itself, for instants on it; nil for no proc or thread.
    func row(_ id: Int64) -> ChromeRow? {
        guard let row = record(id) else { return nil }
        row.pointee.isUsed = true
        return ChromeRow(process: process, tid: row.pointee.tid)
    }

    /// The row below it and its open ranges; nil for no proc or thread.
    func second(_ id: Int64) -> (row: ChromeRow, open: UnsafeMutablePointer<SliceStack>)? {
        guard let row = record(id) else { return nil }
        row.pointee.isSecondUsed = true
        let open = UnsafeMutableRawPointer(row) + MemoryLayout<OccupancyRow>.offset(of: \.open)!
        return (
            ChromeRow(process: process, tid: row.pointee.tid).second,
            open.assumingMemoryBound(to: SliceStack.self)
        )
    }

    private func record(_ id: Int64) -> UnsafeMutablePointer<OccupancyRow>? {
        if let row = table.pointee.find(id) { return row }
        guard id >= 0 else { return nil }
        return table.pointee.insert(id, OccupancyRow(tid: ChromeRow.numbered(number(id), in: process).tid))
    }

    /// Procs stand in order of their numbers, threads as they appear. Procs that no machine has are
    /// numbered from the far end.
    private func number(_ id: Int64) -> UInt32 {
        let appeared = UInt32(truncatingIfNeeded: table.pointee.count)
        guard process == .procs else { return appeared }
        return id < 1 << 24 ? UInt32(id) : .max - appeared
    }

    /// Ends all slices and names the rows. `endRanges` ends the open ranges of a row, and returns how many
    /// further lanes it has.
    func finish(at now: Int64, endRanges: (ChromeRow, inout SliceStack) -> Int) {
        table.pointee.forEach { id, row in
            vacate(row, at: now)
            let tid = row.pointee.tid
            thinner?.end(Int64(tid)) { write($0, tid) }
            let place = ChromeRow(process: process, tid: row.pointee.tid)
            let laneCount = endRanges(place.second, &row.pointee.open)
            if row.pointee.isUsed { text.nameRow(place, sortIndex: sortIndex(id)) { appendName(id) } }
            guard row.pointee.isSecondUsed else { return }
            for lane in 0...laneCount {
                text.nameRow(place.second.lane(lane), sortIndex: sortIndex(id) + 1) {
                    appendName(id)
                    text.buffer.append(" GC")
                }
            }
        }
    }

    private func sortIndex(_ id: Int64) -> Int64 { min(id, 1 << 30) * 2 }

    private func appendName(_ id: Int64) {
        text.buffer.append(process == .procs ? "P" : "M")
        text.buffer.append(id)
    }
}
