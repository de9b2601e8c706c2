import Vestige

/// The hashes of the corpus' truth, computed from IR events: recipe `fnv1a64-lines/1` of TRUTH.md.
public final class TruthHash {
    public private(set) var full = FNV()
    public private(set) var noStack = FNV()
    public private(set) var noTime = FNV()
    public private(set) var byThreadNoTime: [Int64: FNV] = [:]
    public private(set) var eventCount = 0
    /// With `keepsLines`, the full lines, to find a difference.
    public private(set) var lines: [String] = []

    /// By kind; both kinds of transition share the first one's.
    private var kinds = [FNV](repeating: FNV(), count: EventKind.allCases.count)
    private var line: [UInt8] = []
    private let keepsLines: Bool
    private var stackHashes: [StackID: [UInt8]] = [:]
    private let tables: TraceTables

    public init(_ tables: TraceTables, keepsLines: Bool = false) {
        self.tables = tables
        self.keepsLines = keepsLines
    }

    public func add(_ events: UnsafeBufferPointer<Event>) {
        for event in events where event.kind != .experimentalBatch { add(event) }
    }

    private func add(_ event: Event) {
        eventCount += 1
        writeLine(event, stacks: true, times: true)
        full.add(line)
        let kind = event.kind == .procTransition ? .goroutineTransition : event.kind
        kinds[Int(kind.rawValue)].add(line)
        if keepsLines { lines.append(String(decoding: line.dropLast(), as: UTF8.self)) }
        writeLine(event, stacks: false, times: true)
        noStack.add(line)
        writeLine(event, stacks: true, times: false)
        noTime.add(line)
        byThreadNoTime[event.thread.rawValue, default: FNV()].add(line)
    }

    public var byKind: [String: FNV] {
        var result: [String: FNV] = [:]
        for kind in EventKind.allCases where kinds[Int(kind.rawValue)] != FNV() && kind != .procTransition {
            result["\(kind.name)"] = kinds[Int(kind.rawValue)]
        }
        return result
    }

    // MARK: - Lines

    private func writeLine(_ event: Event, stacks: Bool, times: Bool) {
        line.removeAll(keepingCapacity: true)
        text(event.kind.name)
        if times { number(event.timeNanoseconds) } else { dash() }
        number(event.goroutine.rawValue)
        number(Int64(event.proc.rawValue))
        number(event.thread.rawValue)
        writeFields(event, stacks: stacks, times: times)
        token(event.stack, stacks)
        line[line.count - 1] = 10
    }

    /// The fields of the kind, each followed by a space.
    private func writeFields(_ event: Event, stacks: Bool, times: Bool) {
        switch event.kind {
        case .sync: writeSync(event, times)
        case .metric:
            quoted(event.name)
            number(event.value)
        case .label:
            quoted(event.name)
            text(event.scope.name)
            number(event.scopeID)
        case .stackSample, .experimentalBatch, .observed, .breakpoint: break
        case .rangeBegin, .rangeActive, .rangeEnd: writeRange(event)
        case .taskBegin, .taskEnd:
            task(event.task)
            task(event.parentTask)
            quoted(event.name)
        case .regionBegin, .regionEnd:
            task(event.task)
            quoted(event.name)
        case .log:
            task(event.task)
            quoted(event.name)
            quoted(event.message)
        case .goroutineTransition, .procTransition: writeTransition(event, stacks)
        case .experimental: writeExperimental(event)
        }
    }

    private func writeSync(_ event: Event, _ times: Bool) {
        number(event.syncNumber)
        guard times, let index = event.clockSnapshotIndex else {
            for _ in 0..<3 { dash() }
            return
        }
        number(tables.clockSnapshots[index].traceNanoseconds)
        number(tables.clockSnapshots[index].monotonicNanoseconds)
        number(tables.clockSnapshots[index].wallUnixNanoseconds)
    }

    private func writeRange(_ event: Event) {
        quoted(event.name)
        text(event.scope.name)
        number(event.scopeID)
        guard event.attributeCount == 2 else { return }
        attribute("bytes swept", event.bytesSwept)
        attribute("bytes reclaimed", event.bytesReclaimed)
    }

    private func attribute(_ name: String, _ value: UInt64) {
        quoted(Array(name.utf8))
        line[line.count - 1] = 61
        number(value)
    }

    private func writeTransition(_ event: Event, _ stacks: Bool) {
        let isGoroutine = event.kind == .goroutineTransition
        text(isGoroutine ? "goroutine" : "proc")
        number(Int64(bitPattern: event.argument0))
        text(isGoroutine ? event.fromGoroutineState.name : event.fromProcState.name)
        text(isGoroutine ? event.toGoroutineState.name : event.toProcState.name)
        quoted(event.name)
        token(event.transitionStack, stacks)
    }

    private func writeExperimental(_ event: Event) {
        let shape = tables.experimentalShapes[event.experimentalShapeIndex]
        quoted(shape.name)
        quoted(shape.experiment)
        for (name, value) in zip(shape.argumentNames, [event.argument0, event.argument1, event.argument2]) {
            quoted(name)
            line[line.count - 1] = 61
            number(value)
        }
    }

    // MARK: - Fields; each ends with a space

    private func text(_ text: StaticString) {
        line.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        line.append(32)
    }

    private func number(_ value: some BinaryInteger) {
        var digits = (UInt64(0), UInt64(0), UInt64(0))
        withUnsafeMutableBytes(of: &digits) { digits in
            var rest = UInt64(value.magnitude)
            var start = digits.count
            repeat {
                start -= 1
                digits[start] = UInt8(48 + rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 { line.append(45) }
            line.append(contentsOf: digits[start...])
        }
        line.append(32)
    }

    private func dash() { line += [45, 32] }

    private func task(_ id: TaskID) { if id == .absent { number(-1) } else { number(id.rawValue) } }

    private func quoted(_ id: StringID) { quoted(tables.strings.bytes(id)) }

    private func quoted(_ bytes: some Sequence<UInt8>) {
        line.append(34)
        for byte in bytes {
            if byte > 0x20, byte < 0x7f, byte != 34, byte != 92 {
                line.append(byte)
            } else {
                line += [92, 120, Self.digits[Int(byte >> 4)], Self.digits[Int(byte & 15)]]
            }
        }
        line += [34, 32]
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private func token(_ stack: StackID, _ stacks: Bool) {
        guard stacks, stack != .absent else { return dash() }
        if stackHashes[stack] == nil {
            var hash = FNV()
            for frame in tables.stacks.frames(stack) {
                hash.add(tables.strings.bytes(frame.function))
                hash.add([32])
                hash.add(tables.strings.bytes(frame.file))
                hash.add(Array(":\(frame.line)\n".utf8))
            }
            stackHashes[stack] = Array(hash.hex.utf8) + [32]
        }
        line += stackHashes[stack]!
    }
}

/// FNV-1a, 64 bits.
public struct FNV: Equatable, Sendable {
    public private(set) var value: UInt64 = 14_695_981_039_346_656_037
    public init() {}
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 1_099_511_628_211 }
    }
    /// 16 hexadecimal digits.
    public var hex: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
