import Testing
import VestigeTestSupport

@testable import Vestige

/// Short spans become blocks that count them.
@Suite("Merging short spans")
struct ThinningTests {
    static let traces = Corpus.traces.filter { $0.must == "ok" && $0.stable != false }

    private func options(_ limit: Int64) -> OutputOptions {
        var options = OutputOptions.showingAll
        options.thinning = Thinning(minSpanNanoseconds: limit)
        return options
    }

    /// Goroutine 1 runs and waits, shortly but for a long wait, and then shortly once.
    private var recording: Recording {
        var recording = Recording()
        recording.transition(0, 1, .notExist, .runnable, by: -1)
        for (time, from, to) in [
            (10, GoroutineState.runnable, GoroutineState.running), (30, .running, .runnable), (35, .runnable, .running),
            (40, .running, .waiting), (1000, .waiting, .runnable), (2000, .runnable, .running),
            (2005, .running, .waiting), (5000, .waiting, .runnable), (6000, .runnable, .notExist),
        ] { recording.transition(Int64(time), 1, from, to) }
        return recording
    }

    @Test("short spans that follow each other are one slice; a single one stays")
    func blocks() throws {
        let options = options(100)
        let chrome = try ChromeFile(writing: recording.events, recording.tables, options: options)
        #expect(chrome.defects == [])
        let states = [
            "0–40 4 short spans", "40–1000 waiting", "1000–2000 runnable", "2000–2005 running", "2005–5000 waiting",
            "5000–6000 runnable",
        ]
        #expect(chrome.rows("Goroutines/G1") == states)
        #expect(chrome.rows("Procs/P0") == ["10–40 2 short spans", "2000–2005 G1"])
        let block = try #require(chrome.slices.first { $0.name == "4 short spans" }).arguments
        #expect(
            block as? [String: Int] == ["spans": 4, "running": 2, "running_ns": 25, "runnable": 2, "runnable_ns": 15])
        #expect(options.thinning?.spanCount == 8 && options.thinning?.blockCount == 3)
        #expect(chrome.text.contains("\"spans shorter than this many ns are merged\":100"))

        let native = try PerfettoFile(writing: recording.events, recording.tables, options: self.options(100))
        #expect(native.defects == [])
        #expect(native.rows("Goroutines/start function not known/G1") == states)
        #expect(native.rows("Procs/P0") == ["10–40 2 short spans", "2000–2005 G1"])
        let annotations = try #require(native.slices.first { $0.name == "4 short spans" }).annotations
        #expect(annotations["running_ns"] == "25" && annotations["spans"] == "4")
        #expect(native.instants("Runtime/Events") == ["0 short spans are merged"])
    }

    @Test("a block is no longer than a hundred times the limit")
    func length() throws {
        var recording = Recording()
        recording.transition(0, 1, .undetermined, .running)
        for time: Int64 in 1...5000 {
            recording.transition(time, 1, time % 2 == 1 ? .running : .waiting, time % 2 == 1 ? .waiting : .running)
        }
        let file = try ChromeFile(writing: recording.events, recording.tables, options: options(10))
        let blocks = file.slices.filter { $0.name.hasSuffix("short spans") && $0.row.pid == 2 }
        #expect(blocks.count == 6)
        #expect(blocks.allSatisfy { $0.end - $0.start < 1000 })
    }

    @Test("counts and times are kept", arguments: traces)
    func recordings(_ trace: CorpusTrace) throws {
        let reading = try Reading(path: trace.path)
        guard reading.events.count < 1_000 else { return }
        try expectTheSame(reading.events, reading.tables, limit: 20_000)
    }

    @Test("events that contradict each other make files that viewers take", arguments: 0..<40)
    func randomEvents(_ seed: Int) throws {
        let recording = Recording.random(seed: UInt64(seed), count: 400)
        try expectTheSame(recording.events, recording.tables, limit: Int64(seed % 7) + 2)
    }

    private func expectTheSame(_ events: [Event], _ tables: TraceTables, limit: Int64) throws {
        var options = options(limit)
        let chrome = try ChromeFile(writing: events, tables, options: options)
        #expect(chrome.defects == [])
        #expect(try StateSums(chrome) == StateSums(ChromeFile(writing: events, tables)))
        let whole = try ChromeFile(writing: events, tables)
        let blocks = chrome.slices.filter { $0.arguments["spans"] != nil }
        #expect(UInt64(blocks.count) == options.thinning?.blockCount)
        #expect(UInt64(whole.slices.count - chrome.slices.count + blocks.count) == options.thinning?.spanCount)
        #expect(UInt64(whole.events("s").count - chrome.events("s").count) == options.thinning?.flowCount)

        options = self.options(limit)
        let native = try PerfettoFile(writing: events, tables, options: options)
        #expect(native.defects == [])
        let wholeNative = try PerfettoFile(writing: events, tables)
        #expect(StateSums(native) == StateSums(wholeNative))
        #expect(native.states.count == wholeNative.states.count)
        #expect(native.runningNanoseconds == wholeNative.runningNanoseconds)
    }
}

/// Counts and times of the states of goroutines, in slices and in blocks.
private struct StateSums: Equatable {
    private(set) var counts: [String: Int] = [:]
    private(set) var nanoseconds: [String: Int] = [:]

    init(_ file: ChromeFile) {
        let rows = file.rowNames
        for slice in file.slices where slice.row.pid == 2 {
            let row = rows[slice.row]?.split(separator: " ").first.map(String.init) ?? "?"
            add(row, slice.name, slice.end - slice.start, slice.arguments.mapValues { $0 as? Int ?? 0 })
        }
    }

    init(_ file: PerfettoFile) {
        for slice in file.slices where !slice.isInstant {
            let path = file.path(slice.track).split(separator: "/")
            guard path.first == "Goroutines", path.count == 3 else { continue }
            let duration = Int(clamping: slice.end ?? 0) - Int(clamping: slice.start)
            add(String(path[2]), slice.name, duration, slice.annotations.mapValues { Int($0) ?? 0 })
        }
    }

    private mutating func add(_ row: String, _ name: String, _ duration: Int, _ arguments: [String: Int]) {
        let states = ["running", "runnable", "syscall", "waiting"]
        if name.hasSuffix("short spans") {
            for state in states where arguments[state] ?? 0 > 0 {
                counts["\(row) \(state)", default: 0] += arguments[state] ?? 0
                nanoseconds["\(row) \(state)", default: 0] += arguments["\(state)_ns"] ?? 0
            }
        } else if let state = states.first(where: name.hasPrefix) {
            counts["\(row) \(state)", default: 0] += 1
            nanoseconds["\(row) \(state)", default: 0] += duration
        }
    }
}
