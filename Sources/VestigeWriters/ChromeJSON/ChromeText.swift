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
    let buffer: TextBuffer
    private(set) var tables = TraceTables()
    let stacks = ChromeStacks()
    /// Time of the first event: times in the file are relative to it.
    var originNanoseconds: Int64 = 0
    /// Processes that have rows, as bits.
    private var usedProcesses: UInt32 = 0
    private var isFirst = true
    private var hasArguments = false
    /// By string id: the bytes of those that stand in JSON as they are.
    private var plainStrings: [PlainString] = []

    private struct PlainString: BitwiseCopyable {
        /// Nil if the string was not looked at yet.
        var start: UnsafePointer<UInt8>?
        /// -1 if it needs escapes.
        var length: Int
    }

    init(_ sink: any ByteSink) {
        buffer = TextBuffer(sink, capacity: 512 << 10)
    }

    deinit { buffer.deallocate() }

    func use(_ tables: TraceTables) {
        if self.tables !== tables { self.tables = tables }
    }

    // MARK: - The file

    func openFile() { buffer.append("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n") }

    /// Names the processes and completes the file.
    func closeFile() throws(TraceError) {
        for process in ChromeProcess.allCases where usedProcesses & 1 << process.rawValue != 0 {
            nameProcess(process)
        }
        buffer.append("\n],\n\"stackFrames\":{")
        try stacks.writeFrames(self)
        buffer.append("},\n\"otherData\":{\"converter\":\"vestige\"")
        for (index, source) in tables.sources.enumerated() {
            buffer.append(",\"source \(index + 1)\":")
            let parts = [source.format, source.formatVersion, source.goVersion.map { "Go \($0)" }]
            buffer.appendJSONString(parts.compactMap { $0 }.joined(separator: ", "))
        }
        buffer.append("}}\n")
        try buffer.flush()
    }

    private func nameProcess(_ process: ChromeProcess) {
        beginMetadata("process_name", process)
        buffer.append(",\"args\":{\"name\":\"")
        buffer.append(process.title)
        buffer.append("\"}}")
        beginMetadata("process_sort_index", process)
        buffer.append(",\"args\":{\"sort_index\":")
        buffer.append(process.sortIndex)
        buffer.append("}}")
    }

    private func beginMetadata(_ kind: StaticString, _ process: ChromeProcess) {
        separate()
        buffer.append("{\"ph\":\"M\",\"name\":\"")
        buffer.append(kind)
        buffer.append("\",\"pid\":")
        buffer.append(process.rawValue)
    }

    /// Names a row and says its place: `body` writes the name's content.
    func nameRow(_ row: ChromeRow, sortIndex: Int64, _ body: () -> Void) {
        beginMetadata("thread_name", row.process)
        buffer.append(",\"tid\":")
        buffer.append(row.tid)
        buffer.append(",\"args\":{\"name\":\"")
        body()
        buffer.append("\"}}")
        beginMetadata("thread_sort_index", row.process)
        buffer.append(",\"tid\":")
        buffer.append(row.tid)
        buffer.append(",\"args\":{\"sort_index\":")
        buffer.append(sortIndex)
        buffer.append("}}")
    }

    // MARK: - Events

    /// A slice (`X`). The name must follow.
    func beginSlice(_ row: ChromeRow, _ startNanoseconds: Int64, _ endNanoseconds: Int64) {
        begin("{\"ph\":\"X\",\"pid\":", row, startNanoseconds)
        buffer.append(",\"dur\":")
        buffer.appendMicroseconds(endNanoseconds &- startNanoseconds)
    }

    /// An instant on a row (`i`). The name must follow.
    func beginInstant(_ row: ChromeRow, _ timeNanoseconds: Int64) {
        begin("{\"ph\":\"i\",\"s\":\"t\",\"pid\":", row, timeNanoseconds)
    }

    /// A value or several of one counter (`C`). The name must follow.
    func beginCounter(_ timeNanoseconds: Int64) {
        separate()
        markUsed(.runtime)
        buffer.append("{\"ph\":\"C\",\"pid\":5")
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
        buffer.append(",\"pid\":4,\"cat\":\"task\",\"id2\":{\"local\":\"")
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
        buffer.append(id)
        buffer.append(",\"name\":\"")
        buffer.append(name)
        buffer.append("\"}")
    }

    private func begin(_ opening: StaticString, _ row: ChromeRow, _ timeNanoseconds: Int64) {
        separate()
        markUsed(row.process)
        buffer.append(opening)
        buffer.append(byte: UInt8(ascii: "0") + UInt8(row.process.rawValue))
        buffer.append(",\"tid\":")
        buffer.append(row.tid)
        time(timeNanoseconds)
    }

    private func time(_ timeNanoseconds: Int64) {
        buffer.append(",\"ts\":")
        buffer.appendMicroseconds(timeNanoseconds &- originNanoseconds)
    }

    private func markUsed(_ process: ChromeProcess) { usedProcesses |= 1 << process.rawValue }

    private func separate() {
        if isFirst { isFirst = false } else { buffer.append(",\n") }
    }

    func end() {
        buffer.append(hasArguments ? "}}" : "}")
        hasArguments = false
    }

    // MARK: - Parts of an event

    func name(_ name: StaticString) {
        buffer.append(",\"name\":\"")
        buffer.append(name)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    func name(_ name: StringID) {
        buffer.append(",\"name\":\"")
        content(name)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    /// One of the colours that catapult knows; Perfetto colours by name.
    func color(_ name: StaticString) {
        buffer.append(",\"cname\":\"")
        buffer.append(name)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    /// A string as it stands between quotes.
    func content(_ id: StringID) {
        let index = Int(id.rawValue)
        guard index < plainStrings.count, let start = plainStrings[index].start else { return contentOfNew(id) }
        let length = plainStrings[index].length
        if length >= 0 {
            buffer.append(UnsafeBufferPointer(start: start, count: length))
        } else {
            buffer.appendJSONContent(tables.strings.bytes(id))
        }
    }

    /// Looks whether the string needs escapes, which few do, and writes it. Its bytes never move.
    private func contentOfNew(_ id: StringID) {
        let bytes = tables.strings.bytes(id)
        buffer.appendJSONContent(bytes)
        guard let start = bytes.baseAddress else { return }
        let index = Int(id.rawValue)
        while index >= plainStrings.count { plainStrings.append(PlainString(start: nil, length: 0)) }
        let isSpecial = bytes.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        let isPlain = !isSpecial && tables.strings.isValidUTF8(id)
        plainStrings[index] = PlainString(start: start, length: isPlain ? bytes.count : -1)
    }

    // MARK: - Arguments

    /// Begins an argument, whose value must follow.
    func key(_ key: StaticString) {
        buffer.append(hasArguments ? ",\"" : ",\"args\":{\"")
        hasArguments = true
        buffer.append(key)
        buffer.append("\":")
    }

    func argument(_ name: StaticString, _ value: Int64) {
        key(name)
        buffer.append(value)
    }

    /// An id of 64 bits that need not fit in a JSON number is written as a string.
    func argument(_ name: StaticString, id value: UInt64) {
        key(name)
        guard value > 1 << 53 else { return buffer.append(value) }
        buffer.append(byte: UInt8(ascii: "\""))
        buffer.append(value)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    func argument(_ name: StaticString, _ value: StringID) {
        key(name)
        buffer.append(byte: UInt8(ascii: "\""))
        content(value)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    func flag(_ name: StaticString) {
        key(name)
        buffer.append("true")
    }

    /// A stack: its id for catapult, which shows all frames, and an argument for Perfetto, which
    /// ignores the id. Must come before the arguments.
    func stack(_ id: StackID) {
        guard id != .absent else { return }
        buffer.append(",\"sf\":")
        buffer.append(id.rawValue)
        stacks.markUsed(id, tables.stacks)
        key("stack")
        stacks.appendSummary(id, self)
    }

    /// The first frame of a stack outside the runtime: where the program itself was.
    func frame(_ name: StaticString, of id: StackID) {
        guard id != .absent else { return }
        key(name)
        stacks.appendProgramFrame(id, self)
    }

    /// `main.worker (main.go:42)`
    func content(frame: Frame) {
        content(frame.function)
        buffer.append(" (")
        let file = tables.strings.bytes(frame.file)
        let baseName = (file.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        buffer.appendJSONContent(UnsafeBufferPointer(rebasing: file[baseName...]))
        buffer.append(byte: UInt8(ascii: ":"))
        buffer.append(frame.line)
        buffer.append(byte: UInt8(ascii: ")"))
    }
}
