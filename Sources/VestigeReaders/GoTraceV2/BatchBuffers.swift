import Glibc

/// Memory for batches, one for each thread. Behind each is room that may be read: an event that is cut runs
/// over the end by at most `WireLimit.eventBytes`, and a varint that has no end moves by `beyond`, which is
/// past any batch's end. What lies there is zero, so nothing runs on from there.
///
/// Mapped, so that only the pages that batches fill cost memory: `calloc` writes zeros itself when it takes
/// memory from the heap, and a damaged file can have very many threads.
struct BatchBuffers: ~Copyable {
    static let beyond = Int(WireLimit.batchBytes) + WireLimit.eventBytes

    /// A buffer with its room, in whole pages.
    private static let stride = (2 * beyond + WireLimit.eventBytes + 4095) & ~4095
    private static let buffersPerMapping = 16
    private static let mappingSize = stride * buffersPerMapping

    private var mappings: [UnsafeMutableRawPointer] = []
    /// How many buffers of the last mapping are in use.
    private var usedCount = BatchBuffers.buffersPerMapping

    deinit {
        for mapping in mappings { munmap(mapping, Self.mappingSize) }
    }

    /// A buffer of zeros, valid as long as this is.
    mutating func allocate() -> UnsafeMutablePointer<UInt8> {
        if usedCount == Self.buffersPerMapping {
            mappings.append(Self.map())
            usedCount = 0
        }
        let buffer = mappings.last! + usedCount * Self.stride
        usedCount += 1
        return buffer.bindMemory(to: UInt8.self, capacity: Self.stride)
    }

    private static func map() -> UnsafeMutableRawPointer {
        let protection = PROT_READ | PROT_WRITE
        guard let memory = mmap(nil, mappingSize, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memory != MAP_FAILED
        else { fatalError("out of memory for buffers of \(mappingSize) bytes") }
        return memory
    }
}
