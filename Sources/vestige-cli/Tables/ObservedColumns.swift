import Vestige

/// What tables show of goroutines that dumps and debuggers saw.
enum ObservedColumns {
    /// A row is an event of kind `observed`: a goroutine, or a group of alike ones.
    static func ofGoroutines(_ tables: @escaping () -> TraceTables) -> [ReportColumn<Event>] {
        func detail(_ event: Event) -> ObservationDetail { tables().observations.detail(event.observationDetail) }
        var places = Places()
        return [
            ReportColumn("goroutine", "id") { $0.goroutine == .absent ? .none : .number($0.goroutine.rawValue) },
            ReportColumn("count", "count", .ifItFits) { .unsigned($0.observedCount) },
            ReportColumn("function", "function", isText: true) { event in
                // Where the outer frames are left out, nobody knows.
                let (elided, depth) = (detail(event), tables().stacks.node(event.stack).depth)
                if elided.elidedFrameCount != 0, elided.elidedAfter == 0 || elided.elidedAfter >= Int64(depth) {
                    return .none
                }
                return .text(tables().strings.string(tables().startFunction(of: event.stack)))
            },
            ReportColumn("created_by", "by") { event in
                let creator = detail(event).creation.goroutine
                return creator == .absent ? .none : .number(creator.rawValue)
            },
            ReportColumn("created_at", "at", .ifItFits, isText: true) { event in
                let stack = detail(event).creation.stack
                return stack == .absent ? .none : .text(tables().text(of: tables().stacks.node(stack).frame))
            },
            ReportColumn("state", "state") { .text("\($0.toGoroutineState.name)") },
            ReportColumn("reason", "reason", isText: true) { .text(tables().strings.string($0.name)) },
            ReportColumn("waited_ns", "waited") { waited($0.leastWaitNanoseconds) },
            ReportColumn("minutes", "minutes", .machines) { detail($0).minutes.map(ReportValue.number) ?? .none },
            ReportColumn("leaked", "leaked", .ifItFits) { .flag(detail($0).flags.contains(.leaked)) },
            ReportColumn("place", "place", isText: true) { event in
                let number = places.number(of: event.stack, tables())
                return .text(tables().text(of: places.frame(number)))
            },
            ReportColumn("stack", "stack", .machines, isText: true) { .text(tables().text(of: $0.stack)) },
            ReportColumn("time_ns", "time", .machines) { .nanoseconds($0.timeNanoseconds) },
            ReportColumn("source", "source", .machines) { .unsigned(UInt64($0.source)) },
        ]
    }

    static func ofStacks(_ tables: @escaping () -> TraceTables) -> [ReportColumn<ObservedStacks.Row>] {
        [
            ReportColumn("goroutines", "goroutines") { .unsigned($0.count) },
            ReportColumn("state", "state") { .text("\($0.state.name)") },
            ReportColumn("reason", "reason", isText: true) { .text(tables().strings.string($0.reason)) },
            ReportColumn("waited_ns", "waited") { waited($0.longestWaitNanoseconds) },
            ReportColumn("stack", "stack", isText: true) { .text(tables().text(of: $0.stack)) },
        ]
    }

    /// How long it had waited at least; none where the observer does not say.
    private static func waited(_ nanoseconds: UInt64) -> ReportValue {
        nanoseconds == 0 ? .none : .nanoseconds(Int64(clamping: nanoseconds))
    }
}
