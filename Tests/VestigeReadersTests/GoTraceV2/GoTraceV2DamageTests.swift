import Vestige
import VestigeTestSupport
import XCTest

/// Cuts at every byte and damage by the thousand. In XCTest, since Swift Testing captures a backtrace for
/// every error thrown, which makes tens of thousands of them slow.
final class GoTraceV2DamageTests: XCTestCase {
    private static let small = Samples.files(in: "gotrace-v2", suffix: ".trace").filter { Samples.size($0) < 5_100 }

    func testTruncationAtEveryByteGivesEventsOrAnError() throws {
        for path in Self.small {
            let bytes = try Corpus.bytes(of: path)
            var most = 0
            for length in 0..<bytes.count {
                let reading = Reading(bytes: Array(bytes[..<length]), format: GoTraceV2Format.format)
                let isWhole = reading.error == nil && !reading.diagnostics.hasLoss
                XCTAssert(!reading.events.isEmpty || reading.error != nil, "\(path) cut to \(length)")
                // Sync events alone are an empty trace; with more, the cut must show.
                if reading.events.count > 2 { XCTAssertFalse(isWhole, "\(path) cut to \(length)") }
                most = max(most, reading.events.count)
            }
            XCTAssertGreaterThan(most, 10)
        }
    }

    /// Seeded, so that a failure can be repeated; the seed is in the message.
    func testDamageNeverCrashes() throws {
        for path in Self.small {
            let bytes = try Corpus.bytes(of: path)
            for seed in UInt64(1)...4 {
                var random = SeededRandom(seed: seed)
                for round in 0..<250 {
                    var damaged = bytes
                    for _ in 0...Int(random.next() % 4) { random.damage(&damaged) }
                    let reading = Reading(bytes: damaged, format: GoTraceV2Format.format)
                    let place = "\(path) seed \(seed) round \(round)"
                    XCTAssert(!reading.events.isEmpty || reading.error != nil, place)
                    let times = reading.events.filter { $0.kind != .experimentalBatch }.map(\.timeNanoseconds)
                    XCTAssert(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, place)
                }
            }
        }
    }
}
