import VestigeCore
import VestigeStages

/// Looks whether recordings that are given as one process's can be that.
///
/// A process writes one recording at a time (what a flight recorder keeps beside it has the same events), so they do
/// not overlap; and goroutine numbers are given once, so whoever is in one is not created in the next, and has begun
/// with the same function in both.
final class RunContinuity {
    private struct Life: PagedElement {
        var isOccupied: Bool
        /// The recording that last told of it, and the function that its stacks begin with.
        var recording: Int32
        var root = StringID.empty
        static let vacant = Life(isOccupied: false, recording: 0)
    }

    private let streams: [InputStream]
    private let tables: TraceTables
    /// Goroutines that are alive, for each process.
    private var lives: [HeapBox<PagedTable<Life>>] = []
    /// By stream: which of `lives` are its, whether it has begun, and the goroutines that it has had.
    private var process: [Int] = []
    private var hasBegun: [Bool]
    private var seen: [IDSet]
    /// Go cuts stacks at 128 frames: of a deeper one the first function is not known.
    private static let depthLimit = 120
    /// A forged recording has goroutines of any numbers.
    private static let pageLimit = 1 << 16

    init(_ streams: [InputStream], _ tables: TraceTables) {
        self.streams = streams
        self.tables = tables
        hasBegun = streams.map { _ in false }
        seen = streams.map { _ in IDSet() }
        var names: [String?] = []
        for stream in streams {
            let name = tables.sources[Int(stream.input.place)].process
            if !names.contains(name) {
                names.append(name)
                lives.append(HeapBox(PagedTable<Life>()))
            }
            process.append(names.firstIndex(of: name) ?? 0)
        }
    }

    /// Recordings of the same process that have begun before.
    private func earlier(_ index: Int) -> [Int] {
        streams.indices.filter { other in
            other != index && process[other] == process[index] && hasBegun[other] && !streams[other].isPlacedByHand
        }
    }

    /// The stream's next event comes.
    func begin(_ index: Int) throws(TraceError) {
        if hasBegun[index] { return }
        hasBegun[index] = true
        if streams[index].isPlacedByHand { return }
        for other in earlier(index) where streams[other].nextNanoseconds != nil {
            throw contradiction(
                index,
                expected: "a recording that begins when \(streams[other].input.path) has ended, since a process writes "
                    + "one at a time (and a flight recorder beside it has the same events)",
                found: "one that begins before")
        }
    }

    /// The stream's next events are these.
    func note(_ index: Int, _ events: Slice<UnsafeBufferPointer<Event>>) throws(TraceError) {
        if streams[index].isPlacedByHand { return }
        let table = lives[process[index]].pointer
        for event in events where event.kind == .goroutineTransition && event.subjectGoroutine != .absent {
            let id = event.subjectGoroutine.rawValue
            let isNew = event.fromGoroutineState == .notExist && !event.isSynthetic
            if isNew { try checkNumber(index, event) }
            if let known = table.pointee.find(id) {
                if known.pointee.recording != index { try compare(index, known, event, isNew) }
            } else {
                table.pointee.insert(id, Life(isOccupied: true, recording: Int32(index)))
                if seen[index].pageCount < Self.pageLimit { seen[index].insert(UInt64(bitPattern: id)) }
            }
            if event.toGoroutineState == .notExist {
                table.pointee.remove(id)
            } else if !isNew, let root = root(event) {
                table.pointee.find(id)?.pointee.root = root
            }
        }
    }

    private func checkNumber(_ index: Int, _ event: Event) throws(TraceError) {
        let id = event.subjectGoroutine.rawValue
        for other in earlier(index) where seen[other].contains(UInt64(bitPattern: id)) {
            throw contradiction(
                index, expected: "that G\(id) is not created, which is in \(streams[other].input.path) already",
                found: "that it is")
        }
    }

    /// A goroutine of an earlier recording comes in this one.
    private func compare(
        _ index: Int, _ known: UnsafeMutablePointer<Life>, _ event: Event, _ isNew: Bool
    ) throws(TraceError) {
        let before = streams[Int(known.pointee.recording)].input.path
        known.pointee.recording = Int32(index)
        if seen[index].pageCount < Self.pageLimit {
            seen[index].insert(UInt64(bitPattern: event.subjectGoroutine.rawValue))
        }
        guard !isNew, let root = root(event), known.pointee.root != .empty, root != known.pointee.root else { return }
        throw contradiction(
            index,
            expected: "G\(event.subjectGoroutine.rawValue) to have begun with "
                + "\(tables.strings.string(known.pointee.root)), as in \(before)",
            found: tables.strings.string(root))
    }

    /// The outermost function of the goroutine's own stack.
    private func root(_ event: Event) -> StringID? {
        let stack = event.transitionStack
        guard stack != .absent, tables.stacks.node(stack).depth < Self.depthLimit else { return nil }
        return tables.stacks.rootFrame(stack)?.function
    }

    private func contradiction(_ index: Int, expected: String, found: String) -> TraceError {
        let path = streams[index].input.path
        return TraceError(
            .usage, file: path,
            expected: "\(expected) (--process NAME=FILE… keeps different processes apart, --at \(path)=TIME places it "
                + "all the same)", found: found)
    }
}
