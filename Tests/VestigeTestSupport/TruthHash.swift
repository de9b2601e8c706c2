import Vestige

/// The hashes of the corpus' truth, computed from IR events: recipe `fnv1a64-lines/1` of TRUTH.md.
public final class TruthHash {
    public private(set) var full = FNV()
    public private(set) var noStack = FNV()
    public private(set) var noTime = FNV()
    public private(set) var byKind: [String: FNV] = [:]
    public private(set) var byThreadNoTime: [Int64: FNV] = [:]
    public private(set) var eventCount = 0
    /// With `keepsLines`, the full lines, to find a difference.
    public private(set) var lines: [String] = []

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
        let line = canonical(event, stacks: true, times: true)
        full.add(line)
        if keepsLines { lines.append(String(decoding: line.dropLast(), as: UTF8.self)) }
        noStack.add(canonical(event, stacks: false, times: true))
        byKind["\(event.kind.name)", default: FNV()].add(line)
        let timeless = canonical(event, stacks: true, times: false)
        noTime.add(timeless)
        byThreadNoTime[event.thread.rawValue, default: FNV()].add(timeless)
    }

    private func canonical(_ event: Event, stacks: Bool, times: Bool) -> [UInt8] {
        var line = Array("\(event.kind.name) ".utf8)
        line += Array((times ? "\(event.timeNanoseconds)" : "-").utf8)
        line += Array(" \(event.goroutine.rawValue) \(event.proc.rawValue) \(event.thread.rawValue) ".utf8)
        line += fields(event, stacks: stacks, times: times)
        line += stacks ? token(event.stack) : Array("-".utf8)
        line.append(10)
        return line
    }

    /// The fields of the kind, each followed by a space.
    private func fields(_ event: Event, stacks: Bool, times: Bool) -> [UInt8] {
        func text(_ string: String) -> [UInt8] { Array("\(string) ".utf8) }
        switch event.kind {
        case .sync:
            guard times, let index = event.clockSnapshotIndex else { return text("\(event.syncNumber) - - -") }
            let clock = tables.clockSnapshots[index]
            return text(
                "\(event.syncNumber) \(clock.traceNanoseconds) \(clock.monotonicNanoseconds) \(clock.wallUnixNanoseconds)")
        case .metric: return quoted(event.name) + text(" \(event.value)")
        case .label: return quoted(event.name) + text(" \(event.scope.name) \(event.scopeID)")
        case .stackSample, .experimentalBatch: return []
        case .rangeBegin, .rangeActive, .rangeEnd:
            var line = quoted(event.name) + text(" \(event.scope.name) \(event.scopeID)")
            if event.attributeCount == 2 {
                line += Self.quoted(Array("bytes swept".utf8)) + text("=\(event.bytesSwept)")
                line += Self.quoted(Array("bytes reclaimed".utf8)) + text("=\(event.bytesReclaimed)")
            }
            return line
        case .taskBegin, .taskEnd:
            return text("\(task(event.task)) \(task(event.parentTask))") + quoted(event.name) + text("")
        case .regionBegin, .regionEnd: return text(task(event.task)) + quoted(event.name) + text("")
        case .log:
            return text(task(event.task)) + quoted(event.name) + text("") + quoted(event.message) + text("")
        case .goroutineTransition:
            return text("goroutine \(Int64(bitPattern: event.argument0)) \(event.fromGoroutineState.name) \(event.toGoroutineState.name)")
                + quoted(event.name) + text("") + (stacks ? token(event.transitionStack) : [45]) + text("")
        case .procTransition:
            return text("proc \(Int64(bitPattern: event.argument0)) \(event.fromProcState.name) \(event.toProcState.name)")
                + quoted(event.name) + text("") + (stacks ? token(event.transitionStack) : [45]) + text("")
        case .experimental:
            let shape = tables.experimentalShapes[event.experimentalShapeIndex]
            var line = quoted(shape.name) + text("") + quoted(shape.experiment)
            for (name, value) in zip(shape.argumentNames, [event.argument0, event.argument1, event.argument2]) {
                line += text("") + quoted(name) + Array("=\(value)".utf8)
            }
            return line + text("")
        }
    }

    private func task(_ id: TaskID) -> String { id == .absent ? "-1" : "\(id.rawValue)" }

    private func quoted(_ id: StringID) -> [UInt8] { Self.quoted(Array(tables.strings.bytes(id))) }

    private static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        var line: [UInt8] = [34]
        for byte in bytes {
            if byte > 0x20, byte < 0x7f, byte != 34, byte != 92 {
                line.append(byte)
            } else {
                let digits = Array("0123456789abcdef".utf8)
                line += [92, 120, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return line + [34]
    }

    private func token(_ stack: StackID) -> [UInt8] {
        guard stack != .absent else { return [45] }
        if let known = stackHashes[stack] { return known }
        var hash = FNV()
        for frame in tables.stacks.frames(stack) {
            var line = Array(tables.strings.bytes(frame.function)) + [32]
            line += Array(tables.strings.bytes(frame.file)) + Array(":\(frame.line)\n".utf8)
            hash.add(line)
        }
        stackHashes[stack] = Array(hash.hex.utf8)
        return stackHashes[stack]!
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
