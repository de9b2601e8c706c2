import VestigeCore

/// Regions, tasks or ranges by their name. Memory follows how many names there are.
public struct NameStatistics: ~Copyable {
    public struct Row: Sendable {
        public let name: StringID
        /// Of those whose begin and end the recording holds.
        public fileprivate(set) var durations = Distribution()
        /// How many had begun before the recording, or lost their begin.
        public fileprivate(set) var beganBeforeCount: UInt64 = 0
        /// How many were open at the end.
        public fileprivate(set) var openCount: UInt64 = 0
    }

    public private(set) var rows: [Row] = []
    private let kind: LifelineKind
    private var indices: [StringID: Int] = [:]

    public init(_ kind: LifelineKind) { self.kind = kind }

    public mutating func add(_ span: LifelineSpan) {
        guard span.kind == kind else { return }
        let index = indices[span.name] ?? addRow(span.name)
        let (beganBefore, isOpen) = (span.flags.contains(.beganBefore), span.flags.contains(.isOpen))
        if beganBefore { rows[index].beganBeforeCount &+= 1 }
        if isOpen { rows[index].openCount &+= 1 }
        if !beganBefore, !isOpen { rows[index].durations.add(span.durationNanoseconds) }
    }

    private mutating func addRow(_ name: StringID) -> Int {
        rows.append(Row(name: name))
        indices[name] = rows.count - 1
        return rows.count - 1
    }
}
