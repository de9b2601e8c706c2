import VestigeCore

/// The search for the moment of one snapshot in one recording.
final class SnapshotSearch {
    /// So many moments of a profile are compared at most: each costs a look at every goroutine.
    private static let profileMomentLimit = 2_000

    let snapshot: ObservedSnapshot
    private let matcher: HeapValue<SnapshotMatcher>
    private let profile: ProfileMatcher
    private var profilePlaces: ProfilePlaces
    /// The goroutines that ran when the observer looked: of a dump, that which wrote it.
    private let runners: [(goroutine: GoroutineID, stack: StackID)]
    /// If all of them are at the very same lines.
    private let greatestRootDepth: Int
    /// The best of the places that the recording points to.
    private var bestPlace: Fit?
    /// The best of all moments, and whether it lasts still.
    private var bestMoment: Fit?
    private var isBestMomentOpen = false
    private var profileMomentCount = 0
    private var greatestDepth = 1
    /// Where the garbage collector looked for goroutines that leak.
    private var leakPlaces: [(start: Int64, end: Int64, wallOffset: Int64?)] = []
    /// True once every goroutine has been mentioned: since Go 1.22 that may take until the first generation's end.
    private var knowsAll: Bool { generationCount > 1 }
    private var generationCount = 0

    init(_ snapshot: ObservedSnapshot, _ tables: TraceTables) {
        self.snapshot = snapshot
        matcher = HeapValue(SnapshotMatcher(snapshot, tables))
        profile = ProfileMatcher(snapshot, tables)
        profilePlaces = ProfilePlaces(snapshot)
        let isProfile = snapshot.observer == .profile
        let running = snapshot.events.filter { event in
            isProfile ? Self.isWriter(event.stack, tables) : event.toGoroutineState == .running
        }
        runners = running.prefix(64).map { ($0.goroutine, $0.stack) }
        greatestRootDepth = runners.reduce(0) { $0 + StackComparison.rootDepth($1.stack, $1.stack, tables) }
    }

    /// True for the stack of whoever writes a profile.
    private static func isWriter(_ stack: StackID, _ tables: TraceTables) -> Bool {
        tables.stacks.frames(stack).contains {
            tables.strings.bytes($0.function).starts(with: "runtime/pprof.(*Profile).WriteTo".utf8)
        }
    }

    /// A profile has no numbers to follow goroutines by: what is compared are the moments at which some
    /// goroutine is at the lines from which the profile was written.
    func note(_ event: Event, _ goroutines: inout TracedGoroutines, _ tables: TraceTables) {
        guard snapshot.observer == .profile, event.stack != .absent, let writer = runners.first,
            profileMomentCount < Self.profileMomentLimit
        else { return }
        closeBestMoment(at: event.timeNanoseconds)
        let depth = StackComparison.rootDepth(event.stack, writer.stack, tables)
        guard depth >= greatestDepth else { return }
        greatestDepth = depth
        profileMomentCount += 1
        let time = event.timeNanoseconds
        var fit = profile.fit(.anyMoment, from: time, to: time, &goroutines, knowsAll: knowsAll, tables)
        fit.rootDepth = depth
        take(moment: fit)
    }

    func transition(
        _ goroutine: GoroutineID, _ now: TracedGoroutine, at time: Int64, _ goroutines: inout TracedGoroutines,
        _ tables: TraceTables
    ) {
        guard snapshot.observer != .profile else { return profilePlaces.note(now, tables) }
        closeBestMoment(at: time)
        matcher.pointer.pointee.transition(goroutine, now)
        var fit = matcher.pointer.pointee.fit(.anyMoment, from: time, to: time, programCount: goroutines.programCount)
        guard fit.matchCount > 0, fit.stateCost - greatestRootDepth < bestMoment?.cost ?? .max else { return }
        fit.rootDepth = rootDepth(&goroutines, tables)
        take(moment: fit)
    }

    var isOfLeaks: Bool { profile.isOfLeaks }

    /// What leaks waits to the end, when the recording has mentioned all of it: that is compared.
    private func considerLeaks(_ goroutines: inout TracedGoroutines, _ wallOffset: Int64?, _ tables: TraceTables) {
        var places = leakPlaces.map { (Fit.Place.stopTheWorld, $0.start, $0.end, $0.wallOffset) }
        if places.isEmpty, let wallOffset, let wall = snapshot.wallNanoseconds {
            let time = wall.subtractingReportingOverflow(wallOffset).partialValue
            places = [(.wallClock, time, time, wallOffset)]
        }
        guard let last = places.last else { return }
        var fit = profile.fit(last.0, from: last.1, to: last.2, &goroutines, knowsAll: true, tables)
        for (place, start, end, offset) in places {
            fit.place = place
            (fit.startNanoseconds, fit.endNanoseconds) = (start, end)
            take(place: fit, wallOffset: offset ?? wallOffset)
        }
    }

    /// The place of a snapshot that tells of no goroutine, e.g. that none leaks.
    func placeByClock(_ wallOffset: Int64?) -> Fit? {
        guard snapshot.goroutineCount == 0, let wallOffset, let wall = snapshot.wallNanoseconds else { return nil }
        let time = wall.subtractingReportingOverflow(wallOffset).partialValue
        return Fit(
            place: .wallClock, startNanoseconds: time, endNanoseconds: time, matchCount: 0, mismatchCount: 0,
            missingCount: 0)
    }

    func generationBegins() { generationCount += 1 }

    func collectionBegins() { matcher.pointer.pointee.collectionBegins() }

    func collectionEnds() { matcher.pointer.pointee.collectionEnds() }

    private func take(moment fit: Fit) {
        guard fit.matchCount > 0, fit.isBetter(than: bestMoment) else { return }
        bestMoment = fit
        isBestMomentOpen = true
    }

    /// The best moment lasts until the next event that may change it.
    private func closeBestMoment(at time: Int64) {
        if isBestMomentOpen { bestMoment?.endNanoseconds = time }
        isBestMomentOpen = false
    }

    private func rootDepth(_ goroutines: inout TracedGoroutines, _ tables: TraceTables) -> Int {
        runners.reduce(0) { sum, runner in
            guard let known = goroutines.find(runner.goroutine) else { return sum }
            return sum + StackComparison.rootDepth(known.pointee.lastStack, runner.stack, tables)
        }
    }

    /// Compares the snapshot with a place that can be the right one.
    ///
    /// - Parameter stopper: the goroutine that stopped the world; absent at other places.
    func consider(
        _ place: Fit.Place, from start: Int64, to end: Int64, by stopper: GoroutineID = .absent,
        wallOffset: Int64?, _ goroutines: inout TracedGoroutines, _ tables: TraceTables
    ) {
        if isOfLeaks, place != .end { return leakPlaces.append((start, end, wallOffset)) }
        var fit: Fit
        if snapshot.observer == .profile {
            fit = profile.fit(place, from: start, to: end, &goroutines, knowsAll: knowsAll, tables)
            if let writer = runners.first, let known = goroutines.find(stopper) {
                fit.rootDepth = StackComparison.rootDepth(known.pointee.lastStack, writer.stack, tables)
            }
        } else {
            fit = matcher.pointer.pointee.fit(place, from: start, to: end, programCount: goroutines.programCount)
            fit.rootDepth = rootDepth(&goroutines, tables)
        }
        take(place: fit, wallOffset: wallOffset)
    }

    private func take(place: Fit, wallOffset: Int64?) {
        var fit = place
        guard fit.matchCount > 0 else { return }
        if let wall = snapshot.wallNanoseconds, let wallOffset {
            fit.clockDistance =
                wall.subtractingReportingOverflow(fit.endNanoseconds &+ wallOffset).partialValue.magnitude
        }
        guard let best = bestPlace else { return bestPlace = fit }
        if fit.isBetter(than: best) {
            fit.compare(with: best)
            bestPlace = fit
        } else {
            bestPlace?.compare(with: fit)
        }
    }

    /// A place that the recording points to goes before any other moment, unless it fits clearly worse:
    /// then the snapshot is of a moment that left no mark.
    func finish(
        at end: Int64, wallOffset: Int64?, _ goroutines: inout TracedGoroutines, _ tables: TraceTables
    ) -> Fit? {
        if isOfLeaks { considerLeaks(&goroutines, wallOffset, tables) }
        closeBestMoment(at: end)
        var fit = choose()
        fit?.evidence = snapshot.observer == .profile ? profilePlaces.evidence : matcher.pointer.pointee.evidence
        return fit
    }

    private func choose() -> Fit? {
        guard let moment = bestMoment else { return bestPlace }
        guard let place = bestPlace else { return moment }
        let count = Int(clamping: snapshot.goroutineCount)
        switch place.place {
        // A debugger leaves a silence, whatever the few goroutines that it was asked for do at other times.
        case .silence: return place.stateCost <= moment.stateCost + Fit.defectCost + count / 4 ? place : moment
        // A recording that merely ends there points to nothing.
        case .end: return place.cost <= moment.cost ? place : moment
        default:
            let tolerance = count < 16 ? 0 : Fit.defectCost + count / 4
            return place.cost <= moment.cost + tolerance ? place : moment
        }
    }
}
