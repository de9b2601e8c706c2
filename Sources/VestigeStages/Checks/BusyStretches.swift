import VestigeCore

/// Puts together what a goroutine runs until it waits, yields or ends: preemptions by the scheduler lie between, since
/// the goroutine itself would have gone on.
struct BusyStretches {
    private struct Stretch: PagedElement {
        var isOccupied = false
        /// It was preempted, so that what it runs next belongs to it.
        var isPreempted = false
        var runningNanoseconds: Int64 = 0
        /// From its first to its last moment.
        var span = LifelineSpan()

        static var vacant: Stretch { Stretch() }
    }

    private let heapStretches = HeapBox(PagedTable<Stretch>())
    private var preemptions = NameMasks([Glob("preempted")])

    init() {}

    /// Hands over the stretches that have ended, each as a span with the time that it ran.
    mutating func process(_ batch: CheckBatch, _ body: (UnsafePointer<LifelineSpan>, Int64) -> Void) {
        let stretches = heapStretches.pointer
        for index in 0..<batch.spans.count {
            let span = batch.spans.baseAddress! + index
            guard span.pointee.kind == .goroutineState else { continue }
            let known = stretches.pointee.find(span.pointee.goroutine.rawValue)
            switch span.pointee.state {
            case .running:
                if let known, known.pointee.isPreempted {
                    known.pointee.isPreempted = false
                    Self.prolong(known, by: span)
                } else {
                    if let known { end(known, body) }
                    let stretch = Stretch(
                        isOccupied: true, runningNanoseconds: span.pointee.durationNanoseconds, span: span.pointee)
                    stretches.pointee.insert(span.pointee.goroutine.rawValue, stretch)
                }
            case .runnable where known != nil && preemptions.mask(of: span.pointee.name, batch.tables) != 0:
                known?.pointee.isPreempted = true
            default:
                if let known { end(known, body) }
            }
        }
        for life in batch.lives where life.hasEnded {
            if let known = stretches.pointee.find(life.goroutine.rawValue) { end(known, body) }
        }
    }

    private static func prolong(_ stretch: UnsafeMutablePointer<Stretch>, by span: UnsafePointer<LifelineSpan>) {
        stretch.pointee.runningNanoseconds =
            stretch.pointee.runningNanoseconds.addingSaturating(span.pointee.durationNanoseconds)
        stretch.pointee.span.endNanoseconds = span.pointee.endNanoseconds
        stretch.pointee.span.endStack = span.pointee.endStack
        (stretch.pointee.span.endedBy, stretch.pointee.span.endedByStack) =
            (span.pointee.endedBy, span.pointee.endedByStack)
        stretch.pointee.span.startFunction = span.pointee.startFunction
        if span.pointee.flags.contains(.isOpen) { stretch.pointee.span.flags.insert(.isOpen) }
    }

    private func end(_ stretch: UnsafeMutablePointer<Stretch>, _ body: (UnsafePointer<LifelineSpan>, Int64) -> Void) {
        withUnsafePointer(to: stretch.pointee.span) { body($0, stretch.pointee.runningNanoseconds) }
        heapStretches.pointer.pointee.remove(stretch.pointee.span.goroutine.rawValue)
    }

    /// Hands over those that had not ended.
    func finish(_ body: (UnsafePointer<LifelineSpan>, Int64) -> Void) {
        heapStretches.pointer.pointee.forEach { _, stretch in
            withUnsafePointer(to: stretch.pointee.span) { body($0, stretch.pointee.runningNanoseconds) }
        }
    }
}
