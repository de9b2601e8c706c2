import VestigeCore

/// What a goroutine waits for, as far as it matters for whether the wait can end.
enum WaitKind: UInt8, BitwiseCopyable {
    case send, receive, select
    /// On a nil channel, or in a select without cases.
    case forever
    /// For a mutex or a read-write mutex.
    case lock
    /// For a WaitGroup.
    case group
    /// On a sync.Cond.
    case condition
    case network, sleep
    /// In the runtime's own way, or not known.
    case other

    /// By the words of an execution trace, or of a dump.
    init(reason: String) {
        let plain = ["(durable)", "(synctest)"].reduce(reason) { text, mark in
            text.hasSuffix(mark) ? String(text.dropLast(mark.count + 1)) : text
        }
        switch plain {
        case "chan send": self = .send
        case "chan receive": self = .receive
        case "select": self = .select
        case "forever", "chan send (nil chan)", "chan receive (nil chan)", "select (no cases)": self = .forever
        case "sync", "semacquire", "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock": self = .lock
        case "sync.WaitGroup.Wait": self = .group
        case "sync.(*Cond).Wait", "sync.Cond.Wait": self = .condition
        case "network", "IO wait": self = .network
        case "sleep": self = .sleep
        default: self = .other
        }
    }

    /// By the reason, and by the stack where the reason says too little: it is missing where a goroutine was waiting
    /// before the recording, and the same for locks and WaitGroups.
    init(_ reason: StringID, _ stack: StackID, _ tables: TraceTables) {
        let kind = WaitKind(reason: tables.strings.string(reason))
        guard kind == .lock || kind == .other && (reason == .empty) else {
            self = kind
            return
        }
        self = Self.byStack(stack, tables) ?? kind
    }

    private static let functions: [(name: StaticString, kind: WaitKind)] = [
        ("runtime.chansend", .send), ("runtime.chanrecv", .receive), ("runtime.selectgo", .select),
        ("runtime.block", .forever), ("sync.(*WaitGroup).Wait", .group), ("sync.(*Cond).Wait", .condition),
        ("sync.(*Mutex).Lock", .lock), ("sync.(*Mutex).lockSlow", .lock), ("internal/sync.(*Mutex).lockSlow", .lock),
        ("sync.(*RWMutex).", .lock), ("internal/poll.runtime_pollWait", .network), ("time.Sleep", .sleep),
    ]

    private static func byStack(_ stack: StackID, _ tables: TraceTables) -> WaitKind? {
        for frame in tables.stacks.frames(stack).prefix(12) {
            let name = tables.strings.bytes(frame.function)
            if let known = functions.first(where: { GoLibrary.starts(name, with: $0.name) }) { return known.kind }
            if !GoLibrary.contains(name) { return nil }
        }
        return nil
    }

    /// True for waits for what another goroutine may give at any time or never: idle workers do so by design.
    var isPassive: Bool { self == .receive || self == .select || self == .condition }

    /// True for waits that only another goroutine can end.
    var isCandidate: Bool { self != .network && self != .sleep && self != .other }
}
