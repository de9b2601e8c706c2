import VestigeCore

/// Short spans that follow each other on a row, as what viewers show of them: one slice.
struct SpanBlock<Span: BitwiseCopyable>: PagedElement {
    /// Spans of one state.
    struct Sum: BitwiseCopyable {
        var count: Int64 = 0
        var nanoseconds: Int64 = 0
    }

    var count: UInt64 = 0
    /// Arrows that would lead to its spans.
    var flowCount: UInt64 = 0
    var startNanoseconds: Int64 = 0
    var endNanoseconds: Int64 = 0
    var running = Sum()
    var runnable = Sum()
    var waiting = Sum()
    var syscall = Sum()
    /// The first span, which is written as it is if no other follows.
    var first: Span?

    static var vacant: SpanBlock { SpanBlock() }
    var isOccupied: Bool { count > 0 }

    fileprivate mutating func add(_ state: GoroutineState, _ start: Int64, _ end: Int64) {
        count += 1
        endNanoseconds = end
        switch state {
        case .running: Self.add(end &- start, to: &running)
        case .runnable: Self.add(end &- start, to: &runnable)
        case .syscall: Self.add(end &- start, to: &syscall)
        default: Self.add(end &- start, to: &waiting)
        }
    }

    private static func add(_ nanoseconds: Int64, to sum: inout Sum) {
        sum.count += 1
        sum.nanoseconds &+= nanoseconds
    }

    /// Calls `body` with the states of the block and their sums.
    func forEachState(_ body: (GoroutineState, Sum) -> Void) {
        for (state, sum) in [
            (GoroutineState.running, running), (.runnable, runnable), (.waiting, waiting), (.syscall, syscall),
        ] where sum.count > 0 { body(state, sum) }
    }
}

/// Merges the short spans of each row.
final class SpanThinner<Span: BitwiseCopyable> {
    let thinning: Thinning
    private var limit: Int64 { thinning.minSpanNanoseconds }
    private var blocks = PagedTable<SpanBlock<Span>>()

    /// Longer blocks would show nothing of how things went on.
    private static var longestBlock: Int64 { 100 }

    /// Nil if nothing is to be merged.
    init?(_ thinning: Thinning?) {
        guard let thinning else { return nil }
        self.thinning = thinning
    }

    /// Takes a span if it is short; otherwise it is to be written. Blocks that it ends are handed to `write`.
    func take(
        _ span: Span, _ state: GoroutineState, _ start: Int64, _ end: Int64, of row: Int64, hasFlow: Bool = false,
        write: (SpanBlock<Span>) -> Void
    ) -> Bool {
        guard end &- start < limit else {
            self.end(row, write: write)
            return false
        }
        if let block = blocks.find(row) {
            let isNear = start &- block.pointee.endNanoseconds < limit
            let length = end &- block.pointee.startNanoseconds
            if isNear, length / Self.longestBlock < limit {
                block.pointee.add(state, start, end)
                block.pointee.flowCount += hasFlow ? 1 : 0
                return true
            }
            self.end(row, write: write)
        }
        var block = SpanBlock<Span>()
        block.startNanoseconds = start
        block.first = span
        block.add(state, start, end)
        block.flowCount = hasFlow ? 1 : 0
        blocks.insert(row, block)
        return true
    }

    /// Ends the row's block, if there is one.
    func end(_ row: Int64, write: (SpanBlock<Span>) -> Void) {
        guard let found = blocks.find(row) else { return }
        let block = found.pointee
        blocks.remove(row)
        if block.count > 1 { thinning.note(block.count, flowCount: block.flowCount) }
        write(block)
    }
}
