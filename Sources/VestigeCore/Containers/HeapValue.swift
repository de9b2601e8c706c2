/// A value in memory of its own, for state that a class changes often: whoever goes through the pointer
/// pays for no check of exclusive access, which a class's own `var` costs each time (1.4 ns).
///
/// It shares no cache line with anything else: beside an object whose references another thread counts, Chrome JSON
/// took a quarter longer to write.
///
/// The pointer is valid as long as this lives.
@frozen public struct HeapValue<Value: ~Copyable>: ~Copyable {
    public let pointer: UnsafeMutablePointer<Value>

    @inlinable public init(_ value: consuming Value) {
        let lineBytes = 64
        let byteCount = (MemoryLayout<Value>.size + lineBytes - 1) & ~(lineBytes - 1)
        pointer = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, lineBytes), alignment: lineBytes)
            .bindMemory(to: Value.self, capacity: 1)
        pointer.initialize(to: value)
    }

    @inlinable deinit {
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }
}

/// A `HeapValue` with an owner that may be shared, or made later than what holds it.
public final class HeapBox<Value: ~Copyable> {
    private let value: HeapValue<Value>
    public var pointer: UnsafeMutablePointer<Value> { value.pointer }

    public init(_ value: consuming Value) { self.value = HeapValue(value) }
}
