import VestigeCore

/// A task that has begun: its span, complete but for its end.
struct OpenTask: PagedElement {
    var isOccupied = false
    var span = LifelineSpan()

    static var vacant: OpenTask { OpenTask() }
}

/// Follows user tasks. Of several ends of a task the first counts.
struct TaskTracker: ~Copyable {
    private var open = PagedTable<OpenTask>()
    private var ended = RecentTasks()

    mutating func begin(_ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        var span = Self.span(event, startingAt: event.pointee.timeNanoseconds)
        span.goroutine = event.pointee.goroutine
        span.startStack = event.pointee.stack
        if event.pointee.isSynthetic { (span.flags, span.began) = ([.beganBefore], event.pointee.sinceNanoseconds) }
        let id = Int64(bitPattern: event.pointee.task.rawValue)
        if let known = open.find(id) {
            // The id begins again: the end of the task that had it is lost.
            output.add(Self.ended(known.pointee.span, event.pointee.timeNanoseconds, .isBroken))
            known.pointee.span = span
        } else {
            open.insert(id, OpenTask(isOccupied: true, span: span))
        }
        ended.remove(event.pointee.task)
    }

    mutating func end(_ event: UnsafePointer<Event>, _ output: inout LifelineOutput) {
        let task = event.pointee.task
        let id = Int64(bitPattern: task.rawValue)
        var span: LifelineSpan
        if let begun = open.find(id) {
            let flags: LifelineSpan.Flags = event.pointee.isSynthetic ? .isOpen : []
            span = Self.ended(begun.pointee.span, event.pointee.timeNanoseconds, flags)
            open.remove(id)
            // It goes on where nothing is shown of it.
            if event.pointee.isSynthetic { return output.add(span) }
        } else {
            guard !ended.contains(task) else { return }
            span = Self.span(event, startingAt: output.firstNanoseconds)
            span = Self.ended(span, event.pointee.timeNanoseconds, .beganBefore)
        }
        ended.insert(task)
        span.endedBy = event.pointee.goroutine
        span.endedByStack = event.pointee.stack
        output.add(span)
    }

    mutating func finish(_ output: inout LifelineOutput) {
        for span in openSpans { output.add(Self.ended(span, output.lastNanoseconds, .isOpen)) }
        open = PagedTable()
    }

    /// What is open, in order of begins.
    var openSpans: [LifelineSpan] {
        var spans: [LifelineSpan] = []
        open.forEach { spans.append($1.pointee.span) }
        return spans.sorted { ($0.startNanoseconds, $0.identifier) < ($1.startNanoseconds, $1.identifier) }
    }

    private static func ended(_ span: LifelineSpan, _ time: Int64, _ flags: LifelineSpan.Flags) -> LifelineSpan {
        var span = span
        span.endNanoseconds = max(span.startNanoseconds, time)
        span.flags.formUnion(flags)
        return span
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
