import VestigeCore

// Regions of goroutines, and ranges of the runtime.
extension PerfettoWriter {
    /// Where regions or ranges stand.
    enum Place {
        case regions(GoroutineID, UnsafeMutablePointer<GoroutineTrack>)
        case ranges(GoroutineID, UnsafeMutablePointer<GoroutineTrack>)
        case proc(UnsafeMutablePointer<ProcTrack>)
        case collections
        case stops
    }

    func beginRegion(_ event: Event) {
        guard event.goroutine != .absent else { return }
        let row = goroutines.record(event.goroutine)
        guard views.contains(.regions) else { return }
        nested.push(OpenSlice(.region, event, at: now), on: &row.pointee.openRegions)
    }

    func endRegion(_ event: Event) {
        guard event.goroutine != .absent else { return }
        let row = goroutines.record(event.goroutine)
        guard views.contains(.regions) else { return }
        let sought = OpenSlice(.region, event.name, event.task.rawValue, at: row.pointee.earliestNanoseconds)
        end(sought, of: .regions(event.goroutine, row), event)
    }

    func beginRange(_ event: Event) {
        guard let place = place(event) else { return }
        withStack(of: place) { open, _ in
            guard !nested.contains(.range, event.name, event.argument0, in: open) else { return }
            nested.push(OpenSlice(.range, event, at: now), on: &open)
        }
    }

    func endRange(_ event: Event) {
        guard let place = place(event) else { return }
        var earliest = packets.originNanoseconds
        if case .ranges(_, let row) = place { earliest = row.pointee.earliestNanoseconds }
        let sought = OpenSlice(.range, event.name, event.argument0, at: earliest, goroutine: event.goroutine)
        end(sought, of: place, event)
    }

    /// Nil for a place that is not shown.
    private func place(_ event: Event) -> Place? {
        switch event.scope {
        case .goroutine where event.scopeID >= 0 && !isStopTheWorld(event.name):
            let goroutine = GoroutineID(event.scopeID)
            let row = goroutines.record(goroutine)
            return views.contains(.regions) ? .ranges(goroutine, row) : nil
        case .proc: return showsProcs ? procs.record(event.scopeID).map { .proc($0) } : nil
        default:
            guard views.contains(.runtime) else { return nil }
            return isStopTheWorld(event.name) ? .stops : .collections
        }
    }

    private func isStopTheWorld(_ name: StringID) -> Bool {
        let index = Int(name.rawValue)
        if index >= stopNames.count {
            stopNames.append(contentsOf: repeatElement(0, count: index + 1 - stopNames.count))
        }
        if stopNames[index] == 0 {
            stopNames[index] = GoNames.isStopTheWorld(packets.tables.strings.bytes(name)) ? 1 : 2
        }
        return stopNames[index] == 1
    }

    /// Hands the open slices of a place to `body`, with the key under which their lanes are kept.
    private func withStack<Result>(of place: Place, _ body: (inout SliceStack, RowKey) -> Result) -> Result {
        switch place {
        case .regions(_, let row): body(&row.pointee.openRegions, key(row.pointee.track))
        case .ranges(_, let row): body(&row.pointee.openRanges, key(row.pointee.track, second: true))
        case .proc(let row): body(&row.pointee.open, key(row.pointee.track))
        case .collections: body(&collections, key(PerfettoTracks.Fixed.collections.rawValue))
        case .stops: body(&stops, key(PerfettoTracks.Fixed.stops.rawValue))
        }
    }

    /// A goroutine's regions and ranges are two rows of one track.
    private func key(_ track: UInt64, second: Bool = false) -> RowKey { RowKey(track << 1 | (second ? 1 : 0)) }

    /// Ends the slice that `sought` describes; if its begin was never seen, it began where `sought` does.
    func end(_ sought: OpenSlice, of place: Place, _ event: Event) {
        let (slice, hasRoom) = withStack(of: place) { open, key -> (OpenSlice?, Bool) in
            let slice = nested.end(sought.kind, sought.name, sought.identifier, in: &open, of: key, at: now)
            return (slice, slice != nil || nested.moveAllAside(in: open, of: key, at: now))
        }
        guard hasRoom else { return }
        let flag: EndedSlice.Flag = slice == nil ? .beganBefore : event.isSynthetic ? .goesOn : .none
        complete(EndedSlice(slice: slice ?? sought, endNanoseconds: now, event: event, flag: flag), of: place)
    }

    /// Ends all slices of a place, since its goroutine or the recording has ended.
    func endAll(of place: Place) {
        while let slice = withStack(of: place, { open, key in nested.pop(&open, of: key, at: now) }) {
            complete(EndedSlice(slice: slice, endNanoseconds: now, flag: .goesOn), of: place)
        }
        _ = withStack(of: place) { _, key in nested.removeLanes(of: key) }
    }

    private func complete(_ ended: EndedSlice, of place: Place) {
        nested.complete(ended) { write($0, of: place) }
    }

    func write(_ ended: EndedSlice, of place: Place) {
        let slice = ended.slice
        let track = track(of: slice, in: place)
        packets.beginEvent(
            .sliceBegin, slice.kind == .region ? .region : .range, track, at: slice.startNanoseconds)
        packets.name(slice.name)
        packets.annotate(.stack, stack: slice.stack)
        if slice.kind == .region, slice.identifier != 0 { packets.annotate(.task, unsigned: slice.identifier) }
        goroutines.annotate(.goroutine, slice.goroutine)
        if let event = ended.event, event.kind == .rangeEnd, event.attributeCount == 2 {
            packets.annotate(.bytesSwept, unsigned: event.bytesSwept)
            packets.annotate(.bytesReclaimed, unsigned: event.bytesReclaimed)
        }
        if let since = slice.sinceNanoseconds { packets.annotate(beganBefore: slice.startNanoseconds, since: since) }
        switch ended.flag {
        case .none: break
        case .beganBefore: packets.annotate(.beganBefore)
        case .goesOn: packets.annotateGoesOn()
        }
        packets.endEvent()
        packets.endSlice(track, at: ended.endNanoseconds)
    }

    /// A slice that overlaps others in part has a track of its own; it has their name, so that viewers draw
    /// it below them.
    func track(of slice: OpenSlice, in place: Place) -> UInt64 {
        let isAside = slice.lane > 0
        switch place {
        case .regions(let goroutine, let row):
            let track = goroutines.child(.regions, of: row, goroutine)
            return isAside ? tracks.child(of: row.pointee.track, "regions", rank: 0) : track
        case .ranges(let goroutine, let row):
            let track = goroutines.child(.ranges, of: row, goroutine)
            return isAside ? tracks.child(of: row.pointee.track, "GC", rank: 3) : track
        case .proc(let row):
            let track = procs.ranges(row)
            return isAside ? tracks.child(of: row.pointee.track, "GC", rank: 0) : track
        case .collections:
            let rank = Int64(PerfettoTracks.Fixed.collections.rawValue)
            return isAside ? tracks.child(of: tracks.fixed(.runtime), "GC", rank: rank) : tracks.fixed(.collections)
        case .stops:
            let rank = Int64(PerfettoTracks.Fixed.stops.rawValue)
            return isAside
                ? tracks.child(of: tracks.fixed(.runtime), "Stop the world", rank: rank) : tracks.fixed(.stops)
        }
    }
}
