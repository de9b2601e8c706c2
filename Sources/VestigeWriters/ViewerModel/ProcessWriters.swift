import VestigeCore

/// Writes events of several processes by a writer for each, since their goroutines, procs and tasks have the
/// same numbers. Where there is one process, nothing is done but to hand on its events.
final class ProcessWriters: TraceWriter {
    /// Makes the writer of a process; all but the first are given the first, whose file they go on with.
    typealias Make = (OutputProcess, (any TraceWriter)?) throws(TraceError) -> any TraceWriter

    private final class Slot {
        let writer: any TraceWriter
        var events = EventBatch()
        init(_ writer: any TraceWriter) { self.writer = writer }
    }

    private let make: Make
    /// By the number of the process.
    private var slots: [Slot?] = []
    /// In the order in which the processes appeared.
    private var order: [Slot] = []
    private var originNanoseconds: Int64?

    init(_ make: @escaping Make) { self.make = make }

    func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError) {
        let names = tables.processNames
        if names.isEmpty { return try slot(0, names).writer.write(events, tables: tables) }
        originNanoseconds = originNanoseconds ?? events.first?.timeNanoseconds
        let numbers = tables.sources.map { (names.firstIndex(of: $0.process ?? "") ?? 0) + 1 }
        for event in events {
            let source = Int(event.source)
            let slot = try slot(source < numbers.count ? numbers[source] : 1, names)
            if slot.events.room == 0 { try hand(slot, tables) }
            slot.events.append(event)
        }
        for slot in order { try hand(slot, tables) }
    }

    func finish(tables: TraceTables) throws(TraceError) {
        if order.isEmpty { _ = try slot(0, []) }
        // The first one completes the file.
        for slot in order.reversed() { try slot.writer.finish(tables: tables) }
    }

    private func hand(_ slot: Slot, _ tables: TraceTables) throws(TraceError) {
        if !slot.events.isEmpty { try slot.writer.write(slot.events.events, tables: tables) }
        slot.events.removeAll()
    }

    private func slot(_ number: Int, _ names: [String]) throws(TraceError) -> Slot {
        if number < slots.count, let slot = slots[number] { return slot }
        let process =
            number == 0
            ? OutputProcess.only
            : OutputProcess(
                number: number, name: names[number - 1], count: names.count, originNanoseconds: originNanoseconds)
        let slot = Slot(try make(process, order.first?.writer))
        while slots.count <= number { slots.append(nil) }
        slots[number] = slot
        order.append(slot)
        return slot
    }
}
