import VestigeCore

// What observers outside the program say: an instant on a track below the goroutine's. A group of goroutines
// without numbers has a track of its own.
extension PerfettoWriter {
    func writeObserved(_ event: Event) {
        let tables = packets.tables
        let detail = tables.observations.detail(event.observationDetail)
        packets.beginEvent(.instant, .observed, observationTrack(event), at: event.timeNanoseconds)
        packets.nameObserved(event.name, event.toGoroutineState)
        packets.annotate(.stack, stack: event.stack)
        packets.annotate(.state) { $0.buffer.append(event.toGoroutineState.observedName) }
        if event.observedCount != 1 { packets.annotate(.count, unsigned: event.observedCount) }
        if event.leastWaitNanoseconds > 0 { packets.annotate(.leastWait, unsigned: event.leastWaitNanoseconds) }
        for (flag, name) in AnnotationName.observationFlags where detail.flags.contains(flag) { packets.annotate(name) }
        if let bubble = detail.bubble { packets.annotate(.bubble, bubble) }
        if detail.elidedFrameCount != 0 { packets.annotate(.elided, detail.elidedFrameCount) }
        if detail.strayLineCount != 0 { packets.annotate(.stray, detail.strayLineCount) }
        goroutines.annotate(.createdBy, detail.creation.goroutine)
        packets.annotate(.createdAt, programFrameOf: detail.creation.stack)
        annotate(.labels, detail.labels)
        annotate(.attributes, detail.attributes)
        packets.endEvent()
    }

    private func observationTrack(_ event: Event) -> UInt64 {
        let root = packets.tables.startFunction(of: event.stack)
        guard event.goroutine != .absent else {
            return tracks.goroutineGroup(of: event.observedCount, root)
        }
        let row = goroutines.record(event.goroutine)
        if row.pointee.startFunction == .empty, root != .empty { goroutines.learn(root, of: row, event.goroutine) }
        return goroutines.child(.observations, of: row, event.goroutine)
    }

    /// `name=value; …`, as the tables have it.
    private func annotate(_ name: AnnotationName, _ list: AttributeListID) {
        guard list != .empty else { return }
        let tables = packets.tables
        packets.annotate(name) { text in
            for (position, item) in tables.observations.attributes(list).enumerated() {
                if position > 0 { text.buffer.append("; ") }
                text.append(item.name, tables)
                text.buffer.append("=")
                text.append(item.value, tables)
            }
        }
    }
}

extension PacketWriter {
    /// `observed: chan receive`
    fileprivate func nameObserved(_ reason: StringID, _ state: GoroutineState) {
        name {
            $0.buffer.append("observed: ")
            if reason == .empty { $0.buffer.append(state.observedName) }
            $0.append(reason, tables)
        }
    }
}

extension PerfettoTracks {
    /// A track for goroutines without numbers: `3 × main.worker`, in the group of their start function.
    func goroutineGroup(of count: UInt64, _ startFunction: StringID) -> UInt64 {
        let uuid = newUUID()
        packets.describeTrack(uuid, in: group(startFunction), rank: Int64(clamping: uuid)) {
            $0.buffer.append(count)
            $0.buffer.append(" × ")
            if startFunction == .empty { $0.buffer.append("goroutines") }
            $0.append(startFunction, packets.tables)
        }
        return uuid
    }
}

extension AnnotationName {
    fileprivate static let observationFlags: [(flag: ObservationDetail.Flags, name: AnnotationName)] = [
        (.leaked, .leaked), (.durable, .durable), (.scan, .scan), (.locked, .locked), (.system, .system),
        (.stackUnavailable, .stackUnavailable),
    ]
}
