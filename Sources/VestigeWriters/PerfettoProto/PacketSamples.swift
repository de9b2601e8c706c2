import VestigeCore

// CPU samples, with stacks as a profiler has them.
extension PacketWriter {
    /// A mapping has to be named for a frame to be one, and a trace does not say what the program was.
    func internProgram() {
        intern(PerfettoField.Interned.mappingPaths, 1, "Go program")
        let mapping = interned.begin(PerfettoField.Interned.mappings)
        interned.field(PerfettoField.Interned.iid, 1)
        interned.field(PerfettoField.Frame.mappingEnd, UInt64(Int64.max))
        interned.field(PerfettoField.Frame.mappingPath, 1)
        interned.end(mapping)
    }

    /// A CPU profile sample of a thread of the process of goroutines; of none if `tid` is 0.
    func sample(_ tid: UInt64, in pid: UInt64, cpu: UInt64?, _ stack: StackID, at time: Int64) {
        if stack != .absent, ids.callstacks.insert(stack.rawValue) { intern(callstack: stack) }
        beginPacket(at: time)
        let sample = buffer.begin(PerfettoField.Packet.perfSample)
        if let cpu { buffer.field(PerfettoField.PerfSample.cpu, cpu) }
        buffer.field(PerfettoField.PerfSample.pid, tid == 0 ? 0 : pid)
        buffer.field(PerfettoField.PerfSample.tid, tid)
        if stack != .absent { buffer.field(PerfettoField.PerfSample.callstack, UInt64(stack.rawValue)) }
        buffer.field(PerfettoField.PerfSample.mode, 2)  // MODE_USER
        buffer.end(sample)
        endPacket()
    }

    /// A callstack has its outermost frame first. Frames and stacks are interned under the id of the node
    /// in the stack table.
    private func intern(callstack: StackID) {
        var nodes: [StackID] = []
        var id = callstack
        while id != .absent {
            nodes.append(id)
            id = tables.stacks.node(id).caller
        }
        for node in nodes where ids.frames.insert(node.rawValue) { intern(frame: node) }
        let entry = interned.begin(PerfettoField.Interned.callstacks)
        interned.field(PerfettoField.Interned.iid, UInt64(callstack.rawValue))
        for node in nodes.reversed() { interned.field(PerfettoField.Frame.callstackFrames, UInt64(node.rawValue)) }
        interned.end(entry)
    }

    private func intern(frame node: StackID) {
        let frame = tables.stacks.node(node).frame
        let (function, file) = (UInt64(frame.function.rawValue) + 1, UInt64(frame.file.rawValue) + 1)
        if ids.functions.insert(frame.function.rawValue) {
            intern(PerfettoField.Interned.functionNames, function, text.make { $0.append(frame.function, tables) })
        }
        if ids.sourcePaths.insert(frame.file.rawValue) {
            intern(PerfettoField.Interned.sourcePaths, file, text.make { $0.append(frame.file, tables) })
        }
        let entry = interned.begin(PerfettoField.Interned.frames)
        interned.field(PerfettoField.Interned.iid, UInt64(node.rawValue))
        interned.field(PerfettoField.Frame.function, function)
        interned.field(PerfettoField.Frame.mapping, 1)
        interned.field(PerfettoField.Frame.programCounter, frame.programCounter)
        interned.field(PerfettoField.Frame.sourcePath, file)
        interned.field(PerfettoField.Frame.line, min(frame.line, UInt64(UInt32.max)))
        interned.end(entry)
    }
}
