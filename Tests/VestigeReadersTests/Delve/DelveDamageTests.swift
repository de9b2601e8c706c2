import Foundation
import Vestige
import VestigeTestSupport
import XCTest

/// Inputs that are cut or damaged: nothing crashes, what came before is delivered, and what is missing is said.
final class DelveDamageTests: XCTestCase {
    static let text = """
        (dlv) goroutines -t 1 -l
        * Goroutine 1 - User: ./main.go:15 main.main (0x48d9be) (thread 27480)
        \t0  0x000000000048d9be in main.main
        \t    at ./main.go:15
        \t(truncated)
          Goroutine 7 - User: ./main.go:20 main.(*s).f[go.shape.struct { a int }] (0x48d9ff) [chan receive 77]
        \tLabels: "a":"1", "größe":"x\\ty"... (2 more)
          Goroutine (unreadable could not read G struct)
        \t0  0x000000000048d9be in main.main
        \t    at ./main.go:15
        [3 goroutines]
        > [spawn] runtime.newproc() /go/src/runtime/proc.go:5334 (hits goroutine(1):2 total:2) (PC: 0x45d54a)
        \tfn.fn: 4749536
        2026-11-23T15:20:33.5Z >> goroutine(1): runtime.newproc1 => ((unreadable empty OP stack))
        \tnewg.goid: 9
        \tStack:
        \t\t0  0x000000000045d5ce in runtime.newproc1
        \t\t     at /go/src/runtime/proc.go:5352
        2026-11-23T15:20:33.6Z > goroutine(9): main.work(
          n: 3
          s: "a, (b"
        )
        \t  Goroutine 9 - User: ./main.go:20 main.work (0x48d9ff)
        \tTotal: 7
        Process 4 has exited with status 0

        """

    static let json = """
        {"send_mono_ns":5,"request":{"method":"RPCServer.GetVersion","params":[{}],"id":1}}
        {"recv_mono_ns":6,"response":{"id":1,"result":{"DelveVersion":"Version: 1.27.1","TargetGoVersion":"go1.27.3"},\
        "error":null}}
        {"method":"RPCServer.ListGoroutines","params":[{"Start":0,"Count":2}],"id":2}
        {"id":2,"result":{"Goroutines":[{"id":1,"currentLoc":{"pc":18446744073709551615,"file":"m.go","line":3,"function":\
        {"name":"main.main"}},"threadID":7,"status":2,"waitSince":0,"waitReason":14,"unreadable":""},{"id":2,"currentLoc":\
        {"pc":5,"file":"p.go","line":9,"function":{"name":"runtime.gopark"}},"threadID":0,"status":10,"waitSince":99,\
        "waitReason":19,"unreadable":"","labels":{"k":"\\u003cv\\u003e"}}],"Nextg":-1,"Groups":null},"error":null}
        {"method":"RPCServer.Stacktrace","params":[{"Id":2,"Depth":1}],"id":3}
        {"id":3,"result":{"Locations":[{"pc":5,"file":"p.go","line":9,"function":{"name":"runtime.gopark"},"Err":""},\
        {"pc":0,"Err":"EOF"}]},"error":null}
        {"method":"RPCServer.Command","params":[{"name":"continue"}],"id":4}
        {"recv_mono_ns":9,"response":{"id":4,"result":{"State":{"Threads":[{"id":7,"pc":8,"goroutineID":2,"breakPoint":\
        {"id":1,"name":"exit","continue":true},"function":{"name":"runtime.goexit1"},"breakPointInfo":{"variables":\
        [{"name":"x","value":"1"}]}}]}},"error":null}}

        """

    private func read(_ bytes: [UInt8], _ format: InputFormat) -> Reading {
        let reading = Reading(bytes: bytes, format: format, capacity: 8)
        for (event, next) in zip(reading.events, reading.events.dropFirst()) {
            XCTAssertLessThanOrEqual(event.timeNanoseconds, next.timeNanoseconds)
        }
        return reading
    }

    func testWholeInputsAreReadToTheEnd() {
        let text = read(Array(Self.text.utf8), DelveFormats.text)
        XCTAssertNil(text.error)
        XCTAssertEqual(text.diagnostics.nonZero.map(\.counter), [])
        XCTAssertEqual(text.seen.map(\.goroutine), [1, 7, -1, 9, -1])
        XCTAssertEqual(text.hits.map(\.name), ["spawn", "runtime.newproc1", "main.work"])
        XCTAssertEqual(text.hits[2].arguments["s"], "\"a, (b\"")
        XCTAssertEqual(text.seen[4].count, 6)
        let json = read(Array(Self.json.utf8), DelveFormats.json)
        XCTAssertNil(json.error)
        XCTAssertEqual(json.seen.map(\.goroutine), [1, 2, 2])
        XCTAssertEqual(json.seen[1].reason, "chan receive")
        XCTAssertTrue(json.seen[1].detail.flags.contains(.leaked))
        XCTAssertEqual(json.hits.count, 1)
    }

    /// Cut at every byte: no more events than the whole, in the same order, and JSON says that it is cut.
    func testCutAnywhere() {
        for (content, format) in [(Self.text, DelveFormats.text), (Self.json, DelveFormats.json)] {
            let bytes = Array(content.utf8)
            let whole = read(bytes, format).events.count
            for length in 0..<bytes.count {
                let part = read(Array(bytes[..<length]), format)
                // A cut can leave one entry without what tells that it is no goroutine of its own.
                XCTAssertLessThanOrEqual(part.events.count, whole + 1)
                guard format.name == "delve-json", length > 0 else { continue }
                let isBetween = [0x0a, UInt8(ascii: "}")].contains(bytes[length - 1]) && part.error == nil
                XCTAssertTrue(
                    isBetween || part.error?.code == .truncated, "\(length) \(String(describing: part.error))")
            }
        }
    }

    func testRandomDamage() throws {
        var random = SeededRandom(seed: 11)
        for (content, format) in [(Self.text, DelveFormats.text), (Self.json, DelveFormats.json)] {
            for _ in 0..<1500 {
                var bytes = Array(content.utf8)
                for _ in 0...random.next() % 3 { random.damage(&bytes) }
                let reading = read(bytes, format)
                if let error = reading.error { XCTAssertFalse(error.found.isEmpty || error.expected.isEmpty) }
            }
        }
    }

    func testHostileInputs() {
        let deep = String(repeating: "[", count: 100_000)
        let open = "{\"id\":1,\"result\":{\"Goroutines\":" + deep
        XCTAssertEqual(read(Array(open.utf8), DelveFormats.json).error?.code, .truncated)
        let closed = open + String(repeating: "]", count: 100_000) + "}}"
        XCTAssertEqual(read(Array(closed.utf8), DelveFormats.json).error?.code, .damaged)
        let endless = "> goroutine(1): main.f(\n" + String(repeating: "  x: 1\n", count: 30_000)
        XCTAssertEqual(read(Array(endless.utf8), DelveFormats.text).hits.count, 1)
        let numbers =
            "  Goroutine 99999999999999999999 - User: a:1 f (0xffffffffffffffffffff)\n[9999999999999 goroutines]\n"
        XCTAssertEqual(read(Array(numbers.utf8), DelveFormats.text).seen.count, 0)
        let large = "{\"id\":1,\"result\":{\"Goroutines\":[{\"id\":9223372036854775808}]}}"
        XCTAssertEqual(read(Array(large.utf8), DelveFormats.json).error?.code, .damaged)
    }

    func testDamageIsShownWithItsLine() throws {
        let lines = Self.json.replacingOccurrences(of: "\"waitSince\":99", with: "\"waitSince\":\"x\"")
        let reading = read(Array(lines.utf8), DelveFormats.json)
        XCTAssertEqual(reading.seen.map(\.goroutine), [1])
        let error = try XCTUnwrap(reading.error)
        XCTAssertEqual(error.context, ["line 4"])
        XCTAssertTrue(error.expected.contains("waitSince"), error.description)
    }
}
