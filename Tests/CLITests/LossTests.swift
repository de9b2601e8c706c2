import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// A recording that is cut: as much as can be read is written, and what is lost is said.
@Suite struct LossTests {
    private func convertCut(_ options: [String]) throws -> (CommandResult, TemporaryFolder) {
        let folder = try TemporaryFolder()
        let arguments = ["convert", PackagePaths.sample("cut"), "-o", folder.file("cut.jsonl")]
        return (try CommandLineTool.run(arguments + options), folder)
    }

    @Test(arguments: [([], 0), (["--strict"], 4), (["-q"], 0), (["-q", "--strict"], 4)] as [([String], Int32)])
    func cutRecording(_ options: [String], _ status: Int32) throws {
        let (result, folder) = try convertCut(options)
        #expect(result.status == status)
        #expect(result.errors.contains("warning: "))
        #expect(result.errors.contains("bytes could not be read"))
        #expect(result.errors.contains("what came before was kept"))
        let lines = try folder.text("cut.jsonl").split(separator: "\n")
        #expect(lines.count > 100)
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
    }

    @Test func wholeRecordingIsNoLoss() throws {
        let result = try CommandLineTool.run([
            "convert", PackagePaths.sample("generations"), "--to", "null", "--strict",
        ])
        #expect(result.status == 0)
        #expect(!result.errors.contains("warning"))
    }

    /// What Go leaves when a process is killed before its first events reach the file.
    @Test func headerWithoutEventsIsReadWithAWarning() throws {
        let folder = try TemporaryFolder()
        try folder.write("go 1.26 trace\0\0\0".utf8, to: "in.trace")
        let result = try CommandLineTool.run(["convert", "in.trace", "-o", "out.jsonl"], in: folder.path)
        #expect(result.status == 0)
        #expect(result.errors.contains("warning: in.trace: holds no events"))
        #expect(folder.names == ["in.trace", "out.jsonl"])
    }

    /// From the first byte behind the header up to the first event.
    @Test(arguments: ["gotrace-v2/orders/orders.trace", "gotrace-v1/workshop/workshop.trace"])
    func cutBeforeTheFirstEvent(_ sample: String) throws {
        let folder = try TemporaryFolder()
        let trace = try Data(contentsOf: URL(fileURLWithPath: "\(PackagePaths.samples)/\(sample)"))
        for length in [17, 20] {
            try folder.write(trace.prefix(length), to: "in.trace")
            let arguments = ["convert", "-f", "in.trace", "-o", "out.jsonl"]
            let result = try CommandLineTool.run(arguments, in: folder.path)
            #expect(result.status == 0)
            #expect(result.errors.contains("no event comes before"))
            #expect(try folder.text("out.jsonl").hasPrefix("{\"kind\":\"Header\""))
            #expect(try CommandLineTool.run(arguments + ["--strict"], in: folder.path).status == 4)
            #expect(try CommandLineTool.run(["info", "in.trace"], in: folder.path).status == 0)
        }
    }

    @Test func damageThatCostsAllEventsIsAFailure() throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("go 1.26 trace\0\0\0".utf8) + [UInt8](repeating: 0xee, count: 500), to: "in.trace")
        let result = try CommandLineTool.run(["convert", "in.trace", "-o", "out.jsonl"], in: folder.path)
        #expect(result.status == 3)
        #expect(folder.names == ["in.trace"])
    }

    /// A compressed recording that is cut gives what its decompressed part gives.
    @Test(arguments: ["gz", "zst"])
    func cutCompressedRecording(_ suffix: String) throws {
        let folder = try TemporaryFolder()
        // Long enough for several blocks of zstd.
        var builder = GoTraceBuilder()
        for generation in UInt64(0)..<20 {
            for batch in UInt64(0)..<2 {
                builder.batch(thread: 1, time: 1_000_000 * generation + 10_000 * batch) { events in
                    if batch == 0 {
                        events.event("ProcStatus", 0, 1)
                        events.event("GoStatus", 1, 1, 2)
                    }
                    for value in UInt64(0)..<4_000 {
                        events.event("HeapAlloc", (value &* 0x9e37_79b9 &+ generation) << 8)
                    }
                }
            }
            builder.endGeneration()
        }
        let packed = try OutputFile(folder.file("whole.\(suffix)"), overwrites: false)
        try builder.bytes.withUnsafeBytes { try packed.sink.write($0) }
        try packed.commit()
        let bytes = try folder.read("whole.\(suffix)")
        try folder.write(bytes.prefix(bytes.count / 2), to: "cut.\(suffix)")
        let source = try ByteSource.open(folder.file("cut.\(suffix)"))
        let end = try Int(source.endOffset())
        try #require(end > 100_000)
        try folder.write(builder.bytes.prefix(end), to: "cut.trace")
        let result = try CommandLineTool.shell(
            """
            vestige convert cut.\(suffix) -o packed.jsonl --strict; echo $?
            vestige convert cut.trace -q -o raw.jsonl --strict; echo $?
            cat cut.\(suffix) | vestige convert - -q -o piped.jsonl --strict; echo $?
            for f in packed raw piped; do sed '1d;$d' $f.jsonl | sha256sum; done | sort -u | wc -l
            wc -l < raw.jsonl
            """, in: folder.path)
        let lines = result.text.split(separator: "\n")
        #expect(lines.prefix(4) == ["4", "4", "4", "1"])
        #expect(try #require(Int(lines[4])) > 10_000)
        #expect(result.errors.contains("in the compressed file: expected the rest of the"))
    }

    @Test func countsAgreeWithTheirNouns() throws {
        let text = try CommandLineTool.run(["info", PackagePaths.sample("cut")]).text
        #expect(text.contains(" 1 batch could not be read, or only in part\n"))
        #expect(text.contains(" 2 bytes could not be read\n"))
        for counter in Diagnostics.Counter.allCases {
            #expect(counter.meaning(of: 1) != counter.meaning(of: 2))
        }
    }

    @Test(arguments: [[], ["--json"]])
    func infoSaysEachLossOnce(_ options: [String]) throws {
        let result = try CommandLineTool.run(["info", PackagePaths.sample("cut")] + options)
        #expect(result.errors.isEmpty)
        #expect(result.text.contains("expected 118 bytes of payload, found 85"))
    }

    @Test func infoSaysWhatIsLost() throws {
        let result = try CommandLineTool.run(["info", "--strict", PackagePaths.sample("cut")])
        #expect(result.status == 4)
        #expect(result.text.contains("lost or doubtful"))
        #expect(try CommandLineTool.run(["info", PackagePaths.sample("cut")]).status == 0)
    }
}
