import VestigeCore

/// Which events a name in a rule file stands for. Everything given must hold.
public struct EventPattern: Sendable {
    public var name: String
    public var kinds: Set<EventKind>
    /// Of the event's name: that of a region, task or range, the category of a log message, the reason of a
    /// transition; empty for any.
    public var names: [Glob] = []
    /// Of a log message; empty for any.
    public var messages: [Glob] = []
    /// Of a transition of a goroutine; empty for any. The state NotExist is that before and after its life.
    public var fromStates: [GoroutineState] = []
    public var toStates: [GoroutineState] = []

    public init(name: String, kinds: Set<EventKind>) {
        self.name = name
        self.kinds = kinds
    }
}

/// Finds out which of several patterns an event fits.
struct EventMatcher {
    private let kindMasks: [UInt64]
    private var names: NameMasks
    private var messages: NameMasks
    private let namedMask: UInt64
    private let messageMask: UInt64
    private let fromMasks: [UInt64]
    private let toMasks: [UInt64]

    /// - Precondition: there are at most 64.
    init(_ patterns: [EventPattern]) {
        let numbered = patterns.enumerated().map { (bit: UInt64(1) << UInt64($0), pattern: $1) }
        func mask(_ isWanted: (EventPattern) -> Bool) -> UInt64 {
            numbered.reduce(0) { isWanted($1.pattern) ? $0 | $1.bit : $0 }
        }
        kindMasks = EventKind.allCases.map { kind in mask { $0.kinds.contains(kind) } }
        names = NameMasks(
            patterns: numbered.filter { !$0.pattern.names.isEmpty }.map { (bit: $0.bit, globs: $0.pattern.names) })
        messages = NameMasks(
            patterns: numbered.filter { !$0.pattern.messages.isEmpty }.map { (bit: $0.bit, globs: $0.pattern.messages) }
        )
        namedMask = mask { !$0.names.isEmpty }
        messageMask = mask { !$0.messages.isEmpty }
        fromMasks = GoroutineState.allCases.map { state in
            mask { $0.fromStates.isEmpty || $0.fromStates.contains(state) }
        }
        toMasks = GoroutineState.allCases.map { state in mask { $0.toStates.isEmpty || $0.toStates.contains(state) } }
    }

    /// The bits of the patterns that the event fits. One that only establishes a state fits none.
    @inline(__always) mutating func mask(of event: UnsafePointer<Event>, _ tables: TraceTables) -> UInt64 {
        let mask = kindMasks[Int(event.pointee.kind.rawValue)]
        if mask == 0 || event.pointee.isSynthetic { return 0 }
        return narrow(mask, event, tables)
    }

    private mutating func narrow(_ mask: UInt64, _ event: UnsafePointer<Event>, _ tables: TraceTables) -> UInt64 {
        var mask = mask
        if event.pointee.kind == .goroutineTransition {
            mask &= fromMasks[Int(event.pointee.fromGoroutineState.rawValue)]
            mask &= toMasks[Int(event.pointee.toGoroutineState.rawValue)]
        }
        if mask & namedMask != 0 { mask &= ~namedMask | names.mask(of: event.pointee.name, tables) }
        if mask & messageMask != 0 {
            let isLog = event.pointee.kind == .log
            mask &= ~messageMask | (isLog ? messages.mask(of: event.pointee.message, tables) : 0)
        }
        return mask
    }
}
