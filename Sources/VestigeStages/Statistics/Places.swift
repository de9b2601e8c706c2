import VestigeCore

/// Where in the program a stack is: the innermost frame that is not of the parts of Go's library which
/// wait and lock for their callers. Of a stack that has no other frame, the innermost.
public struct Places {
    /// A place by its number; 0 is none. Without program counters: a place is a line.
    public private(set) var frames = [Frame(programCounter: 0, function: .empty, file: .empty, line: 0)]
    private var numbers: [Frame: UInt32] = [:]
    /// By stack: the number of its place plus one; 0 where it was not looked for yet.
    private var known: [UInt32] = []

    private static let plumbing: [StaticString] = [
        "runtime.", "runtime/", "internal/", "sync.", "sync/", "syscall.", "time.", "net.", "os.", "io.", "bufio.",
    ]

    public init() {}

    @inline(__always)
    public mutating func number(of stack: StackID, _ tables: TraceTables) -> UInt32 {
        let index = Int(stack.rawValue)
        if index < known.count, known[index] > 0 { return known[index] - 1 }
        return find(stack, tables)
    }

    public func frame(_ number: UInt32) -> Frame { frames[Int(number) < frames.count ? Int(number) : 0] }

    @inline(never) private mutating func find(_ stack: StackID, _ tables: TraceTables) -> UInt32 {
        // What is kept grows with the id, so an id that was never handed out must not get that far.
        guard stack != .absent, Int(stack.rawValue) < tables.stacks.count else { return 0 }
        var found: Frame?
        for frame in tables.stacks.frames(stack) where !Self.isPlumbing(tables.strings.bytes(frame.function)) {
            found = frame
            break
        }
        guard var frame = found ?? tables.stacks.frames(stack).first(where: { _ in true }) else { return 0 }
        frame.programCounter = 0
        let number = numbers[frame] ?? add(frame)
        if known.count < tables.stacks.count {
            known.append(contentsOf: repeatElement(0, count: tables.stacks.count - known.count))
        }
        known[Int(stack.rawValue)] = number + 1
        return number
    }

    private mutating func add(_ frame: Frame) -> UInt32 {
        let number = UInt32(truncatingIfNeeded: frames.count)
        frames.append(frame)
        numbers[frame] = number
        return number
    }

    private static func isPlumbing(_ function: UnsafeBufferPointer<UInt8>) -> Bool {
        plumbing.contains { prefix in
            function.starts(with: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
        }
    }
}

/// The frame of a place as text.
extension TraceTables {
    /// `function file:line`; empty if there is no frame.
    public func text(of frame: Frame) -> String {
        guard frame.function != .empty || frame.file != .empty else { return "" }
        return "\(strings.string(frame.function)) \(strings.string(frame.file)):\(frame.line)"
    }

    /// The frames joined by ` < `, innermost first, as in the CSV tables.
    public func text(of stack: StackID) -> String {
        stacks.frames(stack).map { text(of: $0) }.joined(separator: " < ")
    }
    /// The function that a goroutine was started with, as a stack of it tells: the outermost frame but for
    /// `runtime.goexit`, which some observers show below every goroutine.
    public func startFunction(of stack: StackID) -> StringID {
        var function = StringID.empty
        for frame in stacks.frames(stack) {
            if frame.function == .empty || strings.bytes(frame.function).elementsEqual("runtime.goexit".utf8) {
                continue
            }
            function = frame.function
        }
        return function
    }
}
