import VestigeCore
import VestigeStages

/// What is known of one goroutine while it is alive.
struct GoroutineRow: PagedElement {
    struct Uses: OptionSet, BitwiseCopyable {
        var rawValue: UInt8
        static var states: Uses { Uses(rawValue: 1) }
        static var regions: Uses { Uses(rawValue: 2) }
        static var ranges: Uses { Uses(rawValue: 4) }
        static var logs: Uses { Uses(rawValue: 8) }
        static var labels: Uses { Uses(rawValue: 16) }
        static var samples: Uses { Uses(rawValue: 32) }
        static var observations: Uses { Uses(rawValue: 64) }
        /// What stands in the second row.
        static var second: Uses { [.regions, .ranges, .logs, .labels, .samples, .observations] }
    }

    /// 0: vacant.
    var tid: UInt32
    /// What stands in its rows.
    var uses: Uses = []
    var state = GoroutineState.undetermined
    /// Why it waits, if it does.
    var waitReason = StringID.empty
    /// What it has in the rows of procs and threads.
    var proc = ProcID.absent
    var thread = ThreadID.absent
    /// The arrow to its current span, if there is one: the row it comes from, or 0.
    var arrow = Flow.creation
    var arrowTid: UInt32 = 0
    var arrowNanoseconds: Int64 = 0
    /// Who created it, until its first slice has said so.
    var creator = GoroutineID.absent
    var creationStack = StackID.absent
    var startFunction = StringID.empty
    /// Where a region began of which only the end is known: its creation, or the recording's begin.
    var earliestNanoseconds: Int64
    /// Regions and ranges.
    var open = SliceStack.empty

    static var vacant: GoroutineRow { GoroutineRow(tid: 0, earliestNanoseconds: 0) }
    var isOccupied: Bool { tid != 0 }

    var row: ChromeRow { ChromeRow(process: .goroutines, tid: tid) }
    /// True if there is or will be a slice at this time, where an arrow can begin.
    var hasSlice: Bool { state != .undetermined && state != .notExist }
}

/// The rows of the goroutines: one with the states, and one below it for regions, logs and the like
/// where there are any, since these need not nest in the states.
final class GoroutineRows {
    private let text: ChromeText
    private let flows: HeapValue<Flows>
    private let heapTable = HeapValue(PagedTable<GoroutineRow>())
    private var table: UnsafeMutablePointer<PagedTable<GoroutineRow>> { heapTable.pointer }
    private let thinner: SpanThinner<StateSlice>?
    private var rowCount: UInt32 = 0
    private var flowCount: UInt64 = 0

    /// A state with the arrow that leads to it, whose tid is 0 if there is none.
    struct StateSlice: BitwiseCopyable {
        var span: LifelineSpan
        var arrow: Flow
        var arrowTid: UInt32
    }

    init(_ text: ChromeText, flows: FlowKinds, thinning: Thinning?) {
        thinner = SpanThinner(thinning)
        self.text = text
        self.flows = HeapValue(Flows(flows))
    }

    func find(_ goroutine: GoroutineID) -> UnsafeMutablePointer<GoroutineRow>? {
        table.pointee.find(goroutine.rawValue)
    }

    /// The record of a goroutine, made if there is none; then it is older than the recording unless
    /// `creationNanoseconds` says when it was created.
    func record(_ goroutine: GoroutineID, creationNanoseconds: Int64? = nil) -> UnsafeMutablePointer<GoroutineRow> {
        if let row = table.pointee.find(goroutine.rawValue) { return row }
        let row = ChromeRow.numbered(rowCount, in: .goroutines)
        rowCount &+= 1
        let earliest = creationNanoseconds ?? text.originNanoseconds
        return table.pointee.insert(goroutine.rawValue, GoroutineRow(tid: row.tid, earliestNanoseconds: earliest))
    }

    /// `G18 main.worker`, as far as it is known.
    func appendName(_ goroutine: GoroutineID) {
        appendName(goroutine, startFunction(goroutine))
    }

    /// The start function of a goroutine that is alive, as far as it is known.
    func startFunction(_ goroutine: GoroutineID) -> StringID {
        table.pointee.find(goroutine.rawValue)?.pointee.startFunction ?? .empty
    }

    func appendName(_ goroutine: GoroutineID, _ startFunction: StringID) {
        text.buffer.append(byte: UInt8(ascii: "G"))
        text.buffer.append(goroutine.rawValue)
        guard startFunction != .empty else { return }
        text.buffer.append(byte: UInt8(ascii: " "))
        text.content(startFunction)
    }

    func argument(_ name: StaticString, _ goroutine: GoroutineID) {
        guard goroutine != .absent else { return }
        text.key(name)
        text.buffer.append(byte: UInt8(ascii: "\""))
        appendName(goroutine)
        text.buffer.append(byte: UInt8(ascii: "\""))
    }

    /// A row for goroutines without numbers: `3 × main.worker`.
    func groupRow(of count: UInt64, function: StringID) -> ChromeRow {
        let row = ChromeRow.numbered(rowCount, in: .goroutines)
        rowCount &+= 1
        text.nameRow(row, sortIndex: Int64(row.tid)) {
            text.buffer.append(count)
            text.buffer.append(" × ")
            if function == .empty { text.buffer.append("goroutines") } else { text.content(function) }
        }
        return row
    }

    // MARK: - States

    /// Notes a transition: who created or woke the goroutine.
    func note(_ event: Event, _ row: UnsafeMutablePointer<GoroutineRow>) {
        let to = event.toGoroutineState
        if event.fromGoroutineState == .notExist {
            row.pointee.creator = event.goroutine
            row.pointee.creationStack = event.stack
        }
        row.pointee.state = to
        let flow = flows.pointer.pointee.flow(event, waited: row.pointee.waitReason, text.tables.strings)
        // A transition that confirms the state tells no reason.
        if to != .waiting || event.name != .empty { row.pointee.waitReason = to == .waiting ? event.name : .empty }
        guard let flow, let cause = table.pointee.find(event.goroutine.rawValue), cause.pointee.hasSlice
        else { return }
        row.pointee.arrow = flow
        row.pointee.arrowTid = cause.pointee.tid
        row.pointee.arrowNanoseconds = event.timeNanoseconds
    }

    func writeState(_ span: LifelineSpan) {
        guard span.state != .undetermined, span.state != .notExist else { return }
        let row = record(span.goroutine)
        row.pointee.uses.insert(.states)
        let hasArrow = row.pointee.arrowTid != 0 && row.pointee.arrowNanoseconds == span.startNanoseconds
        let slice = StateSlice(
            span: span, arrow: row.pointee.arrow, arrowTid: hasArrow ? row.pointee.arrowTid : 0)
        row.pointee.arrowTid = 0
        if let thinner {
            if span.flags.isEmpty {
                let isMerged = thinner.take(
                    slice, span.state, span.startNanoseconds, span.endNanoseconds, of: span.goroutine.rawValue,
                    hasFlow: slice.arrowTid != 0
                ) { write($0, row) }
                if isMerged { return }
            } else {
                thinner.end(span.goroutine.rawValue) { write($0, row) }
            }
        }
        write(slice, row)
    }

    private func write(_ block: SpanBlock<StateSlice>, _ row: UnsafeMutablePointer<GoroutineRow>) {
        if block.count == 1, let slice = block.first { return write(slice, row) }
        text.write(block, on: row.pointee.row)
    }

    private func write(_ slice: StateSlice, _ row: UnsafeMutablePointer<GoroutineRow>) {
        let span = slice.span
        text.beginSlice(row.pointee.row, span.startNanoseconds, span.endNanoseconds)
        nameState(span)
        writeStack(span)
        writeReason(span)
        if span.proc != .absent { text.argument("proc", Int64(span.proc.rawValue)) }
        if span.thread != .absent { text.argument("thread", span.thread.rawValue) }
        writeCreator(row)
        if span.endedBy != span.goroutine { argument("ended_by", span.endedBy) }
        if span.endedBy != .absent { text.frame("ended_at", of: span.endedByStack) }
        writeFlags(span)
        text.end()
        writeArrow(to: row, slice)
    }

    private func nameState(_ span: LifelineSpan) {
        // Name and colour in one piece each: this is written most.
        switch span.state {
        case .running: append(",\"name\":\"running\"", color: ",\"cname\":\"thread_state_running\"")
        case .runnable: append(",\"name\":\"runnable\"", color: ",\"cname\":\"thread_state_runnable\"")
        case .syscall: append(",\"name\":\"syscall\"", color: ",\"cname\":\"thread_state_iowait\"")
        default:
            text.buffer.append(span.name == .empty ? ",\"name\":\"waiting" : ",\"name\":\"waiting: ")
            text.nameContent(span.name)
            append("\"", color: ",\"cname\":\"thread_state_sleeping\"")
        }
    }

    @inline(__always) private func append(_ name: StaticString, color: StaticString) {
        text.buffer.append(name)
        if text.hasColors { text.buffer.append(color) }
    }

    /// A running goroutine's stack is known where it stops, and there it is the next slice's.
    private func writeStack(_ span: LifelineSpan) {
        if span.state != .running { text.stack(span.startStack) }
    }

    private func writeReason(_ span: LifelineSpan) {
        if span.state != .waiting, span.name != .empty { text.argument("reason", span.name) }
    }

    private func writeCreator(_ row: UnsafeMutablePointer<GoroutineRow>) {
        guard row.pointee.creator != .absent else { return }
        argument("created_by", row.pointee.creator)
        text.frame("created_at", of: row.pointee.creationStack)
        row.pointee.creator = .absent
    }

    func writeFlags(_ span: LifelineSpan) {
        if span.flags.isEmpty { return }
        if span.flags.contains(.beganBefore) { text.beganBefore(span.startNanoseconds, since: span.sinceNanoseconds) }
        if span.flags.contains(.isOpen) { text.goesOn() }
        if span.flags.contains(.isBroken) { text.flag("end_is_lost") }
    }

    /// The arrow waits for the slice it points to. It ends 1 ns inside it, since catapult takes a
    /// moment that two slices share to belong to the first.
    private func writeArrow(to row: UnsafeMutablePointer<GoroutineRow>, _ slice: StateSlice) {
        guard slice.arrowTid != 0 else { return }
        let start = slice.span.startNanoseconds
        let cause = ChromeRow(process: .goroutines, tid: slice.arrowTid)
        flowCount += 1
        text.flow(
            flowCount, slice.arrow.name, from: cause, at: start, to: row.pointee.row,
            at: start &+ min(1, slice.span.durationNanoseconds))
    }

    // MARK: - Names

    /// Names the rows of a goroutine, whose further rows are `laneCount`, and forgets it.
    func end(_ goroutine: GoroutineID, laneCount: Int) {
        guard let row = table.pointee.find(goroutine.rawValue) else { return }
        thinner?.end(goroutine.rawValue) { write($0, row) }
        let sortIndex = sortIndex(row.pointee)
        let (place, function) = (row.pointee.row, row.pointee.startFunction)
        let hasStates = row.pointee.uses.contains(.states)
        if hasStates {
            text.nameRow(place, sortIndex: sortIndex) { appendName(goroutine, function) }
        }
        if !row.pointee.uses.isDisjoint(with: .second) {
            let title = row.pointee.secondTitle
            for lane in 0...laneCount {
                text.nameRow(place.second.lane(lane), sortIndex: sortIndex + 1) {
                    // The first row has the function, if there is one.
                    appendName(goroutine, hasStates ? .empty : function)
                    text.buffer.append(title)
                }
            }
        }
        table.pointee.remove(goroutine.rawValue)
    }

    /// Goroutines of the runtime come last, and otherwise those that came first.
    private func sortIndex(_ row: GoroutineRow) -> Int64 {
        let function = text.tables.strings.bytes(row.startFunction)
        let isSystem = function.isEmpty || GoNames.isRuntime(function)
        return Int64(row.tid) + (isSystem ? 1 << 30 : 0)
    }

    /// The goroutines that are known now, in order of their ids.
    var known: [GoroutineID] {
        var ids: [GoroutineID] = []
        table.pointee.forEach { id, _ in ids.append(GoroutineID(id)) }
        return ids
    }
}

extension GoroutineRow {
    fileprivate var secondTitle: StaticString {
        if uses.contains(.regions) { return " regions" }
        if uses.contains(.ranges) { return " GC" }
        if uses.contains(.logs) { return " logs" }
        if uses.contains(.labels) { return " labels" }
        return uses.contains(.samples) ? " samples" : " observed"
    }
}
