import Foundation
import Testing
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

    @Test func infoSaysWhatIsLost() throws {
        let result = try CommandLineTool.run(["info", "--strict", PackagePaths.sample("cut")])
        #expect(result.status == 4)
        #expect(result.text.contains("lost or doubtful"))
        #expect(try CommandLineTool.run(["info", PackagePaths.sample("cut")]).status == 0)
    }
}
