import VestigeCore

/// A goroutine profile as text (debug=1): groups of goroutines that have the same stack and labels.
///
///     goroutine profile: total 9
///     2 @ 0x487b2a 0x417bee 0x598e75
///     # labels: {"tenant":"t0"}
///     #	0x598e74	main.recvChan+0x14	/src/main.go:56
struct CountedProfile {
    /// How many goroutines the first line states.
    private(set) var total: UInt64 = 0
    private(set) var listed: UInt64 = 0
    private var isLeak = false
    private var isInGroup = false
    private var count: UInt64 = 0
    private var frames: [Frame] = []
    private var detail = ObservationDetail()
    private let tables: TraceTables

    init(_ tables: TraceTables) { self.tables = tables }

    /// What a profile's first line says, or nil if the line is anything else.
    static func header(_ line: DumpBytes) -> (isLeak: Bool, total: UInt64)? {
        let isLeak = line.begins(with: "goroutineleak profile: total ")
        guard isLeak || line.begins(with: "goroutine profile: total ") else { return nil }
        return line.from(isLeak ? 29 : 25).decimal.map { (isLeak, UInt64($0)) }
    }

    mutating func begin(_ header: (isLeak: Bool, total: UInt64)) {
        (isLeak, total) = header
        (listed, isInGroup) = (0, false)
    }

    enum Outcome {
        case taken
        /// Part of a group, but damaged.
        case damaged
        /// The line belongs to something else.
        case foreign
    }

    /// Takes a line that is not blank. One that begins a group must come after `finishGroup`.
    mutating func take(_ line: DumpBytes, isWhole: Bool) -> Outcome {
        if line[0] == 0x23 {
            guard isInGroup else { return .foreign }
            return (line.begins(with: "# labels: ") ? takeLabels(line.from(10)) : takeFrame(line)) ? .taken : .damaged
        }
        guard let counters = Self.group(line) else { return .foreign }
        isInGroup = true
        count = counters.count
        frames.removeAll(keepingCapacity: true)
        detail = ObservationDetail()
        detail.flags = isLeak ? .leaked : []
        if !counters.programCounters.isEmpty {
            detail.attributes = tables.observations.intern([
                Attribute(
                    name: tables.strings.intern("pcs"),
                    value: tables.strings.intern(UnsafeRawBufferPointer(counters.programCounters)))
            ])
        }
        return .taken
    }

    /// `2 @ 0x487b2a 0x417bee`.
    static func group(_ line: DumpBytes) -> (count: UInt64, programCounters: DumpBytes)? {
        guard let at = line.first("@"), at > 1, line[at - 1] == 0x20, let count = line.part(0..<at - 1).decimal
        else { return nil }
        let programCounters = line.from(line.skipBlanks(from: at + 1))
        guard programCounters.isEmpty || programCounters.begins(with: "0x") else { return nil }
        return (UInt64(count), programCounters)
    }

    private mutating func takeLabels(_ text: DumpBytes) -> Bool {
        guard let labels = LabelText.parse(text, tables) else { return false }
        detail.labels = labels
        return true
    }

    /// `#	0x598e74	main.recvChan+0x14		/src/main.go:56`; without symbols only the address.
    private mutating func takeFrame(_ line: DumpBytes) -> Bool {
        let start = line.skipBlanks(from: 1)
        let end = Self.endOfWord(line, from: start)
        guard let programCounter = line.part(start..<end).hexadecimal else { return false }
        var frame = Frame(programCounter: programCounter, function: .empty, file: .empty, line: 0)
        let nameStart = line.skipBlanks(from: end)
        if nameStart < line.count {
            guard let plus = Self.offset(line, from: nameStart) else { return false }
            let place = line.skipBlanks(from: Self.endOfWord(line, from: plus))
            guard let (file, number) = FrameLines.fileAndLine(line.from(place)) else { return false }
            frame.function = tables.strings.intern(UnsafeRawBufferPointer(line.part(nameStart..<plus)))
            frame.file = tables.strings.intern(UnsafeRawBufferPointer(file))
            frame.line = number
        }
        frames.append(frame)
        return true
    }

    private static func endOfWord(_ line: DumpBytes, from start: Int) -> Int {
        var index = start
        while index < line.count, !line.isBlank(at: index) { index += 1 }
        return index
    }

    /// Where the offset begins that ends a function's name, which may itself hold `+` and spaces.
    private static func offset(_ line: DumpBytes, from start: Int) -> Int? {
        var index = start
        while let plus = line.find("+0x", from: index) {
            let end = endOfWord(line, from: plus)
            if end < line.count, line.part(plus + 1..<end).hexadecimal != nil { return plus }
            index = plus + 3
        }
        return nil
    }

    /// The group so far as an event, if there is one.
    mutating func finishGroup(timeNanoseconds: Int64, source: UInt8) -> Event? {
        guard isInGroup else { return nil }
        isInGroup = false
        listed = listed.addingReportingOverflow(count).overflow ? .max : listed + count
        var stack = StackID.absent
        for frame in frames.reversed() { stack = tables.stacks.intern(frame, caller: stack) }
        // A profile does not say what its goroutines do; one that is proved to leak waits.
        return Event(
            kind: .observed, timeNanoseconds: timeNanoseconds, stack: stack,
            argument1: tables.observations.intern(detail), argument2: count, source: source,
            detail: Event.pack(observed: isLeak ? .waiting : .undetermined))
    }
}
