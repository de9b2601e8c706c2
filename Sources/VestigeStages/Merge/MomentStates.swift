import VestigeCore

/// What a recording says of all goroutines at one moment, and of some at other times.
public struct MomentStates {
    public fileprivate(set) var goroutines: [GoroutineID: TracedGoroutine] = [:]
    /// Goroutines that the recording has mentioned before the moment, also those that have ended.
    public fileprivate(set) var mentionedBefore: Set<GoroutineID> = []
    /// Goroutines that it creates only afterwards.
    public fileprivate(set) var createdLater: Set<GoroutineID> = []
    /// Goroutines that it mentions afterwards as older ones, as it does then.
    public fileprivate(set) var mentionedLater: [GoroutineID: TracedGoroutine] = [:]

    /// The program's goroutines that are alive at the moment, also those that the recording mentions only
    /// afterwards, which had been waiting.
    var program: [TracedGoroutine] {
        let late = mentionedLater.values.filter { $0.state == .waiting }
        return (Array(goroutines.values) + late).filter { $0.isOfProgram && $0.isAlive }
    }
}

/// Reads a recording and keeps what it says at given moments.
public final class MomentStatesCollector {
    private let tables: TraceTables
    private let moments: [Int64]
    private let goroutines = HeapValue(TracedGoroutines())
    private var mentioned: Set<GoroutineID> = []
    private var states: [MomentStates?]
    /// Indices of the moments to come, the next one last.
    private var pending: [Int]

    /// - Parameter moments: in nanoseconds, on the recording's clock; an event at that very time belongs
    ///   to what comes before.
    public init(_ moments: [Int64], tables: TraceTables) {
        self.moments = moments
        self.tables = tables
        states = moments.map { _ in nil }
        pending = moments.indices.sorted { moments[$0] > moments[$1] }
    }

    public func process(_ events: UnsafeBufferPointer<Event>) {
        for event in events {
            while let next = pending.last, moments[next] < event.timeNanoseconds { take(pending.removeLast()) }
            guard event.kind == .goroutineTransition else { continue }
            note(event, goroutines.pointer.pointee.transition(event, tables))
        }
    }

    /// What there is at each moment, in their order.
    public func finish() -> [MomentStates] {
        while let next = pending.popLast() { take(next) }
        return states.compactMap(\.self)
    }

    private func take(_ index: Int) {
        var state = MomentStates()
        goroutines.pointer.pointee.forEach { state.goroutines[$0] = $1 }
        state.mentionedBefore = mentioned
        states[index] = state
    }

    private func note(_ event: Event, _ now: TracedGoroutine) {
        let goroutine = event.subjectGoroutine
        guard mentioned.insert(goroutine).inserted else { return }
        for index in states.indices where states[index] != nil {
            if event.fromGoroutineState == .notExist {
                states[index]?.createdLater.insert(goroutine)
            } else {
                states[index]?.mentionedLater[goroutine] = now
            }
        }
    }
}
