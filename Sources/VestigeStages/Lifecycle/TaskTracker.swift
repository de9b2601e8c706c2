import VestigeCore

/// Follows user tasks. Of several ends of a task the first counts.
struct TaskTracker: ~Copyable {
    /// The span of each open task, complete but for its end.
    private var open: [TaskID: LifelineSpan] = [:]
    private var ended = RecentTasks()

    mutating func begin(_ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        var span = Self.span(event, startingAt: event.pointee.timeNanoseconds)
        span.goroutine = event.pointee.goroutine
        span.startStack = event.pointee.stack
        ended.remove(event.pointee.task)
        if var lost = open.updateValue(span, forKey: event.pointee.task) {
            // The id begins again: the end of the task that had it is lost.
            lost.endNanoseconds = max(lost.startNanoseconds, event.pointee.timeNanoseconds)
            lost.flags = .isBroken
            output.spans.append(lost)
        }
    }

    mutating func end(_ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        let task = event.pointee.task
        var span: LifelineSpan
        if let begun = open.removeValue(forKey: task) {
            span = begun
        } else {
            guard !ended.contains(task) else { return }
            span = Self.span(event, startingAt: output.firstNanoseconds)
            span.flags = .beganBefore
        }
        ended.insert(task)
        span.endNanoseconds = max(span.startNanoseconds, event.pointee.timeNanoseconds)
        span.endedBy = event.pointee.goroutine
        span.endedByStack = event.pointee.stack
        output.spans.append(span)
    }

    mutating func finish(_ output: inout LifelineOutput) {
        let spans = open.values.sorted {
            ($0.startNanoseconds, $0.identifier) < ($1.startNanoseconds, $1.identifier)
        }
        for var span in spans {
            span.endNanoseconds = max(span.startNanoseconds, output.lastNanoseconds)
            span.flags = .isOpen
            output.spans.append(span)
        }
        open = [:]
    }

    private static func span(_ event: UnsafePointer<Event>, startingAt start: Int64) -> LifelineSpan {
        var span = LifelineSpan()
        span.kind = .task
        span.startNanoseconds = start
        span.identifier = event.pointee.task.rawValue
        span.parentTask = event.pointee.parentTask
        span.name = event.pointee.name
        span.source = event.pointee.source
        return span
    }
}

/// The tasks that ended, as bits. Go numbers tasks in sequence, so the last four million are
/// remembered exactly; memory stays at half a megabyte whatever the numbers are.
struct RecentTasks {
    /// 4,096 tasks whose ids differ in the low 12 bits only.
    private struct Page {
        var number: UInt64
        var firstWord: Int
    }

    private static let pageCount = 1024
    private static let wordsPerPage = 64

    private var pages: [Page] = []
    private var words: [UInt64] = []

    func contains(_ task: TaskID) -> Bool {
        guard !pages.isEmpty else { return false }
        let page = pages[Self.slot(task)]
        return page.number == task.rawValue >> 12 && words[page.firstWord + Self.word(task)] & Self.bit(task) != 0
    }

    mutating func insert(_ task: TaskID) {
        if pages.isEmpty { makePages() }
        let page = pages[Self.slot(task)]
        if page.number != task.rawValue >> 12 {
            pages[Self.slot(task)].number = task.rawValue >> 12
            for word in 0..<Self.wordsPerPage { words[page.firstWord + word] = 0 }
        }
        words[page.firstWord + Self.word(task)] |= Self.bit(task)
    }

    mutating func remove(_ task: TaskID) {
        guard contains(task) else { return }
        words[pages[Self.slot(task)].firstWord + Self.word(task)] &= ~Self.bit(task)
    }

    private mutating func makePages() {
        pages = (0..<Self.pageCount).map { Page(number: .max, firstWord: $0 * Self.wordsPerPage) }
        words = Array(repeating: 0, count: Self.pageCount * Self.wordsPerPage)
    }

    private static func slot(_ task: TaskID) -> Int { Int(truncatingIfNeeded: task.rawValue >> 12) & (pageCount - 1) }
    private static func word(_ task: TaskID) -> Int { Int(truncatingIfNeeded: task.rawValue >> 6) & (wordsPerPage - 1) }
    private static func bit(_ task: TaskID) -> UInt64 { 1 << (task.rawValue & 63) }
}
