import Foundation
import Testing
import Vestige
import VestigeTestSupport

@testable import VestigeReaders

@Suite struct JSONLinesReaderTests {
    static let format = JSONLinesInputFormat.format

    private func read(_ text: String, capacity: Int = EventBatch.defaultCapacity) -> Reading {
        Reading(ByteSource(bytes: Array(text.utf8), path: "x.jsonl"), format: Self.format, capacity: capacity)
    }

    // MARK: - Round trip

    @Test(arguments: [8, 9, 1000]) func whatIsWrittenComesBack(_ capacity: Int) throws {
        let text = try JSONLinesText.write(EventScript.ofEveryKind())
        #expect(try JSONLinesText.rewritten(text, capacity: capacity) == text)
    }

    @Test func theEventsAreTheSame() throws {
        let script = EventScript.ofEveryKind()
        let reading = read(try JSONLinesText.write(script))
        #expect(reading.error == nil)
        #expect(reading.diagnostics.nonZero.isEmpty)
        let original = TruthHash(script.tables, keepsLines: true)
        script.events.withUnsafeBufferPointer { original.add($0) }
        #expect(reading.lines == original.lines)
        #expect(reading.events.map(\.source) == script.events.map(\.source))
        #expect(reading.events.map(\.detail) == script.events.map(\.detail))
        #expect(reading.events.map(\.kind) == script.events.map(\.kind))
        #expect(reading.tables.sources.map(\.path) == ["made-by-hand", "-"])
        #expect(reading.tables.sources[0].byteCount == .max)
        #expect(reading.tables.sources[0].clock == .monotonic)
    }

    @Test func lossesComeBack() throws {
        let diagnostics = Diagnostics()
        diagnostics.count(.bytesLost, 12)
        diagnostics.count(.timesClamped)
        let script = EventScript.ofEveryKind()
        let text = try JSONLinesText.write(script.events, script.tables, diagnostics: diagnostics)
        #expect(try JSONLinesText.rewritten(text, capacity: 8) == text)
        #expect(read(text).diagnostics[.bytesLost] == 12)
    }

    @Test func programCountersComeBackByNumberAndListsServeWithout() throws {
        let line = #"{"t":1,"kind":"StackSample","stack":["f a.go:1"],"stack_id":5}"#
        let exact = read(#"{"kind":"Stack","id":5,"frames":[{"pc":18446744073709551615,"func":"g"}]}"# + "\n" + line)
        let frame = try #require(exact.tables.stacks.rootFrame(exact.events[0].stack))
        #expect(frame.programCounter == .max)
        #expect(exact.tables.strings.string(frame.function) == "g")
        let listed = read(line)
        #expect(listed.tables.stacks.rootFrame(listed.events[0].stack)?.line == 1)
        #expect(listed.diagnostics[.stacksUnresolved] == 0)
        let damaged = read(#"{"kind":"Header","format":"vestige-ir","version":1}"# + "\n" + line)
        #expect(damaged.diagnostics[.stacksUnresolved] == 1)
    }

    /// Merged recordings: sources of a second input get places of their own.
    @Test func sourcesKeepApart() throws {
        let tables = TraceTables()
        tables.sources = [SourceInfo(path: "first.trace", format: "other"), SourceInfo(path: "x", format: "jsonl")]
        let text = try JSONLinesText.write(EventScript.ofEveryKind())
        let reader = JSONLinesReader(
            ByteSource(bytes: Array(text.utf8), path: "x"),
            context: ReaderContext(tables: tables, diagnostics: Diagnostics(), source: 1))
        var batch = EventBatch()
        while try reader.read(into: &batch) {}
        #expect(tables.sources.map(\.path) == ["first.trace", "made-by-hand", "-"])
        #expect(Set(batch.events.map(\.source)) == [1, 2])
    }

    // MARK: - Bare listings

    @Test func aBareListing() {
        let reading = read(
            """
            \u{feff}
            {"kind":"StateTransition","t":10,"resource":"goroutine","id":1,"from":"NotExist","to":"Runnable"}\r
            \t \r

            {"t":11,"g":1,"kind":"Log","task":null,"message":"m","unknown":{"a":[1]},"stack":[]}
            {"t":12,"kind":"Metric","name":"n","value":18446744073709551615}
            """)
        #expect(reading.error == nil)
        #expect(
            reading.lines == [
                #"StateTransition 10 -1 -1 -1 goroutine 1 NotExist Runnable "" - -"#,
                #"Log 11 1 -1 -1 -1 "" "m" -"#,
                #"Metric 12 -1 -1 -1 "n" 18446744073709551615 -"#,
            ])
        #expect(reading.tables.sources[0].byteCount != nil)
    }

    @Test func whatIsUnknownIsPassedOverAndCounted() {
        let reading = read(
            """
            {"t":1,"kind":"Unheard","g":11}
            {"kind":"StateTransition","t":2,"resource":"thread","id":1,"from":"A","to":"B"}
            {"t":3,"kind":"Sync","n":1}
            """)
        #expect(reading.error == nil)
        #expect(reading.events.count == 1)
        #expect(reading.diagnostics[.linesUnknown] == 2)
    }

    @Test func timeDoesNotGoBack() {
        let reading = read(#"{"t":5,"kind":"Sync"}"# + "\n" + #"{"t":3,"kind":"Sync"}"# + "\n")
        #expect(reading.events.map(\.timeNanoseconds) == [5, 5])
        #expect(reading.diagnostics[.timesClamped] == 1)
    }

    @Test func argumentsKeepTheirOrder() {
        let reading = read(
            #"{"t":1,"kind":"Experimental","name":"id","experiment":"x","args":{"type":1,"id":2,"a":3}}"#)
        let names = reading.tables.experimentalShapes[0].argumentNames.map { reading.tables.strings.string($0) }
        #expect(names == ["type", "id", "a"])
        let event = reading.events[0]
        #expect([event.argument0, event.argument1, event.argument2] == [1, 2, 3])
    }

    // MARK: - Frames

    @Test(arguments: [
        ("main.f a.go:3", "main.f", "a.go", 3),
        ("main.f /home/Jane Doe/a b.go:3", "main.f", "/home/Jane Doe/a b.go", 3),
        ("main.f[go.shape.struct { X int }] /a b.go:3", "main.f[go.shape.struct { X int }]", "/a b.go", 3),
        ("broken[ a b.go:3", "broken[ a", "b.go", 3),
        (" :0", "", "", 0), ("f :0", "f", "", 0), ("f a:b:18446744073709551615", "f", "a:b", UInt64.max),
        ("f", "f", "", 0), ("", "", "", 0), ("f a.go", "f", "a.go", 0), ("f a.go:007", "f", "a.go:007", 0),
        ("f a.go:99999999999999999999", "f", "a.go:99999999999999999999", 0),
        ("f ä ö.go:1", "f", "ä ö.go", 1),
    ]) func frames(_ text: String, _ function: String, _ file: String, _ line: UInt64) {
        let frame = FrameText(text)
        #expect((String(frame.function), String(frame.file), frame.line) == (function, file, line))
    }

    // MARK: - Detection

    @Test(arguments: [
        (#"{"kind":"Header","format":"vestige-ir"}"# + "\n", "yes"),
        ("\n\r\n" + #" {"seq":0,"t":1,"kind":"Sync"}"# + "\n", "yes"),
        (#"{"g":1,"stack":["a b:1"],"kind":"StackSample","t":1}"# + "\n", "yes"),
        (#"{"seq":0,"t":1,"kind":"Sync""#, "yes"), (#"{"kind":"Header","units":{"t"#, "yes"),
        (#"{"kind":"Sync"}"# + "\n", "no"), (#"{"t":1,"kind":"request"}"# + "\n", "no"),
        (#"{"traceEvents":[{"kind":"t"#, "no"), ("[", "no"), ("go 1.26 trace", "no"), ("{}\n", "no"),
        (#"{"kind":5,"t":1}"# + "\n", "no"), ("", "needMore"), (" \n", "needMore"), (#"{"seq":0,"#, "needMore"),
    ]) func detection(_ text: String, _ expected: String) {
        let result = Array(text.utf8).withUnsafeBytes { Self.format.sniff($0) }
        #expect("\(result)" == expected)
    }

    @Test func isDetectedAmongAllFormats() throws {
        let reading = Reading(bytes: Array(try JSONLinesText.write(EventScript.ofEveryKind()).utf8))
        #expect(reading.error == nil)
        #expect(!reading.events.isEmpty)
    }
}
