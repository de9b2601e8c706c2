/// A list of names and values, e.g. the pprof labels of a goroutine, in `ObservationTable`; 0 is the
/// empty list. Holds for the whole run.
@frozen public struct AttributeListID: Hashable, BitwiseCopyable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var empty: AttributeListID { AttributeListID(0) }
}

/// One name and its value.
public struct Attribute: Hashable, BitwiseCopyable, Sendable {
    public var name: StringID
    public var value: StringID

    public init(name: StringID, value: StringID) {
        self.name = name
        self.value = value
    }
}

/// Who created a goroutine and where, as an observer reports it.
public struct Creation: Hashable, BitwiseCopyable, Sendable {
    /// The creator; `absent` where it is not said (before Go 1.21).
    public var goroutine: GoroutineID
    /// A stack of one frame, the `go` statement; `absent` where it is not said.
    public var stack: StackID

    public init(goroutine: GoroutineID = .absent, stack: StackID = .absent) {
        self.goroutine = goroutine
        self.stack = stack
    }

    public static let unknown = Creation()
}

/// A goroutine in the line of creators above another (GODEBUG=tracebackancestors).
public struct Ancestor: Hashable, BitwiseCopyable, Sendable {
    public var goroutine: GoroutineID
    /// Where it stood when it created the next one.
    public var stack: StackID
    public var creation: Creation

    public init(goroutine: GoroutineID, stack: StackID, creation: Creation) {
        self.goroutine = goroutine
        self.stack = stack
        self.creation = creation
    }
}

/// What an observer says of a goroutine beside its state, reason, stack and wait. Records that are
/// equal are stored once.
public struct ObservationDetail: Hashable, Sendable {
    public struct Flags: OptionSet, Hashable, BitwiseCopyable, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// Proved to wait for ever: by the `goroutineleak` profile or by a debugger's leaked status.
        public static let leaked = Flags(rawValue: 1)
        /// Durably blocked: only its own synctest bubble can wake it.
        public static let durable = Flags(rawValue: 2)
        /// The collector was scanning its stack.
        public static let scan = Flags(rawValue: 4)
        /// Locked to its thread.
        public static let locked = Flags(rawValue: 8)
        /// The observer could not read its stack.
        public static let stackUnavailable = Flags(rawValue: 16)
        /// Belongs to the runtime, as the observer says.
        public static let system = Flags(rawValue: 32)

        /// The flags and their names in JSON lines.
        public static let names: [(flag: Flags, name: StaticString)] = [
            (.leaked, "leaked"), (.durable, "durable"), (.scan, "scan"), (.locked, "locked"),
            (.stackUnavailable, "stack_unavailable"), (.system, "system"),
        ]
    }

    public var flags: Flags = []
    public var creation = Creation.unknown
    /// Number of the synctest bubble; nil if it is in none.
    public var bubble: Int64?
    /// How long it has waited, in the observer's whole minutes; nil where it is not said.
    public var minutes: Int64?
    /// How many frames the observer left out of the stack: 0 none, −1 some, it is not said how many.
    public var elidedFrameCount: Int64 = 0
    /// After how many frames of the stack, from the innermost, they are missing.
    public var elidedAfter: Int64 = 0
    /// Lines within the stack that belong to no frame; the stack is cut there.
    public var strayLineCount: Int64 = 0
    /// pprof labels.
    public var labels = AttributeListID.empty
    /// All else that the observer says, by name, and what is doubtful about it.
    public var attributes = AttributeListID.empty
    /// Creators, from the nearest to the furthest.
    public var ancestors: [Ancestor] = []

    public init() {}

    public static let none = ObservationDetail()
}

/// What `observed` and `breakpoint` events refer to; every record is stored once.
public final class ObservationTable {
    private let lock = Lock()
    private var detailTable = InternedValues<ObservationDetail>(first: .none)
    private var attributeTable = InternedValues<[Attribute]>(first: [])

    public init() {}

    public var details: [ObservationDetail] { lock.withLock { detailTable.values } }
    public var attributeLists: [[Attribute]] { lock.withLock { attributeTable.values } }

    /// The value of an event's `argument1`; 0 for a detail that says nothing.
    public func intern(_ detail: ObservationDetail) -> UInt64 {
        lock.withLock { UInt64(detailTable.intern(detail)) }
    }

    public func intern(_ attributes: [Attribute]) -> AttributeListID {
        lock.withLock { AttributeListID(attributeTable.intern(attributes)) }
    }

    /// A list in the order of its names' bytes: the order of labels means nothing.
    public func intern(labels: [Attribute], _ strings: StringTable) -> AttributeListID {
        intern(labels.sorted { strings.bytes($0.name).lexicographicallyPrecedes(strings.bytes($1.name)) })
    }

    public func detail(_ number: UInt64) -> ObservationDetail {
        lock.withLock {
            let details = detailTable.values
            return number < UInt64(details.count) ? details[Int(number)] : .none
        }
    }

    public func attributes(_ id: AttributeListID) -> [Attribute] {
        lock.withLock {
            let lists = attributeTable.values
            return Int(id.rawValue) < lists.count ? lists[Int(id.rawValue)] : []
        }
    }
}

/// Values, each stored once and numbered from 0. A Dictionary would hold them a second time, and a dump can
/// have as many as goroutines.
private struct InternedValues<Value: Hashable> {
    private(set) var values: [Value]
    /// Open addressing: number + 1, or 0 for a free slot.
    private var slots = [UInt32](repeating: 0, count: 64)

    init(first: Value) {
        values = []
        _ = intern(first)
    }

    mutating func intern(_ value: Value) -> UInt32 {
        var slot = Self.hash(value) & (slots.count - 1)
        while slots[slot] != 0 {
            if values[Int(slots[slot]) - 1] == value { return slots[slot] - 1 }
            slot = (slot + 1) & (slots.count - 1)
        }
        values.append(value)
        slots[slot] = UInt32(values.count)
        if values.count * 2 > slots.count { rehash() }
        return UInt32(values.count - 1)
    }

    private mutating func rehash() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for (index, value) in values.enumerated() {
            var slot = Self.hash(value) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }

    private static func hash(_ value: Value) -> Int { value.hashValue & Int.max }
}
