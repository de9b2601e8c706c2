import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Recordings of one run by three tools: every dump and snapshot is found in its phase, and agrees.
@Suite struct ThreeToolsTests {
    private static let sets: [String] = {
        guard let traces = Corpus.traceFolder else { return [] }
        let folder = traces.deletingLastPathComponent().appendingPathComponent("delve")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.map { folder.appendingPathComponent($0).path }.filter {
            FileManager.default.fileExists(atPath: $0 + "/alignment.json")
        }.sorted()
    }()

    private struct Truth: Decodable {
        struct Anchor: Decodable {
            var trace_time: Int64
        }
        var anchors: [String: Anchor]
    }

    @Test(arguments: sets)
    func everySnapshotIsFoundInItsPhase(_ set: String) throws {
        let truth = try JSONDecoder().decode(
            Truth.self, from: Data(contentsOf: URL(fileURLWithPath: set + "/alignment.json")))
        var count = 0
        for phase in ["A", "B", "C"] {
            guard let dumps = truth.anchors["\(phase)-dumps"]?.trace_time,
                let halt = truth.anchors["\(phase)-snapshot"]?.trace_time,
                let resumed = truth.anchors["\(phase)-resumed"]?.trace_time
            else { continue }
            for form in ["debug0.pb.gz", "debug1.txt", "debug2.txt"] {
                try check("dumps/goroutine.\(phase).\(form)", of: set, in: dumps...halt)
                count += 1
            }
            let number = ["A": "01", "B": "02", "C": "03"][phase]!
            let listing = "rpc/\(number)-phase-\(phase)/list-goroutines.response.json"
            guard FileManager.default.fileExists(atPath: "\(set)/\(listing)") else { continue }
            try check(listing, of: set, in: halt...resumed)
            count += 1
        }
        #expect(count >= 6)
    }

    private func check(_ file: String, of set: String, in phase: ClosedRange<Int64>) throws {
        let result = try SnapshotAgreement.check(["\(set)/trace.out", "\(set)/\(file)"])
        for snapshot in result.agreements {
            #expect(phase.contains(snapshot.alignment.timeNanoseconds), "\(file)")
            #expect(snapshot.agreement.differences.isEmpty, "\(file)")
            #expect(snapshot.agreement.comparedCount > 50, "\(file)")
        }
        #expect(result.agreements.count == 1)
    }
}
