import Foundation
import Testing
import VestigeFuzzTargets
import VestigeTestSupport

/// The small inputs of the Delve corpus and damaged forms of them through the fuzz target, without a fuzzer.
@Suite(.enabled(if: Corpus.shared != nil)) struct DelveTargetTests {
    @Test func smallInputsHold() throws {
        let base = Corpus.shared!.appendingPathComponent("corpus/delve/go1.27-dlv1.27")
        let folders = [
            "cli/phase-B", "lifecycle", "rpc/02-phase-B/groups", "ancestors", "core-truncated/at-13-percent",
        ]
        var random = SeededRandom(seed: 3)
        var count = 0
        for folder in folders {
            let place = base.appendingPathComponent(folder)
            for name in try FileManager.default.contentsOfDirectory(atPath: place.path).sorted() {
                let path = place.appendingPathComponent(name)
                guard Samples.size(path.path) < 6000, var bytes = try? Array(Data(contentsOf: path)) else { continue }
                try FuzzTarget.delve.run(bytes)
                random.damage(&bytes)
                try FuzzTarget.delve.run(bytes)
                count += 1
            }
        }
        #expect(count > 30)
    }
}
