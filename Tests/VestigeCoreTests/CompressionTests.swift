import Testing
import VestigeTestSupport

@testable import VestigeCore

/// What the compressing sinks write, the decompressing streams read: whole, in parts, several in a
/// row, and cut anywhere.
@Suite struct CompressionTests {
    enum Method: CaseIterable, Sendable {
        case gzip, zstd

        func compress(_ bytes: [UInt8]) throws -> [UInt8] {
            let memory = MemorySink()
            let sink: any ByteSink = self == .gzip ? GzipSink(memory) : ZstdSink(memory)
            // In pieces, since that is how writers write.
            for start in stride(from: 0, to: bytes.count, by: 100_000) {
                try bytes[start..<min(start + 100_000, bytes.count)].withUnsafeBytes { try sink.write($0) }
            }
            try sink.finish()
            return memory.bytes
        }

        func stream(_ bytes: [UInt8]) -> any ByteStream {
            let memory = MemoryStream(bytes)
            return self == .gzip ? ZlibStream(memory, path: "x") : ZstdStream(memory, path: "x")
        }
    }

    /// Bytes that compress to about a half, the same in every run.
    private static func content(_ count: Int) -> [UInt8] {
        var state: UInt32 = 7
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 28)
        }
    }

    /// What a stream gives before it ends or throws.
    private static func readAll(_ stream: any ByteStream, step: Int) -> (bytes: [UInt8], error: TraceError?) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: step)
        do {
            while true {
                let count = try buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
                if count == 0 { return (bytes, nil) }
                bytes += buffer[..<count]
            }
        } catch {
            return (bytes, error as? TraceError)
        }
    }

    @Test(arguments: Method.allCases, [0, 1, 1000, 300_000])
    func roundTrip(_ method: Method, _ count: Int) throws {
        let content = Self.content(count)
        let compressed = try method.compress(content)
        for step in [1 << 20, 4096] + (count <= 1000 ? [1] : []) {
            let (bytes, error) = Self.readAll(method.stream(compressed), step: step)
            #expect(bytes == content)
            #expect(error == nil)
        }
    }

    @Test(arguments: Method.allCases)
    func severalInARow(_ method: Method) throws {
        let content = Self.content(5000)
        let compressed = try method.compress(content)
        let (bytes, error) = Self.readAll(method.stream(compressed + compressed), step: 700)
        #expect(bytes == content + content)
        #expect(error == nil)
    }

    @Test(arguments: Method.allCases)
    func cutAnywhere(_ method: Method) throws {
        let content = Self.content(2000)
        let compressed = try method.compress(content)
        for length in 1..<compressed.count {
            let (bytes, error) = Self.readAll(method.stream(Array(compressed[..<length])), step: 512)
            #expect(content.starts(with: bytes))
            #expect(error?.code == .truncated, "cut at \(length)")
        }
    }

    @Test(arguments: Method.allCases)
    func damageNeverPassesForContent(_ method: Method) throws {
        let content = Self.content(2000)
        let compressed = try method.compress(content)
        for index in compressed.indices {
            var damaged = compressed
            damaged[index] ^= 0x10
            let (bytes, error) = Self.readAll(method.stream(damaged), step: 512)
            // Some header bits change nothing that is read (gzip's name of the system, its time).
            #expect(error != nil || bytes == content, "bit in byte \(index)")
        }
    }

    /// What was decompressed before a cut is all there is then, however far a reader looks ahead.
    @Test(arguments: Method.allCases, Method.allCases)
    func sourceEndsAtTheDamage(_ outer: Method, _ inner: Method) throws {
        let content = Self.content(400_000)
        let packed = try outer.compress(inner.compress(content))
        let folder = try TemporaryFolder()
        try folder.write(packed[..<(packed.count * 3 / 4)], to: "cut")
        let source = try ByteSource.open(folder.file("cut"))
        let end = try source.endOffset()
        #expect(end > 0 && end < 400_000)
        #expect(source.size == end)
        #expect(source.damage?.code == .truncated)
        var buffer = [UInt8](repeating: 0, count: content.count)
        let count = try buffer.withUnsafeMutableBytes { try source.read(at: 0, into: $0) }
        #expect(count == Int(end))
        #expect(content.starts(with: buffer[..<count]))
        #expect(try buffer.withUnsafeMutableBytes { try source.read(at: end, into: $0) } == 0)
    }

    @Test(arguments: Method.allCases, Method.allCases)
    func peelingFindsTheContentWithinBoth(_ outer: Method, _ inner: Method) throws {
        let content = Self.content(10_000)
        let packed = try outer.compress(inner.compress(content))
        let folder = try TemporaryFolder()
        try folder.write(packed, to: "packed")
        let source = try ByteSource.open(folder.file("packed"))
        var buffer = [UInt8](repeating: 0, count: content.count + 1)
        let count = try buffer.withUnsafeMutableBytes { try source.read(at: 0, into: $0) }
        #expect(Array(buffer[..<count]) == content)
        #expect(source.fileSize == UInt64(packed.count))
        #expect(source.damage == nil)
    }
}
