import Testing
import Vestige
import VestigeTestSupport

/// Forms of text dumps that the corpus does not have.
@Suite struct DumpReaderTests {
    private func read(_ text: String) -> Reading { Reading(bytes: Array(text.utf8)) }

    /// Goroutine, state and reason, then flags, of each observation.
    private func summary(_ reading: Reading) -> [String] {
        reading.events.filter { $0.kind == .observed }.map { event in
            let detail = reading.tables.observations.detail(event.observationDetail)
            let flags = ObservationDetail.Flags.names.filter { detail.flags.contains($0.flag) }.map { " \($0.name)" }
            let reason = reading.tables.strings.string(event.name)
            return "\(event.goroutine.rawValue) \(event.toGoroutineState.observedName) \(reason)" + flags.joined()
        }
    }

    private func functions(_ reading: Reading, _ index: Int = 0) -> [String] {
        reading.tables.stacks.frames(reading.events.filter { $0.kind == .observed }[index].stack)
            .map { reading.tables.strings.string($0.function) }
    }

    private func logs(_ reading: Reading) -> [String] {
        reading.events.filter { $0.kind == .log }.map { event in
            let (kind, text) = (
                reading.tables.strings.string(event.name), reading.tables.strings.string(event.message)
            )
            return "\(event.goroutine.rawValue) \(kind): \(text)"
        }
    }

    private static let frames = "main.f(0x1)\n\t/src/a b.go:12 +0x45\n"

    @Test(arguments: [
        ("goroutine 1 [running]:", "1 running running"),
        ("goroutine 7 [runnable, locked to thread]:", "7 runnable runnable locked"),
        ("goroutine 17 [syscall, 3 minutes, locked to thread]:", "17 syscall syscall locked"),
        ("goroutine 5 [chan receive (nil chan)]:", "5 waiting chan receive (nil chan)"),
        ("goroutine 5 [select (no cases) (scan), 12 minutes]:", "5 waiting select (no cases) scan"),
        ("goroutine 5 [GC worker (idle)]:", "5 waiting GC worker (idle)"),
        ("goroutine 5 [copystack]:", "5 running copystack"),
        ("goroutine 5 [preempted]:", "5 waiting preempted"),
        ("goroutine 5 [dead]:", "5 notexist dead"),
        ("goroutine 5 [waiting for cgo callback]:", "5 notexist waiting for cgo callback"),
        ("goroutine 0 [idle]:", "0 undetermined idle"),
        ("goroutine 0 gp=0x5fa660 m=0 mp=0x5fb000 [idle]:", "0 undetermined idle"),
        (
            "goroutine 34 gp=0xc000007340 m=nil [sync.WaitGroup.Wait (durable), synctest bubble 4]:",
            "34 waiting sync.WaitGroup.Wait durable"
        ),
        ("goroutine 9 [select (leaked) (scan)]:", "9 waiting select leaked scan"),
        ("goroutine 9 [chan send labels:{\"a\": \"]}\"}]:", "9 waiting chan send"),
        ("goroutine 9 [chan send] {a: \"]}:\", b.c: d/e}:", "9 waiting chan send"),
    ])
    func headers(_ header: String, _ expected: String) {
        let reading = read("\(header)\n\(Self.frames)")
        #expect(summary(reading) == [expected])
        #expect(functions(reading) == ["main.f"])
        #expect(reading.error == nil)
    }

    @Test(arguments: [
        "goroutine pool started", "goroutine 1 [running]", "goroutine x [running]:", "goroutine 1 []:",
        "goroutine 1[running]:", "goroutine 99999999999999999999 [running]:", "mygoroutine 1 [running]:",
        "goroutine 1 gp=5 [running] {:", "Goroutine 6 (running) created at:", "goroutine 5 [running] x:",
    ])
    func whatIsNoHeader(_ line: String) {
        let reading = read("\(line)\n\(Self.frames)")
        #expect(reading.events.isEmpty)
        #expect(reading.error?.code == .unreadable)
    }

    @Test func labelsAreReadInAllThreeForms() {
        for text in [
            "goroutine 9 [select labels:{\"a\": \"]}\\\"\", \"\\u540d\": \"\\xff\"}]:\n\(Self.frames)",
            "goroutine 9 [select] {a: \"]}\\\"\", \"\\u540d\": \"\\xff\"}:\n\(Self.frames)",
            "goroutine profile: total 1\n1 @ 0x1\n# labels: {\"a\":\"]}\\\"\", \"名\":\"\\xff\"}\n",
        ] {
            let reading = read(text)
            let detail = reading.tables.observations.detail(reading.events[0].observationDetail)
            let labels = reading.tables.observations.attributes(detail.labels).map { label in
                [label.name, label.value].map { Array(reading.tables.strings.bytes($0)) }
            }
            #expect(labels == [[Array("a".utf8), Array("]}\"".utf8)], [Array("名".utf8), [0xff]]])
        }
    }

    @Test func framesOfAllForms() {
        let reading = read(
            """
            goroutine 1 [running]:
            main.(*T[...]).m(...)
            \t/src/t.go:1
            panic({0x45, 0x46})
            \t/go/panic.go:2 +0x1 fp=0x1 sp=0x2 pc=0x3
            non-Go function
            \tpc=0x77
            c_wait
            \t/src/c file.c:33 pc=0x88
            runtime.goexit({})
                C:/go/asm.s:4 +0x1

            """)
        #expect(functions(reading) == ["main.(*T[...]).m", "panic", "non-Go function", "c_wait", "runtime.goexit"])
        let frames = Array(reading.tables.stacks.frames(reading.events[0].stack))
        #expect(frames.map(\.line) == [1, 2, 0, 33, 4])
        #expect(frames.map(\.programCounter) == [0, 3, 0x77, 0x88, 0])
        #expect(reading.diagnostics.nonZero.isEmpty)
    }

    @Test func onlyTheFirstLineOfALogMessageHasItsPrefix() {
        let reading = read(
            """
            2026/03/01 10:00:00 http: panic serving 127.0.0.1:1: no tea
            goroutine 34 [running]:
            \(Self.frames)
            2026/03/01 10:00:01 stack: goroutine 35 [running]:
            main.g()
            \t/src/g.go:1 +0x1
            2026/03/01 10:00:02 next
            """)
        #expect(summary(reading) == ["34 running running", "35 running running"])
        #expect(functions(reading, 1) == ["main.g"])
    }

    @Test func aPrefixWithAnotherLengthIsTheSamePrefix() {
        let reading = read(
            """
            Mar  9 23:59:59 web-1 app[12]: panic: no tea
            Mar  9 23:59:59 web-1 app[12]:
            Mar  9 23:59:59 web-1 app[12]: goroutine 1 [running]:
            Mar 10 00:00:00 web-1 app[12]: main.f(0x1)
            Mar 10 00:00:00 web-1 app[12]: \t/src/f.go:1 +0x1
            kernel: something else
            Mar 10 00:00:00 web-1 app[12]: main.main()
            Mar 10 00:00:00 web-1 app[12]: \t/src/f.go:9 +0x1
            Mar 10 00:00:00 web-1 app[12]:
            """)
        #expect(functions(reading) == ["main.f", "main.main"])
        #expect(logs(reading) == ["1 panic: panic: no tea"])
        #expect(reading.tables.sources[0].clock == .unknown)
        #expect(!reading.diagnostics.hasLoss)
    }

    @Test func timesWithAZoneAreWallTime() {
        let reading = read(
            "2026-11-24T12:00:00.5+02:00 app goroutine 1 [running]:\n2026-11-24T12:00:00.5+02:00 app main.f()\n"
                + "2026-11-24T12:00:01+02:00 app \t/src/f.go:1 +0x1\n")
        #expect(reading.tables.sources[0].clock == .wall)
        #expect(reading.events.map(\.timeNanoseconds) == [1_795_514_400_500_000_000])
        #expect(functions(reading) == ["main.f"])
    }

    @Test func aDumpInOneRecordOfJSON() {
        let dump = #"goroutine 5 [select]:\nmain.f({0x1})\n\t/src/f.go:1 +0x1\n\ngoroutine 6 [running]:\nmain.g()\n"#
        let reading = read(
            """
            {"level":"info","msg":"ready"}
            {"level":"error","msg":"boom","fields":{"stack":"\(dump)\\t/src/g.go:7 +0x9"},"time":"2026-11-24T10:00:00Z"}
            {"level":"info","msg":"goroutine 7 is fine"}
            """)
        #expect(summary(reading) == ["5 waiting select", "6 running running"])
        #expect(functions(reading, 1) == ["main.g"])
        #expect(reading.events.allSatisfy { $0.timeNanoseconds == 1_795_514_400_000_000_000 })
    }

    @Test func whatTheRuntimeSaysBeforehandIsKept() {
        let reading = read(
            """
            Server starts.
            panic: a [recovered]
            \tpanic: b
            [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]

            goroutine 1 [running]:
            \(Self.frames)
            exit status 2
            fatal error: all goroutines are asleep - deadlock!

            goroutine 1 [chan receive]:
            \(Self.frames)
            """)
        #expect(
            logs(reading) == [
                "1 panic: panic: a [recovered]\n\tpanic: b\n"
                    + "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]",
                "-1 fatal error: fatal error: all goroutines are asleep - deadlock!",
            ])
        let second = reading.tables.observations.detail(reading.events.last!.observationDetail)
        let attributes = reading.tables.observations.attributes(second.attributes)
        #expect(attributes.map { reading.tables.strings.string($0.name) } == ["snapshot"])
    }

    @Test func aCutStackIsCounted() {
        for text in [
            "main.f(0x1)\n", "main.f(0x1)\n\t/src/f.g", "main.f(0x1)\nlog line\n\t/src/f.go:1 +0x1\n",
            "main.f(0x1)\n\t/src/f.go:1 +0x1\ncreated by main.ma",
        ] {
            let reading = read("goroutine 1 [running]:\n\(Self.frames)\(text)")
            #expect(reading.diagnostics[.stacksCut] == 1, "\(text)")
            #expect(functions(reading).first == "main.f")
        }
    }

    @Test func aProfileThatListsLessThanItStatesIsCounted() {
        let reading = read(
            "goroutine profile: total 9\n2 @ 0x1\n#\t0x1\tmain.f[go.shape.struct { X int }]+0x1\ta.go:1\n")
        #expect(reading.diagnostics[.goroutinesMissing] == 7)
        #expect(functions(reading) == ["main.f[go.shape.struct { X int }]"])
    }

    @Test func aProfileWithinALogEndsWhereItIsComplete() {
        let reading = read(
            """
            level=info msg=ready
            2026/03/01 10:00:00 goroutine profile: total 3
            1 @ 0x1
            #\t0x1\tmain.f+0x1\ta.go:1
            level=info msg=between

            2 @ 0x2
            #\t0x2\tmain.g+0x1\tb.go:1

            level=info msg=after
            7 @ 0x3

            """)
        #expect(reading.events.map(\.observedCount) == [1, 2])
        #expect(functions(reading, 1) == ["main.g"])
        #expect(!reading.diagnostics.hasLoss)
    }

    /// Else the time would grow with the square of the line's length.
    @Test(.timeLimit(.minutes(1))) func aLineOfManyHeadersIsReadInTime() {
        for text in ["goroutine 1 [", "goroutine 1 gp=0x1 ", "{\"goroutine 1 [a]:\":"] {
            let reading = read(String(repeating: text, count: 200_000) + ":\n")
            #expect(reading.events.isEmpty)
        }
    }

    @Test func aProfileOfSomethingElseIsRefused() {
        let profile: [UInt8] =
            [0x0a, 4, 0x08, 1, 0x10, 2, 0x32, 0, 0x32, 3] + Array("cpu".utf8) + [0x32, 1, 0x78]
        let reading = Reading(bytes: profile)
        #expect(reading.error?.description == "test.trace: expected a profile of goroutines, found one of cpu")
    }

    @Test func aLongTextBehindAGoroutineIsNotItsStack() {
        let log = String(repeating: "a line of a log (with brackets)\n", count: 5000)
        let reading = read("goroutine 1 [running]:\n\(Self.frames)\(log)goroutine 2 [select]:\n\(Self.frames)")
        #expect(summary(reading) == ["1 running running", "2 waiting select"])
        let detail = reading.tables.observations.detail(reading.events[0].observationDetail)
        #expect(detail.strayLineCount <= 102)
    }

    @Test func aDumpThatBeginsLateInALogIsFound() {
        let log = String(repeating: "2026-03-01T10:00:00Z INFO all is well\n", count: 5000)
        let reading = read("\(log)panic: no tea\n\ngoroutine 1 [running]:\n\(Self.frames)")
        #expect(summary(reading) == ["1 running running"])
        #expect(logs(reading) == ["1 panic: panic: no tea"])
    }

    @Test func otherFormatsAreLeftToTheirReaders() throws {
        let dump = "goroutine 1 [running]:\\nmain.f()\\n\\t/src/f.go:1 +0x1\\n"
        let event = #"{"t":1,"kind":"Log","g":1,"category":"x","message":"\#(dump)"}"#
        for (bytes, name) in [
            (Array(event.utf8), "jsonl"), (Array("\n\nhello\n".utf8), "goroutine-dump"),
            (Array("go 1.22 trace\0\0\0".utf8), "gotrace-v2"),
        ] {
            #expect(try Formats.detect(ByteSource(bytes: bytes, path: "a.txt")).name == name)
        }
    }
}
