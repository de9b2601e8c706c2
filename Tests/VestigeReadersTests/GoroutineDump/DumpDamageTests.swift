import Vestige
import VestigeTestSupport
import XCTest

/// Cuts at every byte and damage by the thousand. In XCTest, since Swift Testing captures a backtrace for
/// every error thrown, which makes tens of thousands of them slow.
final class DumpDamageTests: XCTestCase {
    private static let texts = ["labels-1.27", "log", "leak-debug1-1.27", "quit-1.27"].map { name in
        "\(PackagePaths.samples)/goroutine-dump/\(name)/\(name).txt"
    }
    private static let profiles = ["profile-1.27", "leak-profile-1.27"].map { name in
        "\(PackagePaths.samples)/goroutine-dump/\(name)/\(name).pb.gz"
    }

    func testTextCutAtEveryByteGivesEventsOrAnError() throws {
        for path in Self.texts {
            let bytes = Array(try Corpus.bytes(of: path).prefix(6000))
            var (most, lossless) = (0, 0)
            for length in 0..<bytes.count {
                let reading = Reading(bytes: Array(bytes[..<length]), format: GoroutineDumpFormat.format)
                XCTAssert(!reading.events.isEmpty || reading.error != nil, "\(path) cut to \(length)")
                if !reading.events.isEmpty, !reading.diagnostics.hasLoss { lossless += 1 }
                most = max(most, reading.events.count)
            }
            XCTAssertGreaterThan(most, 3)
            // A cut at the end of a goroutine, or in what an address or offset is made of, cannot be seen.
            XCTAssertLessThan(lossless, bytes.count / 3, path)
        }
    }

    func testProfileCutAtEveryByteGivesEventsOrAnError() throws {
        for path in Self.profiles {
            let bytes = try Corpus.bytes(of: path)
            let whole = Reading(bytes: bytes, format: ProfileFormat.format)
            XCTAssertNil(whole.error)
            for length in 0..<bytes.count {
                let reading = Reading(bytes: Array(bytes[..<length]), format: ProfileFormat.format)
                XCTAssert(!reading.events.isEmpty || reading.error != nil, "\(path) cut to \(length)")
                let isWhole = reading.error == nil && !reading.diagnostics.hasLoss
                if isWhole { XCTAssertEqual(reading.events.count, whole.events.count, "\(path) cut to \(length)") }
            }
        }
    }

    /// Seeded, so that a failure can be repeated; the seed is in the message.
    func testDamageNeverCrashes() throws {
        let inputs =
            try Self.texts.map { (GoroutineDumpFormat.format, try Corpus.bytes(of: $0)) }
            + Self.profiles.map { (ProfileFormat.format, try Corpus.bytes(of: $0)) }
        for (format, bytes) in inputs {
            for seed in UInt64(1)...4 {
                var random = SeededRandom(seed: seed)
                for round in 0..<200 {
                    var damaged = bytes
                    for _ in 0...Int(random.next() % 4) { random.damage(&damaged) }
                    let reading = Reading(bytes: damaged, format: format)
                    let place = "\(format.name) seed \(seed) round \(round)"
                    XCTAssert(!reading.events.isEmpty || reading.error != nil, place)
                    let times = reading.events.map(\.timeNanoseconds)
                    XCTAssert(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 }, place)
                }
            }
        }
    }
}
