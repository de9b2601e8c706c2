import VestigeCore

/// The header of one batch, and where its payload is.
struct BatchHeader {
    var generation: UInt64
    var thread: ThreadID
    /// Start time in clock ticks.
    var ticks: UInt64
    /// Offset of the batch itself, and of its payload.
    var offset: UInt64
    var payloadOffset: UInt64
    var size: Int
    /// 0 for an ordinary batch.
    var experiment: UInt8
    /// Type of the first event in the payload, which tells what kind of batch it is; 0 if empty.
    var firstEvent: UInt8
}

/// Finds the batches of a trace by their headers alone, without reading what is in them.
struct BatchScanner: ~Copyable {
    enum Item {
        case batch(BatchHeader)
        /// Go ≥ 1.26: a single byte between batches.
        case endOfGeneration
        /// The header of a trace in the middle of the file: traces were concatenated.
        case header(version: Int)
        case end
    }

    private let source: ByteSource
    private(set) var offset: UInt64
    private let window = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    private var windowOffset: UInt64 = 0
    private var windowCount = 0

    /// Longest batch header: type, experiment, four varints, first byte of the payload.
    private static let headerBytes = 43

    init(source: ByteSource, offset: UInt64) {
        self.source = source
        self.offset = offset
    }

    deinit { window.deallocate() }

    /// Reads the next header and moves behind its payload.
    /// - Throws: `truncated` where the file ends within a batch, `damaged` where there is no batch;
    ///   `offset` then stays at the offending byte.
    mutating func next() throws(TraceError) -> Item {
        let bytes = try look(Self.headerBytes)
        guard let type = bytes.first else { return .end }
        if type == WireEvent.endOfGeneration {
            offset += 1
            return .endOfGeneration
        }
        if type == UInt8(ascii: "g"), let version = GoTraceHeader.version(bytes) {
            offset += UInt64(GoTraceHeader.length)
            return .header(version: version)
        }
        guard type == WireEvent.eventBatch || type == WireEvent.experimentalBatch else {
            throw source.error(
                .damaged, at: offset, expected: "a batch (byte 1 or 49)", found: "byte \(type)")
        }
        let header = try parse(bytes, isExperimental: type == WireEvent.experimentalBatch)
        try requirePayload(header)
        offset = header.payloadOffset + UInt64(header.size)
        return .batch(header)
    }

    /// Moves on to the next place where a batch can begin, after damage.
    mutating func skip(to offset: UInt64) { self.offset = offset }

    private mutating func parse(
        _ bytes: UnsafeRawBufferPointer, isExperimental: Bool
    ) throws(TraceError) -> BatchHeader {
        var position = isExperimental ? 2 : 1
        let generation = try field("batch generation", bytes, &position)
        let thread = try field("batch thread", bytes, &position)
        let ticks = try field("batch time", bytes, &position)
        let size = try field("batch size", bytes, &position)
        guard size <= WireLimit.batchBytes else {
            throw source.error(
                .damaged, at: offset, context: ["batch header"],
                expected: "a batch of at most \(WireLimit.batchBytes) bytes", found: "\(size) bytes")
        }
        guard generation != 0 else {
            throw source.error(
                .damaged, at: offset, context: ["batch header"], expected: "a generation number from 1",
                found: "0")
        }
        return BatchHeader(
            generation: generation, thread: ThreadID(Int64(bitPattern: thread)), ticks: ticks, offset: offset,
            payloadOffset: offset + UInt64(position), size: Int(size), experiment: isExperimental ? bytes[1] : 0,
            firstEvent: size > 0 && position < bytes.count ? bytes[position] : 0)
    }

    private func field(
        _ name: String, _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(TraceError) -> UInt64 {
        if let value = Varint.read(bytes, at: &position) { return value }
        if bytes.count < Self.headerBytes, !bytes[min(position, bytes.count)...].contains(where: { $0 < 0x80 }) {
            throw source.error(
                .truncated, at: offset + UInt64(bytes.count), context: [name], expected: "the rest of a batch header",
                found: "the end of the file")
        }
        throw source.error(
            .damaged, at: offset + UInt64(position), context: [name],
            expected: "a varint of at most 10 bytes and 64 bits", found: "a longer one")
    }

    /// Makes sure that the payload is there, by reading its last byte.
    private func requirePayload(_ header: BatchHeader) throws(TraceError) {
        guard header.size > 0 else { return }
        let end = header.payloadOffset + UInt64(header.size)
        if let size = source.size, end <= size { return }
        var last: UInt8 = 0
        let count = try withUnsafeMutableBytes(of: &last) { buffer throws(TraceError) in
            try source.read(at: end - 1, into: buffer)
        }
        guard count == 1 else {
            let available = (source.size ?? header.payloadOffset) - min(header.payloadOffset, source.size ?? 0)
            throw source.error(
                .truncated, at: source.size, context: ["batch of thread \(header.thread.rawValue) at byte \(header.offset)"],
                expected: "\(header.size) bytes of payload", found: "\(available)")
        }
    }

    /// Up to `count` bytes from `offset` on.
    private mutating func look(_ count: Int) throws(TraceError) -> UnsafeRawBufferPointer {
        if offset < windowOffset || offset + UInt64(count) > windowOffset + UInt64(windowCount) {
            windowOffset = offset
            windowCount = try source.read(at: offset, into: window)
        }
        let start = Int(offset - windowOffset)
        return UnsafeRawBufferPointer(rebasing: window[start..<min(start + count, windowCount)])
    }
}
