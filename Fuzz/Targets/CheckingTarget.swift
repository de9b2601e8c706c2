import Vestige

/// An output's place that checks what is written: JSON, CSV and protobuf must be complete and well formed.
final class CheckingTarget: OutputTarget {
    let formatName: String
    let isFolder: Bool
    let path = "fuzz"
    private var sinks: [CheckingSink] = []

    init(_ format: OutputFormat) {
        formatName = format.name
        isFolder = format.shape == .folder
    }

    func sink(named name: String?) -> any ByteSink {
        let sink = CheckingSink(Self.checker(formatName), keepsBytes: formatName == EventIR.jsonLinesName)
        sinks.append(sink)
        return sink
    }

    func commit() {}

    /// What was written, where it is kept.
    var bytes: [UInt8] { sinks.first?.bytes ?? [] }

    func finish() throws {
        for sink in sinks { try sink.check(formatName) }
    }

    private static func checker(_ formatName: String) -> (any OutputChecker)? {
        switch formatName {
        case "chrome": JSONChecker(.document)
        case EventIR.jsonLinesName: JSONChecker(.lines)
        case "csv": CSVChecker()
        case "perfetto": ProtobufChecker()
        default: nil
        }
    }
}

/// Checks an output byte by byte as it is written.
protocol OutputChecker {
    /// Takes the next byte.
    /// - Returns: false if it may not stand there.
    mutating func take(_ byte: UInt8) -> Bool
    /// Whether the output may end here.
    var isComplete: Bool { get }
    /// The bytes that would change nothing now, by value: most of an output, which a fuzzer's instruments make
    /// slow to take one by one. Nil if there are none.
    var plainBytes: UnsafePointer<Bool>? { get }
}

extension OutputChecker {
    var plainBytes: UnsafePointer<Bool>? { nil }
}

/// A table for `plainBytes`: ASCII without control characters and `others`.
func plainByteTable(without others: String) -> UnsafePointer<Bool> {
    let table = UnsafeMutablePointer<Bool>.allocate(capacity: 256)
    for byte in UInt8.min...UInt8.max {
        table[Int(byte)] = (0x20..<0x7f).contains(byte) && !others.utf8.contains(byte)
    }
    return UnsafePointer(table)
}

private final class CheckingSink: ByteSink {
    private var checker: (any OutputChecker)?
    private let keepsBytes: Bool
    private(set) var bytes: [UInt8] = []
    private var count = 0
    /// The first byte that was wrong, and what stood before it.
    private var defect: String?

    init(_ checker: (any OutputChecker)?, keepsBytes: Bool) {
        self.checker = checker
        self.keepsBytes = keepsBytes
    }

    func write(_ more: UnsafeRawBufferPointer) {
        if keepsBytes { bytes += more }
        guard let checker, defect == nil else { return }
        self.checker = examine(more, checker)
    }

    func finish() {}

    func check(_ formatName: String) throws {
        if let defect { throw Violation("\(formatName): \(defect)") }
        try expect(checker?.isComplete ?? true, "\(formatName): the output is not complete")
    }

    /// Generic, so that the checker is opened once a write and not once a byte.
    private func examine<Checker: OutputChecker>(_ more: UnsafeRawBufferPointer, _ checker: Checker) -> Checker {
        var checker = checker
        var index = 0
        while index < more.count {
            if let plain = checker.plainBytes {
                while index < more.count, plain[Int(more[index])] { index += 1 }
                if index == more.count { break }
            }
            guard checker.take(more[index]) else {
                let before = String(decoding: more[max(0, index - 150)...index], as: UTF8.self)
                defect = "byte \(count + index) is wrong, the last one of: \(before)"
                break
            }
            index += 1
        }
        count += more.count
        return checker
    }
}
