import VestigeCore

/// What is kept of stacks while a file is written: which were used, since `stackFrames` comes last,
/// and the text of those written lately.
final class ChromeStacks {
    /// A bit for every stack id.
    private let used = HeapValue([UInt64]())
    private let arguments = TextCache(byteLimit: 8 << 20)
    private let programFrames = TextCache(byteLimit: 1 << 20)

    /// Frames in a summary. Catapult shows the rest, and a deep stack would drown the other arguments.
    private static let summaryFrameLimit = 8

    func markUsed(_ id: StackID, _ text: ChromeText) {
        let (word, bit) = place(of: id)
        // Whoever is marked has marked callers.
        if word < used.pointer.pointee.count, used.pointer.pointee[word] & bit != 0 { return }
        markNew(id, text.tables.stacks)
    }

    private func markNew(_ id: StackID, _ stacks: StackTable) {
        let used = used.pointer
        var id = id
        while id != .absent {
            let (word, bit) = place(of: id)
            let missing = word + 1 - used.pointee.count
            if missing > 0 { used.pointee.append(contentsOf: repeatElement(0, count: missing)) }
            if used.pointee[word] & bit != 0 { return }
            used.pointee[word] |= bit
            id = stacks.node(id).caller
        }
    }

    /// Marks what others have marked, too.
    func absorb(_ other: ChromeStacks) {
        let (used, others) = (used.pointer, other.used.pointer)
        let missing = others.pointee.count - used.pointee.count
        if missing > 0 { used.pointee.append(contentsOf: repeatElement(0, count: missing)) }
        for (word, bits) in others.pointee.enumerated() { used.pointee[word] |= bits }
    }

    private func place(of id: StackID) -> (word: Int, bit: UInt64) {
        (Int(id.rawValue >> 6), UInt64(1) << UInt64(id.rawValue & 63))
    }

    /// Frames in full. Go records at most 128; a forged trace may hold a huge stack that many small
    /// events refer to.
    private static let frameLimit = 256

    /// Writes the value of the argument that shows a stack, innermost frame first.
    func appendArgument(_ id: StackID, _ text: ChromeText) {
        if let argument = arguments.find(id.rawValue) { return text.buffer.append(argument) }
        let begin = text.buffer.count
        switch text.dialect {
        case .catapult: appendSummary(id, text)
        case .perfetto: appendList(id, text)
        }
        arguments.keep(UnsafeBufferPointer(rebasing: text.buffer.pending[begin...]), as: id.rawValue)
    }

    /// Writes the innermost frame outside the runtime, as a string: where the program itself was; or the
    /// innermost at all.
    func appendProgramFrame(_ id: StackID, _ text: ChromeText) {
        if let frame = programFrames.find(id.rawValue) { return text.buffer.append(frame) }
        let begin = text.buffer.count
        text.buffer.append(byte: UInt8(ascii: "\""))
        let outside = text.tables.stacks.frames(id).prefix(Self.summaryFrameLimit).first {
            !GoNames.isRuntime(text.tables.strings.bytes($0.function))
        }
        text.content(frame: outside ?? text.tables.stacks.node(id).frame)
        text.buffer.append(byte: UInt8(ascii: "\""))
        programFrames.keep(UnsafeBufferPointer(rebasing: text.buffer.pending[begin...]), as: id.rawValue)
    }

    /// The list `["main.f (a.go:1)","main.g (b.go:2)"]`, of which Perfetto makes a line each.
    private func appendList(_ id: StackID, _ text: ChromeText) {
        let stacks = text.tables.stacks
        var left = Int(stacks.node(id).depth)
        text.buffer.append("[\"")
        for frame in stacks.frames(id).prefix(Self.frameLimit) {
            text.content(frame: frame)
            left -= 1
            if left > 0 { text.buffer.append("\",\"") }
        }
        if left > 0 { appendRest(left, text) }
        text.buffer.append("\"]")
    }

    private func appendRest(_ count: Int, _ text: ChromeText) {
        text.buffer.append("… ")
        text.buffer.append(count)
        text.buffer.append(" more")
    }

    /// The string `main.f (a.go:1) ← main.g (b.go:2) ← … 3 more`.
    private func appendSummary(_ id: StackID, _ text: ChromeText) {
        let stacks = text.tables.stacks
        text.buffer.append(byte: UInt8(ascii: "\""))
        var left = Int(stacks.node(id).depth)
        for frame in stacks.frames(id).prefix(Self.summaryFrameLimit) {
            text.content(frame: frame)
            left -= 1
            if left > 0 { text.buffer.append(" ← ") }
        }
        if left > 0 { appendRest(left, text) }
        text.buffer.append(byte: UInt8(ascii: "\""))
    }

    /// The entries of `stackFrames` for all stacks that were used, callers first.
    func writeFrames(_ text: ChromeText) throws(TraceError) {
        var isFirst = true
        for (word, bits) in used.pointer.pointee.enumerated() {
            var rest = bits
            while rest != 0 {
                let id = UInt32(word << 6 + rest.trailingZeroBitCount)
                rest &= rest - 1
                text.buffer.append(isFirst ? "\n" : ",\n")
                isFirst = false
                writeFrame(StackID(id), text)
                try text.buffer.flushIfNeeded()
            }
        }
    }

    private func writeFrame(_ id: StackID, _ text: ChromeText) {
        let node = text.tables.stacks.node(id)
        text.buffer.append(byte: UInt8(ascii: "\""))
        text.buffer.append(id.rawValue)
        text.buffer.append("\":{\"category\":\"go\",\"name\":\"")
        text.content(frame: node.frame)
        if node.caller != .absent {
            text.buffer.append("\",\"parent\":\"")
            text.buffer.append(node.caller.rawValue)
        }
        text.buffer.append("\"}")
    }
}
