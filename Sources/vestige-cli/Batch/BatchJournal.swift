import Glibc
import Vestige

/// What a batch has done, kept in the folder of its outputs so that one which was stopped goes on where it was.
///
/// Lines of fields with tabs between, appended one after the other: `begin` before an output may appear, `end` when
/// it is there. A line that a crash has cut counts for nothing. The folder is locked while the journal is open.
final class BatchJournal {
    static let name = ".vestige-batch"
    private static let heading = "vestige batch 1"

    struct Record: Equatable {
        var inputState: String
        var options: String
        var outputState: String
        var outcome: BatchOutcome
    }

    /// What became of tasks, by their keys.
    private(set) var records: [String: Record] = [:]
    /// Outputs that are the batch's own, also half done ones.
    private(set) var owned: Set<String> = []
    private let folder: String
    private let lock: Int32
    /// Locked, by workers too: those of a batch that was killed may still be on their way out.
    private(set) var file: Int32 = -1
    private var path: String { "\(folder)/\(Self.name)" }

    /// - Throws: `usage` if another batch is at work in the folder or the journal is something else;
    ///   `outputFailed` if it cannot be written.
    init(in folder: String) throws(TraceError) {
        self.folder = folder
        try FolderPath.make(folder)
        lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            if lock < 0 { throw failure() }
            close(lock)
            throw TraceError(.usage, file: folder, expected: "a folder that no other batch writes into", found: "one")
        }
        try load()
    }

    deinit {
        if file >= 0 { close(file) }
        if lock >= 0 { close(lock) }
    }

    func begin(_ task: BatchTask) throws(TraceError) {
        if task.output.isEmpty { return }
        try begin(output: task.output)
    }

    func begin(output: String) throws(TraceError) {
        owned.insert(output)
        try append(["begin", output])
    }

    func end(key: String, _ record: Record) throws(TraceError) {
        records[key] = record
        try append(Self.fields(key, record))
    }

    /// What tells whether tasks are done as they were: a checksum over their records.
    func state(of keys: [String]) -> String {
        let sum = SHA256Sum()
        for key in keys {
            guard let record = records[key] else { continue }
            var line = Self.line(Self.fields(key, record))
            line.withUTF8 { sum.update(UnsafeRawBufferPointer($0)) }
        }
        return ArchiveListCommand.hex(sum.finish())
    }

    /// Forgets what later lines have replaced.
    func compact() throws(TraceError) {
        let output = try OutputFile(path, overwrites: true)
        let buffer = TextBuffer(output.sink)
        defer { buffer.deallocate() }
        buffer.append(Self.line([Self.heading]))
        for output in owned.sorted() where access(output, F_OK) == 0 { buffer.append(Self.line(["begin", output])) }
        for (key, record) in records.sorted(by: { $0.key < $1.key }) {
            buffer.append(Self.line(Self.fields(key, record)))
            try buffer.flushIfNeeded()
        }
        try buffer.flush()
        try output.commit()
    }

    // MARK: - Lines

    private func load() throws(TraceError) {
        file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw failure() }
        try waitForWorkers()
        let bytes = try InputFiles.bytes(path)
        // What comes behind the last line break was cut.
        let byteCount = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let lines = bytes[..<byteCount].split(separator: UInt8(ascii: "\n"))
        guard (lines.first ?? bytes[...]).elementsEqual(Self.heading.utf8) || Self.heading.utf8.starts(with: bytes)
        else {
            throw TraceError(.usage, file: path, expected: "what a batch has left there", found: "another file")
        }
        guard ftruncate(file, off_t(byteCount)) == 0 else { throw failure() }
        if byteCount == 0 { return try append([Self.heading]) }
        for line in lines.dropFirst() {
            take(String(decoding: line, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false))
        }
    }

    private func waitForWorkers() throws(TraceError) {
        for _ in 0..<600 {
            if flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return }
            usleep(100_000)
        }
        throw TraceError(
            .usage, file: folder, expected: "the processes of an earlier batch to end", found: "one that still works")
    }

    private func take(_ fields: [Substring]) {
        let fields = fields.map { Self.unescaped($0) }
        if fields.count == 2, fields[0] == "begin" { owned.insert(fields[1]) }
        guard fields.count == 10, fields[0] == "end", let result = BatchOutcome.Result(rawValue: fields[5]),
            let events = UInt64(fields[6]), let milliseconds = Int64(fields[8])
        else { return }
        records[fields[1]] = Record(
            inputState: fields[2], options: fields[3], outputState: fields[4],
            outcome: BatchOutcome(
                result: result, eventCount: events, loss: fields[7], milliseconds: milliseconds, message: fields[9]))
    }

    private static func fields(_ key: String, _ record: Record) -> [String] {
        let outcome = record.outcome
        return [
            "end", key, record.inputState, record.options, record.outputState, outcome.result.rawValue,
            String(outcome.eventCount), outcome.loss, String(outcome.milliseconds), outcome.message,
        ]
    }

    private func append(_ fields: [String]) throws(TraceError) {
        let bytes = Array(Self.line(fields).utf8)
        // A short write leaves a line that is cut, which the next run drops.
        guard write(file, bytes, bytes.count) == bytes.count else { throw failure() }
    }

    private static func line(_ fields: [String]) -> String { fields.map(escaped).joined(separator: "\t") + "\n" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\t": result += "\\t"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\u{0}": result += "\\0"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func unescaped(_ text: Substring) -> String {
        var result = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                let known: [Unicode.Scalar: Unicode.Scalar] = ["t": "\t", "n": "\n", "r": "\r", "0": "\u{0}"]
                result.append(known[scalar] ?? scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    private func failure() -> TraceError {
        TraceError(.outputFailed, file: path, expected: "room and permission to write", found: systemErrorText())
    }
}
