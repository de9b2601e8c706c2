import VestigeCore
import VestigeStages

// Tasks, and what has no duration.
extension ChromePart {
    func writeTask(_ span: LifelineSpan) {
        text.beginTask(.begin, span.identifier, span.startNanoseconds)
        text.name(span.name)
        text.stack(span.startStack)
        text.argument("task", id: span.identifier)
        if span.parentTask != .absent, span.parentTask != .background {
            text.argument("parent_task", id: span.parentTask.rawValue)
        }
        goroutines.argument("begun_by", span.goroutine)
        goroutines.argument("ended_by", span.endedBy)
        goroutines.writeFlags(span)
        text.end()
        text.beginTask(.end, span.identifier, span.endNanoseconds)
        text.name(span.name)
        text.end()
    }

    /// Marks the begin of a task on its parent's track: tracks of their own show both in full, since
    /// children of one parent overlap each other.
    func markChild(_ event: Event) {
        guard event.parentTask != .absent, event.parentTask != .background else { return }
        text.beginTask(.mark, event.parentTask.rawValue, now)
        text.buffer.append(",\"name\":\"child: ")
        text.nameContent(event.name)
        text.buffer.append("\"")
        text.argument("task", id: event.task.rawValue)
        text.end()
    }
}

// MARK: - Instants

extension ChromePart {
    func writeLog(_ event: Event) {
        let hasTask = event.task != .background && event.task != .absent
        if let row = place(event.goroutine, .logs, event.proc) {
            text.beginInstant(row, now)
            text.category("log")
            nameLog(event)
            text.stack(event.stack)
            if hasTask { text.argument("task", id: event.task.rawValue) }
            text.argument("category", event.name)
            text.argument("message", event.message)
            text.end()
        }
        guard hasTask, views.contains(.tasks) else { return }
        text.beginTask(.mark, event.task.rawValue, now)
        nameLog(event)
        text.argument("category", ifSubstituted: event.name)
        text.argument("message", ifSubstituted: event.message)
        goroutines.argument("goroutine", event.goroutine)
        text.end()
    }

    /// `category: message`, which stand in arguments too.
    private func nameLog(_ event: Event) {
        text.buffer.append(",\"name\":\"")
        if event.name != .empty {
            text.content(event.name)
            text.buffer.append(": ")
        }
        text.content(event.message)
        text.buffer.append("\"")
    }

    func writeLabel(_ event: Event) {
        let row =
            switch event.scope {
            case .goroutine: place(GoroutineID(event.scopeID), .labels, event.proc)
            case .proc: place(.absent, .labels, ProcID(Int32(exactly: event.scopeID) ?? -1))
            case .global: place(.absent, .labels, .absent)
            }
        guard let row else { return }
        text.beginInstant(row, now)
        text.category("label")
        text.name(event.name)
        text.stack(event.stack)
        text.end()
    }

    /// A CPU sample, where the CPU was: in the slice of the goroutine on its proc. Instants, since
    /// Perfetto ignores Chrome's own `samples`.
    func writeSample(_ event: Event) {
        let proc = Int64(event.proc.rawValue)
        guard let row = proc < 0 ? place(event.goroutine, .samples, .absent) : procRow(proc) else { return }
        text.beginInstant(row, now)
        text.category("sample")
        text.name("CPU sample")
        text.stack(event.stack)
        goroutines.argument("goroutine", event.goroutine)
        text.end()
    }

    private func procRow(_ proc: Int64) -> ChromeRow? { views.contains(.procs) ? procs.row(proc) : nil }

    /// Where an instant stands: the second row of the goroutine, else of the proc, else with the runtime. Nil if
    /// that is in a view that is not shown here.
    func place(_ goroutine: GoroutineID, _ use: GoroutineRow.Uses, _ proc: ProcID) -> ChromeRow? {
        if let record = goroutines.find(goroutine) {
            guard views.contains(.regions) else { return nil }
            record.pointee.uses.insert(use)
            return record.pointee.row.second
        }
        guard proc.rawValue >= 0 else { return views.contains(.runtime) ? runtimeRows.events : nil }
        return views.contains(.procs) ? procs.second(Int64(proc.rawValue))?.row : nil
    }
}
