import Glibc
import Vestige

/// What a process of a batch says on its standard output: how far it has come, and what became of the conversion.
/// Lines of words with tabs between: `read BYTES`, and at last `done EVENTS LOSS`.
struct WorkerReport {
    private let parent: Int32

    /// - Parameter parent: the batch's process. Without that nobody wants the result any more.
    init(for parent: Int32) {
        self.parent = parent
        Self.volunteer()
    }

    func run(_ conversion: Conversion) throws(TraceError) {
        var conversion = conversion
        conversion.onProgress = { tell($0.bytesConsumed) }
        let result = try conversion.run()
        LossReport.warn(
            path: conversion.inputs[0], diagnostics: result.diagnostics, failure: result.failure,
            isEmpty: result.isInputEmpty)
        if result.isSelectionEmpty { Console.say(QueryOptions.emptyResult) }
        try Self.finish(result.eventCount, loss: Self.loss(result))
    }

    func run(_ archiving: InputArchiving) throws(TraceError) {
        var archiving = archiving
        archiving.onProgress = { done, _ in tell(done) }
        _ = try archiving.run()
        try Self.finish(0, loss: "")
    }

    private func tell(_ byteCount: UInt64) {
        if getppid() != parent {
            TemporaryFiles.unlinkAll()
            _exit(ExitStatus.interrupted.rawValue)
        }
        try? Console.write("read\t\(byteCount)\n")
    }

    private static func finish(_ eventCount: UInt64, loss: String) throws(TraceError) {
        try Console.write("done\t\(eventCount)\t\(Console.escaped(loss))\n")
    }

    /// What is not in the output, in words; empty if nothing.
    private static func loss(_ result: ConversionResult) -> String {
        var parts = result.diagnostics.nonZero.filter { $0.counter.severity == .loss }.map {
            "\($0.count) \($0.counter.meaning(of: $0.count))"
        }
        if parts.isEmpty, let failure = result.failure { parts = [failure.description] }
        return parts.joined(separator: "; ")
    }

    /// Where memory runs out, the system ends a worker rather than the batch or somebody else.
    private static func volunteer() {
        let file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "1000", 4)
        close(file)
    }
}
