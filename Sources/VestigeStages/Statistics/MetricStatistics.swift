import VestigeCore

/// Metrics by their name.
public struct MetricStatistics: ~Copyable {
    public struct Row: Sendable {
        public let name: StringID
        public fileprivate(set) var count: UInt64 = 0
        public fileprivate(set) var first: UInt64 = 0
        public fileprivate(set) var last: UInt64 = 0
        public fileprivate(set) var least = UInt64.max
        public fileprivate(set) var greatest: UInt64 = 0
    }

    public private(set) var rows: [Row] = []

    public init() {}

    public mutating func add(_ events: UnsafeBufferPointer<Event>) {
        for event in events where event.kind == .metric { add(event) }
    }

    /// The runtime knows three names; a search among few is faster than a Dictionary.
    private mutating func add(_ event: Event) {
        let value = event.value
        let index = rows.firstIndex { $0.name == event.name } ?? addRow(event.name, value)
        // The value that it had before a time window counts, but is no change.
        if !event.isSynthetic { rows[index].count &+= 1 }
        rows[index].last = value
        rows[index].least = min(rows[index].least, value)
        rows[index].greatest = max(rows[index].greatest, value)
    }

    private mutating func addRow(_ name: StringID, _ value: UInt64) -> Int {
        rows.append(Row(name: name, first: value))
        return rows.count - 1
    }
}
