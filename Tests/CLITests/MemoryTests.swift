import Foundation
import Testing
import VestigeTestSupport

/// What a small file can make the command take. Limits are many times what it needs, and a fraction of
/// what it took before.
@Suite struct MemoryTests {
    /// A buffer of full size for each thread would be 1.4 GB.
    @Test func twentyThousandThreads() throws {
        var trace = GoTraceBuilder()
        for thread in 1...20_000 as ClosedRange<UInt64> {
            trace.batch(thread: thread, time: thread) { $0.event("ProcStatus", thread, 2) }
        }
        trace.endGeneration()
        let folder = try TemporaryFolder()
        try folder.write(trace.bytes, to: "threads.trace")
        let process = try CommandLineTool.start(
            CommandLineTool.path, ["convert", "-q", "threads.trace", "--to", "null"], in: folder.path,
            input: "/dev/null", output: folder.file("out"), errors: folder.file("errors"))
        let peak = peakKilobytes(of: process)
        #expect(CommandLineTool.wait(for: process) == 0)
        #expect(try folder.text("out") == "20002 events\n")
        #expect(try folder.text("errors").isEmpty)
        #expect(peak < 400_000)
    }

    /// The most memory that a process has had when it was last looked at, which is often. What it is said
    /// to have used once it has ended includes that of whoever started it.
    private func peakKilobytes(of process: pid_t) -> Int {
        var peak = 0
        while let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        {
            peak = max(peak, line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            usleep(500)
        }
        return peak
    }
}
