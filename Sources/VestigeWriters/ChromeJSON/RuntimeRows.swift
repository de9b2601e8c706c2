import VestigeCore

/// The rows of the process Runtime, and what is open on them.
struct RuntimeRows {
    private var collection = SliceStack.empty
    private var stopTheWorld = SliceStack.empty
    private var isCollectionUsed = false
    private var isStopTheWorldUsed = false
    private var isEventsUsed = false

    private static let collectionRow = ChromeRow.numbered(0, in: .runtime)
    private static let stopTheWorldRow = ChromeRow.numbered(1, in: .runtime)
    private static let eventsRow = ChromeRow.numbered(2, in: .runtime)

    /// Concurrent mark phases, and other ranges of the whole program.
    mutating func withCollection(_ body: (ChromeRow, inout SliceStack) -> Void) {
        isCollectionUsed = true
        body(Self.collectionRow, &collection)
    }

    mutating func withStopTheWorld(_ body: (ChromeRow, inout SliceStack) -> Void) {
        isStopTheWorldUsed = true
        body(Self.stopTheWorldRow, &stopTheWorld)
    }

    /// Instants that belong to no goroutine and no proc.
    var events: ChromeRow {
        mutating get {
            isEventsUsed = true
            return Self.eventsRow
        }
    }

    mutating func forEach(_ body: (ChromeRow, inout SliceStack, StaticString, Bool) -> Void) {
        body(Self.collectionRow, &collection, "GC", isCollectionUsed)
        body(Self.stopTheWorldRow, &stopTheWorld, "Stop the world", isStopTheWorldUsed)
        var none = SliceStack.empty
        body(Self.eventsRow, &none, "Events", isEventsUsed)
    }
}
