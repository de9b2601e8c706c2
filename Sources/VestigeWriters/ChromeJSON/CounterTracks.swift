import VestigeCore

/// The counters: goroutines by state, those that wait for a proc again by themselves, and the metrics of the trace.
///
/// A counter changes far more often than a picture can show. A change is written when the next one
/// comes at least 100 µs after the last one written: what stays long is exact, and of a burst there
/// are at most two samples in any 100 µs.
final class CounterTracks {
    static let intervalNanoseconds: Int64 = 100_000

    private let text: ChromeText
    private let states = HeapValue(Track<StateCounts>(name: .empty))
    private let runQueue = HeapValue(Track<Int64>(name: .empty))
    private let current = HeapValue(StateCounts())
    private var metrics: [Track<UInt64>] = []

    /// More metrics than any Go version has are written as they come.
    private static let metricLimit = 64

    init(_ text: ChromeText) { self.text = text }

    /// Goroutines in each state that is counted.
    struct StateCounts: BitwiseCopyable {
        var running: Int64 = 0
        var runnable: Int64 = 0
        var waiting: Int64 = 0
        var syscall: Int64 = 0

        mutating func add(_ amount: Int64, to state: GoroutineState) {
            switch state {
            case .running: running += amount
            case .runnable: runnable += amount
            case .waiting: waiting += amount
            case .syscall: syscall += amount
            case .undetermined, .notExist: break
            }
        }
    }

    private struct Track<Value: BitwiseCopyable> {
        var name: StringID
        /// The last change, not written yet.
        var pending: Value?
        var pendingNanoseconds: Int64 = 0
        var writtenNanoseconds: Int64?

        /// Takes a change, and returns the one before if it is due.
        mutating func take(_ value: Value, at now: Int64) -> (value: Value, nanoseconds: Int64)? {
            defer { (pending, pendingNanoseconds) = (value, now) }
            guard let pending else { return nil }
            if let writtenNanoseconds, now &- writtenNanoseconds < CounterTracks.intervalNanoseconds { return nil }
            writtenNanoseconds = pendingNanoseconds
            return (pending, pendingNanoseconds)
        }
    }

    // MARK: - Changes

    func goroutineChanged(from old: GoroutineState, to new: GoroutineState, at now: Int64) {
        guard old != new else { return }
        current.pointer.pointee.add(-1, to: old)
        current.pointer.pointee.add(1, to: new)
        if let due = states.pointer.pointee.take(current.pointer.pointee, at: now) {
            write(due.value, at: due.nanoseconds)
        }
        guard old == .runnable || new == .runnable else { return }
        if let due = runQueue.pointer.pointee.take(current.pointer.pointee.runnable, at: now) {
            write(runQueue: due.value, at: due.nanoseconds)
        }
    }

    func metricChanged(_ name: StringID, _ value: UInt64, at now: Int64) {
        var index = metrics.firstIndex { $0.name == name }
        if index == nil, metrics.count < Self.metricLimit {
            index = metrics.count
            metrics.append(Track(name: name))
        }
        guard let index else { return write(name, value, at: now) }
        if let due = metrics[index].take(value, at: now) { write(name, due.value, at: due.nanoseconds) }
    }

    /// Writes the last values, and again at the end, since catapult draws a counter to its last sample.
    func finish(at now: Int64) {
        let states = states.pointer.pointee
        if let last = states.pending {
            write(last, at: states.pendingNanoseconds)
            if now > states.pendingNanoseconds { write(last, at: now) }
        }
        let runQueue = runQueue.pointer.pointee
        if let last = runQueue.pending {
            write(runQueue: last, at: runQueue.pendingNanoseconds)
            if now > runQueue.pendingNanoseconds { write(runQueue: last, at: now) }
        }
        for metric in metrics {
            guard let last = metric.pending else { continue }
            write(metric.name, last, at: metric.pendingNanoseconds)
            if now > metric.pendingNanoseconds { write(metric.name, last, at: now) }
        }
    }

    // MARK: - Samples

    private func write(_ counts: StateCounts, at now: Int64) {
        text.beginCounter(now)
        text.name("goroutines")
        text.argument("running", counts.running)
        text.argument("runnable", counts.runnable)
        text.argument("syscall", counts.syscall)
        text.argument("waiting", counts.waiting)
        text.end()
    }

    private func write(runQueue length: Int64, at now: Int64) {
        text.beginCounter(now)
        text.name("run queue")
        text.argument("goroutines", length)
        text.end()
    }

    private func write(_ name: StringID, _ value: UInt64, at now: Int64) {
        text.beginCounter(now)
        let known = GoNames.knownMetric(text.tables.strings.bytes(name))
        if let known { text.name(known.title) } else { text.name(name, keepsOriginal: false) }
        // An integer above 2^63 - 1 is read wrongly; no metric has one.
        text.argument(unit(known), Int64(clamping: value))
        text.end()
    }

    private func unit(_ metric: GoNames.KnownMetric?) -> StaticString {
        switch metric?.unit {
        case .bytes: "bytes"
        case .procs: "procs"
        case nil: "value"
        }
    }
}
