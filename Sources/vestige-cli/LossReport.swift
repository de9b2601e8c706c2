import Vestige

/// Says on standard error what an input lost, so that nobody takes a part for the whole.
enum LossReport {
    static let noEvents = "holds no events; was the program ended before it wrote any?"

    static func warn(path: String, diagnostics: Diagnostics, failure: TraceError?, isEmpty: Bool) {
        if isEmpty, failure == nil { Console.say("warning: \(path): \(noEvents)") }
        if let failure {
            Console.say("warning: \(failure); \(isEmpty ? "no event comes before" : "what came before was kept")")
        }
        for error in diagnostics.errors { Console.say("warning: \(error.adding(file: path))") }
        let unlisted = diagnostics.errorCount - diagnostics.errors.count
        if unlisted > 0 { Console.say("warning: \(path): \(unlisted) more defects like these") }
        for (counter, count) in diagnostics.nonZero {
            let label = counter.severity == .notice ? "note" : "warning"
            Console.say("\(label): \(path): \(Units.grouped(count)) \(counter.meaning(of: count))")
        }
    }
}
