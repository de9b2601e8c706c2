import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Archives as files: what is put in comes out.
@Suite struct ArchiveTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var path: String { folder.file("a.vestige") }

    private func create(_ paths: [String], level: ArchiveLevel = .default) throws {
        let inputs = paths.map { ArchiveInput(path: $0, name: EntryName.forPath($0)) }
        _ = try ArchiveWriter.knowingFormats(level: level).create(path, inputs, overwrites: true)
    }

    private func expectRoundTrip(_ paths: [String]) throws {
        let archive = try ArchiveFile(path)
        #expect(archive.entries.map(\.name).sorted() == paths.map(EntryName.forPath).sorted())
        var extraction = ArchiveExtraction()
        extraction.overwrites = true
        let results = try extraction.extract(archive, archive.entries, into: folder.file("out"))
        #expect(results.filter { !$0.errors.isEmpty }.isEmpty)
        for path in paths {
            let original = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(try folder.read("out/\(EntryName.forPath(path))") == original, "\(path)")
        }
        var random = SeededRandom(seed: 3)
        for path in paths.shuffled(using: &random).prefix(5) { try expectPieces(path, archive, &random) }
    }

    /// The same, in pieces from anywhere.
    private func expectPieces(_ path: String, _ archive: ArchiveFile, _ random: inout SeededRandom) throws {
        let entry = try #require(archive.entries.first { $0.name == EntryName.forPath(path) })
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        let content = EntryContent(archive, entry)
        for _ in 0..<8 where !bytes.isEmpty {
            let start = Int.random(in: 0..<bytes.count, using: &random)
            var piece = [UInt8](repeating: 0, count: min(bytes.count - start, 5000))
            let count = try piece.withUnsafeMutableBytes { try content.read(at: UInt64(start), into: $0) }
            #expect(count == piece.count && piece[...] == bytes[start..<start + count], "\(path)")
        }
    }

    private static func allFiles(in folder: URL) -> [String] {
        let all = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        return (all?.compactMap { $0 as? URL } ?? []).filter {
            (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true
        }.map(\.path).sorted()
    }

    @Test func samples() throws {
        let paths = Self.allFiles(in: Samples.folder)
        try create(paths)
        try expectRoundTrip(paths)
    }

    /// Good, cut, broken and hostile traces, dumps, logs, compressed and plain text.
    @Test func everyFileOfTheCorpus() throws {
        guard let shared = Corpus.shared else { return }
        let paths = Self.allFiles(in: shared.appendingPathComponent("corpus"))
        #expect(paths.count > 100)
        try create(paths)
        try expectRoundTrip(paths)
    }

    @Test(arguments: ArchiveLevel.allCases) func randomBytes(_ level: ArchiveLevel) throws {
        var random = SeededRandom(seed: 17)
        var paths: [String] = []
        for size in [0, 1, 15, 16, 17, 1000, 70_000, 3 << 20] {
            let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            try folder.write(bytes, to: "r\(size)")
            try folder.write(Array("go 1.26 trace\0\0\0".utf8) + bytes, to: "t\(size)")
            paths += [folder.file("r\(size)"), folder.file("t\(size)")]
        }
        try create(paths, level: level)
        try expectRoundTrip(paths)
    }

    /// More than a block holds.
    @Test func aLargeFile() throws {
        let line = Array("the quick brown goroutine jumps over the lazy proc\n".utf8)
        var bytes: [UInt8] = []
        for index in 0..<1_500_000 { bytes += line + Array(String(index).utf8) }
        try folder.write(bytes, to: "large")
        try create([folder.file("large")])
        #expect(try ArchiveFile(path).entries[0].chunks.count > 1)
        try expectRoundTrip([folder.file("large")])
    }

    @Test func addReplaceRemoveAndCompact() throws {
        let paths = Self.allFiles(in: Samples.folder.appendingPathComponent("gotrace-v2"))
        let (first, rest) = (Array(paths.prefix(3)), Array(paths.dropFirst(3)))
        try create(first)
        let writer = ArchiveWriter.knowingFormats(level: .default)
        let inputs = rest.map { ArchiveInput(path: $0, name: EntryName.forPath($0)) }
        _ = try writer.add(path, inputs, overwrites: false)
        try expectRoundTrip(paths)
        #expect(throws: TraceError.self) { try writer.add(path, inputs, overwrites: false) }
        _ = try writer.add(path, [inputs[0]], overwrites: true)
        try expectRoundTrip(paths)
        let removed = Set(
            paths.enumerated().filter { $0.offset.isMultiple(of: 2) }.map { EntryName.forPath($0.element) })
        _ = try writer.remove(path) { removed.contains($0.name) }
        let kept = paths.filter { !removed.contains(EntryName.forPath($0)) }
        try expectRoundTrip(kept)
        let before = Samples.size(path)
        _ = try writer.compact(path)
        #expect(Samples.size(path) < before)
        try expectRoundTrip(kept)
        let results = try ArchiveExtraction().verify(ArchiveFile(path), ArchiveFile(path).entries)
        #expect(results.filter { !$0.errors.isEmpty }.isEmpty)
    }

    @Test func theIndexKnowsWhatGenerationsAreAbout() throws {
        let trace = Samples.folder.appendingPathComponent("gotrace-v2/orders/orders.trace").path
        try create([trace])
        let entry = try ArchiveFile(path).entries[0]
        #expect(entry.format == "gotrace-v2")
        let info = try TraceInfo(trace)
        let range = try #require(entry.timeRange)
        #expect(range.lowerBound <= info.counts.firstNanoseconds)
        #expect(range.upperBound + ChunkContent.orderSlackNanoseconds >= info.counts.lastNanoseconds)
        let content = try #require(entry.chunks.first?.content)
        let reading = Reading(bytes: try [UInt8](Data(contentsOf: URL(fileURLWithPath: trace))))
        for event in reading.events where event.goroutine != .absent {
            #expect(entry.chunks.contains { $0.content?.mentions(UInt64(event.goroutine.rawValue)) ?? true })
        }
        #expect(!content.regions.isEmpty)
    }

    /// One generation in several blocks, which all say what it is about.
    @Test func aGenerationThatIsLargerThanABlock() throws {
        var trace = GoTraceBuilder()
        for generation in 0..<2 {
            let start = UInt64(1 + generation * 1_000_000_000)
            trace.batch(thread: 1, time: start) {
                $0.event("ProcStatus", 0, 1)
                $0.event("GoStatus", UInt64(7 + generation), 1, 2)
            }
            for batch in 0..<(generation == 0 ? 600 : 1) {
                trace.batch(thread: 1, time: start + UInt64(batch + 1) * 1000) {
                    for value in 0..<10_000 { $0.event("HeapAlloc", UInt64(value + 200_000_000)) }
                }
            }
            let name = trace.string("late \(generation)")
            trace.batch(thread: 1, time: start + 900_000_000) { $0.event("UserRegionBegin", 0, name, 0) }
            trace.endGeneration(time: start + 950_000_000)
        }
        try folder.write(trace.bytes, to: "large.trace")
        let file = folder.file("large.trace")
        try create([file], level: .fast)
        try expectRoundTrip([file])
        let contents = try ArchiveFile(path).entries[0].chunks.map(\.content)
        #expect(contents.count == 3)
        #expect(contents[0] == contents[1])
        #expect(contents[0]?.goroutines == [7...7] && contents[2]?.goroutines == [8...8])
        #expect(contents[1]?.regions == ["late 0"] && contents[2]?.regions == ["late 1"])
        #expect(contents[0]?.firstNanoseconds == 1 && contents[0]?.lastNanoseconds ?? 0 > 900_000_000)
    }

    @Test func entriesAreReadLikeFiles() throws {
        let trace = Samples.folder.appendingPathComponent("gotrace-v2/orders/orders.trace").path
        try create([trace])
        let direct = try TraceInfo(trace)
        let inside = try TraceInfo("\(path)/\(EntryName.forPath(trace))")
        #expect(direct.counts == inside.counts)
        #expect(try TraceInfo(path).counts == direct.counts)
        #expect(try InputPath.expand([path]) == ["\(path)/\(EntryName.forPath(trace))"])
        #expect(throws: TraceError.self) { try TraceInfo("\(path)/nothing") }
    }

    @Test func twoWritersExcludeEachOther() throws {
        try create(Array(Self.allFiles(in: Samples.folder).prefix(1)))
        let descriptor = open(path, O_RDWR)
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        #expect(throws: TraceError.self) { try ArchiveWriter().remove(path) { _ in true } }
        close(descriptor)
        #expect(try ArchiveWriter().remove(path) { _ in true }.entryCount == 1)
    }
}
