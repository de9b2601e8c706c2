import VestigeCore

/// Follows ranges: GC, sweep, mark assist, stop-the-world.
struct RangeTracker: ~Copyable {
    private struct Key: Hashable {
        var scopeID: Int64
        var name: StringID
        var scope: Scope

        init(_ event: UnsafePointer<Event>) {
            scopeID = event.pointee.scopeID
            name = event.pointee.name
            scope = event.pointee.scope
        }
    }

    /// The span of each open range, complete but for its end.
    private var open: [Key: LifelineSpan] = [:]

    mutating func begin(_ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        let span = Self.span(event, startingAt: event.pointee.timeNanoseconds)
        if var lost = open.updateValue(span, forKey: Key(event)) {
            lost.endNanoseconds = max(lost.startNanoseconds, event.pointee.timeNanoseconds)
            lost.flags.insert(.isBroken)
            output.add(lost)
        }
    }

    mutating func active(_ event: UnsafePointer<Event>) {
        guard open[Key(event)] == nil else { return }
        var span = Self.span(event, startingAt: event.pointee.timeNanoseconds)
        span.wasActive = true
        if event.pointee.isSynthetic { (span.flags, span.began) = ([.beganBefore], event.pointee.sinceNanoseconds) }
        open[Key(event)] = span
    }

    mutating func end(_ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        var span: LifelineSpan
        if let begun = open.removeValue(forKey: Key(event)) {
            span = begun
        } else {
            span = Self.span(event, startingAt: output.firstNanoseconds)
            span.startStack = .absent
            span.flags = .beganBefore
        }
        span.endNanoseconds = max(span.startNanoseconds, event.pointee.timeNanoseconds)
        span.endStack = event.pointee.stack
        if event.pointee.isSynthetic { span.flags.insert(.isOpen) }
        if event.pointee.attributeCount > 0 { span.attribute0 = event.pointee.bytesSwept }
        if event.pointee.attributeCount > 1 { span.attribute1 = event.pointee.bytesReclaimed }
        output.add(span)
    }

    mutating func finish(_ output: inout LifelineOutput) {
        for var span in openSpans {
            span.endNanoseconds = max(span.startNanoseconds, output.lastNanoseconds)
            span.flags.insert(.isOpen)
            output.add(span)
        }
        open = [:]
    }

    /// What is open, in order of begins.
    var openSpans: [LifelineSpan] {
        open.values.sorted {
            ($0.startNanoseconds, $0.name, $0.identifier) < ($1.startNanoseconds, $1.name, $1.identifier)
        }
    }

    private static func span(_ event: UnsafePointer<Event>, startingAt start: Int64) -> LifelineSpan {
        var span = LifelineSpan()
        span.kind = .range
        span.startNanoseconds = start
        span.identifier = event.pointee.argument0
        span.scope = event.pointee.scope
        // A goroutine's range may be reported by another, e.g. at a generation's start.
        span.goroutine = span.scope == .goroutine ? GoroutineID(event.pointee.scopeID) : event.pointee.goroutine
        if span.scope == .proc { span.proc = ProcID(Int32(truncatingIfNeeded: event.pointee.scopeID)) }
        span.name = event.pointee.name
        span.startStack = event.pointee.stack
        span.source = event.pointee.source
        return span
    }
}
