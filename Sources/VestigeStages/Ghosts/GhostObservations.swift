import VestigeCore

/// What observers have said: dumps and debuggers.
struct GhostObservations {
    /// Goroutines alike, which an observer does not tell apart.
    struct Crowd {
        var note: GhostNote
        var count: UInt64
        var creation: Creation
    }

    /// By goroutine, in order of time; the last few of each.
    private(set) var notes: [GoroutineID: [GhostNote]] = [:]
    /// Of the last observation of each: who created it and where, and whether it belongs to the runtime.
    private(set) var creations: [GoroutineID: (creation: Creation, isSystem: Bool)] = [:]
    private(set) var crowds: [Crowd] = []
    /// True if the runtime says that all goroutines are asleep.
    private(set) var isDeadlock = false
    private static let noteLimit = 16
    private static let deadlock = "all goroutines are asleep"

    var isEmpty: Bool { notes.isEmpty && crowds.isEmpty }

    mutating func add(_ event: Event, _ tables: TraceTables) {
        guard event.kind == .observed else { return noteDeath(event, tables) }
        let detail = tables.observations.detail(event.observationDetail)
        let note = GhostNote(
            source: event.source, timeNanoseconds: event.timeNanoseconds, state: event.toGoroutineState,
            reason: event.name, leastWaitNanoseconds: event.leastWaitNanoseconds,
            isLeaked: detail.flags.contains(.leaked), stack: event.stack)
        guard event.goroutine != .absent else {
            if event.observedCount > 0 {
                crowds.append(Crowd(note: note, count: event.observedCount, creation: detail.creation))
            }
            return
        }
        var known = notes[event.goroutine] ?? []
        if known.count == Self.noteLimit { known.remove(at: known.count / 2) }
        known.append(note)
        notes[event.goroutine] = known
        creations[event.goroutine] = (detail.creation, detail.flags.contains(.system))
    }

    private mutating func noteDeath(_ event: Event, _ tables: TraceTables) {
        guard tables.strings.bytes(event.name).elementsEqual("fatal error".utf8) else { return }
        if tables.strings.string(event.message).contains(Self.deadlock) { isDeadlock = true }
    }
}
