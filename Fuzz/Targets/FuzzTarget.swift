import Vestige

/// What is fuzzed: each target takes any bytes and checks what must hold for them.
///
/// A target returns, or throws a `Violation`. What it must never do is what a fuzzer sees from outside:
/// crash, hang, or use memory without bound.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// The whole way of a file: decompression, detection, reader, lifelines, every writer.
    case gotrace
    /// The same for a trace that the bytes are a recipe for, so that ordering and salvage are reached.
    case gotraceStructure = "gotrace-structure"
    /// JSON lines, whatever detection thinks of them.
    case jsonl
    /// What Delve says, whichever of its forms the bytes look like.
    case delve
    /// The gzip and zstd wrappers.
    case decompress
    /// Goroutine dumps as text, whatever detection thinks of them.
    case dump
    /// Goroutine profiles.
    case pprof

    public func run(_ bytes: [UInt8]) throws {
        switch self {
        case .gotrace: try Self.runFile(bytes)
        case .gotraceStructure: try Self.runRecipe(bytes)
        case .jsonl: try Self.runJSONLines(bytes)
        case .delve:
            try Self.runObservations(bytes, DelveFormats.json)
            try Self.runObservations(bytes, DelveFormats.text)
        case .decompress: try Self.runDecompression(bytes)
        case .dump: try Self.runObservations(bytes, GoroutineDumpFormat.format)
        case .pprof: try Self.runObservations(bytes, ProfileFormat.format)
        }
    }

    private static func runFile(_ bytes: [UInt8]) throws {
        let file = try MemoryFile(bytes)
        guard let source = try? ByteSource.open(file.path) else { return }
        guard let passage = try Passage(source) else { return }
        try passage.run()
        try checkCounts(file.path, passage)
    }

    /// What `vestige info` counts is what a conversion hands on.
    private static func checkCounts(_ path: String, _ passage: Passage) throws {
        do {
            let info = try TraceInfo(path)
            try expect(info.counts.eventCount == passage.eventCount, "info counts other events than are read")
        } catch is TraceError {
            try expect(
                !passage.hasEvents || passage.diagnostics.hasLoss || passage.failure != nil,
                "info refuses what can be read")
        }
    }

    /// A recipe is small, so there is time for more: what is read must not depend on the size of batches,
    /// nor on whether the input can be read again; and JSON lines must lose nothing.
    private static func runRecipe(_ bytes: [UInt8]) throws {
        let trace = TraceRecipe.trace(of: bytes)
        let file = try MemoryFile(trace)
        guard let whole = try Passage(ByteSource.open(file.path)) else { throw Violation("a made trace is refused") }
        try whole.run()
        let piped = ByteSource(bytes: trace, path: file.path)
        let reads = Passage.Scope.readsAndWritesLines
        guard let parts = try Passage(piped, capacity: 8, reads) else { throw Violation("a piped trace is refused") }
        try parts.run()
        try expectSame(whole.lines, parts.lines, "the same trace, in small batches from a pipe")
        try checkRoundTrip(whole.lines)
    }

    private static func runJSONLines(_ bytes: [UInt8]) throws {
        let source = ByteSource(bytes: bytes, path: "fuzz.jsonl")
        guard let passage = try Passage(source, format: JSONLinesInputFormat.format) else { return }
        try passage.run()
        try checkRoundTrip(passage.lines)
    }

    /// What observers say must survive JSON lines, and not depend on the size of batches.
    private static func runObservations(_ bytes: [UInt8], _ format: InputFormat) throws {
        guard let whole = try Passage(ByteSource(bytes: bytes, path: "fuzz"), format: format) else { return }
        try whole.run()
        let source = ByteSource(bytes: bytes, path: "fuzz")
        guard let parts = try Passage(source, format: format, capacity: 8, .readsAndWritesLines) else {
            throw Violation("the same input is refused")
        }
        try parts.run()
        try expectSame(whole.lines, parts.lines, "the same input, in small batches")
        try checkRoundTrip(whole.lines)
    }

    private static func checkRoundTrip(_ lines: [UInt8]) throws {
        let source = ByteSource(bytes: lines, path: "fuzz.jsonl")
        let format = JSONLinesInputFormat.format
        guard let again = try Passage(source, format: format, .readsAndWritesLines) else {
            throw Violation("our own JSON lines are refused")
        }
        try again.run()
        if let failure = again.failure { throw Violation("our own JSON lines are not read to the end: \(failure)") }
        try expectSame(lines, again.lines, "JSON lines that were read and written again")
    }

    /// Reads in steps of two sizes: the content and how it ends must be the same. Stops at 16 MiB, since a
    /// few bytes can stand for very many.
    private static func runDecompression(_ bytes: [UInt8]) throws {
        let file = try MemoryFile(bytes)
        guard let large = try? ByteSource.open(file.path), let small = try? ByteSource.open(file.path) else { return }
        let limit: UInt64 = 16 << 20
        let (whole, parts) = (Content(large, step: 1 << 20, limit: limit), Content(small, step: 4093, limit: limit))
        guard whole.size < limit, parts.size < limit else { return }
        try expect(whole == parts, "decompression depends on how much is asked for")
        if bytes.starts(with: [0x1f, 0x8b]) || bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return }
        try expect(whole.hash == Content.hash(bytes) && !whole.isDamaged, "plain bytes are not read as they are")
    }
}

/// A condition that does not hold.
public struct Violation: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

func expect(_ condition: Bool, _ violation: @autoclosure () -> String) throws {
    if !condition { throw Violation(violation()) }
}

func expectSame(_ first: [UInt8], _ second: [UInt8], _ what: String) throws {
    guard first != second else { return }
    let place = zip(first, second).prefix { $0 == $1 }.count
    func excerpt(_ bytes: [UInt8]) -> String {
        String(decoding: bytes[max(0, place - 100)..<min(bytes.count, place + 100)], as: UTF8.self)
    }
    throw Violation("\(what): byte \(place) is another\n\(excerpt(first))\n\(excerpt(second))")
}
