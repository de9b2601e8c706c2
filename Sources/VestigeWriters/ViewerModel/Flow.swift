import VestigeCore

/// An arrow between two goroutines: why one made another runnable.
enum Flow: UInt8 {
    case creation = 1
    case wakeUp, channel

    /// How viewers name it, as what the goroutine does from which it comes.
    var name: StaticString {
        switch self {
        case .creation: "creates"
        case .wakeUp: "wakes"
        case .channel: "channel hand-over"
        }
    }

    fileprivate var kind: FlowKinds {
        switch self {
        case .creation: .creation
        case .wakeUp: .wakeUp
        case .channel: .channel
        }
    }
}

/// Tells which transitions of goroutines are arrows.
struct Flows {
    private let kinds: FlowKinds
    /// By string id of a wait reason: 0 not looked at yet, 1 on a channel, 2 not.
    private var reasons: [UInt8] = []

    init(_ kinds: FlowKinds) { self.kinds = kinds }

    /// The arrow to the goroutine that changes state by the event, if one is wanted.
    /// - Parameter waited: the reason why it waited, if it did.
    @inline(__always)
    mutating func flow(_ event: Event, waited: StringID, _ strings: @autoclosure () -> StringTable) -> Flow? {
        guard event.toGoroutineState == .runnable || event.fromGoroutineState == .notExist,
            event.goroutine != event.subjectGoroutine
        else { return nil }
        let flow: Flow
        switch event.fromGoroutineState {
        case .notExist: flow = .creation
        case .waiting: flow = isOnChannel(waited, strings()) ? .channel : .wakeUp
        default: return nil
        }
        return kinds.contains(flow.kind) ? flow : nil
    }

    private mutating func isOnChannel(_ reason: StringID, _ strings: @autoclosure () -> StringTable) -> Bool {
        let index = Int(reason.rawValue)
        if index >= reasons.count { reasons.append(contentsOf: repeatElement(0, count: index + 1 - reasons.count)) }
        if reasons[index] == 0 { reasons[index] = GoNames.isOnChannel(strings().bytes(reason)) ? 1 : 2 }
        return reasons[index] == 1
    }
}
