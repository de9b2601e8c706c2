import Glibc
import VestigeCore

/// Writes Chrome trace JSON, with five processes:
///
/// - *Procs*: a row a P, with the goroutine that runs there, its system calls and CPU samples nested;
///   below it a row of its sweeps, if any. *Threads*: the same by M.
/// - *Goroutines*: a row a goroutine with its states; below it a row of its regions, mark assists,
///   logs and labels, if any. Arrows lead from whoever created or woke a goroutine.
/// - *Tasks*: a track a task, with its logs and the begins of its children.
/// - *Runtime*: collections, stops of the world, counters.
///
/// Instants stand in the second row, since Perfetto takes an instant for the slice from which a later
/// arrow on its row begins. What is open ends with the recording, and says so.
///
/// What concerns goroutines is half of all, so one part writes it and another the rest, at the same time where
/// there are processors for it. Of each batch of events the file has first what the first part makes of it.
public final class ChromeJSONWriter: TraceWriter {
    private let first: ChromePart
    private let second: ChromePart?
    private let companion: Companion?
    private let thinning: Thinning?
    private let secondThinning: Thinning?

    /// What the first part shows.
    private static let ofGoroutines: ViewKinds = [.goroutines, .regions]
    /// Fewer events are not worth waking another thread.
    private static let leastShared = 256

    /// The writer of the process that came first, which opens and completes the file; nil for that one itself.
    private let leader: ChromeJSONWriter?

    public convenience init(
        _ sink: any ByteSink, dialect: ChromeDialect = .catapult, options: OutputOptions = OutputOptions()
    ) {
        self.init(sink, dialect: dialect, options: options, process: .only, leader: nil)
    }

    init(
        _ sink: any ByteSink, dialect: ChromeDialect = .catapult, options: OutputOptions, process: OutputProcess,
        leader: ChromeJSONWriter?
    ) {
        self.leader = leader
        let shown = ViewerContent.json.views(options)
        let views = [shown.intersection(Self.ofGoroutines), shown.subtracting(Self.ofGoroutines)]
            .filter { !$0.isEmpty }
        thinning = options.thinning
        first = ChromePart(
            ChromeText(sink, dialect, process, isContinued: leader != nil), views.first ?? [],
            flows: ViewerContent.json.flows(options), thinning: options.thinning)
        first.text.leftOut = ViewerContent.json.leftOut(options)
        if views.count > 1 {
            secondThinning = thinning.map { Thinning(minSpanNanoseconds: $0.minSpanNanoseconds) }
            second = ChromePart(
                ChromeText(sink, dialect, process, isContinued: true), views[1], flows: [], thinning: secondThinning)
        } else {
            (second, secondThinning) = (nil, nil)
        }
        companion = second != nil && sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 ? Companion() : nil
        if leader == nil { first.text.openFile() }
    }

    public func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError) {
        guard let second else {
            return try first.write(events, tables) { () throws(TraceError) in try flushFirst() }
        }
        guard let companion, events.count >= Self.leastShared else {
            try writeFirst(events, tables)
            try second.write(events, tables) { () throws(TraceError) in try flush(second) }
            return try flush(second)
        }
        var failure: TraceError?
        var secondFailure: TraceError?
        companion.run {
            do throws(TraceError) { try writeFirst(events, tables) } catch { failure = error }
        } beside: { waitForFirst in
            do throws(TraceError) {
                try second.write(events, tables) { () throws(TraceError) in
                    waitForFirst()
                    try flush(second)
                }
            } catch { secondFailure = error }
        }
        if let failure = failure ?? secondFailure { throw failure }
        try flush(second)
    }

    public func finish(tables: TraceTables) throws(TraceError) {
        try first.finish(tables) { () throws(TraceError) in try flushFirst() }
        try flushFirst()
        if let second {
            try second.finish(tables) { () throws(TraceError) in try flush(second) }
            try flush(second)
            first.text.absorb(second.text)
            if let secondThinning { thinning?.add(secondThinning) }
        }
        first.text.nameProcesses()
        guard let leader else { return try first.text.closeFile() }
        try flushFirst()
        leader.first.text.absorb(stacksOf: first.text)
    }

    private func writeFirst(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) throws(TraceError) {
        try first.write(events, tables) { () throws(TraceError) in try flushFirst() }
        try flushFirst()
    }

    private func flushFirst() throws(TraceError) { try flush(first) }

    /// Hands on what a part has; if it is the first of the file, without what sets it apart from others.
    private func flush(_ part: ChromePart) throws(TraceError) {
        let file = (leader ?? self).first.text
        let buffer = part.text.buffer
        guard part.text !== file, file.isFirst, buffer.count > 0 else { return try buffer.flush() }
        file.isFirst = false
        try buffer.flush(without: ChromeText.separator.utf8CodeUnitCount)
    }
}
