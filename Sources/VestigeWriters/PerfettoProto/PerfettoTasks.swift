import VestigeCore
import VestigeStages

// Tasks, and what has no duration.
extension PerfettoWriter {
    func takeTask(_ event: Event) {
        guard views.contains(.tasks) else { return }
        if event.kind == .taskEnd { return track(event) }
        if !event.isSynthetic { markChild(event) }
        track(event)
        taskTracks[event.task] = tracks.task(event.name)
    }

    /// Lets the follower of tasks see an event, and writes the tasks that it ends.
    func track(_ event: Event) {
        var event = event
        withUnsafePointer(to: &event) {
            tasks.process(UnsafeBufferPointer(start: $0, count: 1), tables: packets.tables)
        }
        for span in tasks.spans where span.kind == .task { write(span) }
    }

    func write(_ span: LifelineSpan) {
        // One whose begin was never seen began before all others.
        let track = taskTracks.removeValue(forKey: TaskID(span.identifier)) ?? tracks.newTask(span.name)
        defer { tracks.release(task: track, span.name) }
        packets.beginEvent(.sliceBegin, .task, track, at: span.startNanoseconds)
        packets.name(span.name)
        packets.annotate(.stack, stack: span.startStack)
        packets.annotate(.task, unsigned: span.identifier)
        if span.parentTask != .absent, span.parentTask != .background {
            packets.annotate(.parentTask, unsigned: span.parentTask.rawValue)
        }
        goroutines.annotate(.begunBy, span.goroutine)
        goroutines.annotate(.endedBy, span.endedBy)
        if span.flags.contains(.beganBefore) {
            packets.annotate(beganBefore: span.startNanoseconds, since: span.sinceNanoseconds)
        }
        if span.flags.contains(.isOpen) { packets.annotateGoesOn() }
        if span.flags.contains(.isBroken) { packets.annotate(.endIsLost) }
        packets.endEvent()
        packets.endSlice(track, at: span.endNanoseconds)
    }

    /// Marks the begin of a task on its parent's track: tracks of their own show both in full, since
    /// children of one parent overlap each other.
    private func markChild(_ event: Event) {
        guard let track = taskTracks[event.parentTask] else { return }
        packets.beginEvent(.instant, .task, track, at: now)
        packets.name {
            $0.buffer.append("child: ")
            $0.append(event.name, packets.tables)
        }
        packets.annotate(.task, unsigned: event.task.rawValue)
        packets.endEvent()
    }
}

// MARK: - Instants and samples

extension PerfettoWriter {
    func writeLog(_ event: Event) {
        let isInTask = event.task != .background && event.task != .absent
        if let track = instantTrack(event.goroutine, .logs, event.proc) {
            writeLog(event, on: track, task: isInTask ? event.task : nil)
        }
        if let track = taskTracks[event.task] { writeLog(event, on: track, task: event.task) }
    }

    /// A log stands with its goroutine, and also with its task while that is open.
    func writeLog(_ event: Event, on track: UInt64, task: TaskID?) {
        packets.beginEvent(.instant, .log, track, at: now)
        // `category: message`
        packets.name {
            if event.name != .empty {
                $0.append(event.name, packets.tables)
                $0.buffer.append(": ")
            }
            $0.append(event.message, packets.tables)
        }
        packets.annotate(.stack, stack: event.stack)
        goroutines.annotate(.goroutine, event.goroutine)
        if let task { packets.annotate(.task, unsigned: task.rawValue) }
        packets.annotate(.category, event.name)
        packets.annotate(.message) { $0.append(event.message, packets.tables) }
        packets.endEvent()
    }

    func writeLabel(_ event: Event) {
        let track =
            switch event.scope {
            case .goroutine: instantTrack(GoroutineID(event.scopeID), .labels, event.proc)
            case .proc: procTrack(event.scopeID) { procs.ranges($0) }
            case .global: procTrack(-1) { _ in 0 }
            }
        guard let track else { return }
        packets.beginEvent(.instant, .label, track, at: now)
        packets.name(event.name)
        packets.annotate(.stack, stack: event.stack)
        packets.endEvent()
    }

    /// Where an instant stands: below the goroutine, else with the proc, else with the runtime. Nil if that is not
    /// shown.
    private func instantTrack(_ goroutine: GoroutineID, _ child: GoroutineTracks.Child, _ proc: ProcID) -> UInt64? {
        if let row = goroutines.find(goroutine) {
            return views.contains(.regions) ? goroutines.child(child, of: row, goroutine) : nil
        }
        return procTrack(Int64(proc.rawValue)) { $0.pointee.track }
    }

    private func procTrack(_ proc: Int64, _ track: (UnsafeMutablePointer<ProcTrack>) -> UInt64) -> UInt64? {
        guard proc >= 0 else { return views.contains(.runtime) ? tracks.fixed(.events) : nil }
        return showsProcs ? procs.record(proc).map(track) : nil
    }

    /// A CPU sample of the goroutine's thread, on its proc's CPU.
    func writeSample(_ event: Event) {
        guard views.contains(.scheduler) else { return }
        let row = goroutines.find(event.goroutine)
        packets.sample(
            scheduler.tid(row?.pointee.number ?? 0), in: row.map { scheduler.pid(of: $0) } ?? 0,
            cpu: scheduler.cpuNumber(event.proc), event.stack, at: now)
    }
}
