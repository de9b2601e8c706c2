import VestigeCore

/// Findings as they come, by what they have in common. Memory follows how many different ones there are.
struct GhostCollector {
    private struct Key: Hashable {
        var ghost: GhostClass
        var site: UInt32
        var stack: StackID
        var scope: StringID
    }

    /// More members of one finding are only counted.
    static let memberLimit = 100_000
    /// Of goroutines that have ended, of which there may be any number.
    private static let endedLimit = 256
    private static let findingLimit = 10_000

    private(set) var findings: [(finding: GhostFinding, site: UInt32)] = []
    private var indices: [Key: Int] = [:]

    /// - Parameters:
    ///   - amount: how long it lasted, up to `time`.
    ///   - start: when it began, if that is earlier: pauses between do not count.
    ///   - stack: what distinguishes findings of one creation site; absent where that is nothing.
    mutating func add(
        _ ghost: GhostClass, _ trail: GoroutineTrail, _ origin: GhostOrigin, amount: Int64, from start: Int64? = nil,
        at time: Int64, _ hasEnded: Bool, place: StackID = .absent, cause: GhostCause = .none, notes: [GhostNote] = []
    ) {
        var scope = StringID.empty
        if case .ended(_, let name, _, _) = origin { scope = name }
        let key = Key(ghost: ghost, site: trail.site, stack: place, scope: scope)
        guard let index = indices[key] ?? makeFinding(key, trail, origin, cause) else { return }
        var member = GhostMember(
            goroutine: trail.number, startNanoseconds: start ?? time.subtractingSaturating(amount),
            endNanoseconds: time)
        member.createdNanoseconds = trail.flags.contains(.isCreated) ? trail.created : nil
        member.creator = trail.creator
        member.hasEnded = hasEnded
        member.beganBefore = trail.flags.contains(.beganBefore) && (ghost == .leaked || ghost == .stuck)
        if findings[index].finding.creationStack == .absent {
            findings[index].finding.creationStack = trail.creationStack
        }
        if let last = trail.lastWakeup {
            member.lastWaker = last.waker
            member.lastWokenNanoseconds = trail.lastWoken
            member.lastWakerStack = last.wakerStack
        }
        member.notes = notes
        add(member, to: index, lasting: amount, isBounded: hasEnded)
    }

    private mutating func add(_ member: GhostMember, to index: Int, lasting amount: Int64, isBounded: Bool) {
        let isFirst = findings[index].finding.count == 0
        findings[index].finding.count += member.count
        let first = findings[index].finding.firstNanoseconds
        findings[index].finding.firstNanoseconds =
            isFirst ? member.startNanoseconds : min(first, member.startNanoseconds)
        findings[index].finding.longestNanoseconds =
            max(findings[index].finding.longestNanoseconds, amount)
        if findings[index].finding.members.count < (isBounded ? Self.endedLimit : Self.memberLimit) {
            findings[index].finding.members.append(member)
        }
    }

    private mutating func makeFinding(
        _ key: Key, _ trail: GoroutineTrail, _ origin: GhostOrigin, _ cause: GhostCause
    ) -> Int? {
        guard findings.count < Self.findingLimit else { return nil }
        var finding = GhostFinding(ghost: key.ghost)
        finding.cause = cause
        finding.origin = origin
        finding.startFunction = trail.startFunction
        finding.creationStack = trail.creationStack
        finding.stack = key.ghost == .hog ? trail.longestRunStack : trail.stack
        finding.reason = trail.state == .waiting ? trail.reason : .empty
        findings.append((finding, trail.site))
        indices[key] = findings.count - 1
        return findings.count - 1
    }

    /// A finding that is put together elsewhere.
    mutating func add(_ finding: GhostFinding, site: UInt32 = 0) {
        if findings.count < Self.findingLimit { findings.append((finding, site)) }
    }

    mutating func removeAll(where isWrong: (GhostFinding, UInt32) -> Bool) {
        findings.removeAll { isWrong($0.finding, $0.site) }
        indices = [:]
    }

    mutating func change(_ body: (inout GhostFinding, UInt32) -> Void) {
        for index in findings.indices { body(&findings[index].finding, findings[index].site) }
    }
}
