import VestigeCore

/// The counters of the runtime: goroutines by state, and the metrics of the trace.
///
/// A counter changes far more often than a picture can show. A change is written when the next one
/// comes at least 100 µs after the last one written: what stays long is exact, and of a burst there
/// are at most two samples in any 100 µs.
final class CounterSamples {
    static let intervalNanoseconds: Int64 = 100_000

    private struct Counter {
        var track: UInt64
        /// Of a metric.
        var name = StringID.empty
        var value: Int64 = 0
        /// The last change is not written yet.
        var isPending = false
        var changeNanoseconds: Int64 = 0
        var writtenNanoseconds: Int64?
    }

    private let packets: PacketWriter
    private let tracks: PerfettoTracks
    /// By raw value of the state.
    private var states: [Counter?] = Array(repeating: nil, count: GoroutineState.allCases.count)
    private var metrics: [Counter] = []

    /// More metrics than any Go version has are not shown.
    private static let metricLimit = 64

    init(_ packets: PacketWriter, _ tracks: PerfettoTracks) {
        self.packets = packets
        self.tracks = tracks
    }

    // MARK: - Changes

    func goroutineChanged(from old: GoroutineState, to new: GoroutineState, at now: Int64) {
        guard old != new else { return }
        add(-1, old, at: now)
        add(1, new, at: now)
    }

    private func add(_ amount: Int64, _ state: GoroutineState, at now: Int64) {
        guard state != .undetermined, state != .notExist else { return }
        let index = Int(state.rawValue)
        if states[index] == nil { states[index] = Counter(track: describe(state)) }
        change(&states[index]!, to: states[index]!.value + amount, at: now)
    }

    func metricChanged(_ name: StringID, _ value: UInt64, at now: Int64) {
        let value = Int64(clamping: value)
        if let index = metrics.firstIndex(where: { $0.name == name }) {
            return change(&metrics[index], to: value, at: now)
        }
        guard metrics.count < Self.metricLimit else { return }
        metrics.append(Counter(track: describe(name), name: name))
        change(&metrics[metrics.count - 1], to: value, at: now)
    }

    private func change(_ counter: inout Counter, to value: Int64, at now: Int64) {
        if counter.isPending, counter.writtenNanoseconds.map({ now &- $0 >= Self.intervalNanoseconds }) ?? true {
            write(&counter)
        }
        counter.value = value
        counter.isPending = true
        counter.changeNanoseconds = now
    }

    private func write(_ counter: inout Counter) {
        counter.isPending = false
        counter.writtenNanoseconds = counter.changeNanoseconds
        packets.counter(counter.track, UInt64(bitPattern: counter.value), at: counter.changeNanoseconds)
    }

    /// Writes the last values.
    func finish() {
        for index in states.indices where states[index]?.isPending == true { write(&states[index]!) }
        for index in metrics.indices where metrics[index].isPending { write(&metrics[index]) }
    }

    // MARK: - Tracks

    private func describe(_ state: GoroutineState) -> UInt64 {
        let title: StaticString
        switch state {
        case .running: title = "goroutines running"
        case .runnable: title = "goroutines runnable (run queue)"
        case .syscall: title = "goroutines in syscalls"
        default: title = "goroutines waiting"
        }
        return describe(.goroutines, rank: 100 + Int64(state.rawValue)) { $0.buffer.append(title) }
    }

    private func describe(_ metric: StringID) -> UInt64 {
        let rank = 200 + Int64(metrics.count)
        if let known = GoNames.knownMetric(packets.tables.strings.bytes(metric)) {
            return describe(known.unit == .bytes ? .bytes : .procs, rank: rank) { $0.buffer.append(known.title) }
        }
        return describe(.other, rank: rank) { $0.append(metric, packets.tables) }
    }

    private func describe(
        _ unit: PacketWriter.CounterUnit, rank: Int64, _ name: (PerfettoText) -> Void
    ) -> UInt64 {
        let uuid = tracks.newUUID()
        packets.describeTrack(uuid, in: tracks.fixed(.runtime), rank: rank, isLeaf: true, counter: unit, name)
        return uuid
    }
}
