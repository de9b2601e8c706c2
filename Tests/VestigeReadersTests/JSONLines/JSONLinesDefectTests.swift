import Foundation
import Testing
import Vestige
import VestigeTestSupport

@testable import VestigeReaders

@Suite struct JSONLinesDefectTests {
    private func read(_ bytes: [UInt8], capacity: Int = EventBatch.defaultCapacity) -> Reading {
        Reading(
            ByteSource(bytes: bytes, path: "x.jsonl"), format: JSONLinesInputFormat.format, capacity: capacity)
    }

    private static let good = #"{"t":1,"kind":"Sync","n":1}"#

    @Test(arguments: [
        (#"{"kind":"Sync"}"#, "expected field t, found none"),
        (#"{"t":1}"#, "expected field kind, found none"),
        (#"{"t":9223372036854775808,"kind":"Sync"}"#, "field t"),
        (#"{"t":1.5,"kind":"Sync"}"#, "field t"),
        (#"{"t":"1","kind":"Sync"}"#, "expected Int64 in field t, found a string"),
        (#"{"t":1,"kind":"Sync","p":2147483648}"#, "field p"),
        (#"{"t":1,"kind":"Metric","name":"n","value":-1}"#, "field value"),
        (#"{"t":1,"kind":"Sync","stack":"f"}"#, "field stack"),
        (#"{"t":1,"kind":"Log","task":1,"message":1}"#, "field message"),
        (#"{"t":1,"kind":"Log","task":1,"message_hex":"0g"}"#, "pairs of hexadecimal digits in field message_hex"),
        (#"{"t":1,"kind":"Log","task":1,"message_hex":"abc"}"#, "pairs of hexadecimal digits in field message_hex"),
        (
            #"{"t":1,"kind":"StateTransition","resource":"goroutine","id":1,"from":"Idle","to":"Running"}"#,
            "NotExist, Runnable, Running, Syscall, Undetermined, Waiting in field from, found \"Idle\""
        ),
        (
            #"{"t":1,"kind":"StateTransition","resource":"proc","id":4294967296,"from":"Idle","to":"Running"}"#,
            "field id"
        ),
        (#"{"t":1,"kind":"RangeBegin","name":"n","scope":"all"}"#, "goroutine, none, proc in field scope"),
        (#"{"t":1,"kind":"Sync","source":256}"#, "expected at most 256 sources, found source 256"),
        (
            #"{"t":1,"kind":"Experimental","name":"n","experiment":"e","args":{"a":1,"b":1,"c":1,"d":1}}"#,
            "expected at most 3 arguments, found 4"
        ),
        (#"{"kind":"Header","format":"vestige-ir"}"#, "found a Header, which comes first only"),
        ("[1]", "expected"), ("7", "expected"), ("{", "expected a JSON object"), ("nonsense", "expected a JSON object"),
        (#"{"t":1,"kind":"Log","task":1,"message":"\ud800"}"#, "expected"),
        (String(repeating: "[", count: 100_000), "expected a JSON object"),
    ]) func aBadLineEndsTheReading(_ line: String, _ message: String) throws {
        let reading = read(Array("\n\(Self.good)\n\(line)\n\(Self.good)\n".utf8))
        #expect(reading.events.count == 1)
        let error = try #require(reading.error)
        #expect(error.code == .damaged)
        #expect(error.byteOffset == UInt64(Self.good.utf8.count + 2))
        #expect(error.context == ["line 3"])
        #expect(error.file == "x.jsonl")
        #expect("\(error)".contains(message), "\(error)")
    }

    @Test func bytesThatAreNotUTF8() {
        let line = Array(#"{"t":1,"kind":"Log","task":1,"message":""#.utf8) + [0xff, 0xfe] + Array("\"}\n".utf8)
        let reading = read(Array((Self.good + "\n").utf8) + line)
        #expect(reading.events.count == 1)
        #expect(reading.error?.code == .damaged)
    }

    @Test func afterAnErrorThereIsNothing() throws {
        let source = ByteSource(bytes: Array("\(Self.good)\n{\n\(Self.good)\n".utf8), path: "x.jsonl")
        let tables = TraceTables()
        tables.sources.append(SourceInfo(path: "x.jsonl", format: "jsonl"))
        let reader = try JSONLinesInputFormat.format.open(
            source, ReaderContext(tables: tables, diagnostics: Diagnostics(), source: 0))
        var batch = EventBatch()
        #expect(try reader.read(into: &batch))
        #expect(batch.events.count == 1)
        batch.removeAll()
        #expect(throws: TraceError.self) { try reader.read(into: &batch) }
        #expect(try !reader.read(into: &batch))
        #expect(batch.events.isEmpty)
    }

    @Test func linesThatAreTooLongAreRefused() throws {
        let tables = TraceTables()
        tables.sources.append(SourceInfo(path: "x.jsonl", format: "jsonl"))
        let long = String(repeating: " ", count: 300) + Self.good
        for text in ["\(Self.good)\n\(long)\n", "\(Self.good)\n\(long)"] {
            let reader = JSONLinesReader(
                ByteSource(bytes: Array(text.utf8), path: "x.jsonl"),
                context: ReaderContext(tables: tables, diagnostics: Diagnostics(), source: 0), lineLengthLimit: 300)
            var batch = EventBatch()
            #expect(try reader.read(into: &batch))
            #expect(batch.events.count == 1)
            batch.removeAll()
            #expect {
                try reader.read(into: &batch)
            } throws: {
                ($0 as? TraceError)?.byteOffset == 28 && "\($0)".contains("at most 300 bytes")
            }
        }
    }

    /// Lines longer than the buffer of the reader, and buffers that end anywhere in a line.
    @Test func longLinesAreReadWhole() {
        let sizes = [1, 100_000, 262_000, 262_144, 600_000, 1_300_000, 3]
        let text = sizes.map { size in
            #"{"t":1,"kind":"Log","task":1,"message":""# + String(repeating: "m", count: size) + "\"}\n"
        }.joined()
        let reading = read(Array(text.utf8))
        #expect(reading.error == nil)
        #expect(reading.events.map { reading.tables.strings.bytes($0.message).count } == sizes)
    }

    // MARK: - Ends

    @Test func aMissingTrailerIsACut() throws {
        let lines = try JSONLinesText.write(EventScript.ofEveryKind()).split(separator: "\n")
        let reading = read(Array((lines.dropLast().joined(separator: "\n") + "\n").utf8))
        #expect(reading.error?.code == .truncated)
        #expect(reading.error?.expected == "a Trailer line")
        #expect(reading.events.count == EventScript.ofEveryKind().events.count)
    }

    @Test func whatFollowsTheTrailerIsCounted() throws {
        let text = try JSONLinesText.write(EventScript.ofEveryKind())
        let reading = read(Array((text + "\n" + Self.good + "\n").utf8))
        #expect(reading.error == nil)
        #expect(reading.diagnostics[.trailingBytes] == UInt64(Self.good.utf8.count))
        #expect(reading.events.count == EventScript.ofEveryKind().events.count)
    }

    @Test(arguments: [true, false]) func cutAnywhereItGivesTheLinesBefore(_ hasHeader: Bool) throws {
        let script = EventScript.ofEveryKind()
        let lines = try JSONLinesText.write(script).split(separator: "\n").filter { $0.utf8.count < 600 }
        let part = [lines[0]] + lines[12..<30] + [lines[lines.count - 1]]
        let bytes = Array((hasHeader ? part : part.dropFirst().dropLast()).joined(separator: "\n").utf8)
        var complete = 0
        var start = 0
        for end in 0...bytes.count {
            if end == bytes.count || bytes[end] == 10 {
                if bytes[start..<end].starts(with: Array(#"{"seq":"#.utf8)) { complete += 1 }
                start = end + 1
            }
            let reading = read(Array(bytes[..<end]), capacity: 8)
            #expect(reading.events.count == complete, "cut at \(end)")
            let isWhole = end == bytes.count || end == 0 || !hasHeader && (bytes[end] == 10 || bytes[end - 1] == 10)
            #expect(reading.error?.code == (isWhole ? nil : .truncated), "cut at \(end)")
        }
    }

    @Test func damageNeverCrashes() throws {
        let text = Array(try JSONLinesText.write(EventScript.ofEveryKind()).utf8)
        var random = SeededRandom(seed: 7)
        for _ in 0..<300 {
            var damaged = text
            for _ in 0..<3 { random.damage(&damaged) }
            let reading = read(damaged, capacity: 8)
            #expect(reading.events.count <= 400)
        }
    }
}
