import Foundation
import Testing
import VestigeFuzzTargets
import VestigeTestSupport

/// Everything that fuzzing has found, once more: without the sanitizers, which `make fuzz-replay` has.
@Suite struct FailCaseTests {
    struct FailCase: CustomTestStringConvertible {
        var target: FuzzTarget
        var path: String
        var testDescription: String { "\(target.rawValue)/\(URL(fileURLWithPath: path).lastPathComponent)" }
    }

    static let failCases = FuzzTarget.allCases.flatMap { target in
        let folder = "\(PackagePaths.root)/Fuzz/FailCases/\(target.rawValue)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().map { FailCase(target: target, path: "\(folder)/\($0)") }
    }

    @Test func thereAreSome() { #expect(!Self.failCases.isEmpty) }

    @Test(arguments: failCases) func holds(_ failCase: FailCase) throws {
        try failCase.target.run(Array(Data(contentsOf: URL(fileURLWithPath: failCase.path))))
    }

    /// What the targets of dumps check holds for the samples.
    @Test func dumpsAndProfilesHold() throws {
        for path in Samples.files(in: "goroutine-dump", suffix: ".txt") where !path.contains("/expected/") {
            try FuzzTarget.dump.run(Corpus.bytes(of: path))
        }
        for path in Samples.files(in: "goroutine-dump", suffix: ".pb.gz") {
            try FuzzTarget.pprof.run(Corpus.bytes(of: path))
        }
    }

    /// A recipe makes a trace that is sound for the most part: else it would not reach the depths it is for.
    @Test func recipesMakeTracesThatAreReadToTheEnd() throws {
        var random = SeededRandom(seed: 5)
        var (events, forced) = (0, 0 as UInt64)
        for _ in 0..<20 {
            // The version, then steps without deviations, which need the upper bits of the second byte.
            let harmless = (0..<2000).map { UInt8(random.next() % ($0.isMultiple(of: 2) ? 192 : 256)) }
            let reading = Reading(bytes: TraceRecipe.trace(of: harmless))
            #expect(reading.error == nil)
            events += reading.events.count
            forced += reading.diagnostics[.transitionsForced] + reading.diagnostics[.transitionsImpossible]
        }
        #expect(events > 2000)
        #expect(forced < UInt64(events) / 5)
    }
}
