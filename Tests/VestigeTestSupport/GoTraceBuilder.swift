/// Builds Go execution traces v2 by event name, for tests of ordering and damage.
///
///     var trace = GoTraceBuilder(version: 26)
///     trace.batch(thread: 1) { $0.event("ProcStatus", 0, 1) … }
///     trace.endGeneration()
public struct GoTraceBuilder {
    public private(set) var bytes: [UInt8]
    private let version: Int
    private var generation: UInt64 = 1
    private var strings: [String] = []

    /// The events of one batch.
    public struct Batch {
        fileprivate var bytes: [UInt8] = []

        /// Appends an event; every event takes `delta` ticks. Arguments as on the wire.
        public mutating func event(_ name: String, delta: UInt64 = 1, _ arguments: UInt64...) {
            bytes.append(GoTraceBuilder.types[name]!)
            GoTraceBuilder.varint(delta, &bytes)
            for argument in arguments { GoTraceBuilder.varint(argument, &bytes) }
        }

        public mutating func raw(_ bytes: [UInt8]) { self.bytes += bytes }
    }

    public init(version: Int = 26) {
        self.version = version
        let header = Array("go 1.\(version) trace".utf8)
        bytes = header + [UInt8](repeating: 0, count: 16 - header.count)
    }

    /// Appends a batch of a thread that starts at `time` ticks.
    public mutating func batch(thread: UInt64, time: UInt64 = 1, _ body: (inout Batch) -> Void) {
        var batch = Batch()
        body(&batch)
        append(thread: thread, time: time, payload: batch.bytes)
    }

    /// The id of a string; it is written when the generation ends.
    public mutating func string(_ text: String) -> UInt64 {
        strings.append(text)
        return UInt64(100 + strings.count)
    }

    /// Appends frequency (a tick is a nanosecond), strings and, from Go 1.26 on, the end, in batches that start at
    /// `time` ticks.
    public mutating func endGeneration(marksEnd: Bool = true, time: UInt64 = 1) {
        var sync = version >= 25 ? [50] : [UInt8]()
        sync.append(8)
        Self.varint(1_000_000_000, &sync)
        append(thread: .max, time: time, payload: sync)
        var table: [UInt8] = [4]
        for (index, text) in strings.enumerated() {
            table.append(5)
            Self.varint(UInt64(101 + index), &table)
            Self.varint(UInt64(text.utf8.count), &table)
            table += Array(text.utf8)
        }
        append(thread: .max, time: time, payload: table)
        if version >= 26, marksEnd { bytes.append(52) }
        generation += 1
        strings = []
    }

    public mutating func raw(_ more: [UInt8]) { bytes += more }

    private mutating func append(thread: UInt64, time: UInt64, payload: [UInt8]) {
        bytes.append(1)
        for field in [generation, thread, time, UInt64(payload.count)] { Self.varint(field, &bytes) }
        bytes += payload
    }

    fileprivate static func varint(_ value: UInt64, _ bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static let types: [String: UInt8] = [
        "ProcsChange": 9, "ProcStart": 10, "ProcStop": 11, "ProcSteal": 12, "ProcStatus": 13, "GoCreate": 14,
        "GoCreateSyscall": 15, "GoStart": 16, "GoDestroy": 17, "GoDestroySyscall": 18, "GoStop": 19, "GoBlock": 20,
        "GoUnblock": 21, "GoSyscallBegin": 22, "GoSyscallEnd": 23, "GoSyscallEndBlocked": 24, "GoStatus": 25,
        "STWBegin": 26, "STWEnd": 27, "GCActive": 28, "GCBegin": 29, "GCEnd": 30, "HeapAlloc": 37,
        "UserTaskBegin": 40, "UserTaskEnd": 41, "UserRegionBegin": 42, "UserRegionEnd": 43, "UserLog": 44,
        "GoSwitch": 45, "GoSwitchDestroy": 46, "GoCreateBlocked": 47, "GoStatusStack": 48,
    ]
}
