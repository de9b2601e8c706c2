import VestigeCore

/// Strings and stacks of a v1 trace, as ids of the run. They hold for the whole file.
final class TablesV1 {
    private let context: ReaderContext
    private let layout: LayoutV1
    private(set) var strings = IDMap()
    private(set) var stacks = IDMap()
    private var frames: [UInt64: Frame] = [:]
    private var stackFrames: [Frame] = []

    init(context: ReaderContext, layout: LayoutV1) {
        self.context = context
        self.layout = layout
    }

    func addString(_ id: UInt64, _ bytes: UnsafeRawBufferPointer) {
        _ = strings.insert(id, context.tables.strings.intern(bytes).rawValue)
    }

    /// Adds a stack: id, number of frames, and for each its PC, function, file and line; before Go 1.7
    /// only its PC. The first function, file and line seen for a PC hold for all stacks.
    /// - Returns: false if the bytes are no such list.
    func addStack(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        guard let id = Varint.read(bytes, at: &position), let count = Varint.read(bytes, at: &position),
            count <= LimitV1.stackFrames
        else { return false }
        stackFrames.removeAll(keepingCapacity: true)
        for _ in 0..<count {
            guard let frame = readFrame(bytes, &position) else { return false }
            stackFrames.append(frame)
        }
        guard position == bytes.count else { return false }
        if id != 0 { _ = stacks.insert(id, context.tables.stacks.intern(innermostFirst: stackFrames).rawValue) }
        return true
    }

    private func readFrame(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Frame? {
        guard let pc = Varint.read(bytes, at: &position) else { return nil }
        if layout.hasGlobalSequence { return frame(pc) }
        guard let function = Varint.read(bytes, at: &position), let file = Varint.read(bytes, at: &position),
            let line = Varint.read(bytes, at: &position)
        else { return nil }
        if let known = frames[pc] { return known }
        let frame = Frame(programCounter: pc, function: string(function), file: string(file), line: line)
        frames[pc] = frame
        return frame
    }

    /// Go 1.5 and 1.6 leave it to the program's binary to name functions; the address stands for the name.
    private func frame(_ pc: UInt64) -> Frame {
        if let known = frames[pc] { return known }
        let name = context.tables.strings.intern("0x" + String(pc, radix: 16))
        let frame = Frame(programCounter: pc, function: name, file: .empty, line: 0)
        frames[pc] = frame
        return frame
    }

    /// The stack of one frame that is known by its PC alone: where a goroutine starts, before Go 1.7.
    func stack(programCounter pc: UInt64) -> StackID {
        context.tables.stacks.intern(frame(pc), caller: .absent)
    }

    func string(_ id: UInt64) -> StringID {
        let value = strings[id]
        return value == IDMap.missing ? missingString(id) : StringID(value)
    }

    func stack(_ id: UInt64) -> StackID {
        let value = stacks[id]
        return value == IDMap.missing ? missingStack(id) : StackID(value)
    }

    private func missingString(_ id: UInt64) -> StringID {
        context.diagnostics.count(.stringsUnresolved)
        let placeholder = context.tables.strings.intern("?string \(id)")
        _ = strings.insert(id, placeholder.rawValue)
        return placeholder
    }

    private func missingStack(_ id: UInt64) -> StackID {
        context.diagnostics.count(.stacksUnresolved)
        _ = stacks.insert(id, StackID.absent.rawValue)
        return .absent
    }
}
