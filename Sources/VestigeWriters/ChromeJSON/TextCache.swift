import VestigeCore

/// Pieces of text that were written lately, by number, so that they are copied and not made again.
///
/// Memory is limited: when it is full, all are forgotten.
struct TextCache: ~Copyable {
    /// By number: offset and length in `bytes`, or 0.
    private var places: [UInt64] = []
    private let bytes: UnsafeMutablePointer<UInt8>
    private let byteLimit: Int
    private var byteCount = 0

    init(byteLimit: Int) {
        self.byteLimit = byteLimit
        // Pages that are never written to cost no memory.
        bytes = .allocate(capacity: byteLimit)
    }

    deinit { bytes.deallocate() }

    /// The piece of this number, valid until the next is kept; nil if it is not here.
    func find(_ number: UInt32) -> UnsafeBufferPointer<UInt8>? {
        let index = Int(number)
        guard index < places.count, places[index] != 0 else { return nil }
        let place = places[index]
        return UnsafeBufferPointer(start: bytes + Int(place >> 32), count: Int(place & 0xffff_ffff))
    }

    /// Keeps a piece, which must not be empty, unless it is longer than all of the memory.
    mutating func keep(_ piece: UnsafeBufferPointer<UInt8>, as number: UInt32) {
        guard let source = piece.baseAddress, piece.count <= byteLimit else { return }
        if byteCount + piece.count > byteLimit {
            byteCount = 0
            places.removeAll(keepingCapacity: true)
        }
        let index = Int(number)
        if index >= places.count { places.append(contentsOf: repeatElement(0, count: index + 1 - places.count)) }
        places[index] = UInt64(byteCount) << 32 | UInt64(piece.count)
        (bytes + byteCount).update(from: source, count: piece.count)
        byteCount += piece.count
    }
}
