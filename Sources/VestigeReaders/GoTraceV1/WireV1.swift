/// Event types of the v1 wire format, with Go's names and numbers (Go 1.21, `src/runtime/trace.go`).
///
/// An event is one byte, type in the low six bits and the number of arguments in the high two, then
/// the time since the event before it in the batch and the arguments, all varints. A 3 in the high bits
/// says that the event has three arguments or more; its length in bytes then follows the first byte.
enum WireV1 {
    @inline(__always) static var batch: UInt8 { 1 }
    @inline(__always) static var frequency: UInt8 { 2 }
    @inline(__always) static var stack: UInt8 { 3 }
    @inline(__always) static var gomaxprocs: UInt8 { 4 }
    @inline(__always) static var procStart: UInt8 { 5 }
    @inline(__always) static var procStop: UInt8 { 6 }
    @inline(__always) static var gcStart: UInt8 { 7 }
    @inline(__always) static var gcDone: UInt8 { 8 }
    @inline(__always) static var stwStart: UInt8 { 9 }
    @inline(__always) static var stwDone: UInt8 { 10 }
    @inline(__always) static var gcSweepStart: UInt8 { 11 }
    @inline(__always) static var gcSweepDone: UInt8 { 12 }
    @inline(__always) static var goCreate: UInt8 { 13 }
    @inline(__always) static var goStart: UInt8 { 14 }
    @inline(__always) static var goEnd: UInt8 { 15 }
    @inline(__always) static var goStop: UInt8 { 16 }
    @inline(__always) static var goSched: UInt8 { 17 }
    @inline(__always) static var goPreempt: UInt8 { 18 }
    @inline(__always) static var goSleep: UInt8 { 19 }
    @inline(__always) static var goBlock: UInt8 { 20 }
    @inline(__always) static var goUnblock: UInt8 { 21 }
    @inline(__always) static var goBlockSend: UInt8 { 22 }
    @inline(__always) static var goBlockRecv: UInt8 { 23 }
    @inline(__always) static var goBlockSelect: UInt8 { 24 }
    @inline(__always) static var goBlockSync: UInt8 { 25 }
    @inline(__always) static var goBlockCond: UInt8 { 26 }
    @inline(__always) static var goBlockNet: UInt8 { 27 }
    @inline(__always) static var goSysCall: UInt8 { 28 }
    @inline(__always) static var goSysExit: UInt8 { 29 }
    @inline(__always) static var goSysBlock: UInt8 { 30 }
    @inline(__always) static var goWaiting: UInt8 { 31 }
    @inline(__always) static var goInSyscall: UInt8 { 32 }
    @inline(__always) static var heapAlloc: UInt8 { 33 }
    @inline(__always) static var heapGoal: UInt8 { 34 }
    @inline(__always) static var timerGoroutine: UInt8 { 35 }
    @inline(__always) static var futileWakeup: UInt8 { 36 }
    @inline(__always) static var string: UInt8 { 37 }
    @inline(__always) static var goStartLocal: UInt8 { 38 }
    @inline(__always) static var goUnblockLocal: UInt8 { 39 }
    @inline(__always) static var goSysExitLocal: UInt8 { 40 }
    @inline(__always) static var goStartLabel: UInt8 { 41 }
    @inline(__always) static var goBlockGC: UInt8 { 42 }
    @inline(__always) static var gcMarkAssistStart: UInt8 { 43 }
    @inline(__always) static var gcMarkAssistDone: UInt8 { 44 }
    @inline(__always) static var userTaskCreate: UInt8 { 45 }
    @inline(__always) static var userTaskEnd: UInt8 { 46 }
    @inline(__always) static var userRegion: UInt8 { 47 }
    @inline(__always) static var userLog: UInt8 { 48 }
    @inline(__always) static var cpuSample: UInt8 { 49 }

    /// Types that are no event of their proc: tables, and samples that carry a time of their own.
    @inline(__always) static func isTimed(_ type: UInt8) -> Bool { untimedTypes &>> UInt64(type) & 1 == 0 }

    private static var untimedTypes: UInt64 {
        1 << 0 | 1 << UInt64(batch) | 1 << UInt64(frequency) | 1 << UInt64(stack) | 1 << UInt64(timerGoroutine)
            | 1 << UInt64(string) | 1 << UInt64(cpuSample) | UInt64.max << 50
    }

    /// The first byte of a batch: in every version the bits above the type are 1.
    static let batchHead: UInt8 = 0x41
    /// The high bits when a length follows.
    @inline(__always) static func hasLength(_ head: UInt8) -> Bool { head >= 0xc0 }

    /// Procs of Go's reader API that stand for no proc (`internal/trace/internal/tracev1/parser.go`).
    static let timerProc: Int32 = 1_000_001
    static let networkProc: Int32 = 1_000_002
    static let syscallProc: Int32 = 1_000_003
    static let gcProc: Int32 = 1_000_004
}

/// Limits that keep hostile input from costing more than its size.
enum LimitV1 {
    /// The reference's limit for strings and log messages.
    static let stringBytes: UInt64 = 1_000_000
    static let stackFrames: UInt64 = 1000
    static let eventBytes: UInt64 = 2048
    static let stackBytes: UInt64 = 1 << 16
    /// `runtime.traceBuf` holds 64 KiB with its header.
    static let segmentBytes = 64 << 10
    static let procID: UInt64 = 1 << 20
    static let procCount = 4096
    /// Zero bytes behind every buffer: the seven varints of an event may be decoded before its end is checked.
    static let padding = 96
    /// The longest event: a log with its message.
    static let lookahead = (1 << 20) + padding
}

/// How a version of the format lays out its events.
///
/// Source: argument counts by version in Go 1.11's `internal/trace/parser.go` (`argNum`,
/// `EventDescriptions`), the last parser that read all of them.
final class LayoutV1 {
    let version: Int
    /// Arguments after the time, by type; `absent` for a type that is no timed event of the version.
    private let counts = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
    private static let absent: UInt8 = 255

    /// Go 1.5 and 1.6: a global sequence number orders all events, and precedes their time.
    let hasGlobalSequence: Bool
    /// Varints between the first byte (or the length) and the arguments.
    let prefixCount: Int

    init(version: Int) {
        self.version = version
        hasGlobalSequence = version < 7
        prefixCount = version < 7 ? 2 : 1
        counts.initialize(repeating: Self.absent, count: 64)
        let since7: UInt8 = version >= 7 ? 1 : 0
        set(WireV1.gomaxprocs, 2, 1, 0)
        set(WireV1.gcStart, 1 + since7, 0)
        set(WireV1.stwStart, version >= 10 ? 1 : 0, 0)
        set(WireV1.gcSweepStart, 1, version >= 9 ? 2 : 0)
        set(WireV1.goCreate, 3, 1 + since7, 0, 1, 1, 1, 1, 1)
        set(WireV1.goUnblock, 2 + since7, 1, 1, 1, 1, 1, 1)
        set(WireV1.goSysCall, 1, 3, 0, 1, 1)
        set(WireV1.heapAlloc, 1, 1)
        set(WireV1.futileWakeup, 0)
        set(WireV1.goStartLocal, 1, 2, 2, since: 7)
        set(WireV1.goStartLabel, 3, 1, since: 8)
        set(WireV1.gcMarkAssistStart, 1, 0, since: 9)
        set(WireV1.userTaskCreate, 4, 2, 4, 3, since: 11)
        set(WireV1.cpuSample, 4, since: 19)
    }

    deinit { counts.deallocate() }

    private func set(_ first: UInt8, _ values: UInt8..., since: Int = 5) {
        guard version >= since else { return }
        for (index, value) in values.enumerated() { counts[Int(first) + index] = value }
    }

    /// Steps over an event that is neither a batch nor a table, and adds how far it is from the event
    /// before it. Reads up to `LimitV1.padding` bytes behind `limit`.
    /// - Returns: false if the bytes are no event of this version. A `pointer` beyond `limit` says that
    ///   the event is cut.
    @inline(__always) func skipEvent(
        _ pointer: inout UnsafePointer<UInt8>, limit: UnsafePointer<UInt8>, ticks: inout UInt64, sequence: inout UInt64
    ) -> Bool {
        let head = pointer[0]
        let count = counts[Int(head & 63)]
        guard count != Self.absent, head >> 6 == min(count, 3) else { return false }
        pointer += 1
        var end: UnsafePointer<UInt8>?
        if count >= 3 {
            let length = Varint.readLenient(&pointer)
            guard length <= LimitV1.eventBytes else { return false }
            end = pointer + Int(length)
            if pointer + Int(length) > limit {
                pointer += Int(length)
                return true
            }
        }
        if hasGlobalSequence { sequence &+= Varint.readLenient(&pointer) }
        let start = pointer
        ticks &+= Varint.readLenient(&pointer)
        if pointer - start == 10, pointer[-1] > 1 { return false }
        for _ in 0..<count { guard Self.skipVarint(&pointer) else { return false } }
        return end == nil || end == pointer
    }

    @inline(__always) private static func skipVarint(_ pointer: inout UnsafePointer<UInt8>) -> Bool {
        if pointer[0] < 0x80 {
            pointer += 1
            return true
        }
        return skipLongVarint(&pointer)
    }

    private static func skipLongVarint(_ pointer: inout UnsafePointer<UInt8>) -> Bool {
        for index in 1..<10 where pointer[index] < 0x80 {
            pointer += index + 1
            return index < 9 || pointer[-1] <= 1
        }
        return false
    }
}

extension LayoutV1 {
    /// Steps over a string, stack, frequency, timer or sample among a proc's events; the index has read it.
    /// - Returns: false if the bytes are none.
    static func skipTable(
        _ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ layout: LayoutV1
    ) -> Bool {
        let head = pointer[0]
        pointer += 1
        if head & 63 == WireV1.string { _ = Varint.readLenient(&pointer) }
        if head & 63 == WireV1.string || WireV1.hasLength(head) {
            let length = Varint.readLenient(&pointer)
            guard length <= LimitV1.stringBytes else { return false }
            pointer += Int(length)
        } else {
            for _ in 0..<Int(head >> 6) + layout.prefixCount { _ = Varint.readLenient(&pointer) }
        }
        return pointer <= end
    }

    /// Steps over the message of a log event. One that the runtime has cut ends with the segment.
    /// - Returns: its bytes, or nil if there is no message.
    static func skipMessage(
        _ pointer: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> UnsafeRawBufferPointer? {
        guard pointer <= end else { return nil }
        let length = Varint.readLenient(&pointer)
        guard length <= LimitV1.stringBytes, pointer <= end else { return nil }
        let start = pointer
        pointer = min(pointer + Int(length), end)
        return UnsafeRawBufferPointer(start: start, count: pointer - start)
    }
}
