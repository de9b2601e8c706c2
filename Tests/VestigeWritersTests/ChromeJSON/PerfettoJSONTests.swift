import Foundation
import Testing
import Vestige

@Suite("Chrome trace JSON for Perfetto alone")
struct PerfettoJSONTests {
    private func file(_ recording: Recording) throws -> ChromeFile {
        try ChromeFile(writing: recording.events, recording.tables, dialect: .perfetto)
    }

    @Test("the suffix is the format's own, not that of Chrome's JSON")
    func suffix() {
        #expect(Formats.output(forPath: "a/orders.perfetto.json")?.name == "perfetto-json")
        #expect(Formats.output(forPath: "ORDERS.perfetto.JSON.gz")?.name == "perfetto-json")
        #expect(Formats.output(forPath: "perfetto.json")?.name == "chrome")
    }

    @Test("an empty trace is a valid file without rows")
    func emptyTrace() throws {
        let file = try file(Recording())
        #expect(file.events.isEmpty)
        #expect(Set(file.top.keys) == ["traceEvents", "metadata"])
    }

    @Test("the same slices, arrows, rows and counters, without what Perfetto ignores")
    func sameEvents() throws {
        for recording in [Recording.small, .random(seed: 7, count: 2000)] {
            let chrome = try ChromeFile(writing: recording.events, recording.tables)
            let perfetto = try file(recording)
            #expect(perfetto.defects == [])
            #expect(perfetto.events.map(essence) == chrome.events.map(essence))
            #expect(perfetto.events.allSatisfy { $0["cname"] == nil && $0["sf"] == nil })
            #expect(chrome.events.contains { $0["cname"] != nil } && chrome.events.contains { $0["sf"] != nil })
            #expect(perfetto.text.hasPrefix("{\"traceEvents\":["))
        }
    }

    /// An event but for colour and stack, as text.
    private func essence(_ event: [String: Any]) -> String {
        var event = event
        event["cname"] = nil
        event["sf"] = nil
        if var arguments = event["args"] as? [String: Any] {
            arguments["stack"] = nil
            event["args"] = arguments.isEmpty ? nil : arguments
        }
        let bytes = try? JSONSerialization.data(withJSONObject: event, options: .sortedKeys)
        return String(decoding: bytes ?? Data(), as: UTF8.self)
    }

    private func waiting(withFrames count: Int) throws -> [String] {
        var recording = Recording()
        let frames = (0..<count).map {
            Frame(
                programCounter: 0, function: recording.string("main.f\($0)"), file: recording.string("/src/a.go"),
                line: UInt64($0))
        }
        let stack = recording.tables.stacks.intern(innermostFirst: frames)
        // Twice: the second time it comes from the cache.
        for start: Int64 in [0, 100] {
            recording.transition(start, 1, .running, .waiting, reason: "select", own: stack)
            recording.transition(start + 10, 1, .waiting, .runnable, by: -1)
        }
        let stacks = try file(recording).slices.filter { $0.name == "waiting: select" }
            .map { $0.arguments["stack"] as? [String] }
        #expect(stacks.count == 2 && stacks[0] == stacks[1])
        return try #require(stacks[0])
    }

    @Test("a stack is a list of all its frames, innermost first")
    func stacksInFull() throws {
        #expect(try waiting(withFrames: 1) == ["main.f0 (a.go:0)"])
        #expect(try waiting(withFrames: 128) == (0..<128).map { "main.f\($0) (a.go:\($0))" })
    }

    @Test("a stack deeper than any that Go records is cut, and says so")
    func hugeStack() throws {
        let stack = try waiting(withFrames: 5000)
        #expect(stack.count == 257)
        #expect(stack.last == "… 4744 more")
    }

    @Test(
        "names hold no escapes; an argument tells the original",
        arguments: [
            ("q\"uote", "q＂uote"), ("back\\slash\\", "back＼slash＼"), ("ctrl\u{1}\n\t", "ctrl␁␊␉"),
            ("C:\\", "C:＼"), ("del\u{7f}", "del␡"), ("\\", "＼"), ("net/http <&> ünï 😀", nil), ("", nil),
        ] as [(String, String?)],
        [ChromeDialect.perfetto, .catapult])
    func hostileNames(_ texts: (String, String?), _ dialect: ChromeDialect) throws {
        let (text, shown) = texts
        let recording = Self.recording(of: text)
        let file = try ChromeFile(writing: recording.events, recording.tables, dialect: dialect)
        #expect(file.defects == [])
        let name = shown ?? text
        let original = shown == nil ? nil : "\"\(text)\""
        for slice in [name, text.isEmpty ? "waiting" : "waiting: \(name)"] {
            let found = try #require(file.slices.first { $0.name == slice }, "no \(slice)")
            #expect(found.arguments["original_name"] as? String == original)
        }
        #expect(file.rowNames.values.contains(text.isEmpty ? "Goroutines/G1" : "Goroutines/G1 \(name)"))
        let arguments = { (event: [String: Any]?) in event?["args"] as? [String: Any] ?? [:] }
        #expect(
            arguments(file.events("b").first { $0["name"] as? String == name })["original_name"] as? String == original)
        let child = file.events("n").first { $0["name"] as? String == "child: \(name)" }
        #expect(arguments(child)["original_name"] as? String == original)
        // A log tells its parts, on its goroutine's row always.
        #expect(arguments(file.events("i").first)["message"] as? String == original ?? text)
        let log = file.events("n").first {
            ($0["name"] as? String)?.hasSuffix(name) == true && $0["ts"] as? Double == 0.006
        }
        #expect(arguments(log)["message"] as? String == original)
        // A counter's arguments are numbers.
        #expect(file.counter(name).allSatisfy { $0["args"] is [String: Int] } && !file.counter(name).isEmpty)
        #expect(Self.misreadStrings(file.text) == [])
    }

    /// Everything that has a name of this text.
    private static func recording(of text: String) -> Recording {
        var recording = Recording()
        let name = recording.string(text)
        recording.transition(0, 1, .undetermined, .running, own: recording.stack(text))
        recording.region(1, .regionBegin, text, on: 1)
        recording.region(2, .regionEnd, text, on: 1)
        for (kind, task, parent) in [(EventKind.taskBegin, UInt64(1), UInt64.max), (.taskBegin, 2, 1)] {
            recording.add(
                3,
                Event(
                    kind: kind, timeNanoseconds: 0, goroutine: GoroutineID(1), name: name, argument0: task,
                    argument1: parent))
        }
        recording.metric(4, text, 1)
        recording.transition(5, 1, .running, .waiting, reason: text)
        recording.add(
            6,
            Event(
                kind: .log, timeNanoseconds: 0, goroutine: GoroutineID(1), name: name, argument0: 1,
                argument1: UInt64(name.rawValue)))
        recording.transition(7, 1, .waiting, .runnable, by: -1, reason: text)
        return recording
    }

    /// The strings that Perfetto up to version 52 reads otherwise than JSON says: to it a string ends at
    /// the first quote that has no backslash before it, and only one with `\"` in it has escapes.
    private static func misreadStrings(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        var misread: [String] = []
        var index = 0
        while let begin = bytes[index...].firstIndex(of: quote) {
            var end = begin + 1
            while bytes[end] != quote { end += bytes[end] == backslash ? 2 : 1 }
            let content = bytes[begin + 1..<end]
            var itsEnd = begin + 1
            while bytes[itsEnd] != quote || bytes[itsEnd - 1] == backslash { itsEnd += 1 }
            if itsEnd != end || content.contains(backslash) && !content.contains(quote) {
                misread.append(String(decoding: content, as: UTF8.self))
            }
            index = end + 1
        }
        return misread
    }
}
