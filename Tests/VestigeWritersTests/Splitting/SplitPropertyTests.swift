import Foundation
import Testing
import VestigeTestSupport

@testable import Vestige

/// Parts of a recording, as viewers see them, add up to the whole.
@Suite("Parts of a recording")
struct SplitPropertyTests {
    static let traces = Corpus.traces.filter { $0.must == "ok" && $0.stable != false }

    @Test("slices of samples add up", arguments: Samples.files(in: "gotrace-v2", suffix: ".trace"))
    func samples(_ path: String) throws {
        let reading = try Reading(path: path)
        for size in [reading.events.count / 2 + 1, 97] { try expectSums(reading.events, reading.tables, size) }
    }

    @Test("slices of recordings add up", arguments: traces)
    func recordings(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        guard (2...1_500).contains(reading.events.count) else { return }
        try expectSums(reading.events, reading.tables, reading.events.count / 3 + 1)
    }

    @Test("events that contradict each other make parts that viewers take", arguments: 0..<40)
    func randomEvents(_ seed: Int) throws {
        let recording = Recording.random(seed: UInt64(seed), count: 400)
        for bytes in try parts(recording.events, recording.tables, Self.chrome, .events(37)) {
            #expect(try ChromeFile(bytes).defects == [], "seed \(seed)")
        }
        for bytes in try parts(recording.events, recording.tables, Self.perfetto, .events(37)) {
            #expect(try PerfettoFile(bytes).defects == [], "seed \(seed)")
        }
    }

    private func expectSums(_ events: [Event], _ tables: TraceTables, _ size: Int) throws {
        let chrome = try parts(events, tables, Self.chrome, .events(UInt64(size))).map { try ChromeFile($0) }
        #expect(chrome.count == (events.count + size - 1) / size)
        #expect(chrome.flatMap(\.defects) == [])
        var sums = SliceSums()
        for file in chrome { sums.add(file) }
        var whole = SliceSums()
        whole.add(try ChromeFile(writing: events, tables))
        #expect(sums.differences(from: whole) == [], "Chrome JSON")

        let perfetto = try parts(events, tables, Self.perfetto, .events(UInt64(size))).map { try PerfettoFile($0) }
        #expect(perfetto.flatMap(\.defects) == [])
        sums = SliceSums()
        for file in perfetto { sums.add(file) }
        whole = SliceSums()
        whole.add(try PerfettoFile(writing: events, tables))
        #expect(sums.differences(from: whole) == [], "Perfetto")
    }

    static let chrome = ChromeJSONFormat.format
    /// Packets as they are, so that they can be read without decompression.
    static let perfetto = OutputFormat(
        name: "perfetto", summary: "", suffix: ".pftrace", viewer: PerfettoFormat.format.viewer,
        make: { target, options throws(TraceError) in
            PerfettoWriter(try target.sink(named: nil), options: options, isCompressed: false)
        })

    /// The contents of the parts.
    private func parts(
        _ events: [Event], _ tables: TraceTables, _ format: OutputFormat, _ limit: SplitLimit
    ) throws -> [[UInt8]] {
        let folder = try TemporaryFolder()
        let output = try OutputParts(stem: folder.file("out"), suffix: format.suffix, overwrites: false)
        let writer = SplitWriter(output, format, .showingAll, limit: limit, title: "out")
        var rest = events[...]
        while !rest.isEmpty {
            try Array(rest.prefix(1000)).withUnsafeBufferPointer { try writer.write($0, tables: tables) }
            rest = rest.dropFirst(1000)
        }
        try writer.finish(tables: tables)
        try output.commit()
        #expect(folder.names.count == writer.summaries.count + 1)
        return try writer.summaries.map { Array(try folder.read($0.name)) }
    }
}

/// What files show, added up: durations of slices by row and name, and counts. Parts have the same sums as the whole,
/// but for slices whose begin no event tells, which are left out.
private struct SliceSums {
    private(set) var nanoseconds: [String: Int] = [:]
    /// Slices that begin here, instants, arrows.
    private(set) var counts: [String: Int] = [:]

    func differences(from whole: SliceSums) -> [String] {
        Self.differences(nanoseconds, whole.nanoseconds, "ns") + Self.differences(counts, whole.counts, "times")
    }

    private static func differences(_ ours: [String: Int], _ whole: [String: Int], _ unit: String) -> [String] {
        Set(ours.keys).union(whole.keys).filter { ours[$0] != whole[$0] }.sorted().map {
            "\($0): \(ours[$0] ?? 0) \(unit) of \(whole[$0] ?? 0)"
        }
    }

    mutating func add(_ file: ChromeFile) {
        let rows = file.rowNames
        for slice in file.slices where slice.arguments["began_before_recording"] == nil {
            let isClipped = slice.arguments["clipped_before"] != nil || slice.arguments["clipped_before_ns"] != nil
            add(rows[slice.row] ?? "?", slice.name, slice.end - slice.start, isClipped: isClipped)
        }
        for phase in ["i", "n", "s", "f"] { counts[phase, default: 0] += file.events(phase).count }
        addTasks(file)
    }

    private mutating func addTasks(_ file: ChromeFile) {
        var begins: [String: [String: Any]] = [:]
        for event in file.events where ["b", "e"].contains(event["ph"] as? String) {
            let id = (event["id2"] as? [String: String])?["local"] ?? "?"
            if event["ph"] as? String == "b" {
                begins[id] = event
            } else if let begin = begins.removeValue(forKey: id) {
                let arguments = begin["args"] as? [String: Any] ?? [:]
                guard arguments["began_before_recording"] == nil else { continue }
                let duration = ChromeFile.nanoseconds(event["ts"]) - ChromeFile.nanoseconds(begin["ts"])
                add("Tasks/\(id)", "", duration, isClipped: arguments["clipped_before_ns"] != nil)
            }
        }
    }

    mutating func add(_ file: PerfettoFile) {
        for slice in file.slices where slice.annotations["began_before_recording"] == nil {
            let path = file.path(slice.track)
            if slice.isInstant {
                counts[path.split(separator: "/").first.map(String.init) ?? "", default: 0] += 1
                continue
            }
            let isClipped = slice.annotations["clipped_before"] != nil || slice.annotations["clipped_before_ns"] != nil
            let duration = Int(clamping: slice.end ?? 0) - Int(clamping: slice.start)
            add(path, slice.name, duration, isClipped: isClipped)
        }
        counts["arrows", default: 0] += file.slices.flatMap(\.flows).count
        for (thread, running) in file.runningNanoseconds {
            nanoseconds["thread \(Self.shortened(file.threads[thread] ?? "?"))", default: 0] += Int(running)
        }
    }

    private mutating func add(_ row: String, _ name: String, _ duration: Int, isClipped: Bool) {
        let parts = row.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // Not every part knows what a goroutine began with. Goroutines stand below that, or not.
        let places = parts.map(Self.shortened).filter { $0.first?.isLowercase != true }
        let slice = ["Procs", "Threads"].contains(parts[0]) ? Self.shortened(name) : name
        let key = "\(places.filter { $0 != "start" && !$0.contains(".") }.joined(separator: "/")): \(slice)"
        if duration > 0 { nanoseconds[key, default: 0] += duration }
        if !isClipped { counts[key, default: 0] += 1 }
    }

    /// `G18` of `G18 main.worker`.
    private static func shortened(_ name: String) -> String {
        guard name.first == "G", let digit = name.dropFirst().first, digit.isNumber else { return name }
        return String(name.prefix { $0 != " " })
    }
}
