/// A state machine over named events. It has an instance for each goroutine or task, or one for the recording.
public struct CheckMachine: Sendable {
    public enum Instance: String, CaseIterable, Sendable {
        case goroutine, task, recording
    }

    /// What an event means in a state.
    public enum Arrow: Sendable, Equatable {
        case to(Int)
        /// It changes nothing.
        case stays
        /// It must not come there.
        case breaks
    }

    public var instance: Instance
    public var events: [EventPattern]
    /// The first is the one that all begin in.
    public var states: [String]
    /// By state and event.
    public var arrows: [[Arrow]]
    /// States in which an instance may be when its goroutine, its task or the recording ends.
    public var finals: Set<Int>
    /// How long an instance may be away from the first state; nil for any time.
    public var withinNanoseconds: Int64?

    /// The names of the events, where it was made by `order`.
    public private(set) var orderNames: (after: String, comes: String, before: String?)?

    /// So many events one machine can name.
    public static let eventLimit = 64
    public static let stateLimit = 64

    public init(instance: Instance, events: [EventPattern], states: [String], arrows: [[Arrow]], finals: Set<Int>) {
        self.instance = instance
        self.events = events
        self.states = states
        self.arrows = arrows
        self.finals = finals
    }

    /// After the first event comes the second, before the third or, without one, before the end.
    public static func order(
        after first: EventPattern, comes second: EventPattern, before third: EventPattern?, instance: Instance
    ) -> CheckMachine {
        let third = third.map { [$0] } ?? []
        var machine = CheckMachine(
            instance: instance, events: [second, first] + third,
            states: ["nothing is due", "\(second.name) is due"],
            arrows: [[.stays, .to(1)] + third.map { _ in .stays }, [.to(0), .stays] + third.map { _ in .breaks }],
            finals: third.isEmpty ? [0] : [0, 1])
        machine.orderNames = (first.name, second.name, third.first?.name)
        return machine
    }
}
