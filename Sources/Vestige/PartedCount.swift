import Dispatch
import Glibc
import VestigeCore

/// Counts an input in parts, one on each processor. The numbers are those that one pass gives.
enum PartedCount {
    /// Smaller inputs are read faster than they are divided.
    static let smallestInput: UInt64 = 4 << 20

    /// - Parameter smallest: size in bytes from which an input is divided.
    /// - Returns: nil where the format cannot be divided, or a part was not read without any defect; then
    ///   the input must be read in one pass.
    static func count(
        _ path: String, smallest: UInt64 = smallestInput, onProgress: ((Progress) -> Void)? = nil
    ) throws(TraceError) -> (input: TraceInput, counts: TraceCounts)? {
        let processors = min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 8)
        guard path != "-" else { return nil }
        let whole = try TraceInput(path)
        guard let divide = whole.format.divide, (whole.fileSize ?? 0) > smallest,
            let parts = try divide(InputPath.open(path), processors)
        else { return nil }
        let workers = parts.map { Worker(path: path, format: whole.format, part: $0) }
        // The first part runs on this thread, which alone may show progress.
        let group = DispatchGroup()
        for worker in workers.dropFirst() {
            DispatchQueue.global().async(group: group) { worker.run() }
        }
        workers[0].run { progress in
            var scaled = progress
            scaled.bytesConsumed *= UInt64(workers.count)
            onProgress?(scaled)
        }
        group.wait()
        guard workers.allSatisfy(\.isFlawless) else { return nil }
        return merge(workers)
    }

    private static func merge(_ workers: [Worker]) -> (input: TraceInput, counts: TraceCounts)? {
        guard let input = workers[0].input else { return nil }
        for worker in workers.dropFirst() {
            workers[0].counter.append(worker.counter)
            guard let other = worker.input?.tables else { return nil }
            input.tables.intern(contentsOf: other)
            input.tables.sources[0].generationCount =
                (input.tables.sources[0].generationCount ?? 0) + (other.sources[0].generationCount ?? 0)
            input.tables.sources[0].byteCount = other.sources[0].byteCount
        }
        return (input, workers[0].counter.finish(tables: input.tables))
    }
}

/// One part of an input and what is counted in it. Used by one thread at a time.
private final class Worker: @unchecked Sendable {
    private(set) var input: TraceInput?
    private(set) var isFlawless = false
    var counter = TraceCounter()
    private let path: String
    private let format: InputFormat
    private let part: InputPart

    init(path: String, format: InputFormat, part: InputPart) {
        self.path = path
        self.format = format
        self.part = part
    }

    func run(onProgress: ((Progress) -> Void)? = nil) {
        do throws(TraceError) {
            let tally = EventTally()
            let input = try TraceInput(path, format: format, part: part, tally: tally)
            let failure = try input.readAll(onProgress: onProgress) { events throws(TraceError) in
                counter.process(events, tables: input.tables)
            }
            counter.add(tally)
            self.input = input
            isFlawless = failure == nil && input.diagnostics.nonZero.isEmpty
        } catch {
            isFlawless = false
        }
    }
}

extension TraceTables {
    /// Adds the strings and stacks of other tables.
    fileprivate func intern(contentsOf other: TraceTables) {
        let strings = (0..<other.strings.count).map { index in
            self.strings.intern(UnsafeRawBufferPointer(other.strings.bytes(StringID(UInt32(index)))))
        }
        // A caller's id is smaller than its callee's, so its translation is there already.
        var stacks = [StackID.absent]
        for index in 1..<other.stacks.count {
            let node = other.stacks.node(StackID(UInt32(index)))
            var frame = node.frame
            frame.function = strings[Int(frame.function.rawValue)]
            frame.file = strings[Int(frame.file.rawValue)]
            stacks.append(self.stacks.intern(frame, caller: stacks[Int(node.caller.rawValue)]))
        }
    }
}
