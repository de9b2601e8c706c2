import VestigeCore

/// The stacks of an output: their numbers in it, and their readable lists, which are rendered once
/// and kept as bytes, since a trace names the same few stacks over and over.
///
/// Numbers count from 1 in the order of first use, so the same events give the same bytes whatever
/// the tables held before.
final class RenderedStacks {
    private struct Entry {
        /// 0: not announced yet.
        var number: UInt32 = 0
        /// Where the list is in `lists`; a length of 0 says that it is not there.
        var offset: UInt32 = 0
        var length: UInt32 = 0
    }

    /// By stack id.
    private var entries: [Entry] = []
    private var lastNumber: UInt32 = 0
    private let lists: UnsafeMutablePointer<UInt8>
    private let listCapacity: Int
    private var listCount = 0
    /// A list is rendered here; nothing is ever handed on from it.
    private let scratch = TextBuffer(MemorySink(), capacity: 16 << 10)

    init(listCapacity: Int = 16 << 20) {
        self.listCapacity = listCapacity
        lists = .allocate(capacity: listCapacity)
    }

    deinit {
        lists.deallocate()
        scratch.deallocate()
    }

    /// The number of an announced stack.
    func number(_ stack: StackID) -> UInt32 { entries[Int(stack.rawValue)].number }

    /// Writes the `Stack` line of a stack that has none yet.
    @inline(__always) func announce(_ stack: StackID, to buffer: TextBuffer, tables: TraceTables) {
        let index = Int(stack.rawValue)
        if index != 0, index >= entries.count || entries[index].number == 0 {
            appendStackLine(stack, to: buffer, tables: tables)
        }
    }

    /// The readable list of an announced stack: `func file:line`, innermost first.
    @inline(__always) func appendList(_ stack: StackID, to buffer: TextBuffer, tables: TraceTables) {
        let entry = entries[Int(stack.rawValue)]
        if entry.length == 0 { return render(stack, to: buffer, tables: tables) }
        buffer.append(UnsafeBufferPointer(start: lists + Int(entry.offset), count: Int(entry.length)))
    }

    @inline(never) private func appendStackLine(_ stack: StackID, to buffer: TextBuffer, tables: TraceTables) {
        let index = Int(stack.rawValue)
        if index >= entries.count {
            let count = max(index + 1, entries.count * 2)
            entries.append(contentsOf: repeatElement(Entry(), count: count - entries.count))
        }
        lastNumber += 1
        entries[index].number = lastNumber
        buffer.append("{\"kind\":\"Stack\",\"id\":")
        buffer.append(lastNumber)
        buffer.append(",\"frames\":[")
        for (position, frame) in tables.stacks.frames(stack).enumerated() {
            buffer.append(position == 0 ? "{\"pc\":" : ",{\"pc\":")
            buffer.append(frame.programCounter)
            buffer.appendStringField(",\"func", frame.function, tables.strings)
            buffer.appendStringField(",\"file", frame.file, tables.strings)
            buffer.append(",\"line\":")
            buffer.append(frame.line)
            buffer.append("}")
        }
        buffer.append("]}\n")
    }

    @inline(never) private func render(_ stack: StackID, to buffer: TextBuffer, tables: TraceTables) {
        scratch.append("[")
        for (position, frame) in tables.stacks.frames(stack).enumerated() {
            scratch.append(position == 0 ? "\"" : ",\"")
            scratch.appendJSONContent(tables.strings.bytes(frame.function))
            scratch.append(" ")
            scratch.appendJSONContent(tables.strings.bytes(frame.file))
            scratch.append(":")
            scratch.append(frame.line)
            scratch.append("\"")
        }
        scratch.append("]")
        buffer.append(scratch.pending)
        keep(scratch.pending, of: stack)
        scratch.removeAll()
    }

    /// Keeps a rendered list. When there is no room all lists are forgotten; those still in use
    /// soon come back.
    private func keep(_ list: UnsafeBufferPointer<UInt8>, of stack: StackID) {
        guard list.count <= listCapacity / 4, let start = list.baseAddress else { return }
        if listCount + list.count > listCapacity {
            for index in entries.indices { entries[index].length = 0 }
            listCount = 0
        }
        (lists + listCount).update(from: start, count: list.count)
        let index = Int(stack.rawValue)
        entries[index].offset = UInt32(listCount)
        entries[index].length = UInt32(list.count)
        listCount += list.count
    }
}
