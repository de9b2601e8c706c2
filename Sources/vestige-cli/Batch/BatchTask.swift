import Glibc
import Vestige

/// One output of a batch, to be made from one input.
struct BatchTask {
    let input: String
    /// Bytes, for progress.
    let inputSize: UInt64
    /// What is held against the time before to know whether the input has changed; empty if it is not there.
    let inputState: String
    let format: OutputFormat
    /// Empty for a format that writes nothing.
    let output: String
    let plan: OutputPlan

    var place: OutputPlace { plan.place }

    /// What of the past is about this task.
    var key: String { [input, format.name, output].joined(separator: "\u{0}") }

    /// Whether the output is there.
    var hasOutput: Bool { output.isEmpty || access(output, F_OK) == 0 }

    /// What the output is now: an output that was changed by somebody else is not overwritten.
    var outputState: String {
        guard case .file(let path) = place else { return "" }
        return FileState.sizeAndTime(path) ?? ""
    }
}

/// What became of a task.
struct BatchOutcome: Equatable {
    enum Result: String {
        case done
        /// Done, but something of the input is not in the output.
        case partial
        case failed
    }

    var result: Result
    var eventCount: UInt64 = 0
    /// What is lost, in words.
    var loss = ""
    var milliseconds: Int64 = 0
    /// Why it failed, or the first warning.
    var message = ""
}

/// What tells whether a file is the same as before.
enum FileState {
    /// Size and time of the last change; nil if it is not there.
    static func sizeAndTime(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }

    static func size(_ path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(max(0, status.st_size)) : 0
    }

    /// SHA-256 of the content.
    /// - Throws: `unreadable`.
    static func checksum(_ path: String) throws(TraceError) -> String {
        let sink = ChecksumSink()
        try ByteSource.openPlain(path).copy(to: sink)
        return "sha256 \(ArchiveListCommand.hex(sink.sum.finish()))"
    }

    private final class ChecksumSink: ByteSink {
        let sum = SHA256Sum()
        func write(_ bytes: UnsafeRawBufferPointer) { sum.update(bytes) }
        func finish() {}
    }
}
