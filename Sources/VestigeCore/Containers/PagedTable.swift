/// An element that knows whether its slot is in use.
public protocol PagedElement: BitwiseCopyable {
    static var vacant: Self { get }
    var isOccupied: Bool { get }
}

/// A map from ids that are handed out in sequence (goroutine numbers) to small trivial records.
///
/// Pages of 512 ids; a page with nothing alive is recycled, so memory follows what is alive and not
/// how many ids there ever were. A lookup costs two loads, where a Dictionary costs 10 ns and more.
/// Ids that no sane program has (damaged files) go to a Dictionary beside it.
///
/// Pointers to occupied elements stay valid until they are removed; memory is not given back before the
/// table is, so that a stale pointer finds a vacant element or another one, never freed memory.
@frozen public struct PagedTable<Element: PagedElement>: ~Copyable {
    @usableFromInline typealias Page = UnsafeMutablePointer<Element>

    @usableFromInline static var pageShift: Int64 { 9 }
    @usableFromInline static var pageSize: Int { 512 }
    @usableFromInline static var directoryLimit: Int { 1 << 20 }

    @usableFromInline var directory: UnsafeMutablePointer<Page?>
    @usableFromInline var directoryCount: Int
    @usableFromInline var liveCounts: UnsafeMutablePointer<Int32>
    @usableFromInline var sparePages: [Page] = []
    @usableFromInline var outliers: [Int64: Page] = [:]
    /// Kept allocated, so that a stale pointer reads a vacant element and not freed memory.
    @usableFromInline var spareOutliers: [Page] = []
    @usableFromInline var hasOutliers = false
    /// `directoryCount`, or 0 where there are outliers: what lies in pages can then not be told at once.
    @usableFromInline var pagedCount = 64
    @usableFromInline var pageCount = 0
    @usableFromInline var liveTotal = 0
    /// The page in which nothing is left since last; no other page in use is empty. Of tasks, say, there are often
    /// none between two.
    @usableFromInline var emptyPage = -1
    /// Pages in use, of 512 elements each.
    @inlinable public var pagesInUse: Int { pageCount }
    /// How many elements are occupied.
    @inlinable public var count: Int { liveTotal }

    @inlinable public init() {
        directoryCount = 64
        directory = .allocate(capacity: 64)
        directory.initialize(repeating: nil, count: 64)
        liveCounts = .allocate(capacity: 64)
        liveCounts.initialize(repeating: 0, count: 64)
    }

    @inlinable deinit {
        for index in 0..<directoryCount { directory[index]?.deallocate() }
        for page in sparePages { page.deallocate() }
        for element in outliers.values { element.deallocate() }
        for element in spareOutliers { element.deallocate() }
        directory.deallocate()
        liveCounts.deallocate()
    }

    /// The occupied element of an id, or nil.
    ///
    /// Changes nothing; `mutating` keeps the compiler from copying the table's fields for every call.
    @inlinable @inline(__always) public mutating func find(_ id: Int64) -> UnsafeMutablePointer<Element>? {
        guard let element = slot(id), element.pointee.isOccupied else { return nil }
        return element
    }

    /// The element of an id, which may be vacant; nil where nothing near it is occupied. For callers that
    /// look at a field which a vacant element does not have.
    @inlinable @inline(__always) public mutating func slot(_ id: Int64) -> UnsafeMutablePointer<Element>? {
        if hasOutliers, let outlier = findOutlier(id) { return outlier }
        return slot(id, directoryCount)
    }

    /// The same for a loop that can call nothing: nil as well where the table is not in order.
    @inlinable @inline(__always) public mutating func pagedSlot(_ id: Int64) -> UnsafeMutablePointer<Element>? {
        slot(id, pagedCount)
    }

    /// The occupied element of an id; nil as well where the table is not in order.
    @inlinable @inline(__always) public mutating func pagedFind(_ id: Int64) -> UnsafeMutablePointer<Element>? {
        guard let element = pagedSlot(id), element.pointee.isOccupied else { return nil }
        return element
    }

    @inlinable @inline(__always)
    mutating func slot(_ id: Int64, _ count: Int) -> UnsafeMutablePointer<Element>? {
        let page = Int(truncatingIfNeeded: id >> Self.pageShift)
        guard UInt(bitPattern: page) < UInt(bitPattern: count), let elements = directory[page] else { return nil }
        let index = Int(truncatingIfNeeded: id & Int64(Self.pageSize - 1))
        // No overflow check: the index is below 512.
        return (UnsafeMutableRawPointer(elements) + index &* MemoryLayout<Element>.stride)
            .assumingMemoryBound(to: Element.self)
    }

    @inlinable @inline(never) func findOutlier(_ id: Int64) -> UnsafeMutablePointer<Element>? { outliers[id] }

    /// Ids that lie so far apart that pages would be nearly empty, which only damaged and hostile files
    /// have, must not cost a page each.
    @inlinable func isTooSparse() -> Bool { pageCount > 1024 && liveTotal - outliers.count < pageCount * 4 }

    /// Occupies the slot of an id, which must be vacant, with `element`.
    @inlinable @discardableResult
    public mutating func insert(_ id: Int64, _ element: Element) -> UnsafeMutablePointer<Element> {
        precondition(element.isOccupied)
        liveTotal += 1
        let page = Int(truncatingIfNeeded: id >> Self.pageShift)
        guard page >= 0, page < Self.directoryLimit else { return insertOutlier(id, element) }
        if page >= directoryCount { growDirectory(toHold: page) }
        if directory[page] == nil {
            if isTooSparse() { return insertOutlier(id, element) }
            directory[page] = makePage()
            pageCount += 1
        }
        let slot = directory[page]! + Int(id & Int64(Self.pageSize - 1))
        precondition(!slot.pointee.isOccupied)
        slot.pointee = element
        liveCounts[page] += 1
        return slot
    }

    /// Occupies the slot of an id where its page is in use already; calls nothing.
    /// - Returns: false, and has changed nothing, if that takes more.
    @inlinable @inline(__always) public mutating func insertWithinPage(_ id: Int64, _ element: Element) -> Bool {
        guard let slot = pagedSlot(id), !slot.pointee.isOccupied else { return false }
        slot.pointee = element
        liveTotal &+= 1
        liveCounts[Int(truncatingIfNeeded: id >> Self.pageShift)] &+= 1
        return true
    }

    /// Vacates the slot of an id where its page stays in use; calls nothing.
    /// - Returns: false, and has changed nothing, if that takes more.
    @inlinable @inline(__always) public mutating func removeWithinPage(_ id: Int64) -> Bool {
        guard let slot = pagedFind(id) else { return false }
        let page = Int(truncatingIfNeeded: id >> Self.pageShift)
        guard liveCounts[page] > 1 || page == emptyPage else { return false }
        slot.pointee = .vacant
        liveTotal &-= 1
        liveCounts[page] &-= 1
        return true
    }

    /// Vacates the slot of an id, if it is occupied.
    @inlinable public mutating func remove(_ id: Int64) {
        guard let slot = find(id) else { return }
        liveTotal -= 1
        slot.pointee = .vacant
        if hasOutliers, let outlier = outliers.removeValue(forKey: id) {
            spareOutliers.append(outlier)
            return
        }
        let page = Int(truncatingIfNeeded: id >> Self.pageShift)
        liveCounts[page] -= 1
        if liveCounts[page] == 0, page != emptyPage {
            recycleEmptyPage()
            emptyPage = page
        }
    }

    @inlinable mutating func recycleEmptyPage() {
        guard emptyPage >= 0, liveCounts[emptyPage] == 0 else { return }
        sparePages.append(directory[emptyPage]!)
        directory[emptyPage] = nil
        pageCount -= 1
    }

    /// Calls `body` with every occupied element, in order of id (outliers last).
    /// `body` must neither insert nor remove.
    @inlinable public func forEach(_ body: (Int64, UnsafeMutablePointer<Element>) -> Void) {
        for page in 0..<directoryCount {
            guard let elements = directory[page] else { continue }
            for index in 0..<Self.pageSize where elements[index].isOccupied {
                body(Int64(page) << Self.pageShift | Int64(index), elements + index)
            }
        }
        for id in outliers.keys.sorted() { body(id, outliers[id]!) }
    }

    @inlinable mutating func makePage() -> Page {
        // A recycled page is all vacant: its last element was vacated when it was removed.
        if let page = sparePages.popLast() { return page }
        let page = Page.allocate(capacity: Self.pageSize)
        page.initialize(repeating: .vacant, count: Self.pageSize)
        return page
    }

    @inlinable mutating func insertOutlier(_ id: Int64, _ element: Element) -> Page {
        precondition(outliers[id] == nil)
        let slot = spareOutliers.popLast() ?? Page.allocate(capacity: 1)
        slot.initialize(to: element)
        outliers[id] = slot
        hasOutliers = true
        pagedCount = 0
        return slot
    }

    @inlinable mutating func growDirectory(toHold page: Int) {
        let newCount = min(Self.directoryLimit, max(page + 1, directoryCount * 2))
        let newDirectory = UnsafeMutablePointer<Page?>.allocate(capacity: newCount)
        newDirectory.initialize(from: directory, count: directoryCount)
        (newDirectory + directoryCount).initialize(repeating: nil, count: newCount - directoryCount)
        let newCounts = UnsafeMutablePointer<Int32>.allocate(capacity: newCount)
        newCounts.initialize(from: liveCounts, count: directoryCount)
        (newCounts + directoryCount).initialize(repeating: 0, count: newCount - directoryCount)
        directory.deallocate()
        liveCounts.deallocate()
        (directory, liveCounts, directoryCount) = (newDirectory, newCounts, newCount)
        pagedCount = hasOutliers ? 0 : newCount
    }
}
