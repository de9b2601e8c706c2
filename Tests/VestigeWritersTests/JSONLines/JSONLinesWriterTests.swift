import Foundation
import Testing
import VestigeCore
import VestigeTestSupport

@testable import VestigeWriters

@Suite struct JSONLinesWriterTests {
    @Test func linesOfOrdinaryEvents() throws {
        let script = EventScript()
        script.sync(at: -1)
        script.go(
            9, .notExist, .runnable, at: 22, by: 3, ownStack: ["main.worker"], stack: ["main.serve", "main.main"])
        script.go(9, .runnable, .running, at: 23, "", by: -1)
        script.go(9, .running, .waiting, at: 24, "select", ownStack: ["main.worker"], stack: ["main.worker"])
        script.mark(.taskBegin, "order", at: 25, on: 9, task: 7)
        script.range(.rangeEnd, "GC incremental sweep", at: 26, .proc, 0, swept: 2, reclaimed: 1)
        let expected = #"""
            {"kind":"Header","format":"vestige-ir","version":1,"units":{"t":"ns","clock":"ns","attrs":"bytes"},"sources":[{"path":"made-by-hand","format":"script","clock":"unknown"}]}
            {"seq":0,"t":-1,"kind":"Sync","g":-1,"p":-1,"m":-1,"n":1}
            {"kind":"Stack","id":1,"frames":[{"pc":0,"func":"main.worker","file":"/src/main.worker.go","line":7}]}
            {"kind":"Stack","id":2,"frames":[{"pc":0,"func":"main.serve","file":"/src/main.serve.go","line":7},{"pc":0,"func":"main.main","file":"/src/main.main.go","line":7}]}
            {"seq":1,"t":22,"kind":"StateTransition","g":3,"p":0,"m":100,"resource":"goroutine","id":9,"from":"NotExist","to":"Runnable","reason":"","tstack":["main.worker /src/main.worker.go:7"],"tstack_id":1,"stack":["main.serve /src/main.serve.go:7","main.main /src/main.main.go:7"],"stack_id":2}
            {"seq":2,"t":23,"kind":"StateTransition","g":-1,"p":0,"m":100,"resource":"goroutine","id":9,"from":"Runnable","to":"Running","reason":""}
            {"seq":3,"t":24,"kind":"StateTransition","g":9,"p":0,"m":100,"resource":"goroutine","id":9,"from":"Running","to":"Waiting","reason":"select","tstack":["main.worker /src/main.worker.go:7"],"tstack_id":1,"stack":["main.worker /src/main.worker.go:7"],"stack_id":1}
            {"seq":4,"t":25,"kind":"TaskBegin","g":9,"p":0,"m":100,"task":7,"parent":null,"type":"order"}
            {"seq":5,"t":26,"kind":"RangeEnd","g":-1,"p":0,"m":100,"name":"GC incremental sweep","scope":"proc","scope_id":0,"attrs":{"bytes swept":2,"bytes reclaimed":1}}
            {"kind":"Trailer","events":6,"losses":{},"sources":[{"path":"made-by-hand","format":"script","clock":"unknown"}]}

            """#
        #expect(try JSONLinesText.write(script) == expected)
    }

    @Test func bytesThatAreNotUTF8StandInHexToo() throws {
        let script = EventScript()
        let text = script.tables.strings.intern(raw: [0x61, 0xff, 0xfe, 0x22])
        script.add(Event(kind: .regionBegin, timeNanoseconds: 1, name: text, argument0: .max))
        let line = try #require(try events(JSONLinesText.write(script)).first)
        #expect(line.hasSuffix(#""task":null,"type":"a\#u{fffd}\#u{fffd}\"","type_hex":"61fffe22"}"#))
    }

    @Test(arguments: [8, 9, 1000]) func theSizeOfBatchesDoesNotShow(_ size: Int) throws {
        let script = EventScript.ofEveryKind()
        #expect(try JSONLinesText.write(script, batch: size) == JSONLinesText.write(script))
    }

    @Test func anOutputWithoutEventsHasHeaderAndTrailer() throws {
        let lines = try JSONLinesText.write(EventScript()).split(separator: "\n")
        #expect(lines.map { $0.prefix(17) } == [#"{"kind":"Header","#, #"{"kind":"Trailer""#])
    }

    @Test func theTrailerTellsLosses() throws {
        let diagnostics = Diagnostics()
        diagnostics.count(.bytesLost, 12)
        diagnostics.count(.timesClamped)
        let script = EventScript()
        let text = try JSONLinesText.write(script.events, script.tables, diagnostics: diagnostics)
        #expect(text.contains(#""losses":{"bytesLost":12,"timesClamped":1}"#))
    }

    /// Numbers do not depend on what else is in the tables.
    @Test func stacksAreNumberedByFirstUse() throws {
        let (crowded, clean) = (EventScript(), EventScript())
        for index in 0..<3000 { _ = crowded.stack(["f\(index)", "g"]) }
        for script in [crowded, clean] {
            script.go(1, .running, .waiting, at: 1, ownStack: ["b"])
            script.go(1, .waiting, .runnable, at: 2, stack: ["a"])
        }
        #expect(try JSONLinesText.write(crowded) == JSONLinesText.write(clean))
    }

    @Test(arguments: [0, 40, 400, 4000]) func listsThatWereForgottenAreRenderedAgain(_ capacity: Int) {
        let script = EventScript()
        let stacks = RenderedStacks(listCapacity: capacity)
        let buffer = TextBuffer(MemorySink())
        defer { buffer.deallocate() }
        for round in 0..<3 {
            for index in 0..<50 {
                let stack = script.stack(["f\(index)", "main.main"])
                stacks.announce(stack, to: buffer, tables: script.tables)
                buffer.removeAll()
                stacks.appendList(stack, to: buffer, tables: script.tables)
                let list = String(decoding: buffer.pending, as: UTF8.self)
                #expect(
                    list == #"["f\#(index) /src/f\#(index).go:7","main.main /src/main.main.go:7"]"#, "round \(round)")
                #expect(stacks.number(stack) == index + 1)
            }
        }
    }

    @Test func theFormatDescribesItself() {
        let format = JSONLinesOutputFormat.format
        #expect((format.name, format.suffix) == ("jsonl", ".jsonl"))
        #expect(Set(EventKind.allCases.map { "\($0.name)" }).count == EventKind.allCases.count - 1)
    }

    /// `Schemas/event-ir.md` tells this layout.
    @Test func theLayoutOfAnEventIsTheDocumentedOne() {
        #expect(MemoryLayout<Event>.size == 64)
        #expect(MemoryLayout<Event>.stride == 64)
        let offsets: [PartialKeyPath<Event>] = [
            \.timeNanoseconds, \.goroutine, \.thread, \.argument0, \.argument1, \.argument2, \.proc, \.stack, \.name,
            \.kind, \.source, \.detail,
        ]
        #expect(offsets.map { MemoryLayout<Event>.offset(of: $0) } == [0, 8, 16, 24, 32, 40, 48, 52, 56, 60, 61, 62])
    }

    private func events(_ text: String) -> [Substring] {
        text.split(separator: "\n").filter { $0.hasPrefix(#"{"seq":"#) }
    }
}
