import VestigeCore

/// What a goroutine of a finding waits for.
public enum GhostWait: Sendable {
    case send, receive, select, forever, lock, group, condition, other

    public init(_ reason: StringID, _ stack: StackID, _ tables: TraceTables) {
        switch WaitKind(reason, stack, tables) {
        case .send: self = .send
        case .receive: self = .receive
        case .select: self = .select
        case .forever: self = .forever
        case .lock: self = .lock
        case .group: self = .group
        case .condition: self = .condition
        case .network, .sleep, .other: self = .other
        }
    }
}
