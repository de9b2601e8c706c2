import VestigeCore

/// What the reasons of transitions mean, asked once for each: by the number of the string.
struct WaitWords: ~Copyable {
    /// A goroutine that stops for this reason did not want to.
    static let preemption: UInt8 = 2
    /// It is waited for something that another goroutine gives, as a worker waits for work.
    static let passive: UInt8 = 4

    /// 0 where it was not asked for yet, else 1 and the bits above.
    private var answers: UnsafeMutablePointer<UInt8>
    private var count = 256

    init() {
        answers = .allocate(capacity: count)
        answers.initialize(repeating: 0, count: count)
    }

    deinit { answers.deallocate() }

    @inline(__always) mutating func answer(_ reason: StringID, _ tables: TraceTables) -> UInt8 {
        let index = Int(reason.rawValue)
        if index < count, answers[index] != 0 { return answers[index] }
        return ask(reason, tables)
    }

    @inline(never) private mutating func ask(_ reason: StringID, _ tables: TraceTables) -> UInt8 {
        guard Int(reason.rawValue) < tables.strings.count else { return 1 }
        if count < tables.strings.count { grow(toHold: tables.strings.count) }
        let kind = WaitKind(reason: tables.strings.string(reason))
        var answer: UInt8 = 1
        if tables.strings.bytes(reason).elementsEqual("preempted".utf8) { answer |= Self.preemption }
        if kind.isPassive { answer |= Self.passive }
        answers[Int(reason.rawValue)] = answer
        return answer
    }

    private mutating func grow(toHold wanted: Int) {
        let size = max(wanted, count * 2)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        larger.moveInitialize(from: answers, count: count)
        (larger + count).initialize(repeating: 0, count: size - count)
        answers.deallocate()
        (answers, count) = (larger, size)
    }
}

extension Int64 {
    /// The difference, or what 64 bits hold where it is more.
    func subtractingSaturating(_ other: Int64) -> Int64 {
        let (difference, isTooLarge) = subtractingReportingOverflow(other)
        return isTooLarge ? (self < 0 ? .min : .max) : difference
    }
}
