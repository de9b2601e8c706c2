import VestigeCore

/// Something open that will become a slice when it ends: a region, or a range of the runtime.
struct OpenSlice: BitwiseCopyable {
    enum Kind: UInt8 { case region, range }

    var startNanoseconds: Int64
    /// Task of a region; scope id of a range (bit pattern of Int64).
    var identifier: UInt64
    var name: StringID
    var stack: StackID
    var goroutine: GoroutineID
    var kind: Kind
    /// When it began, if a synthetic event has begun it here.
    var sinceNanoseconds: Int64?
    /// 0: the row itself; above, further rows for slices that overlap others only in part.
    var lane: UInt8 = 0
    /// Where in the pool the one below it is.
    fileprivate var below: Int32 = -1
    /// At most so many are below it.
    fileprivate var depth: Int32 = 0
    /// Once it has ended: where in the pool it was, and the one below that began at the same time; -1: none.
    fileprivate var index: Int32 = -1
    fileprivate var holder: Int32 = -1

    /// What an event begins.
    init(_ kind: Kind, _ event: Event, at startNanoseconds: Int64) {
        self.init(
            kind, event.name, event.argument0, at: startNanoseconds, stack: event.stack,
            goroutine: kind == .range ? event.goroutine : .absent)
        if event.isSynthetic { sinceNanoseconds = event.sinceNanoseconds }
    }

    init(
        _ kind: Kind, _ name: StringID, _ identifier: UInt64, at startNanoseconds: Int64,
        stack: StackID = .absent, goroutine: GoroutineID = .absent
    ) {
        self.kind = kind
        self.name = name
        self.identifier = identifier
        self.startNanoseconds = startNanoseconds
        self.stack = stack
        self.goroutine = goroutine
    }
}

/// A slice that has ended, and what is to be said of it.
struct EndedSlice: BitwiseCopyable {
    enum Flag: UInt8 { case none, beganBefore, goesOn }

    var slice: OpenSlice
    var endNanoseconds: Int64
    /// What ended it, if an event did.
    var event: Event?
    var flag = Flag.none
}

/// The open slices of one row, the innermost on top: a list in the pool of `NestedSlices`.
struct SliceStack: BitwiseCopyable, Equatable {
    fileprivate var top: Int32 = -1
    static var empty: SliceStack { SliceStack() }
    var isEmpty: Bool { top < 0 }
}

/// Tells the rows of one output apart; writers choose the numbers.
struct RowKey: Hashable, BitwiseCopyable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// The open slices of all rows, and the choice of a lane for each.
///
/// On one row of a viewer slices must nest: Perfetto drops a slice that overlaps another in part.
/// Regions usually nest, but a program may end an outer one first. Then those above it, which go on,
/// move to another lane, which is a row of its own.
struct NestedSlices {
    private var pool: [OpenSlice] = []
    private var free: [Int32] = []
    /// Of rows that have further lanes: until when each of these is taken.
    private var laneEnds: [RowKey: [Int64]] = [:]
    /// By place in the pool of one that is open: ended ones that it encloses and that began at the same time.
    private var held: [Int32: [EndedSlice]] = [:]

    /// Lanes of a row, itself included.
    static let laneLimit = 15
    /// How deep an end looks for its begin, so that a damaged trace cannot make it slow.
    private static let searchLimit = 256
    /// How many wait for one that began at the same time. Only events that are all of one time make more.
    private static let heldLimit = 4096

    mutating func push(_ slice: OpenSlice, on stack: inout SliceStack) {
        var slice = slice
        slice.below = stack.top
        slice.depth = stack.isEmpty ? 0 : pool[Int(stack.top)].depth &+ 1
        if let index = free.popLast() {
            pool[Int(index)] = slice
            stack.top = index
        } else {
            stack.top = Int32(truncatingIfNeeded: pool.count)
            pool.append(slice)
        }
    }

    func contains(_ kind: OpenSlice.Kind, _ name: StringID, _ identifier: UInt64, in stack: SliceStack) -> Bool {
        find(kind, name, identifier, in: stack) != nil
    }

    /// Takes the innermost slice with this name and identifier off the stack, or returns nil if there is none.
    mutating func end(
        _ kind: OpenSlice.Kind, _ name: StringID, _ identifier: UInt64, in stack: inout SliceStack, of row: RowKey,
        at now: Int64
    ) -> OpenSlice? {
        guard let found = find(kind, name, identifier, in: stack) else { return nil }
        let slice = slice(endingAt: found)
        if stack.top == found {
            stack.top = slice.below
        } else {
            moveAside(above: found, in: stack, of: row, at: now)
        }
        release(found, of: row, at: now)
        return slice
    }

    /// Makes room on lane 0 for a slice that began before all that are open, and ends now. False if so
    /// many are open that it would take long.
    mutating func moveAllAside(in stack: SliceStack, of row: RowKey, at now: Int64) -> Bool {
        guard stack.isEmpty || pool[Int(stack.top)].depth < Self.searchLimit else { return false }
        moveAside(above: -1, in: stack, of: row, at: now)
        return true
    }

    /// Takes the innermost slice off the stack.
    mutating func pop(_ stack: inout SliceStack, of row: RowKey, at now: Int64) -> OpenSlice? {
        guard !stack.isEmpty else { return nil }
        let index = stack.top
        let slice = slice(endingAt: index)
        stack.top = slice.below
        release(index, of: row, at: now)
        return slice
    }

    /// Hands over a slice that has ended, to be written; later, if another one that goes on began at the same time.
    /// Of two such slices viewers take the first in the file for the outer one.
    mutating func complete(_ ended: EndedSlice, _ write: (EndedSlice) -> Void) {
        let inner = held.isEmpty ? nil : held.removeValue(forKey: ended.slice.index)
        let holder = ended.slice.holder
        if holder >= 0, held[holder]?.count ?? 0 < Self.heldLimit {
            held[holder, default: []].append(ended)
            if let inner { held[holder]! += inner }
            return
        }
        write(ended)
        inner?.forEach(write)
    }

    private func slice(endingAt index: Int32) -> OpenSlice {
        var slice = pool[Int(index)]
        slice.index = index
        var below = slice.below
        while below >= 0, pool[Int(below)].startNanoseconds == slice.startNanoseconds {
            if pool[Int(below)].lane == slice.lane {
                slice.holder = below
                break
            }
            below = pool[Int(below)].below
        }
        return slice
    }

    /// Number of further lanes of a row, which is forgotten.
    mutating func removeLanes(of row: RowKey) -> Int {
        laneEnds.isEmpty ? 0 : laneEnds.removeValue(forKey: row)?.count ?? 0
    }
}

extension NestedSlices {
    private func find(
        _ kind: OpenSlice.Kind, _ name: StringID, _ identifier: UInt64, in stack: SliceStack
    ) -> Int32? {
        var index = stack.top
        var steps = 0
        while index >= 0, steps < Self.searchLimit {
            let slice = pool[Int(index)]
            if slice.kind == kind, slice.name == name, slice.identifier == identifier { return index }
            index = slice.below
            steps += 1
        }
        return nil
    }

    /// Moves those above `ended` that share its lane to lanes where they overlap nothing in part, and
    /// unlinks it.
    private mutating func moveAside(above ended: Int32, in stack: SliceStack, of row: RowKey, at now: Int64) {
        let lane = ended < 0 ? 0 : pool[Int(ended)].lane
        var index = stack.top
        while index >= 0, index != ended {
            let below = pool[Int(index)].below
            if pool[Int(index)].lane == lane { moveAside(index, from: lane, of: row, at: now) }
            if below == ended, ended >= 0 { pool[Int(index)].below = pool[Int(ended)].below }
            index = below
        }
    }

    private mutating func moveAside(_ index: Int32, from lane: UInt8, of row: RowKey, at now: Int64) {
        let start = pool[Int(index)].startNanoseconds
        let ends = laneEnds[row] ?? []
        // What has ended on a lane before this one began cannot overlap it; what is still open there
        // moves aside in its turn.
        for candidate in 1..<UInt8(Self.laneLimit) where candidate != lane {
            if Int(candidate) > ends.count || ends[Int(candidate) - 1] <= start {
                pool[Int(index)].lane = candidate
                if Int(candidate) > ends.count { laneEnds[row, default: []].append(.min) }
                return
            }
        }
        // No program is like that: the slice loses its beginning, so that it does not overlap.
        pool[Int(index)].startNanoseconds = now
    }

    private mutating func release(_ index: Int32, of row: RowKey, at now: Int64) {
        let lane = Int(pool[Int(index)].lane)
        if lane > 0 { laneEnds[row]?[lane - 1] = now }
        free.append(index)
    }
}
