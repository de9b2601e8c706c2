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
        let result = try CommandLineTool.run(["convert", "-q", "threads.trace", "--to", "null"], in: folder.path)
        #expect(result.status == 0)
        #expect(result.text == "20002 events\n")
        #expect(result.errors.isEmpty)
        #expect(result.peakBytes < 400_000_000)
    }
}
