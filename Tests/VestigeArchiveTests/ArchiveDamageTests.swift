import Foundation
import Vestige
import VestigeTestSupport
import XCTest

/// What damage does: nothing wrong is delivered, and what is sound is delivered all the same.
///
/// XCTest, since thousands of errors are thrown.
final class ArchiveDamageTests: XCTestCase {
    private static let names = ["orders", "pipeline", "mutex", "generations"]

    /// An archive whose entries are in several blocks, and their content.
    private static func archive(_ folder: TemporaryFolder) throws -> (bytes: [UInt8], content: [String: [UInt8]]) {
        let path = folder.file("whole.vestige")
        let writer = ArchiveWriter.knowingFormats(level: .fast)
        var content: [String: [UInt8]] = [:]
        for (place, name) in names.enumerated() {
            let source = Samples.files(in: "gotrace-v2/\(name)", suffix: ".trace")[0]
            let input = [ArchiveInput(path: source, name: name)]
            _ = try place == 0
                ? writer.create(path, input, overwrites: true) : writer.add(path, input, overwrites: false)
            content[name] = try [UInt8](Data(contentsOf: URL(fileURLWithPath: source)))
        }
        return try ([UInt8](folder.read("whole.vestige")), content)
    }

    /// Extracts from a damaged archive.
    /// - Returns: how many entries came out; nil if it is no archive any more.
    private func check(_ bytes: [UInt8], _ content: [String: [UInt8]], _ folder: TemporaryFolder) throws -> Int? {
        try folder.write(bytes, to: "damaged.vestige")
        guard let archive = try? ArchiveFile(folder.file("damaged.vestige")) else { return nil }
        var sound = 0
        for entry in archive.entries {
            let sink = MemorySink()
            let results = try ArchiveExtraction().write(archive, [entry], to: sink)
            if results[0].errors.isEmpty {
                XCTAssertEqual(sink.bytes, content[entry.name], entry.name)
                sound += 1
            }
        }
        return sound
    }

    func testBitFlips() throws {
        let folder = try TemporaryFolder()
        let (bytes, content) = try Self.archive(folder)
        XCTAssertEqual(try check(bytes, content, folder), Self.names.count)
        var random = SeededRandom(seed: 23)
        for _ in 0..<1000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8(random.next() % 8)
            let sound = try check(damaged, content, folder)
            XCTAssertGreaterThanOrEqual(sound ?? 0, Self.names.count - 1, "a flipped bit costs one block")
        }
    }

    func testTruncation() throws {
        let folder = try TemporaryFolder()
        let (bytes, content) = try Self.archive(folder)
        var random = SeededRandom(seed: 29)
        var best = 0
        for _ in 0..<1000 {
            let length = Int.random(in: 0..<bytes.count, using: &random)
            best = max(best, try check(Array(bytes[..<length]), content, folder) ?? 0)
        }
        XCTAssertGreaterThan(best, 2, "what comes before the cut is found again without the index")
    }

    func testGarbage() throws {
        let folder = try TemporaryFolder()
        let (bytes, content) = try Self.archive(folder)
        var random = SeededRandom(seed: 31)
        for _ in 0..<500 {
            var damaged = bytes
            for _ in 0...Int.random(in: 0...3, using: &random) { random.damage(&damaged) }
            _ = try check(damaged, content, folder)
        }
    }

    /// An add that dies anywhere: the archive is what it was.
    func testDyingAdds() throws {
        let folder = try TemporaryFolder()
        let (bytes, content) = try Self.archive(folder)
        let old = folder.file("old.vestige")
        try folder.write(bytes, to: "old.vestige")
        let extra = Samples.files(in: "gotrace-v2/gc", suffix: ".trace")[0]
        let writer = ArchiveWriter.knowingFormats(level: .fast)
        _ = try writer.add(old, [ArchiveInput(path: extra, name: "gc")], overwrites: false)
        let after = try [UInt8](folder.read("old.vestige"))
        // Everything before the header's slot has come to the disk, in part.
        for length in stride(from: bytes.count, through: after.count, by: max(1, (after.count - bytes.count) / 200)) {
            let torn = Array(bytes[..<bytes.count]) + after[bytes.count..<length]
            XCTAssertEqual(try check(torn, content, folder), Self.names.count)
            // And the slot itself in part.
            var slot = torn
            let written = (0..<128).filter { after[$0] != bytes[$0] }
            for place in written.prefix(written.count / 2) { slot[place] = after[place] }
            XCTAssertEqual(try check(slot, content, folder), Self.names.count)
        }
    }
}
