/// Builds Go execution traces v1 by event name. A tick is a nanosecond.
struct GoTraceV1Builder {
    private(set) var bytes: [UInt8]
    private let version: Int

    init(version: Int = 21) {
        self.version = version
        let header = Array("go 1.\(version) trace".utf8)
        bytes = header + [UInt8](repeating: 0, count: 16 - header.count)
    }

    /// Begins a batch; in Go 1.5 and 1.6 it has a sequence number too.
    mutating func batch(proc: UInt64, ticks: UInt64, sequence: UInt64 = 0) {
        bytes.append(0x41)
        append([proc] + (version < 7 ? [sequence] : []) + [ticks])
    }

    /// Appends an event `delta` ticks after the one before it, with arguments as on the wire.
    mutating func event(_ name: String, delta: UInt64 = 1, sequence: UInt64 = 1, _ arguments: UInt64...) {
        let values = (version < 7 ? [sequence] : []) + [delta] + arguments
        bytes.append(Self.types[name]! | UInt8(min(arguments.count, 3)) << 6)
        if arguments.count >= 3 {
            var other = GoTraceV1Builder(version: version)
            other.bytes = []
            other.append(values)
            append([UInt64(other.bytes.count)])
        }
        append(values)
    }

    mutating func string(_ id: UInt64, _ text: String) {
        bytes.append(37)
        append([id, UInt64(text.utf8.count)])
        bytes += Array(text.utf8)
    }

    mutating func end(frequency: UInt64 = 1_000_000_000) {
        bytes.append(2)
        append([frequency] + (version < 7 ? [0] : []))
    }

    mutating func raw(_ more: [UInt8]) { bytes += more }

    private mutating func append(_ values: [UInt64]) {
        for value in values {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
    }

    private static let types: [String: UInt8] = [
        "Gomaxprocs": 4, "ProcStart": 5, "ProcStop": 6, "GCStart": 7, "GCDone": 8, "GoCreate": 13, "GoStart": 14,
        "GoEnd": 15, "GoSched": 17, "GoBlock": 20, "GoUnblock": 21, "GoBlockNet": 27, "GoSysCall": 28, "GoSysExit": 29,
        "GoSysBlock": 30, "GoWaiting": 31, "GoInSyscall": 32, "HeapAlloc": 33, "TimerGoroutine": 35, "FutileWakeup": 36,
        "GoStartLocal": 38, "GoUnblockLocal": 39, "GoStartLabel": 41,
    ]

    /// A trace of one proc with goroutine 1 running, as every trace begins.
    static func started(version: Int = 21) -> GoTraceV1Builder {
        var trace = GoTraceV1Builder(version: version)
        trace.batch(proc: 0, ticks: 1000)
        trace.event("GoCreate", 1, 0, 0)
        trace.event("ProcStart", 7)
        if version < 7 { trace.event("GoStart", 1) } else { trace.event("GoStart", 1, 1) }
        trace.event("Gomaxprocs", 2, 0)
        return trace
    }
}
