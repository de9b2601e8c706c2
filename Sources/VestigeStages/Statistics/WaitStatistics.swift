import VestigeCore

/// Waits by their reason and place. Memory follows how many of these there are.
public struct WaitStatistics: ~Copyable {
    public struct Row: Sendable {
        public let reason: StringID
        /// Where they wait; see `Places`.
        public let place: Frame
        /// Whether the goroutines are the runtime's own: started with one of its functions.
        public let isSystem: Bool
        /// How long they took, as far as they lie within the recording.
        public fileprivate(set) var durations = Distribution()
        /// How many were not over at the end.
        public fileprivate(set) var openCount: UInt64 = 0
    }

    public private(set) var rows: [Row] = []
    private var places = Places()
    private var systemFunctions = SystemFunctions()
    private var indices: [UInt64: Int] = [:]
    /// The row of the span before: the next is often of the same.
    private var last: (key: UInt64, index: Int) = (.max, 0)

    public init() {}

    public mutating func add(_ span: LifelineSpan, _ tables: TraceTables) {
        guard span.kind == .goroutineState, span.state == .waiting else { return }
        let place = places.number(of: span.startStack, tables)
        let isSystem = systemFunctions.contains(span.startFunction, tables)
        let key = UInt64(span.name.rawValue) << 32 | UInt64(place) << 1 | (isSystem ? 1 : 0)
        if key != last.key { last = (key, index(key, span.name, place, isSystem)) }
        rows[last.index].durations.add(span.durationNanoseconds)
        if span.flags.contains(.isOpen) { rows[last.index].openCount &+= 1 }
    }

    private mutating func index(_ key: UInt64, _ reason: StringID, _ place: UInt32, _ isSystem: Bool) -> Int {
        if let index = indices[key] { return index }
        rows.append(Row(reason: reason, place: places.frame(place), isSystem: isSystem))
        indices[key] = rows.count - 1
        return rows.count - 1
    }
}

/// Whether a start function is the runtime's, asked once for each.
struct SystemFunctions {
    /// By string: 0 not asked yet, 1 no, 2 yes.
    private var answers: [UInt8] = []

    @inline(__always) mutating func contains(_ function: StringID, _ tables: TraceTables) -> Bool {
        let index = Int(function.rawValue)
        if index < answers.count, answers[index] > 0 { return answers[index] == 2 }
        return ask(function, tables)
    }

    @inline(never) private mutating func ask(_ function: StringID, _ tables: TraceTables) -> Bool {
        guard Int(function.rawValue) < tables.strings.count else { return false }
        if answers.count < tables.strings.count {
            answers.append(contentsOf: repeatElement(0, count: tables.strings.count - answers.count))
        }
        let isSystem = tables.isSystemFunction(function)
        answers[Int(function.rawValue)] = isSystem ? 2 : 1
        return isSystem
    }
}

extension TraceTables {
    /// True for a function of package runtime that is not the program's own `runtime.main`.
    public func isSystemFunction(_ function: StringID) -> Bool {
        let name = strings.bytes(function)
        return name.starts(with: "runtime.".utf8) && !name.elementsEqual("runtime.main".utf8)
    }
}
