import VestigeCore

/// Finds the moments of a recording at which snapshots were taken.
///
/// The recording is read once. At every place that can be the right one, the goroutines are compared
/// with what the observer saw; the best place wins:
///
/// - a dump stops the world, and since Go 1.21 the recording names the reason
///   (`runtime/trace.go`, `stwReasonStrings`); what is compared is the state at the end of the stop;
/// - a debugger stops all threads, and the recording has no events meanwhile; what the garbage collector had
///   left in the goroutines by then (`CollectorStamps`) tells apart silences with the same states;
/// - a profile of goroutines that leak makes the garbage collector look for them;
/// - a process that dies of a panic or a signal writes its dump at the end.
///
/// Where no such place fits, the moment is taken at which most goroutines are as the observer saw them.
public final class AlignmentSearch {
    /// Shorter silences are everywhere.
    private static let leastSilenceNanoseconds: Int64 = 1_000_000
    private static let dumpStops = ["all goroutines stack trace", "all goroutine stack trace"]
    private static let profileStops = ["goroutine profile"]

    private let tables: TraceTables
    private let searches: [SnapshotSearch]
    private let goroutines = HeapValue(TracedGoroutines())
    private let dumpStopNames: [StringID]
    private let profileStopNames: [StringID]
    private let markPhaseName: StringID
    private let markTerminationName: StringID
    /// How often the present mark phase has stopped the world in order to end.
    private var markTerminationCount = 0
    /// The wall clock less the recording's; nil before that is known.
    private var wallOffset: Int64?
    private var lastTime: Int64?

    public init(_ snapshots: [ObservedSnapshot], tables: TraceTables) {
        self.tables = tables
        searches = snapshots.map { SnapshotSearch($0, tables) }
        func names(_ reasons: [String]) -> [StringID] {
            reasons.map { tables.strings.intern("stop-the-world (\($0))") }
        }
        dumpStopNames = names(Self.dumpStops)
        profileStopNames = names(Self.profileStops)
        markPhaseName = tables.strings.intern("GC concurrent mark phase")
        markTerminationName = tables.strings.intern("stop-the-world (GC mark termination)")
    }

    /// Takes the next events of the recording.
    public func process(_ events: UnsafeBufferPointer<Event>) {
        for event in events {
            let time = event.timeNanoseconds
            let before = lastTime ?? time
            if time.subtractingReportingOverflow(before).partialValue >= Self.leastSilenceNanoseconds {
                endSilence(from: before, event)
            }
            goroutines.pointer.pointee.note(event)
            for search in searches { search.note(event, &goroutines.pointer.pointee, tables) }
            switch event.kind {
            case .goroutineTransition: transition(event)
            case .rangeBegin: beginRange(event)
            case .rangeEnd:
                if event.name == markPhaseName { endMarkPhase(event, lastEventTime: before) }
                endStop(event, lastEventTime: before)
            case .sync: noteGeneration(event)
            default: break
            }
            lastTime = max(time, before)
        }
    }

    /// The best place for each snapshot, in their order; nil where nothing can be compared with it.
    public func finish() -> [Fit?] {
        guard let lastTime else { return searches.map { _ in nil } }
        for search in searches where search.snapshot.observer == .dump {
            consider(search, .end, from: lastTime, to: lastTime)
        }
        return searches.map { search in
            search.finish(at: lastTime, wallOffset: wallOffset, &goroutines.pointer.pointee, tables)
                ?? search.placeByClock(wallOffset)
        }
    }

    private func transition(_ event: Event) {
        let now = goroutines.pointer.pointee.transition(event, tables)
        for search in searches {
            search.transition(
                event.subjectGoroutine, now, at: event.timeNanoseconds, &goroutines.pointer.pointee, tables)
        }
    }

    private func consider(
        _ search: SnapshotSearch, _ place: Fit.Place, from start: Int64, to end: Int64,
        by stopper: GoroutineID = .absent
    ) {
        search.consider(
            place, from: start, to: end, by: stopper, wallOffset: wallOffset, &goroutines.pointer.pointee, tables)
    }

    private func noteGeneration(_ event: Event) {
        for search in searches { search.generationBegins() }
        guard let index = event.clockSnapshotIndex, tables.clockSnapshots.indices.contains(index) else { return }
        let clocks = tables.clockSnapshots[index]
        wallOffset = clocks.wallUnixNanoseconds.subtractingReportingOverflow(event.timeNanoseconds).partialValue
    }

    private func beginRange(_ event: Event) {
        if event.name == markTerminationName { markTerminationCount += 1 }
        guard event.name == markPhaseName else { return }
        markTerminationCount = 0
        for search in searches { search.collectionBegins() }
    }

    /// In order to find goroutines that leak, the collector ends to mark several times over (`runtime/mgc.go`,
    /// `gcMarkDone`): first without what only blocked goroutines hold.
    private func endMarkPhase(_ event: Event, lastEventTime: Int64) {
        for search in searches {
            search.collectionEnds()
            guard markTerminationCount > 1, search.isOfLeaks else { continue }
            consider(search, .stopTheWorld, from: lastEventTime, to: event.timeNanoseconds)
        }
    }

    private func endSilence(from start: Int64, _ event: Event) {
        let source = Int(event.source)
        let isMonotonic = source < tables.sources.count && tables.sources[source].clock == .monotonic
        for search in searches where search.snapshot.observer == .debugger {
            let earliest = isMonotonic ? search.snapshot.latestMonotonicNanoseconds : nil
            guard earliest ?? .min <= event.timeNanoseconds else { continue }
            consider(search, .silence, from: start, to: event.timeNanoseconds)
        }
    }

    /// A stop of the world ends. While the world stops, goroutines are still preempted: what the
    /// observer saw is the state after the last event before the end.
    private func endStop(_ event: Event, lastEventTime: Int64) {
        for search in searches {
            let names =
                switch search.snapshot.observer {
                case .dump: dumpStopNames
                case .profile: search.isOfLeaks ? [] : profileStopNames
                case .debugger: [StringID]()
                }
            guard names.contains(event.name) else { continue }
            consider(search, .stopTheWorld, from: lastEventTime, to: event.timeNanoseconds, by: event.goroutine)
        }
    }
}
