import VestigeCore

/// Renders the texts of a file: names of goroutines, stacks in one line. Each text is rendered once and
/// then interned, so nothing here is kept.
final class PerfettoText {
    let buffer = TextBuffer(MemorySink(), capacity: 4096)

    /// Frames in the text of a stack: more would drown the other annotations.
    private static let frameLimit = 8

    deinit { buffer.deallocate() }

    /// What `body` appends; valid until the next text.
    func make(_ body: (PerfettoText) -> Void) -> UnsafeBufferPointer<UInt8> {
        buffer.removeAll()
        body(self)
        return buffer.pending
    }

    /// A string, with U+FFFD for each byte that is not UTF-8, and U+2400 for NUL, at which SQL ends a string.
    func append(_ id: StringID, _ tables: TraceTables) {
        let bytes = tables.strings.bytes(id)
        if tables.strings.isValidUTF8(id), !bytes.contains(0) { return buffer.append(bytes) }
        var index = 0
        while index < bytes.count {
            let length = UTF8Validation.sequenceLength(bytes, at: index)
            switch (length, bytes[index]) {
            case (0, _): buffer.append("\u{fffd}")
            case (_, 0): buffer.append("\u{2400}")
            default: buffer.append(UnsafeBufferPointer(rebasing: bytes[index..<index + length]))
            }
            index += max(length, 1)
        }
    }

    /// A name that the user gave, or a file.
    func append(_ name: String) { buffer.append(name.replacing("\0", with: "\u{2400}")) }

    /// `G18 main.worker`, as far as it is known.
    func append(_ goroutine: GoroutineID, _ startFunction: StringID, _ tables: TraceTables) {
        buffer.append(byte: UInt8(ascii: "G"))
        buffer.append(goroutine.rawValue)
        guard startFunction != .empty else { return }
        buffer.append(byte: UInt8(ascii: " "))
        append(startFunction, tables)
    }

    /// `main.f (a.go:1) ← main.g (b.go:2) ← … 3 more`, innermost frame first; without the runtime only from where
    /// the program called it.
    func append(stack: StackID, _ tables: TraceTables, withRuntime: Bool = true) {
        var first = stack
        if !withRuntime {
            while first != .absent, isRuntime(first, tables) { first = tables.stacks.node(first).caller }
            if first == .absent { first = stack }
        }
        var left = Int(tables.stacks.node(first).depth)
        for frame in tables.stacks.frames(first).prefix(Self.frameLimit) {
            append(frame, tables)
            left -= 1
            if left > 0 { buffer.append(" ← ") }
        }
        if left > 0 {
            buffer.append("… ")
            buffer.append(left)
            buffer.append(" more")
        }
    }

    private func isRuntime(_ node: StackID, _ tables: TraceTables) -> Bool {
        GoNames.isRuntime(tables.strings.bytes(tables.stacks.node(node).frame.function))
    }

    /// The innermost frame outside the runtime: where the program itself was; or the innermost at all.
    func append(programFrameOf stack: StackID, _ tables: TraceTables) {
        let outside = tables.stacks.frames(stack).prefix(Self.frameLimit).first {
            !GoNames.isRuntime(tables.strings.bytes($0.function))
        }
        append(outside ?? tables.stacks.node(stack).frame, tables)
    }

    /// `main.worker (main.go:42)`
    private func append(_ frame: Frame, _ tables: TraceTables) {
        append(frame.function, tables)
        buffer.append(" (")
        let file = tables.strings.bytes(frame.file)
        let baseName = (file.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        if tables.strings.isValidUTF8(frame.file) {
            buffer.append(UnsafeBufferPointer(rebasing: file[baseName...]))
        } else {
            append(frame.file, tables)
        }
        buffer.append(byte: UInt8(ascii: ":"))
        buffer.append(frame.line)
        buffer.append(byte: UInt8(ascii: ")"))
    }
}
