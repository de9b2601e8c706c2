import VestigeCore

/// Pieces of text that were written lately, by number, so that they are copied and not made again.
///
/// Memory is limited: when it is full, all are forgotten.
struct TextCache: ~Copyable {
    private struct State {
        /// By number: offset and length in `bytes`, or 0.
        var places: [UInt64] = []
        var byteCount = 0
    }

    private let state = HeapValue(State())
    private let bytes: UnsafeMutablePointer<UInt8>
    private let byteLimit: Int

    init(byteLimit: Int) {
        self.byteLimit = byteLimit
        // Pages that are never written to cost no memory.
        bytes = .allocate(capacity: byteLimit)
    }

    deinit { bytes.deallocate() }

    /// The piece of this number, valid until the next is kept; nil if it is not here.
    func find(_ number: UInt32) -> UnsafeBufferPointer<UInt8>? {
        let (index, state) = (Int(number), state.pointer)
        guard index < state.pointee.places.count else { return nil }
        let place = state.pointee.places[index]
        guard place != 0 else { return nil }
        return UnsafeBufferPointer(start: bytes + Int(place >> 32), count: Int(place & 0xffff_ffff))
    }

    /// Keeps a piece, which must not be empty, unless it is longer than all of the memory.
    func keep(_ piece: UnsafeBufferPointer<UInt8>, as number: UInt32) {
        guard let source = piece.baseAddress, piece.count <= byteLimit else { return }
        let state = state.pointer
        if state.pointee.byteCount + piece.count > byteLimit { state.pointee = State() }
        let (index, offset) = (Int(number), state.pointee.byteCount)
        let missing = index + 1 - state.pointee.places.count
        if missing > 0 { state.pointee.places.append(contentsOf: repeatElement(0, count: missing)) }
        state.pointee.places[index] = UInt64(offset) << 32 | UInt64(piece.count)
        (bytes + offset).update(from: source, count: piece.count)
        state.pointee.byteCount = offset + piece.count
    }
}
