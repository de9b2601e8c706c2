import Synchronization

/// Elements that are only ever added: one thread at a time adds, and any may look up meanwhile, without a lock. It finds
/// what another has added if the index came from that one in a way that orders memory.
@frozen public struct GrowingArray<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline let elements: Atomic<UnsafeMutablePointer<Element>>
    @usableFromInline let storedCount = Atomic(0)
    /// What only those that add look at.
    @usableFromInline let growth: HeapValue<Growth>

    @usableFromInline struct Growth {
        @usableFromInline var capacity = 256
        /// Former places of the elements, smaller than the present one together: another thread may be looking there.
        @usableFromInline var retired: [UnsafeMutablePointer<Element>] = []
    }

    public init() {
        let growth = Growth()
        elements = Atomic(.allocate(capacity: growth.capacity))
        self.growth = HeapValue(growth)
    }

    deinit {
        elements.load(ordering: .relaxed).deallocate()
        for place in growth.pointer.pointee.retired { place.deallocate() }
    }

    @inlinable public var count: Int { storedCount.load(ordering: .acquiring) }

    /// - Precondition: the index is below `count`.
    @inlinable public subscript(index: Int) -> Element { elements.load(ordering: .acquiring)[index] }

    /// - Precondition: no other thread adds.
    public func append(_ element: Element) {
        let count = storedCount.load(ordering: .relaxed)
        if count == growth.pointer.pointee.capacity { grow() }
        (elements.load(ordering: .relaxed) + count).initialize(to: element)
        storedCount.store(count + 1, ordering: .releasing)
    }

    private func grow() {
        let count = growth.pointer.pointee.capacity
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: count * 2)
        let smaller = elements.load(ordering: .relaxed)
        larger.initialize(from: smaller, count: count)
        elements.store(larger, ordering: .releasing)
        growth.pointer.pointee.retired.append(smaller)
        growth.pointer.pointee.capacity = count * 2
    }
}
