import VestigeCore

/// Whether a recording has goroutines waiting where a profile has some.
struct ProfilePlaces {
    private let isProfile: Bool
    /// The best that is known of each stack in the profile, in the recording.
    private var stacks: [(stack: StackID, place: PlaceComparison)]
    /// Stacks of the recording that have been looked at.
    private var seen: Set<StackID> = []
    /// More stacks are not compared: each costs a look at every stack of the profile.
    private static let limit = 4096

    init(_ snapshot: ObservedSnapshot) {
        isProfile = snapshot.observer == .profile
        let observed = snapshot.events.lazy.filter { $0.kind == .observed && $0.stack != .absent }.map(\.stack)
        stacks = isProfile ? Set(observed).prefix(Self.limit).map { ($0, .unknown) } : []
    }

    /// Takes a goroutine of the recording in.
    mutating func note(_ now: TracedGoroutine, _ tables: TraceTables) {
        guard now.state == .waiting, now.stack != .absent, seen.count < Self.limit, seen.insert(now.stack).inserted
        else { return }
        for index in stacks.indices where stacks[index].place < .agreeing {
            stacks[index].place = max(
                stacks[index].place, PlaceComparison(waiting: now.stack, stacks[index].stack, tables))
        }
    }

    /// A profile has goroutines that run, too, and does not say which: that the recording has some of it nowhere
    /// says nothing.
    var evidence: PlaceEvidence {
        var evidence = PlaceEvidence()
        evidence.agreeing = stacks.filter { $0.place == .agreeing }.count
        evidence.inMainOnly = stacks.filter { $0.place == .inMain }.count
        if evidence.agreeing == 0, evidence.inMainOnly == 0 {
            evidence.differing = stacks.filter { $0.place == .differing }.count
        }
        return evidence
    }
}
