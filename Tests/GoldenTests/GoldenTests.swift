import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Every sample through every writer of text, compared with what it should give.
///
/// `samples/FORMAT/CASE/CASE.*` is the input; `expected/` beside it holds, for each writer, the files
/// it wrote (compressed with zstd), and what `vestige info` said. With VESTIGE_RECORD=1 in the
/// environment (`make record`) these are written anew, and the test then fails, so that nobody takes
/// a recording for a comparison.
@Suite struct GoldenTests {
    static let isRecording = ProcessInfo.processInfo.environment["VESTIGE_RECORD"] == "1"
    static let samples = Sample.all()
    static let textFormats = Formats.outputs.filter { !$0.isBinary && $0.shape != .nothing }.map(\.name)

    @Test func thereAreSamples() { #expect(Self.samples.count >= 7) }

    @Test(arguments: samples, textFormats)
    func converted(_ sample: Sample, _ format: String) throws {
        let folder = try TemporaryFolder()
        // The output is named after the input, which is run from its own folder: no path of this
        // machine gets into what is compared.
        let output = Formats.outputs.first { $0.name == format }!
        let name = output.shape == .folder ? "tables" : sample.name + output.suffix
        let result = try CommandLineTool.run(
            ["convert", "-q", sample.input, "--to", format, "-o", folder.file(name)], in: sample.folder)
        #expect(result.status == 0, "\(result.errors)")
        let place = output.shape == .folder ? folder.file(name) : folder.path
        var files: [String: Data] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: place) {
            files[file] = try Data(contentsOf: URL(fileURLWithPath: "\(place)/\(file)"))
        }
        #expect(!files.isEmpty)
        try Expectation(folder: "\(sample.folder)/expected/\(format)").check(files, isRecording: Self.isRecording)
    }

    @Test(arguments: samples)
    func info(_ sample: Sample) throws {
        let result = try CommandLineTool.run(["info", sample.input], in: sample.folder)
        #expect(result.status == 0)
        let files = ["info.txt": result.output + Data(result.errors.utf8)]
        try Expectation(folder: "\(sample.folder)/expected/info").check(files, isRecording: Self.isRecording)
    }
}
