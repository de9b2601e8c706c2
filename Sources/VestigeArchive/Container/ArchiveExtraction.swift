import Glibc
import VestigeCore

/// Takes entries out of an archive. An entry is delivered under its name only when all of it is proved.
public struct ArchiveExtraction {
    /// Whether files that exist may be replaced.
    public var overwrites = false
    /// Of entries that have damaged blocks, writes what is sound of them, as `NAME.damaged`.
    public var keepsDamaged = false
    public var onProgress: ((_ bytesDone: UInt64, _ byteCount: UInt64) -> Void)?

    public init() {}

    /// What became of an entry.
    public struct Result: Sendable {
        public let entry: ArchiveEntry
        /// Why it is not sound, or could not be written.
        public internal(set) var errors: [TraceError] = []
        /// Bytes that damaged blocks have cost.
        public internal(set) var bytesLost: UInt64 = 0
    }

    /// Writes entries as files into a folder, which is made if need be.
    /// - Returns: what became of each; damage of one does not keep others from being written.
    /// - Throws: `usage` if a file exists and may not be replaced, or `outputFailed`.
    public func extract(
        _ archive: ArchiveFile, _ entries: [ArchiveEntry], into folder: String
    ) throws(TraceError) -> [Result] {
        let target = ExtractionFolder(folder, overwrites: overwrites)
        let refused = entries.compactMap { Self.refusal(of: $0, archive) }
        let allowed = entries.filter { EntryName.defect($0.name) == nil }
        return try refused
            + run(archive, allowed) { entry throws(TraceError) in
                try target.open(entry)
            } end: { file, result throws(TraceError) in
                if result.errors.isEmpty {
                    try target.close(file, result.entry, suffix: "")
                } else if keepsDamaged {
                    try target.close(file, result.entry, suffix: ".damaged")
                }
            }
    }

    /// Names that must not be written are refused, and only these.
    private static func refusal(of entry: ArchiveEntry, _ archive: ArchiveFile) -> Result? {
        guard let defect = EntryName.defect(entry.name) else { return nil }
        var result = Result(entry: entry)
        result.errors.append(
            TraceError(.damaged, file: archive.path, expected: "names that stay in the folder", found: defect))
        return result
    }

    /// Writes entries one after the other to a sink. Each block is proved before it is written.
    public func write(
        _ archive: ArchiveFile, _ entries: [ArchiveEntry], to sink: any ByteSink
    ) throws(TraceError) -> [Result] {
        try run(archive, entries) { _ throws(TraceError) in
            sink
        } end: { _, _ in
        }
    }

    /// Reads entries and proves them, with what is known of them besides.
    public func verify(_ archive: ArchiveFile, _ entries: [ArchiveEntry]) throws(TraceError) -> [Result] {
        var results = try run(archive, entries) { _ throws(TraceError) in
            NoSink()
        } end: { _, _ in
        }
        let decoder = BlockDecoder()
        for place in results.indices {
            let entry = results[place].entry
            // One error of a block is enough.
            var damaged: Set<Int> = []
            for carry in entry.chunks.compactMap(\.carry) where !damaged.contains(carry.block) {
                do throws(TraceError) {
                    _ = try EntryContent.bytes(of: carry, entry, archive, decoder, isCarry: true)
                } catch {
                    damaged.insert(carry.block)
                    results[place].errors.append(error.adding(context: entry.name))
                }
            }
        }
        return results
    }

    // MARK: - In blocks

    /// A block, and which chunks of which entries are wanted of it.
    private struct Job {
        var block: Int
        var chunks: [(entry: Int, chunk: Int)]
    }

    private func run<Sink>(
        _ archive: ArchiveFile, _ entries: [ArchiveEntry],
        begin: (ArchiveEntry) throws(TraceError) -> Sink,
        end: (Sink, Result) throws(TraceError) -> Void
    ) throws(TraceError) -> [Result] {
        // In the order of blocks, so that each is decoded once.
        let entries = entries.sorted { ($0.chunks.first?.block ?? -1) < ($1.chunks.first?.block ?? -1) }
        var progress = Passage<Sink>(entries)
        let jobs = Self.jobs(entries)
        let total = entries.reduce(UInt64(0)) { $0 + $1.size }
        for place in entries.indices where entries[place].chunks.isEmpty {
            try progress.finish(place, begin(entries[place]), end)
        }
        try OrderedWork.run(jobs.count) {
            BlockDecoder()
        } work: { decoder, job -> Swift.Result<BlockHeader, TraceError> in
            Swift.Result { () throws(TraceError) in try archive.decode(block: jobs[job].block, with: decoder) }
        } deliver: { decoder, job, outcome throws(TraceError) in
            for (place, number) in jobs[job].chunks {
                let entry = entries[place]
                if number == 0 { progress.sink = try begin(entry) }
                let bytes = Swift.Result { () throws(TraceError) in
                    try archive.bytes(of: entry.chunks[number].place, entry, outcome.get(), decoder)
                }
                try progress.take(bytes, place, entry.chunks[number].length)
                if number == entry.chunks.count - 1 { try progress.finish(place, progress.sink!, end) }
            }
            onProgress?(progress.byteCount, total)
        }
        return progress.results
    }

    private static func jobs(_ entries: [ArchiveEntry]) -> [Job] {
        var jobs: [Job] = []
        for (place, entry) in entries.enumerated() {
            for (number, chunk) in entry.chunks.enumerated() {
                if jobs.last?.block != chunk.block { jobs.append(Job(block: chunk.block, chunks: [])) }
                jobs[jobs.count - 1].chunks.append((place, number))
            }
        }
        return jobs
    }
}

/// How far an extraction has come.
private struct Passage<Sink> {
    var results: [ArchiveExtraction.Result]
    var sink: Sink?
    private(set) var byteCount: UInt64 = 0
    private let sum = SHA256Sum()

    init(_ entries: [ArchiveEntry]) { results = entries.map { ArchiveExtraction.Result(entry: $0) } }

    mutating func take(
        _ bytes: Result<UnsafeRawBufferPointer, TraceError>, _ place: Int, _ length: Int
    ) throws(TraceError) {
        byteCount += UInt64(length)
        switch bytes {
        case .success(let bytes):
            sum.update(bytes)
            if let sink = sink as? any ByteSink { try sink.write(bytes) }
        case .failure(let error):
            results[place].errors.append(error.adding(context: results[place].entry.name))
            results[place].bytesLost += UInt64(length)
        }
    }

    mutating func finish(
        _ place: Int, _ sink: Sink, _ end: (Sink, ArchiveExtraction.Result) throws(TraceError) -> Void
    ) throws(TraceError) {
        let entry = results[place].entry
        let actual = sum.finish()
        if results[place].errors.isEmpty {
            if entry.isIncomplete {
                results[place].errors.append(defect(entry, "all blocks of the entry", "some of them"))
            } else if let expected = entry.sha256, expected != actual {
                results[place].errors.append(defect(entry, "the SHA-256 that the index has", "another"))
            }
        }
        try end(sink, results[place])
        self.sink = nil
    }

    private func defect(_ entry: ArchiveEntry, _ expected: String, _ found: String) -> TraceError {
        TraceError(.damaged, context: [entry.name], expected: expected, found: found)
    }
}

private final class NoSink: ByteSink {
    func write(_ bytes: UnsafeRawBufferPointer) {}
    func finish() {}
}
