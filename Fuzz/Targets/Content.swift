import Vestige

/// What an input holds and how it ends, as numbers that can be compared.
struct Content: Equatable {
    private(set) var size: UInt64 = 0
    private(set) var hash: UInt64 = 14_695_981_039_346_656_037
    private(set) var isDamaged = false

    init(_ source: ByteSource, step: Int, limit: UInt64) {
        var buffer = [UInt8](repeating: 0, count: step)
        do throws(TraceError) {
            while size < limit {
                let count = try Self.read(source, at: size, into: &buffer)
                if count == 0 { return }
                Self.add(buffer[..<count], to: &hash)
                size += UInt64(count)
                source.discard(before: size)
            }
        } catch {
            isDamaged = true
        }
    }

    static func hash(_ bytes: [UInt8]) -> UInt64 {
        var hash: UInt64 = 14_695_981_039_346_656_037
        add(bytes[...], to: &hash)
        return hash
    }

    private static func add(_ bytes: ArraySlice<UInt8>, to hash: inout UInt64) {
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
    }

    private static func read(
        _ source: ByteSource, at offset: UInt64, into buffer: inout [UInt8]
    ) throws(TraceError) -> Int {
        var result = Result<Int, TraceError>.success(0)
        buffer.withUnsafeMutableBytes { bytes in
            do throws(TraceError) { result = .success(try source.read(at: offset, into: bytes)) } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }
}
