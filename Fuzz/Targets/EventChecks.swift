import Vestige

/// What must hold for every event that a reader delivers.
struct EventChecks {
    let allowsEqualTimes: Bool
    private var lastTime: Int64?

    init(allowsEqualTimes: Bool) { self.allowsEqualTimes = allowsEqualTimes }

    mutating func check(_ events: UnsafeBufferPointer<Event>, _ tables: TraceTables) throws {
        for event in events {
            try checkTime(event)
            try Self.checkReferences(event, tables)
            try Self.checkDetail(event)
        }
    }

    private mutating func checkTime(_ event: Event) throws {
        let time = event.timeNanoseconds
        if let lastTime {
            // The payloads of an experiment share the time of the sync event they follow.
            let mayStandStill = allowsEqualTimes || event.kind == .experimentalBatch
            try expect(time > lastTime || mayStandStill && time == lastTime, "time \(time) follows \(lastTime)")
        }
        lastTime = time
    }

    /// Every id an event holds was handed out.
    private static func checkReferences(_ event: Event, _ tables: TraceTables) throws {
        func string(_ id: StringID) throws {
            try expect(id.rawValue < tables.strings.count, "\(event.kind): string \(id.rawValue) does not exist")
        }
        func stack(_ id: StackID) throws {
            try expect(id.rawValue < tables.stacks.count, "\(event.kind): stack \(id.rawValue) does not exist")
        }
        try string(event.name)
        try stack(event.stack)
        try expect(Int(event.source) < tables.sources.count, "source \(event.source) does not exist")
        switch event.kind {
        case .goroutineTransition, .procTransition: try stack(event.transitionStack)
        case .log: try string(event.message)
        case .experimentalBatch: try string(event.payload)
        case .experimental:
            let index = event.experimentalShapeIndex
            try expect(tables.experimentalShapes.indices.contains(index), "shape \(index) does not exist")
        case .sync:
            let index = event.clockSnapshotIndex
            try expect(
                index.map(tables.clockSnapshots.indices.contains) ?? true, "clock snapshot \(index!) does not exist")
        default: break
        }
    }

    /// The packed fields name states and scopes that there are.
    private static func checkDetail(_ event: Event) throws {
        let (low, high) = (UInt8(event.detail & 15), UInt8(event.detail >> 4 & 15))
        switch event.kind {
        case .goroutineTransition:
            let areStates = GoroutineState(rawValue: low) != nil && GoroutineState(rawValue: high) != nil
            try expect(areStates, "goroutine states \(low) and \(high)")
        case .procTransition:
            try expect(
                ProcState(rawValue: low) != nil && ProcState(rawValue: high) != nil, "proc states \(low), \(high)")
        case .rangeBegin, .rangeActive, .rangeEnd, .label:
            try expect(VestigeCore.Scope(rawValue: low) != nil && event.attributeCount <= 2, "scope \(low)")
        default: break
        }
    }
}
