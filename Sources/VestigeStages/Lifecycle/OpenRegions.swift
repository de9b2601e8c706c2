import VestigeCore

/// A region that has begun.
struct OpenRegion: BitwiseCopyable {
    var startNanoseconds: Int64
    var task: TaskID
    var name: StringID
    var startStack: StackID
    var depth: UInt32
    var source: UInt8
    var flags: LifelineSpan.Flags = []
    var began = Int64.min

    /// The event is its begin; or its end, when the begin is lost.
    init(_ event: UnsafePointer<Event>, startingAt start: Int64, depth: UInt32) {
        startNanoseconds = start
        task = event.pointee.task
        name = event.pointee.name
        startStack = .absent
        self.depth = depth
        source = event.pointee.source
        if event.pointee.isSynthetic { (flags, began) = ([.beganBefore], event.pointee.sinceNanoseconds) }
    }

    func span(of life: GoroutineLife, endingAt time: Int64, flags: LifelineSpan.Flags) -> LifelineSpan {
        var span = LifelineSpan()
        span.kind = .region
        span.goroutine = life.goroutine
        span.startFunction = life.startFunction
        span.startNanoseconds = startNanoseconds
        span.endNanoseconds = max(startNanoseconds, time)
        span.identifier = task.rawValue
        span.name = name
        span.startStack = startStack
        span.depth = depth
        span.flags = flags.union(self.flags)
        span.began = began
        span.source = source
        return span
    }
}

/// The open regions of one goroutine, as a list through the pool of `OpenRegions`.
struct RegionList: BitwiseCopyable {
    /// Index of the innermost; 0 is none.
    fileprivate var innermost: UInt32 = 0
    fileprivate(set) var count: UInt32 = 0
    /// True if its regions are found by the index, since there are many.
    fileprivate var isIndexed = false

    init() {}
}

/// The open regions of all goroutines: a pool of list nodes, with a list of free ones.
///
/// An end closes the innermost region of its name and task, so a goroutine's list is searched from
/// the inside. Lists that grow long (a region begun in a loop and never ended) get an index, so that
/// no input makes the search slow.
struct OpenRegions: ~Copyable {
    private struct Node {
        var region: OpenRegion
        /// The next region outwards and inwards; 0 is none.
        var outer: UInt32
        var inner: UInt32
        /// The next region outwards of the same name and task, if the list is indexed.
        var outerAlike: UInt32
    }

    private struct Key: Hashable {
        var goroutine: GoroutineID
        var task: TaskID
        var name: StringID
    }

    private static let longestSearch = 32

    /// Node 0 is never used, so that 0 can mean none.
    private var nodes: [Node] = []
    private var firstFree: UInt32 = 0
    /// The innermost region of each name and task, of goroutines with long lists.
    private var index: [Key: UInt32] = [:]

    // MARK: - Begin and end

    mutating func begin(_ event: UnsafePointer<Event>, _ list: inout RegionList) {
        var region = OpenRegion(event, startingAt: event.pointee.timeNanoseconds, depth: list.count)
        region.startStack = event.pointee.stack
        let new = allocate(Node(region: region, outer: list.innermost, inner: 0, outerAlike: 0))
        if list.innermost != 0 { nodes[Int(list.innermost)].inner = new }
        list.innermost = new
        list.count += 1
        if list.isIndexed {
            addToIndex(new, event.pointee.goroutine)
        } else if list.count > Self.longestSearch {
            makeIndex(&list, event.pointee.goroutine)
        }
    }

    /// Removes and returns the region that the event ends, or nil if none is open.
    mutating func end(_ event: UnsafePointer<Event>, _ list: inout RegionList) -> OpenRegion? {
        let (task, name) = (event.pointee.task, event.pointee.name)
        var found: UInt32
        if list.isIndexed {
            found = index[Key(goroutine: event.pointee.goroutine, task: task, name: name)] ?? 0
        } else {
            found = list.innermost
            while found != 0, nodes[Int(found)].region.name != name || nodes[Int(found)].region.task != task {
                found = nodes[Int(found)].outer
            }
        }
        return found == 0 ? nil : remove(found, &list, event.pointee.goroutine)
    }

    /// Removes all regions of a list, innermost first.
    mutating func removeAll(_ list: inout RegionList, of goroutine: GoroutineID, _ body: (OpenRegion) -> Void) {
        while list.innermost != 0 { body(remove(list.innermost, &list, goroutine)) }
    }

    /// Hands over all regions of a list, outermost first.
    func forEach(_ list: RegionList, _ body: (OpenRegion) -> Void) {
        for position in inwards(list) { body(nodes[Int(position)].region) }
    }

    /// - Precondition: no region further inwards has the same name and task.
    private mutating func remove(_ position: UInt32, _ list: inout RegionList, _ goroutine: GoroutineID) -> OpenRegion {
        let node = nodes[Int(position)]
        if node.outer != 0 { nodes[Int(node.outer)].inner = node.inner }
        if node.inner != 0 { nodes[Int(node.inner)].outer = node.outer } else { list.innermost = node.outer }
        list.count -= 1
        if list.isIndexed {
            let key = Key(goroutine: goroutine, task: node.region.task, name: node.region.name)
            index[key] = node.outerAlike == 0 ? nil : node.outerAlike
            if list.count == 0 { list.isIndexed = false }
        }
        nodes[Int(position)].outer = firstFree
        firstFree = position
        return node.region
    }

    // MARK: - Pool and index

    private mutating func allocate(_ node: Node) -> UInt32 {
        if firstFree != 0 {
            let position = firstFree
            firstFree = nodes[Int(position)].outer
            nodes[Int(position)] = node
            return position
        }
        if nodes.isEmpty { nodes.append(node) }
        nodes.append(node)
        return UInt32(truncatingIfNeeded: nodes.count - 1)
    }

    private mutating func makeIndex(_ list: inout RegionList, _ goroutine: GoroutineID) {
        list.isIndexed = true
        for position in inwards(list) { addToIndex(position, goroutine) }
    }

    /// The positions of a list, outermost first.
    private func inwards(_ list: RegionList) -> [UInt32] {
        var positions: [UInt32] = []
        var position = list.innermost
        while position != 0 {
            positions.append(position)
            position = nodes[Int(position)].outer
        }
        return positions.reversed()
    }

    private mutating func addToIndex(_ position: UInt32, _ goroutine: GoroutineID) {
        let region = nodes[Int(position)].region
        let key = Key(goroutine: goroutine, task: region.task, name: region.name)
        nodes[Int(position)].outerAlike = index[key] ?? 0
        index[key] = position
    }
}
