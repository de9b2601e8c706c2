import Vestige

/// The event IR as text: writes events as JSON lines.
public enum JSONLinesText {
    public static func write(
        _ events: [Event], _ tables: TraceTables, diagnostics: Diagnostics? = nil,
        batch size: Int = EventBatch.defaultCapacity
    ) throws -> String {
        let target = MemoryTarget(isFolder: false)
        var options = OutputOptions()
        options.diagnostics = diagnostics
        let writer = try JSONLinesOutputFormat.format.make(target, options)
        try events.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: size) {
                try writer.write(
                    UnsafeBufferPointer(rebasing: all[start..<min(start + size, all.count)]), tables: tables)
            }
        }
        try writer.finish(tables: tables)
        return target.text()
    }

    public static func write(_ script: EventScript, batch size: Int = EventBatch.defaultCapacity) throws -> String {
        try write(script.events, script.tables, batch: size)
    }

    /// Reads text, and writes what was read.
    public static func rewritten(_ text: String, capacity: Int = EventBatch.defaultCapacity) throws -> String {
        let target = MemoryTarget(isFolder: false)
        let tables = TraceTables()
        let diagnostics = Diagnostics()
        tables.sources.append(SourceInfo(path: "again.jsonl", format: "jsonl"))
        let reader = try JSONLinesInputFormat.format.open(
            ByteSource(bytes: Array(text.utf8), path: "again.jsonl"),
            ReaderContext(tables: tables, diagnostics: diagnostics, source: 0))
        var options = OutputOptions()
        options.diagnostics = diagnostics
        let writer = try JSONLinesOutputFormat.format.make(target, options)
        var batch = EventBatch(capacity: capacity)
        var isMore = true
        while isMore {
            batch.removeAll()
            isMore = try reader.read(into: &batch)
            if !batch.isEmpty { try writer.write(batch.events, tables: tables) }
        }
        try writer.finish(tables: tables)
        return target.text()
    }
}

extension EventScript {
    /// Every kind of event, with ordinary, extreme and hostile values.
    public static func ofEveryKind() -> EventScript {
        let script = EventScript()
        script.addSource()
        script.addOrdinaryEvents()
        for (index, text) in hostileStrings.enumerated() {
            script.addHostile(script.tables.strings.intern(raw: text), at: 30 + Int64(index))
        }
        script.addExtremes()
        return script
    }

    static let hostileStrings: [[UInt8]] = [
        Array("\"\\/\u{0}\u{1}\u{7f}\r\n\t\u{2028}\u{fffd}".utf8),
        [0xff, 0xfe, 0xc3, 0x28, 0xe2, 0x82],
        Array("🧵 <script>{\"kind\":\"Trailer\"}\n{\"t\":1}".utf8),
        [0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0xc0, 0x80],
        Array(repeating: 0x80, count: 1024),
    ]

    private func addSource() {
        tables.sources[0].formatVersion = "go 1.26 trace"
        tables.sources[0].goVersion = "1.26–1.27"
        tables.sources[0].clock = .monotonic
        tables.sources[0].ticksPerSecond = 15_625_000
        tables.sources[0].generationCount = 2
        tables.sources[0].byteCount = .max
    }

    private func addOrdinaryEvents() {
        let clock = tables.add(
            ClockSnapshot(
                traceNanoseconds: 5, monotonicNanoseconds: 6, wallUnixNanoseconds: 1_795_447_756_215_601_350))
        add(Event(kind: .sync, timeNanoseconds: 10, argument0: 1, argument1: clock))
        mark(.metric, "/gc/heap/goal:bytes", at: 11, task: 4 << 20)
        range(.label, "GC (dedicated)", at: 12, .goroutine, 69, on: 69)
        add(Event(kind: .stackSample, timeNanoseconds: 13, goroutine: GoroutineID(3), stack: stack(["main.hog"])))
        range(.rangeBegin, "GC mark assist", at: 14, .goroutine, 3, on: 3)
        range(.rangeActive, "GC concurrent mark phase", at: 15)
        range(.rangeEnd, "GC incremental sweep", at: 16, .proc, 0, swept: 16384, reclaimed: 8192)
        mark(.taskBegin, "order", at: 17, on: 3, task: 7, 0, stack: ["main.serve", "main.main"])
        mark(.taskEnd, "order", at: 18, on: 3, task: 7)
        mark(.regionBegin, "parse", at: 19, on: 3, task: 7, 0)
        mark(.regionEnd, "parse", at: 20, on: 3, task: .max, 0)
        mark(.log, "category", at: 21, on: 3, task: 7, UInt64(string("message").rawValue))
        go(9, .notExist, .runnable, at: 22, by: 3, ownStack: ["main.worker"], stack: ["main.serve", "main.main"])
        go(3, .running, .waiting, at: 23, "chan receive", ownStack: ["main.serve"], stack: ["main.serve"])
        proc(2, .running, .idle, at: 24)
        addExperiment(at: 25)
        addObservations(at: 26, function: string("main.worker"), label: string("k"))
    }

    private func addObservations(at time: Int64, function: StringID, label: StringID) {
        let frame = Frame(programCounter: 7, function: function, file: function, line: 9)
        let stack = tables.stacks.intern(innermostFirst: [frame])
        var detail = ObservationDetail()
        detail.flags = [.leaked, .durable, .scan, .locked, .stackUnavailable, .system]
        detail.creation = Creation(goroutine: GoroutineID(1), stack: stack)
        (detail.bubble, detail.minutes) = (3, 12)
        (detail.elidedFrameCount, detail.elidedAfter, detail.strayLineCount) = (-1, 50, 2)
        let pairs = [Attribute(name: label, value: function), Attribute(name: function, value: label)]
        detail.labels = tables.observations.intern(pairs)
        detail.attributes = tables.observations.intern([Attribute(name: function, value: label)])
        detail.ancestors = [
            Ancestor(goroutine: GoroutineID(4), stack: stack, creation: .unknown),
            Ancestor(goroutine: GoroutineID(1), stack: .absent, creation: Creation(stack: stack)),
        ]
        add(
            Event(
                kind: .observed, timeNanoseconds: time, goroutine: GoroutineID(11), stack: stack,
                name: string("chan receive"), argument0: 60_000_000_000,
                argument1: tables.observations.intern(detail), argument2: 1, detail: Event.pack(observed: .waiting)))
        add(
            Event(
                kind: .observed, timeNanoseconds: time, stack: stack, argument2: 250,
                detail: Event.pack(observed: .undetermined)))
        add(
            Event(
                kind: .breakpoint, timeNanoseconds: time, goroutine: GoroutineID(11), stack: stack, name: label,
                argument1: UInt64(tables.observations.intern(pairs).rawValue)))
    }

    private func addExperiment(at time: Int64) {
        let shape = ExperimentalShape(
            name: string("Span"), experiment: string("AllocFree"),
            argumentNames: [string("id"), string("npages_value"), string("kindclass")])
        add(
            Event(
                kind: .experimental, timeNanoseconds: time, name: shape.name, argument0: 102, argument1: 1,
                argument2: .max, detail: Event.pack(shape: tables.intern(shape)!)))
        let payload = tables.strings.intern(raw: [0, 0xff, 0x10])
        add(
            Event(
                kind: .experimentalBatch, timeNanoseconds: time, name: string("AllocFree"),
                argument0: UInt64(payload.rawValue)))
    }

    /// A string that means harm, in every place where a string can be.
    private func addHostile(_ text: StringID, at time: Int64) {
        let stack = tables.stacks.intern(
            innermostFirst: [Frame(programCounter: .max, function: text, file: text, line: .max)])
        let number = UInt64(text.rawValue)
        for kind: EventKind in [
            .metric, .label, .rangeBegin, .taskBegin, .regionEnd, .log, .goroutineTransition, .procTransition,
            .experimentalBatch,
        ] {
            var event = Event(kind: kind, timeNanoseconds: time, stack: stack, name: text)
            if kind == .log { event.argument1 = number }
            if kind == .experimentalBatch { event.argument0 = number }
            if kind == .goroutineTransition { event.argument1 = UInt64(stack.rawValue) }
            add(event)
        }
        addObservations(at: time, function: text, label: text)
        let shape = ExperimentalShape(name: text, experiment: text, argumentNames: [string("b"), string("a")])
        add(
            Event(
                kind: .experimental, timeNanoseconds: time, name: text, argument0: 1, argument1: 2,
                detail: Event.pack(shape: tables.intern(shape)!)))
    }

    private func addExtremes() {
        tables.sources.append(SourceInfo(path: "-", format: "other"))
        for kind in EventKind.allCases where kind != .experimental && kind != .sync && kind != .experimentalBatch {
            var event = Event(
                kind: kind, timeNanoseconds: .max, goroutine: GoroutineID(.min),
                proc: ProcID(.max), thread: ThreadID(.max), argument0: .max, source: 1)
            if kind == .procTransition { event.argument0 = UInt64(bitPattern: Int64(Int32.min)) }
            if kind == .observed { (event.argument1, event.argument2) = (0, .max) }
            if kind == .log || kind == .goroutineTransition || kind == .procTransition { event.argument1 = 0 }
            event.isSynthetic = true
            add(event)
        }
    }
}

extension StringTable {
    /// The id of these bytes.
    public func intern(raw bytes: [UInt8]) -> StringID { bytes.withUnsafeBytes { intern($0) } }
}
