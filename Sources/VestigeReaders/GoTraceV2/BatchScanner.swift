import VestigeCore

/// The header of one batch, and where its payload is.
package struct BatchHeader {
    var generation: UInt64
    var thread: ThreadID
    /// Start time in clock ticks.
    package var ticks: UInt64
    /// Offset of the batch itself, and of its payload.
    var offset: UInt64
    package var payloadOffset: UInt64
    package var size: Int
    /// 0 for an ordinary batch.
    var experiment: UInt8
    /// Type of the first event in the payload, which tells what kind of batch it is; 0 if empty.
    var firstEvent: UInt8
    /// The file ends within it; this is noted already.
    var isTorn = false
}

/// Finds the batches of a trace by their headers alone, without reading what is in them.
struct BatchScanner: ~Copyable {
    enum Item {
        case batch(BatchHeader)
        /// The file ends within the batch; its size is what there is.
        case tornBatch(BatchHeader, missing: Int)
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
    /// - Throws: `truncated` where the file ends within a header, `damaged` where there is no batch;
    ///   `offset` then stays where the batch should begin.
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
        var header = try parse(bytes)
        let missing = try missingBytes(header)
        header.size -= missing
        header.isTorn = missing > 0
        offset = header.payloadOffset + UInt64(header.size)
        return missing > 0 ? .tornBatch(header, missing: missing) : .batch(header)
    }

    /// Goes on at another place.
    mutating func move(to offset: UInt64) { self.offset = offset }

    private func parse(_ bytes: UnsafeRawBufferPointer) throws(TraceError) -> BatchHeader {
        if let header = header(bytes) { return header }
        var position = bytes.first == WireEvent.experimentalBatch ? 2 : 1
        let generation = try field("batch generation", bytes, &position)
        _ = try field("batch thread", bytes, &position)
        _ = try field("batch time", bytes, &position)
        let size = try field("batch size", bytes, &position)
        throw source.error(
            .damaged, at: offset, context: ["batch header"],
            expected: "a generation from 1 and a batch of at most \(WireLimit.batchBytes) bytes",
            found: "generation \(generation) and \(size) bytes")
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

    /// How much of the payload lies beyond the end of the file. A stream's end is found by reading.
    private func missingBytes(_ header: BatchHeader) throws(TraceError) -> Int {
        let end = header.payloadOffset + UInt64(header.size)
        if source.size == nil, header.size > 0 {
            var last: UInt8 = 0
            let count = try withUnsafeMutableBytes(of: &last) { buffer throws(TraceError) in
                try source.read(at: end - 1, into: buffer)
            }
            if count == 1 { return 0 }
        }
        guard let size = source.size, size < end else { return 0 }
        return min(header.size, Int(end - size))
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

    // MARK: - After damage

    /// What is known of the batches around damage, to tell a batch from bytes that look like one.
    struct Surroundings {
        var generation: UInt64
        var ticks: UInt64
        var version: Int
    }

    /// Looks for the next place from `start` on where batches follow each other again, and moves there.
    ///
    /// A place counts if three batches in a row begin there, or fewer up to the end of the file: their
    /// headers are sane, and their generation and time are near those before the damage.
    /// - Returns: false if there is none.
    mutating func resynchronize(from start: UInt64, near surroundings: Surroundings) throws(TraceError) -> Bool {
        offset = start
        while true {
            let bytes = try look(Self.headerBytes)
            guard let first = bytes.first else { return false }
            let canBegin =
                first == WireEvent.eventBatch || first == WireEvent.experimentalBatch
                || first == WireEvent.endOfGeneration && surroundings.version >= 26
                || first == UInt8(ascii: "g") && GoTraceHeader.version(bytes) != nil
            if canBegin, try isChain(at: offset, surroundings) { return true }
            offset += 1
        }
    }

    /// Makes no errors on the way: most places that are looked at are none.
    private mutating func isChain(at start: UInt64, _ surroundings: Surroundings) throws(TraceError) -> Bool {
        defer { offset = start }
        offset = start
        for link in 0..<3 {
            var bytes = try look(Self.headerBytes)
            while surroundings.version >= 26, bytes.first == WireEvent.endOfGeneration {
                offset += 1
                bytes = try look(Self.headerBytes)
            }
            guard !bytes.isEmpty else { return link > 0 }
            if GoTraceHeader.version(bytes) != nil { return true }
            guard let header = header(bytes), isNear(header, surroundings) else {
                // The file may end within a header.
                return link > 0 && bytes.count < Self.headerBytes && bytes[0] == WireEvent.eventBatch
            }
            offset = header.payloadOffset + UInt64(header.size)
        }
        return true
    }

    /// The header that `bytes`, at `offset`, begin with; nil if they begin with none.
    private func header(_ bytes: UnsafeRawBufferPointer) -> BatchHeader? {
        guard let type = bytes.first, type == WireEvent.eventBatch || type == WireEvent.experimentalBatch else {
            return nil
        }
        let isExperimental = type == WireEvent.experimentalBatch
        var position = isExperimental ? 2 : 1
        guard let generation = Varint.read(bytes, at: &position), generation != 0,
            let thread = Varint.read(bytes, at: &position), let ticks = Varint.read(bytes, at: &position),
            let size = Varint.read(bytes, at: &position), size <= WireLimit.batchBytes
        else { return nil }
        return BatchHeader(
            generation: generation, thread: ThreadID(Int64(bitPattern: thread)), ticks: ticks, offset: offset,
            payloadOffset: offset + UInt64(position), size: Int(size), experiment: isExperimental ? bytes[1] : 0,
            firstEvent: size > 0 && position < bytes.count ? bytes[position] : 0)
    }

    private func isNear(_ header: BatchHeader, _ surroundings: Surroundings) -> Bool {
        // A unit of the clock is 64 ns on most systems: an hour to either side.
        let distance =
            header.ticks > surroundings.ticks ? header.ticks - surroundings.ticks : surroundings.ticks - header.ticks
        let isNextGeneration = header.generation &- surroundings.generation <= 1
        return distance < 1 << 36 && isNextGeneration
            && (header.size == 0 || WireEvent.canBeginBatch(header.firstEvent))
    }
}
