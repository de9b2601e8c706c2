import Glibc

/// Memory for one batch, with room behind it that may be read: an event that is cut runs over the end
/// by at most `WireLimit.eventBytes`, and a varint that has no end moves by `beyond`, which is past
/// any batch's end. What lies there is zero, so nothing runs on from there.
enum BatchBuffer {
    static let beyond = Int(WireLimit.batchBytes) + WireLimit.eventBytes

    /// Zeroed lazily by the system: only the pages that batches fill cost memory.
    static func allocate() -> UnsafeMutablePointer<UInt8> {
        let size = 2 * beyond + WireLimit.eventBytes
        guard let memory = calloc(size, 1) else { fatalError("out of memory for a buffer of \(size) bytes") }
        return memory.assumingMemoryBound(to: UInt8.self)
    }

    static func free(_ buffer: UnsafeMutablePointer<UInt8>) { Glibc.free(buffer) }
}
