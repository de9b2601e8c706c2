import VestigeCore

/// What stands before a block's payload: enough to find its content again without an index.
/// See `Schemas/archive-format.md`, "Block".
struct BlockHeader {
    static let magic: [UInt8] = Array("VBLK".utf8)
    static let fixedLength = 48
    /// A header has at most as many bytes.
    static let mostLength: UInt32 = 4 << 20
    /// A block holds at most as many bytes of entries, so that reading one takes bounded memory.
    static let mostRaw = 32 << 20
    static let mostPayload: UInt64 = 256 << 20

    /// A run of an entry's bytes.
    struct Segment {
        enum Method: UInt64 {
            /// As it is, in the column of stored bytes.
            case stored = 0
            /// Split into columns by the model of Go's traces.
            case model = 1
        }

        var entry: UInt64
        var name: String
        /// Size of the whole entry, and this segment's offset in it.
        var entrySize: UInt64
        var offset: UInt64
        var length: Int
        var method: Method
        /// True for the carry of the generation that begins at `offset`, which is no part of the entry's bytes.
        var isCarry = false

        /// The method as it is written.
        fileprivate var code: UInt64 { method.rawValue | (isCarry ? Self.carryBit : 0) }
        fileprivate static let carryBit: UInt64 = 2
    }

    var segments: [Segment]
    var payloadSize: UInt64
    /// XXH64 of the payload, and of all segments' bytes one after the other.
    var payloadSum: UInt64
    var contentSum: UInt64
    /// Length of the header itself.
    private(set) var length = 0

    var rawSize: Int { segments.reduce(0) { $0 + $1.length } }

    init(segments: [Segment], payload: UnsafeRawBufferPointer, contentSum: UInt64) {
        self.segments = segments
        payloadSize = UInt64(payload.count)
        payloadSum = XXHash.sum(payload)
        self.contentSum = contentSum
    }

    /// Appends the header as it is written at an offset of the archive.
    mutating func append(to output: inout ByteColumn, at offset: UInt64) {
        var table = ByteColumn()
        defer { table.free() }
        table.appendVarint(UInt64(segments.count))
        for segment in segments {
            table.appendVarint(segment.entry)
            table.append(string: segment.name)
            table.appendVarint(segment.entrySize)
            table.appendVarint(segment.offset)
            table.appendVarint(UInt64(segment.length))
            table.appendVarint(segment.code)
        }
        let start = output.count
        length = Self.fixedLength + table.count
        Self.magic.withUnsafeBytes { output.append($0) }
        output.append(fixed: UInt32(length))
        output.append(fixed: payloadSize)
        output.append(fixed: UInt64(rawSize))
        output.append(fixed: payloadSum)
        output.append(fixed: contentSum)
        let sum = Self.sum(UnsafeRawBufferPointer(rebasing: output.bytes[start..<start + 40]), table.bytes, offset)
        output.append(fixed: sum)
        output.append(table.bytes)
    }

    /// XXH64 of the parts before and behind the sum itself. The seed is the block's offset, so that an archive
    /// which is an entry of another is not taken for a part of that one.
    private static func sum(_ fixed: UnsafeRawBufferPointer, _ table: UnsafeRawBufferPointer, _ offset: UInt64)
        -> UInt64
    {
        XXHash.sum(table, seed: XXHash.sum(fixed, seed: offset))
    }

    /// The length that a header claims, from its first bytes; nil if it is none.
    static func claimedLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= fixedLength, bytes.starts(with: magic) else { return nil }
        let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        return length >= fixedLength && length <= mostLength ? Int(length) : nil
    }

    /// - Parameters:
    ///   - bytes: the whole header.
    ///   - offset: where in the archive it is.
    /// - Returns: nil if it is damaged.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) {
        guard Self.claimedLength(bytes) == bytes.count else { return nil }
        var input = ByteColumn(reading: bytes)
        _ = input.next(8)
        guard let payloadSize = input.nextUInt64(), let rawSize = input.nextUInt64(),
            let payloadSum = input.nextUInt64(), let contentSum = input.nextUInt64(), let sum = input.nextUInt64(),
            payloadSize <= Self.mostPayload, rawSize <= UInt64(Self.mostRaw),
            sum
                == Self.sum(
                    UnsafeRawBufferPointer(rebasing: bytes[..<40]),
                    UnsafeRawBufferPointer(rebasing: bytes[Self.fixedLength...]), offset),
            let segments = Self.readSegments(&input), input.isRead
        else { return nil }
        self.segments = segments
        self.payloadSize = payloadSize
        self.payloadSum = payloadSum
        self.contentSum = contentSum
        length = bytes.count
        guard self.rawSize == Int(rawSize) else { return nil }
    }

    private static func readSegments(_ input: inout ByteColumn) -> [Segment]? {
        guard let count = input.nextVarint(), count <= UInt64(input.count) else { return nil }
        var segments: [Segment] = []
        var sum = 0
        for _ in 0..<count {
            guard let entry = input.nextVarint(), let name = input.nextString(limit: EntryName.mostBytes),
                let entrySize = input.nextVarint(), let offset = input.nextVarint(), let length = input.nextVarint(),
                length <= UInt64(mostRaw - sum),
                let code = input.nextVarint(), let method = Segment.Method(rawValue: code & ~Segment.carryBit)
            else { return nil }
            sum += Int(length)
            segments.append(
                Segment(
                    entry: entry, name: name, entrySize: entrySize, offset: offset, length: Int(length),
                    method: method, isCarry: code & Segment.carryBit != 0))
        }
        return segments
    }
}
