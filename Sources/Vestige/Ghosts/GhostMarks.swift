import VestigeCore
import VestigeStages

/// Puts marks on the goroutines of findings into a stream of events: a region for the time that is wrong, and a log
/// message that says what. So every format shows them, on the goroutine's own track.
public final class GhostMarks: Stage {
    private struct Mark {
        var event: Event
        var order: Int
    }

    /// More would bury the recording.
    private static let markedGoroutineLimit = 10_000
    private let report: GhostReport
    private var marks: [Event] = []
    private var position = 0
    private var isMade = false

    public init(_ report: GhostReport) { self.report = report }

    public func process(
        _ input: UnsafeBufferPointer<Event>, tables: TraceTables, into output: inout EventBatch,
        emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        if !isMade { make(tables) }
        for event in input {
            while position < marks.count, isDue(marks[position], before: event) {
                try append(marks[position], to: &output, emit)
                position += 1
            }
            try append(event, to: &output, emit)
        }
    }

    public func finish(
        tables: TraceTables, into output: inout EventBatch,
        emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        // What is wrong at the end goes on: its region stays open.
    }

    /// A region ends before what happens at its end: that may be its goroutine's end.
    private func isDue(_ mark: Event, before event: Event) -> Bool {
        mark.timeNanoseconds < event.timeNanoseconds
            || mark.kind == .regionEnd && mark.timeNanoseconds == event.timeNanoseconds
    }

    private func append(
        _ event: Event, to output: inout EventBatch, _ emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError) {
        output.append(event)
        if output.room == 0 { try emit(&output) }
    }

    private func make(_ tables: TraceTables) {
        isMade = true
        var made: [Mark] = []
        let category = tables.strings.intern("ghost")
        for item in report.items {
            let name = tables.strings.intern("ghost: \(item.finding.ghost.name)")
            let message = tables.strings.intern(item.sentence)
            for member in item.finding.members where member.goroutine != .absent {
                guard made.count < Self.markedGoroutineLimit * 3 else { break }
                let start = max(report.result.firstNanoseconds, member.startNanoseconds)
                for var event in [
                    Event(kind: .regionBegin, timeNanoseconds: start, name: name),
                    Event(kind: .log, timeNanoseconds: start, name: category, argument1: UInt64(message.rawValue)),
                    Event(kind: .regionEnd, timeNanoseconds: member.endNanoseconds, name: name),
                ] where event.kind != .regionEnd || member.endNanoseconds < report.result.lastNanoseconds {
                    event.goroutine = member.goroutine
                    made.append(Mark(event: event, order: made.count))
                }
            }
        }
        marks = made.sorted { ($0.event.timeNanoseconds, $0.order) < ($1.event.timeNanoseconds, $1.order) }.map(\.event)
    }
}
