import Foundation
import Testing
import VestigeTestSupport

/// A conversion that is stopped half-way leaves nothing under the output's name.
@Suite struct InterruptionTests {
    /// Starts a conversion whose input stays open after its first part, waits until it has begun to
    /// write, and sends it a signal.
    /// - Returns: how it ended, and the names in the folder of the output afterwards.
    private func interrupt(_ format: [String], with signal: Int32) throws -> (end: ProcessEnd, names: [String]) {
        let exchange = try TemporaryFolder()
        let folder = try TemporaryFolder()
        let fifo = exchange.file("in")
        try #require(mkfifo(fifo, 0o600) == 0)
        // For reading and writing: opening does not wait for the other side.
        let descriptor = open(fifo, O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        let trace = try Data(contentsOf: URL(fileURLWithPath: PackagePaths.sample("generations")))
        let part = trace.prefix(trace.count * 2 / 3)
        try #require(part.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == part.count)
        let process = try CommandLineTool.start(
            CommandLineTool.path, ["convert", "-", "-o"] + format, in: folder.path, input: fifo,
            output: exchange.file("out"), errors: exchange.file("err"))
        let deadline = Date(timeIntervalSinceNow: 30)
        while folder.names.isEmpty, Date() < deadline { usleep(5000) }
        #expect(!folder.names.isEmpty, "the conversion never began to write")
        kill(process, signal)
        return (CommandLineTool.end(of: process), folder.names)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func interruptedFileIsGone(_ signal: Int32) throws {
        let (end, names) = try interrupt(["out.jsonl"], with: signal)
        #expect(end == .exit(128 + signal))
        #expect(names.isEmpty)
    }

    @Test func interruptedFolderIsGone() throws {
        let (end, names) = try interrupt(["tables", "--to", "csv"], with: SIGINT)
        #expect(end == .exit(130))
        #expect(names.isEmpty)
    }

    @Test(arguments: [["out.jsonl"], ["tables", "--to", "csv"]])
    func killedProcessLeavesNothingUnderTheName(_ format: [String]) throws {
        let (end, names) = try interrupt(format, with: SIGKILL)
        #expect(end == .signal(SIGKILL))
        #expect(!names.contains(format[0]))
    }
}
