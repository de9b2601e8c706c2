import VestigeCore

/// What happened at each stack: CPU profile samples, and waits. Memory follows the stacks there are.
public struct StackStatistics: ~Copyable {
    public struct Row: BitwiseCopyable, Sendable {
        public var stack = StackID.absent
        public var sampleCount: UInt64 = 0
        public var waitCount: UInt64 = 0
        public var waitNanoseconds: Int64 = 0
    }

    private var byStack: [Row] = []

    public init() {}

    /// Stacks at which something happened, in the order in which the input first names them.
    public var rows: [Row] { byStack.filter { $0.sampleCount > 0 || $0.waitCount > 0 } }

    public mutating func add(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) {
        for event in events where event.kind == .stackSample {
            guard makeRoom(for: event.stack, tables) else { continue }
            byStack[Int(event.stack.rawValue)].sampleCount &+= 1
        }
    }

    public mutating func add(_ span: LifelineSpan, _ tables: TraceTables) {
        guard span.kind == .goroutineState, span.state == .waiting, makeRoom(for: span.startStack, tables) else {
            return
        }
        let index = Int(span.startStack.rawValue)
        byStack[index].waitCount &+= 1
        byStack[index].waitNanoseconds = byStack[index].waitNanoseconds.addingSaturating(span.durationNanoseconds)
    }

    /// False for a stack that there is not. What has none counts as one row, the stack `absent`.
    @inline(__always) private mutating func makeRoom(for stack: StackID, _ tables: TraceTables) -> Bool {
        if Int(stack.rawValue) < byStack.count { return true }
        guard Int(stack.rawValue) < tables.stacks.count else { return false }
        for index in byStack.count..<tables.stacks.count {
            byStack.append(Row(stack: StackID(UInt32(truncatingIfNeeded: index))))
        }
        return true
    }
}
