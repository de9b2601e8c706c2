/// One line of a stack. `programCounter` is 0 where the input gives none.
@frozen public struct Frame: Hashable, BitwiseCopyable, Sendable {
    public var programCounter: UInt64
    public var function: StringID
    public var file: StringID
    public var line: UInt64

    @inlinable public init(programCounter: UInt64, function: StringID, file: StringID, line: UInt64) {
        self.programCounter = programCounter
        self.function = function
        self.file = file
        self.line = line
    }
}

/// Stacks, each stored once as a node of a tree: a node is a frame and the node of its caller.
/// A caller's id is smaller than its callee's. Ids hold for the whole run.
///
/// Threads may share a table, as they may a `GrowingArray`; adding takes a lock.
public final class StackTable {
    /// A node: `frame` was called by the stack `caller` (0: it is the root).
    @frozen public struct Node: Hashable, BitwiseCopyable, Sendable {
        public var caller: StackID
        public var depth: UInt32
        public var frame: Frame
    }

    @usableFromInline let nodes = GrowingArray<Node>()
    private var slots: [UInt32]
    /// Held by whoever adds.
    private let lock = Lock()

    public init() {
        let none = Frame(programCounter: 0, function: .empty, file: .empty, line: 0)
        nodes.append(Node(caller: .absent, depth: 0, frame: none))
        slots = Array(repeating: 0, count: 1024)
    }

    /// Ids are below it.
    @inlinable public var count: Int { nodes.count }

    /// The stack that has `frame` innermost and `caller` below it.
    public func intern(_ frame: Frame, caller: StackID) -> StackID {
        lock.lock()
        defer { lock.unlock() }
        var slot = Self.hash(frame, caller) & (slots.count - 1)
        while slots[slot] != 0 {
            let node = nodes[Int(slots[slot])]
            if node.caller == caller, node.frame == frame { return StackID(slots[slot]) }
            slot = (slot + 1) & (slots.count - 1)
        }
        let id = UInt32(count)
        nodes.append(Node(caller: caller, depth: node(caller).depth + 1, frame: frame))
        slots[slot] = id
        if count * 2 > slots.count { rehash() }
        return StackID(id)
    }

    /// The stack of these frames, innermost first.
    public func intern(innermostFirst frames: some BidirectionalCollection<Frame>) -> StackID {
        var stack = StackID.absent
        for frame in frames.reversed() { stack = intern(frame, caller: stack) }
        return stack
    }

    @inlinable public func node(_ id: StackID) -> Node {
        let index = Int(id.rawValue)
        return nodes[index < count ? index : 0]
    }

    /// The frames, innermost first.
    public func frames(_ id: StackID) -> FrameSequence { FrameSequence(table: self, position: id) }

    /// The outermost frame (for a goroutine's stack: the function it was started with), or nil.
    public func rootFrame(_ id: StackID) -> Frame? { id == .absent ? nil : node(root(id)).frame }

    /// The stack of the outermost frame alone; absent if there is none.
    public func root(_ id: StackID) -> StackID {
        var id = id
        while case let caller = node(id).caller, caller != .absent { id = caller }
        return id
    }

    public struct FrameSequence: Sequence, IteratorProtocol {
        let table: StackTable
        var position: StackID

        public mutating func next() -> Frame? {
            guard position != .absent else { return nil }
            let node = table.node(position)
            position = node.caller
            return node.frame
        }
    }

    private func rehash() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for index in 1..<count {
            var slot = Self.hash(nodes[index].frame, nodes[index].caller) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index)
        }
    }

    private static func hash(_ frame: Frame, _ caller: StackID) -> Int {
        var hash = frame.programCounter &* 0x9e37_79b9_7f4a_7c15
        hash = (hash ^ UInt64(caller.rawValue)) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 32 ^ UInt64(frame.function.rawValue) << 20 ^ frame.line) &* 0xc4ce_b9fe_1a85_ec53
        return Int(truncatingIfNeeded: hash ^ hash >> 29) & Int.max
    }
}
