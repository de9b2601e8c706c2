import Testing
import Vestige

/// Expects times that increase, and goroutines that change only as the runtime lets them.
func expectLegal(_ events: [Event], _ comment: Comment? = nil) {
    var states: [GoroutineID: GoroutineState] = [:]
    var broken: [String] = []
    for event in events where event.kind == .goroutineTransition {
        let (from, to) = (event.fromGoroutineState, event.toGoroutineState)
        let isKnown = from == .undetermined || states[event.subjectGoroutine, default: .notExist] == from
        if !isKnown || !isLegal(from, to) {
            broken.append("\(event.timeNanoseconds): \(event.subjectGoroutine.rawValue) \(from.name)>\(to.name)")
        }
        states[event.subjectGoroutine] = to
    }
    #expect(broken.isEmpty, comment)
    #expect(zip(events, events.dropFirst()).allSatisfy { $0.timeNanoseconds < $1.timeNanoseconds }, comment)
}

private func isLegal(_ from: GoroutineState, _ to: GoroutineState) -> Bool {
    switch from {
    case .undetermined: true
    case .notExist, .waiting: to == .runnable
    case .runnable: to == .running
    case .running: [.runnable, .waiting, .syscall, .notExist].contains(to)
    case .syscall: [.running, .runnable].contains(to)
    }
}

/// Counts of a v1 trace's events, taken from the bytes by no more than their framing, so that they do not
/// depend on what the reader knows of versions. Not for Go 1.11 and later, whose logs carry a message.
struct RawCounts {
    private var counts: [String: Int] = [:]

    subscript(name: String) -> Int { counts[name, default: 0] }

    init(_ bytes: [UInt8]) {
        let version = Int(String(decoding: bytes[5..<7].prefix { $0 >= 48 && $0 < 58 }, as: UTF8.self)) ?? 0
        var position = 16
        func varint() -> Int {
            var (value, shift) = (UInt64(0), UInt64(0))
            while bytes[position] >= 0x80 {
                value |= UInt64(bytes[position] & 0x7f) << shift
                shift += 7
                position += 1
            }
            position += 1
            return Int(truncatingIfNeeded: value | UInt64(bytes[position - 1]) << shift)
        }
        while position < bytes.count {
            let (type, count) = (Int(bytes[position] & 63), Int(bytes[position] >> 6))
            position += 1
            if type == 37 {
                _ = varint()
                position += varint()
            } else if count == 3 {
                position += varint()
            } else {
                for _ in 0..<count + (version < 7 ? 2 : 1) { _ = varint() }
            }
            if let name = Self.names[type] { counts[name, default: 0] += 1 }
        }
    }

    private static let names: [Int: String] = {
        var names = [
            4: "Metric", 5: "ProcStart", 6: "ProcStop", 14: "GoStart", 15: "GoEnd", 17: "GoSched", 18: "GoSched",
            21: "GoUnblock", 28: "GoSysCall", 29: "GoSysExit", 30: "GoSysBlock", 31: "GoWaiting", 32: "GoInSyscall",
            33: "Metric", 34: "Metric", 38: "GoStart", 39: "GoUnblock", 40: "GoSysExit", 41: "GoStart", 42: "GoBlock",
        ]
        for type in [16, 19, 20] + Array(22...27) { names[type] = "GoBlock" }
        for type in [7, 9, 11, 43] { names[type] = "RangeBegin" }
        for type in [8, 10, 12, 44] { names[type] = "RangeEnd" }
        return names
    }()
}
