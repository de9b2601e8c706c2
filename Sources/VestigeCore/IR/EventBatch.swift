/// A preallocated, reused array of events. Its contents are valid until the next read into it;
/// whoever wants to keep an event copies it.
public struct EventBatch: ~Copyable {
    /// Room for this many events. 8,192 events are 512 KiB, which stays in the second-level cache.
    public let capacity: Int
    public private(set) var count = 0
    @usableFromInline let storage: UnsafeMutablePointer<Event>

    public static let defaultCapacity = 8192

    /// - Precondition: `capacity` is at least 8, since one record of an input can become several events.
    public init(capacity: Int = EventBatch.defaultCapacity) {
        precondition(capacity >= 8)
        self.capacity = capacity
        storage = .allocate(capacity: capacity)
    }

    deinit { storage.deallocate() }

    /// The events; valid until the batch is changed.
    @inlinable public var events: UnsafeBufferPointer<Event> { UnsafeBufferPointer(start: storage, count: count) }

    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var room: Int { capacity - count }

    public mutating func removeAll() { count = 0 }

    /// Appends one event. Hot loops use `fill`.
    /// - Precondition: there is room.
    public mutating func append(_ event: Event) {
        precondition(count < capacity)
        storage[count] = event
        count += 1
    }

    /// Hands out the free part of the storage; `body` writes from its start and returns how many
    /// events it wrote.
    public mutating func fill<Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Event>) throws(Failure) -> Int
    ) throws(Failure) {
        let written = try body(UnsafeMutableBufferPointer(start: storage + count, count: capacity - count))
        precondition(written >= 0 && written <= capacity - count)
        count += written
    }
}
