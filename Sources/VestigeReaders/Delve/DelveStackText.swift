import VestigeCore

/// Puts a stack together from the lines of `stack`, `goroutines -t` and breakpoint reports.
struct DelveStackText {
    private(set) var frames: [Frame] = []
    /// Frames left out behind the last, or a read error.
    private(set) var isTruncated = false
    private(set) var error: ArraySlice<UInt8> = []
    private(set) var lineCount: Int64 = 0
    /// A frame whose second line, with the place, is still to come.
    private var half: (programCounter: UInt64, function: StringID)?
    private var isOpen = false

    var isEmpty: Bool { !isOpen }

    /// `3  0x000000000045b7a7 in runtime.main`: the number, the program counter, and the function.
    static func frameHead(_ body: ArraySlice<UInt8>) -> (index: Int64, pc: UInt64, function: ArraySlice<UInt8>)? {
        var text = body
        text.dropSpaces()
        guard let index = text.dropNumber(), text.dropPrefix("  "), let pc = text.dropHex(), text.dropPrefix(" in ")
        else { return nil }
        return (index, pc, text)
    }

    mutating func begin(_ head: (index: Int64, pc: UInt64, function: ArraySlice<UInt8>), _ state: DelveState) {
        finishHalf()
        isOpen = true
        lineCount += 1
        half = (head.pc, state.intern(head.function))
    }

    /// Takes a line that may belong to the stack.
    /// - Returns: false if it does not.
    mutating func take(_ body: ArraySlice<UInt8>, _ state: DelveState) -> Bool {
        guard isOpen else { return false }
        var text = body
        text.dropSpaces()
        if let frame = half, text.dropPrefix("at ") {
            half = nil
            lineCount += 1
            let place = DelveTextLine.FilePlace(text)
            frames.append(
                Frame(
                    programCounter: frame.programCounter, function: frame.function,
                    file: state.intern(place?.file ?? text), line: place?.line ?? 0))
            return true
        }
        if body.elementsEqual("(truncated)".utf8) {
            isTruncated = true
            lineCount += 1
            return true
        }
        if text.dropPrefix("error: ") {
            error = text
            lineCount += 1
            return true
        }
        guard body.first == 0x20 else { return false }
        // Offsets, deferred calls, and variables.
        state.diagnostics.count(.detailsLeftOut)
        return true
    }

    private mutating func finishHalf() {
        guard let frame = half else { return }
        half = nil
        frames.append(Frame(programCounter: frame.programCounter, function: frame.function, file: .empty, line: 0))
    }

    /// Hands over what there is and begins anew.
    mutating func finish(_ state: DelveState) -> (stack: StackID, goroutine: DelveGoroutine) {
        finishHalf()
        defer { self = DelveStackText() }
        if let first = frames.first { _ = state.location(first) }
        var goroutine = DelveGoroutine()
        goroutine.stack = state.tables.stacks.intern(innermostFirst: frames)
        goroutine.frameCount = frames.count
        goroutine.isStackComplete = !isTruncated
        goroutine.stackError = state.intern(error)
        return (goroutine.stack, goroutine)
    }
}
