import Foundation
import Testing
import VestigeTestSupport

@testable import VestigeArchive

/// Any bytes come back from the columns as they went in.
@Suite struct SegmentTests {
    private static func traceBytes() throws -> [UInt8] {
        try [UInt8](Data(contentsOf: Samples.folder.appendingPathComponent("gotrace-v2/orders/orders.trace")))
    }

    @Test func samplesAreModelled() throws {
        let trace = try Self.traceBytes()
        let coded = try #require(CodedSegment(trace))
        #expect(coded.decoded == trace)
        #expect(coded.facts.batchCount > 0)
        #expect(!coded.facts.goroutines.isEmpty)
    }

    @Test func randomBytesAreStored() throws {
        var random = SeededRandom(seed: 7)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...3000, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(CodedSegment(bytes)?.decoded == bytes)
        }
    }

    /// Bytes that look like batches everywhere.
    @Test func hostileBytesAreStoredSoon() throws {
        for pattern: [UInt8] in [[1], [1, 1], [1, 1, 1, 1, 0x80, 0x80, 4], [1, 1, 1, 1, 3, 16, 0]] {
            let bytes = [UInt8]((0..<(1 << 20) / pattern.count).map { _ in pattern }.joined())
            #expect(CodedSegment(bytes)?.decoded == bytes)
        }
    }

    @Test func damagedTracesComeBackDamaged() throws {
        let trace = try Self.traceBytes()
        var random = SeededRandom(seed: 11)
        for _ in 0..<300 {
            var bytes = trace
            for _ in 0...Int.random(in: 0...5, using: &random) { random.damage(&bytes) }
            let coded = try #require(CodedSegment(bytes))
            #expect(coded.decoded == bytes)
        }
    }

    /// A decoder takes nothing on trust: whatever columns it is given, it says no or gives the size asked for.
    @Test func damagedColumnsDoNoHarm() throws {
        let trace = try Self.traceBytes()
        var random = SeededRandom(seed: 13)
        for _ in 0..<300 {
            let coded = try #require(CodedSegment(trace))
            coded.damage(&random)
            _ = coded.decoded
        }
    }

    @Test func segmentsShareColumns() throws {
        let trace = try Self.traceBytes()
        let columns = ColumnSet()
        var encoder = SegmentEncoder(columns: columns)
        for _ in 0..<3 { #expect(CodedSegment.append(trace, to: &encoder)) }
        var decoder = SegmentDecoder(columns: columns)
        for _ in 0..<3 { #expect(CodedSegment.decode(trace.count, with: &decoder) == trace) }
        #expect(columns.isRead)
    }
}

/// A segment in columns.
private final class CodedSegment {
    let columns = ColumnSet()
    let facts: SegmentFacts
    private let count: Int

    init?(_ bytes: [UInt8]) {
        count = bytes.count
        var encoder = SegmentEncoder(columns: columns)
        let isEncoded = Self.append(bytes, to: &encoder)
        facts = encoder.facts
        guard isEncoded else { return nil }
    }

    static func append(_ bytes: [UInt8], to encoder: inout SegmentEncoder) -> Bool {
        var padded = bytes + [UInt8](repeating: 0, count: ModelEvent.longestEvent)
        return padded.withUnsafeMutableBufferPointer {
            encoder.append(UnsafeMutableBufferPointer(rebasing: $0[..<bytes.count]))
        }
    }

    static func decode(_ count: Int, with decoder: inout SegmentDecoder) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: count + ModelEvent.longestEvent)
        let isDecoded = output.withUnsafeMutableBufferPointer {
            decoder.decode(into: UnsafeMutableBufferPointer(rebasing: $0[..<count]))
        }
        return isDecoded ? Array(output[..<count]) : nil
    }

    var decoded: [UInt8]? {
        var decoder = SegmentDecoder(columns: columns)
        return Self.decode(count, with: &decoder)
    }

    /// Changes bytes of some columns.
    func damage(_ random: inout SeededRandom) {
        let present = (0..<ColumnID.count).filter { columns.columns[$0].count > 0 }
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let id = present.randomElement(using: &random)!
            let column = columns.columns[id]
            column.base![Int.random(in: 0..<column.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
        }
    }
}
