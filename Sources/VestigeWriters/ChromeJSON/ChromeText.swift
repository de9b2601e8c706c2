import VestigeCore

/// Writes trace events, one a line: the text between the brackets of `traceEvents`.
///
/// An event is begun, given its name, optional parts and arguments, and ended:
///
///     text.beginSlice(row, start, end)
///     text.name("running")
///     text.argument("proc", 3)
///     text.end()
final class ChromeText {
    let dialect: ChromeDialect
    let process: OutputProcess
    let buffer: TextBuffer
    private(set) var tables = TraceTables()
    let stacks = ChromeStacks()
    /// Says so in the file, if slices are merged.
    var thinning: Thinning?
    /// What the file does not show, which it says; nil if it shows everything.
    var leftOut: String?
    private let heapState = HeapValue(State())
    var state: UnsafeMutablePointer<State> { heapState.pointer }

    struct State {
        var isCut = false
        /// The number of the program's process; 0 if there is only one.
        var processNumber: UInt64 = 0
        var originNanoseconds: Int64 = 0
        /// Processes that have rows, as bits.
        var usedProcesses: UInt32 = 0
        var isFirst = true
        var hasArguments = false
        /// What the event at hand is named after, if its name does not show that exactly; else empty.
        var original = StringID.empty
        /// By string id: the bytes of those that stand in JSON as they are.
        var plainStrings: [PlainString] = []
    }

    /// Time of the first event: times in the file are relative to it.
    var originNanoseconds: Int64 {
        get { state.pointee.originNanoseconds }
        set { state.pointee.originNanoseconds = newValue }
    }

    /// True if the recording goes on after the last event, which then is a synthetic sync event.
    var isCut: Bool {
        get { state.pointee.isCut }
        set { state.pointee.isCut = newValue }
    }

    struct PlainString: BitwiseCopyable {
        /// Nil if the string was not looked at yet, or is empty.
        var start: UnsafePointer<UInt8>?
        /// -1 if it needs escapes or substitutes.
        var length: Int
    }

    /// - Parameter isContinued: the first event follows others in the file, so it is set apart from them.
    init(_ sink: any ByteSink, _ dialect: ChromeDialect, _ process: OutputProcess, isContinued: Bool = false) {
        self.dialect = dialect
        self.process = process
        buffer = TextBuffer(sink, capacity: 512 << 10)
        isFirst = !isContinued
        state.pointee.processNumber = UInt64(process.number)
    }

    deinit { buffer.deallocate() }

    func use(_ tables: TraceTables) {
        if self.tables !== tables { self.tables = tables }
    }

    // MARK: - The file

    /// No event has been written yet.
    var isFirst: Bool {
        get { state.pointee.isFirst }
        set { state.pointee.isFirst = newValue }
    }

    /// What stands between events.
    @inline(__always) static var separator: StaticString { ",\n" }

    /// Takes over what another text of the same file has used, and the end of the file has to tell.
    func absorb(_ other: ChromeText) {
        state.pointee.usedProcesses |= other.state.pointee.usedProcesses
        absorb(stacksOf: other)
    }

    func absorb(stacksOf other: ChromeText) { stacks.absorb(other.stacks) }

    func openFile() {
        switch dialect {
        case .catapult: buffer.append("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n")
        case .perfetto: buffer.append("{\"traceEvents\":[\n")
        }
    }

    func nameProcesses() {
        for process in ChromeProcess.allCases where state.pointee.usedProcesses & 1 << process.rawValue != 0 {
            nameProcess(process)
        }
    }

    /// Completes the file.
    func closeFile() throws(TraceError) {
        switch dialect {
        case .catapult:
            buffer.append("\n],\n\"stackFrames\":{")
            try stacks.writeFrames(self)
            buffer.append("},\n\"otherData\":{\"converter\":\"vestige\"")
        case .perfetto:
            // Version 58 shows these; older ones skip them.
            buffer.append("\n],\n\"metadata\":{\"converter\":\"vestige\"")
        }
        if let thinning {
            buffer.append(",\"spans shorter than this many ns are merged\":")
            buffer.append(thinning.minSpanNanoseconds)
        }
        if let leftOut {
            buffer.append(",\"left out (--views all shows it)\":\"")
            buffer.append(leftOut)
            buffer.append(byte: UInt8(ascii: "\""))
        }
        for (index, source) in tables.sources.enumerated() {
            buffer.append(",\"source \(index + 1)\":")
            let parts = [source.process, source.format, source.formatVersion, source.goVersion.map { "Go \($0)" }]
            var value = parts.compactMap { $0 }.joined(separator: ", ")
            buffer.append(byte: UInt8(ascii: "\""))
            value.withUTF8 { content($0) }
            buffer.append(byte: UInt8(ascii: "\""))
        }
        buffer.append("}}\n")
        try buffer.flush()
    }

    private func nameProcess(_ process: ChromeProcess) {
        beginMetadata("process_name", process)
        buffer.append(",\"args\":{\"name\":\"")
        if !self.process.isOnly {
            var name = self.process.name
            name.withUTF8 { content($0) }
            buffer.append(": ")
        }
        buffer.append(process.title)
        buffer.append("\"}}")
        beginMetadata("process_sort_index", process)
        buffer.append(",\"args\":{\"sort_index\":")
        buffer.append(Int64(self.process.number) * 10 + process.sortIndex)
        buffer.append("}}")
    }

    private func beginMetadata(_ kind: StaticString, _ process: ChromeProcess) {
        separate()
        buffer.append("{\"ph\":\"M\",\"name\":\"")
        buffer.append(kind)
        buffer.append("\",\"pid\":")
        appendPID(process)
    }

    private func appendPID(_ process: ChromeProcess) {
        buffer.append(state.pointee.processNumber * 10 + UInt64(process.rawValue))
    }

    /// Names a row and says its place: `body` writes the name's content.
    func nameRow(_ row: ChromeRow, sortIndex: Int64, _ body: () -> Void) {
        beginMetadata("{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":", row, ",\"args\":{\"name\":\"")
        body()
        buffer.append("\"}}")
        beginMetadata(
            "{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":", row, ",\"args\":{\"sort_index\":")
        buffer.append(sortIndex)
        buffer.append("}}")
    }

    @inline(__always)
    private func beginMetadata(_ opening: StaticString, _ row: ChromeRow, _ arguments: StaticString) {
        var place = beginEvent(opening, row)
        place = TextBuffer.copy(arguments, to: place)
        buffer.endWriting(at: place)
    }

    // MARK: - Events

    /// A slice (`X`). The name must follow.
    func beginSlice(_ row: ChromeRow, _ startNanoseconds: Int64, _ endNanoseconds: Int64) {
        markUsed(row.process)
        var place = time(startNanoseconds, at: beginEvent("{\"ph\":\"X\",\"pid\":", row))
        place = TextBuffer.copy(",\"dur\":", to: place)
        place = TextBuffer.writeMicroseconds(endNanoseconds &- startNanoseconds, at: place)
        buffer.endWriting(at: place)
    }

    /// Several spans in one.
    func write(_ block: SpanBlock<some BitwiseCopyable>, on row: ChromeRow) {
        beginSlice(row, block.startNanoseconds, block.endNanoseconds)
        buffer.append(",\"name\":\"")
        buffer.append(block.count)
        buffer.append(" short spans\"")
        color("grey")
        argument("spans", id: block.count)
        block.forEachState { state, sum in
            switch state {
            case .running: argument("running", "running_ns", sum.count, sum.nanoseconds)
            case .runnable: argument("runnable", "runnable_ns", sum.count, sum.nanoseconds)
            case .syscall: argument("syscall", "syscall_ns", sum.count, sum.nanoseconds)
            default: argument("waiting", "waiting_ns", sum.count, sum.nanoseconds)
            }
        }
        end()
    }

    private func argument(_ name: StaticString, _ timeName: StaticString, _ count: Int64, _ nanoseconds: Int64) {
        argument(name, count)
        argument(timeName, nanoseconds)
    }

    /// An instant on a row (`i`). The name must follow.
    func beginInstant(_ row: ChromeRow, _ timeNanoseconds: Int64) {
        begin("{\"ph\":\"i\",\"s\":\"t\",\"pid\":", row, timeNanoseconds)
    }

    /// A value or several of one counter (`C`). The name must follow.
    func beginCounter(_ timeNanoseconds: Int64) {
        separate()
        markUsed(.runtime)
        buffer.append("{\"ph\":\"C\",\"pid\":")
        appendPID(.runtime)
        time(timeNanoseconds)
    }

    enum TaskPhase { case begin, mark, end }

    /// An event of a task's own track (`b`, `n`, `e`). The name must follow.
    func beginTask(_ phase: TaskPhase, _ task: UInt64, _ timeNanoseconds: Int64) {
        separate()
        markUsed(.tasks)
        switch phase {
        case .begin: buffer.append("{\"ph\":\"b\"")
        case .mark: buffer.append("{\"ph\":\"n\"")
        case .end: buffer.append("{\"ph\":\"e\"")
        }
        // A local id puts the track under its process in Perfetto. Hexadecimal is not asked for.
        buffer.append(",\"pid\":")
        appendPID(.tasks)
        buffer.append(",\"cat\":\"task\",\"id2\":{\"local\":\"")
        buffer.append(task)
        buffer.append("\"}")
        time(timeNanoseconds)
    }

    /// An arrow between two rows. The ids are never used again.
    func flow(
        _ id: UInt64, _ name: StaticString, from: ChromeRow, at start: Int64, to: ChromeRow, at end: Int64
    ) {
        begin("{\"ph\":\"s\",\"pid\":", from, start)
        finishFlow(id, name)
        begin("{\"ph\":\"f\",\"bp\":\"e\",\"pid\":", to, end)
        finishFlow(id, name)
    }

    private func finishFlow(_ id: UInt64, _ name: StaticString) {
        buffer.append(",\"cat\":\"flow\",\"id\":")
        // Ids are the whole file's; a viewer keeps 53 bits of them.
        buffer.append(state.pointee.processNumber << 44 + id)
        buffer.append(",\"name\":\"")
        buffer.append(name)
        buffer.append("\"}")
    }

    @inline(__always)
    private func begin(_ opening: StaticString, _ row: ChromeRow, _ timeNanoseconds: Int64) {
        markUsed(row.process)
        buffer.endWriting(at: time(timeNanoseconds, at: beginEvent(opening, row)))
    }

    /// Room for what all events have: their openings, numbers and times.
    private static var headRoom: Int { 192 }

    /// The begin of an event on a row, in room that was made for it at once, since this is written most.
    @inline(__always)
    private func beginEvent(_ opening: StaticString, _ row: ChromeRow) -> UnsafeMutablePointer<UInt8> {
        var place = buffer.beginWriting(room: Self.headRoom)
        if state.pointee.isFirst {
            state.pointee.isFirst = false
        } else {
            place = TextBuffer.copy(Self.separator, to: place)
        }
        place = TextBuffer.copy(opening, to: place)
        if state.pointee.processNumber > 0 { return numbered(row, at: place) }
        place.pointee = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: row.process.rawValue)
        place = TextBuffer.copy(",\"tid\":", to: place + 1)
        return TextBuffer.write(UInt64(row.tid), at: place)
    }

    /// Pid and tid of a row where there are several processes.
    @inline(never)
    private func numbered(_ row: ChromeRow, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        var place = TextBuffer.write(state.pointee.processNumber * 10 + UInt64(row.process.rawValue), at: place)
        place = TextBuffer.copy(",\"tid\":", to: place)
        return TextBuffer.write(UInt64(row.tid &+ ChromeRow.numberedTidOffset), at: place)
    }

    @inline(__always)
    private func time(_ nanoseconds: Int64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let place = TextBuffer.copy(",\"ts\":", to: place)
        return TextBuffer.writeMicroseconds(nanoseconds &- originNanoseconds, at: place)
    }

    private func time(_ timeNanoseconds: Int64) {
        buffer.endWriting(at: time(timeNanoseconds, at: buffer.beginWriting(room: Self.headRoom)))
    }

    private func markUsed(_ process: ChromeProcess) { state.pointee.usedProcesses |= 1 << process.rawValue }

    private func separate() {
        if state.pointee.isFirst { state.pointee.isFirst = false } else { buffer.append(Self.separator) }
    }

    @inline(__always) func end() {
        if state.pointee.original != .empty { tellOriginal() }
        if state.pointee.hasArguments {
            buffer.append("}}")
            state.pointee.hasArguments = false
        } else {
            buffer.append(byte: UInt8(ascii: "}"))
        }
    }

    @inline(never) private func tellOriginal() {
        exactArgument("original_name", state.pointee.original)
        state.pointee.original = .empty
    }

    // MARK: - Parts of an event

    /// What kind of slice or instant it is, for queries and filters.
    func category(_ category: StaticString) {
        buffer.append(",\"cat\":\"")
        buffer.append(category)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    func name(_ name: StaticString) {
        buffer.append(",\"name\":\"")
        buffer.append(name)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    /// `keepsOriginal` is false where an argument cannot be text (counters).
    func name(_ name: StringID, keepsOriginal: Bool = true) {
        buffer.append(",\"name\":\"")
        if keepsOriginal { nameContent(name) } else { content(name) }
        buffer.append(byte: UInt8(ascii: "\""))
    }

    /// A string in a name. An argument will tell it exactly if substitutes are shown.
    func nameContent(_ id: StringID) {
        content(id)
        if hasSubstitutes(id) { state.pointee.original = id }
    }

    /// True if the viewer takes colours; Perfetto colours by name.
    var hasColors: Bool { dialect == .catapult }

    /// One of the colours that catapult knows.
    func color(_ name: StaticString) {
        guard hasColors else { return }
        buffer.append(",\"cname\":\"")
        buffer.append(name)
        buffer.append(byte: UInt8(ascii: "\""))
    }
}
