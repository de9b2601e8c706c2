import VestigeCore
import VestigeStages

/// Writes a recording as several outputs that are each right from the first instant, and an index of them.
///
/// A part begins with events that establish the state at its begin, and ends with what is open there; a span that
/// crosses the border is in both parts, each with its share of it.
final class SplitWriter: TraceWriter {
    private let parts: OutputParts
    private let format: OutputFormat
    private let options: OutputOptions
    private let limit: SplitLimit
    private let title: String
    private let snapshot = StateSnapshot()
    private var writer: (any TraceWriter)?
    private var target: PartTarget?
    /// Events that establish the state at the begin of the part.
    private var openingCount = 0
    private(set) var summaries: [PartSummary] = []
    private var current = PartSummary()
    private var firstNanoseconds: Int64?

    /// How many events are written before the size is looked at.
    private static let stepCount = 1024

    init(
        _ parts: OutputParts, _ format: OutputFormat, _ options: OutputOptions, limit: SplitLimit, title: String
    ) {
        self.parts = parts
        self.format = format
        self.options = options
        self.limit = limit
        self.title = title
    }

    func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError) {
        var rest = events[...]
        while let first = rest.first {
            if writer == nil || isFull { try beginPart(at: first.timeNanoseconds, tables) }
            let taken = UnsafeBufferPointer(rebasing: rest.prefix(room))
            try writer?.write(taken, tables: tables)
            snapshot.process(taken, tables: tables)
            current.eventCount += UInt64(taken.count)
            current.endNanoseconds = max(current.endNanoseconds, taken[taken.count - 1].timeNanoseconds)
            rest = rest.dropFirst(taken.count)
        }
    }

    func finish(tables: TraceTables) throws(TraceError) {
        // Also a recording without events gives an output.
        if writer == nil { try beginPart(at: 0, tables) }
        try endPart(tables)
        let page = IndexPage(title: title, format: format, origin: firstNanoseconds ?? 0, parts: summaries)
        try page.write(to: try parts.begin(parts.indexName))
        _ = try parts.end()
    }

    // MARK: - Parts

    private var isFull: Bool {
        switch limit {
        case .events(let count): current.eventCount >= count
        case .bytes(let count):
            // However many goroutines are alive, all openings together are no larger than the recording.
            (target?.sink.byteCount ?? 0) >= count && current.eventCount >= UInt64(openingCount)
        }
    }

    private var room: Int {
        switch limit {
        case .events(let count): Int(clamping: count - current.eventCount)
        case .bytes: Self.stepCount
        }
    }

    private func beginPart(at time: Int64, _ tables: TraceTables) throws(TraceError) {
        let opening = snapshot.events(at: time, tables: tables)
        if let writer {
            current.endNanoseconds = time
            try writer.write(StateSnapshot.closing(at: time), tables)
            try endPart(tables)
        }
        let number = summaries.count + 1
        if number > OutputParts.limit {
            throw TraceError(
                .usage, file: parts.stem,
                expected: "at most \(Units.grouped(UInt64(OutputParts.limit))) parts (--split)",
                found: "more; try larger ones")
        }
        firstNanoseconds = firstNanoseconds ?? time
        current = PartSummary(name: parts.name(ofPart: number), startNanoseconds: time, endNanoseconds: time)
        let target = PartTarget(CountingSink(try parts.begin(current.name)), path: parts.stem)
        self.target = target
        let writer = try format.make(target, options)
        self.writer = writer
        openingCount = opening.count
        for start in stride(from: 0, to: opening.count, by: EventBatch.defaultCapacity) {
            let chunk = opening[start..<min(opening.count, start + EventBatch.defaultCapacity)]
            try writer.write(chunk, tables)
        }
    }

    private func endPart(_ tables: TraceTables) throws(TraceError) {
        try writer?.finish(tables: tables)
        current.byteCount = try parts.end()
        current.goroutineCount = snapshot.goroutineCount
        summaries.append(current)
    }
}

/// What the index says of a part.
struct PartSummary {
    var name = ""
    var startNanoseconds: Int64 = 0
    /// Where the next part begins, or the recording ends.
    var endNanoseconds: Int64 = 0
    /// Of the recording, without those that establish the state at the begin.
    var eventCount: UInt64 = 0
    /// Size of the file.
    var byteCount: UInt64 = 0
    /// Alive at the end.
    var goroutineCount = 0
}

extension TraceWriter {
    fileprivate func write(_ event: Event, _ tables: TraceTables) throws(TraceError) {
        try write([event][...], tables)
    }

    fileprivate func write(_ events: ArraySlice<Event>, _ tables: TraceTables) throws(TraceError) {
        let result = events.withUnsafeBufferPointer { buffer in
            Result { () throws(TraceError) in try write(buffer, tables: tables) }
        }
        try result.get()
    }
}

/// The file of one part.
private final class PartTarget: OutputTarget {
    let sink: CountingSink
    let path: String

    init(_ sink: CountingSink, path: String) {
        self.sink = sink
        self.path = path
    }

    var isFolder: Bool { false }
    func sink(named name: String?) -> any ByteSink { sink }
    func commit() {}
}
