import VestigeCore

// Regions of goroutines, and ranges of the runtime.
extension ChromePart {
    func beginRegion(_ event: Event) {
        guard event.goroutine != .absent else { return }
        let row = goroutines.record(event.goroutine)
        guard views.contains(.regions) else { return }
        row.pointee.uses.insert(.regions)
        nested.push(OpenSlice(.region, event, at: now), on: &row.pointee.open)
    }

    func endRegion(_ event: Event) {
        guard event.goroutine != .absent else { return }
        let row = goroutines.record(event.goroutine)
        guard views.contains(.regions) else { return }
        row.pointee.uses.insert(.regions)
        end(
            OpenSlice(.region, event.name, event.task.rawValue, at: row.pointee.earliestNanoseconds),
            in: &row.pointee.open, of: row.pointee.row.second, event)
    }

    func beginRange(_ event: Event) {
        withStack(of: event) { _, _, open in
            guard !nested.contains(.range, event.name, event.argument0, in: open) else { return }
            nested.push(OpenSlice(.range, event, at: now), on: &open)
        }
    }

    func endRange(_ event: Event) {
        withStack(of: event) { row, earliest, open in
            let range = OpenSlice(.range, event.name, event.argument0, at: earliest, goroutine: event.goroutine)
            end(range, in: &open, of: row, event)
        }
    }

    /// Hands the row on which a range stands to `body`, with the time it can have begun at the earliest
    /// and the stack of open slices.
    private func withStack(of event: Event, _ body: (ChromeRow, Int64, inout SliceStack) -> Void) {
        let origin = text.originNanoseconds
        switch event.scope {
        case .goroutine where isStopTheWorld(event.name):
            guard views.contains(.runtime) else { return }
            runtimeRows.withStopTheWorld { row, open in body(row, origin, &open) }
        case .goroutine where event.scopeID >= 0:
            let record = goroutines.record(GoroutineID(event.scopeID))
            guard views.contains(.regions) else { return }
            record.pointee.uses.insert(.ranges)
            body(record.pointee.row.second, record.pointee.earliestNanoseconds, &record.pointee.open)
        case .proc:
            guard views.contains(.procs), let (row, open) = procs.second(event.scopeID) else { return }
            body(row, origin, &open.pointee)
        default:
            guard views.contains(.runtime) else { return }
            runtimeRows.withCollection { row, open in body(row, origin, &open) }
        }
    }

    private func isStopTheWorld(_ name: StringID) -> Bool {
        GoNames.isStopTheWorld(text.tables.strings.bytes(name))
    }

    /// Ends the slice that `sought` describes; if its begin was never seen, it began where `sought` does.
    func end(_ sought: OpenSlice, in open: inout SliceStack, of row: ChromeRow, _ event: Event) {
        if let slice = nested.end(
            sought.kind, sought.name, sought.identifier, in: &open, of: row.key, at: now)
        {
            complete(EndedSlice(slice: slice, endNanoseconds: now, event: event), of: row)
        } else if nested.moveAllAside(in: open, of: row.key, at: now) {
            write(EndedSlice(slice: sought, endNanoseconds: now, event: event, flag: .beganBefore), of: row)
        }
    }

    /// Ends all slices of a row, since its goroutine or the recording has ended, and returns how many
    /// further lanes it has had.
    func endAll(_ open: inout SliceStack, of row: ChromeRow) -> Int {
        while let slice = nested.pop(&open, of: row.key, at: now) {
            complete(EndedSlice(slice: slice, endNanoseconds: now, flag: .goesOn), of: row)
        }
        return nested.removeLanes(of: row.key)
    }

    private func complete(_ ended: EndedSlice, of row: ChromeRow) {
        nested.complete(ended) { write($0, of: row) }
    }

    func write(_ ended: EndedSlice, of row: ChromeRow) {
        let slice = ended.slice
        text.beginSlice(row.lane(Int(slice.lane)), slice.startNanoseconds, ended.endNanoseconds)
        text.category(slice.kind == .region ? "region" : "range")
        text.name(slice.name)
        if slice.kind == .range { text.color(isStopTheWorld(slice.name) ? "terrible" : "rail_idle") }
        text.stack(slice.stack)
        if slice.kind == .region, slice.identifier != 0 { text.argument("task", id: slice.identifier) }
        if slice.goroutine != .absent { goroutines.argument("goroutine", slice.goroutine) }
        if let event = ended.event, event.kind == .rangeEnd, event.attributeCount == 2 {
            text.argument("bytes_swept", id: event.bytesSwept)
            text.argument("bytes_reclaimed", id: event.bytesReclaimed)
        }
        if let since = slice.sinceNanoseconds { text.beganBefore(slice.startNanoseconds, since: since) }
        switch ended.flag {
        case .none: break
        case .beganBefore: text.flag("began_before_recording")
        case .goesOn: text.flag(text.isCut ? "clipped_after" : "not_ended")
        }
        text.end()
    }
}
