import Foundation
import Testing
import VestigeCore
import VestigeStages
import VestigeTestSupport

/// Lifelines of every trace of the corpus that has a listing, damaged ones too, against the digest of its truth.
@Suite struct LifelineTruthTests {
    static let traces = Corpus.traces.filter { $0.eventsFile != nil }

    /// Recordings that are read whole. The reference orders the events of equal time of the others differently from
    /// run to run, so their totals have no one truth.
    static let recordings = Corpus.traces.filter { $0.must == "ok" && $0.stable != false }

    @Test(arguments: traces) func lifelinesAgreeWithTruth(_ trace: CorpusTrace) throws {
        try expectTruth(TruthLifelines(try TruthListing(path: trace.eventsPath!)), trace)
    }

    @Test(arguments: recordings) func recordingsAgreeWithTruth(_ trace: CorpusTrace) throws {
        try expectTruth(TruthLifelines(try Reading(path: trace.path)), trace)
    }

    private func expectTruth(_ lifelines: TruthLifelines, _ trace: CorpusTrace) throws {
        let truth = try TruthDigest(trace)
        expectSame(lifelines.goroutineRows, truth.goroutineRows, "goroutines", isCut: truth.isCut("goroutines"))
        expectSame(lifelines.procRows, truth.procRows, "procs")
        expectSame(lifelines.taskRows, truth.taskRows, "tasks", isCut: truth.isCut("tasks"))
        expectSame(lifelines.regionRows, truth.regionRows, "regions", isCut: truth.isCut("regions"))
        expectSame(lifelines.rangeRows, truth.rangeRows, "ranges", isCut: truth.isCut("ranges"))
        for (kind, name) in [(LifelineKind.task, "task"), (.region, "region"), (.range, "range")] {
            expectSame(lifelines.summaryRows(kind), truth.summaryRows(name + "_summary"), "\(name)_summary")
        }
    }

    @Test(.enabled(if: Corpus.shared != nil)) func theCorpusHasListings() { #expect(Self.traces.count > 100) }

    private func expectSame(_ ours: [String], _ truth: [String], _ what: String, isCut: Bool = false) {
        let (ourCounts, truthCounts) = (counts(ours), counts(truth))
        let missing = truthCounts.filter { ourCounts[$0.key, default: 0] < $0.value }.keys.sorted()
        let extra = ourCounts.filter { truthCounts[$0.key, default: 0] < $0.value }.keys.sorted()
        #expect(missing.isEmpty, "\(what) that the truth has: \(missing.prefix(3)); ours: \(extra.prefix(3))")
        if !isCut { #expect(extra.isEmpty, "\(what) that only we have: \(extra.prefix(3))") }
    }

    /// Foundation's JSON reader drops byte order marks from the truth's strings; so they are dropped from ours.
    private func counts(_ rows: [String]) -> [String: Int] {
        Dictionary(rows.map { ($0.replacing("\u{feff}", with: ""), 1) }, uniquingKeysWith: +)
    }
}

/// The lifelines of a listing as lines of text, one a goroutine, proc, task, region or range.
private struct TruthLifelines {
    let tables: TraceTables
    let spans: [LifelineSpan]
    let lives: [GoroutineLife]

    init(_ reading: Reading) {
        tables = reading.tables
        var collected = CollectedLifelines()
        reading.events.withUnsafeBufferPointer { collected.process($0, reading.tables) }
        collected.finish(reading.tables)
        (spans, lives) = (collected.spans, collected.lives)
    }

    init(_ listing: TruthListing) {
        tables = listing.tables
        var collected = CollectedLifelines()
        listing.forEachBatch(of: 1000) { collected.process($0, listing.tables) }
        collected.finish(listing.tables)
        (spans, lives) = (collected.spans, collected.lives)
    }

    var goroutineRows: [String] {
        let livesByGoroutine = Dictionary(grouping: lives, by: \.goroutine)
        let statesByGoroutine = Dictionary(grouping: spans.filter { $0.kind == .goroutineState }, by: \.goroutine)
        return livesByGoroutine.map { goroutine, lives in
            let (first, last) = (lives.first!, lives.last!)
            let waiting = times(statesByGoroutine[goroutine]!.filter { $0.state == .waiting }, by: \.name)
            return [
                "g\(goroutine.rawValue) lives \(lives.count)",
                "first \(first.firstSeenNanoseconds) \(first.firstState.name)",
                "created \(first.isCreationKnown ? first.firstSeenNanoseconds : nil, or: "-")",
                "by \(first.isCreationKnown ? first.creator.rawValue : nil, or: "-")",
                function(innermost(first.creationStack)),
                "start \(function(lives.first { $0.startFunction != .empty }?.startFunction ?? .empty))",
                "ended \(last.hasEnded ? last.lastNanoseconds : nil, or: "-")",
                "final \(last.finalState.name) \(function(last.finalReason)) \(frames(last.finalStack))",
                "running \(sum(lives, \.runningNanoseconds)) runnable \(sum(lives, \.runnableNanoseconds))",
                "syscall \(sum(lives, \.syscallNanoseconds)) undetermined \(sum(lives, \.undeterminedNanoseconds))",
                "waiting \(waiting) sum \(sum(lives, \.waitingNanoseconds))",
                "transitions \(lives.reduce(0) { $0 + $1.transitionCount })",
                "samples \(lives.reduce(0) { $0 + $1.stackSampleCount })",
            ].joined(separator: " ")
        }
    }

    var procRows: [String] {
        Dictionary(grouping: spans.filter { $0.kind == .procState }, by: \.proc).map { proc, spans in
            let time = Dictionary(spans.map { ($0.procState, $0.durationNanoseconds) }, uniquingKeysWith: +)
            let firstSeen = spans.first { $0.procState != .undetermined }!.startNanoseconds
            return
                "p\(proc.rawValue) first \(firstSeen) running \(time[.running] ?? 0) idle \(time[.idle] ?? 0) "
                + "undetermined \(time[.undetermined] ?? 0) final \(spans.last!.procState.name)"
        }
    }

    var taskRows: [String] {
        spans.filter { $0.kind == .task }.map { span in
            let parent = span.parentTask == .absent ? nil : span.parentTask.rawValue
            let starter = span.flags.contains(.beganBefore) ? nil : span.goroutine.rawValue
            let ender = span.flags.contains(.isOpen) ? nil : span.endedBy.rawValue
            return "task \(span.identifier) parent \(parent, or: "-") \(exact(span.name)) \(interval(span)) "
                + "by \(starter, or: "-") to \(ender, or: "-")"
        }
    }

    var regionRows: [String] {
        spans.filter { $0.kind == .region }.map { span in
            "g\(span.goroutine.rawValue) task \(span.identifier) \(exact(span.name)) \(interval(span)) "
                + "depth \(span.depth) \(function(innermost(span.startStack)))"
        }
    }

    var rangeRows: [String] {
        spans.filter { $0.kind == .range }.map { span in
            "\(exact(span.name)) \(span.scope.name) \(Int64(bitPattern: span.identifier)) \(interval(span)) "
                + "active \(span.wasActive) \(span.attribute0) \(span.attribute1)"
        }
    }

    func summaryRows(_ kind: LifelineKind) -> [String] {
        Dictionary(grouping: spans.filter { $0.kind == kind }, by: \.name).map { name, spans in
            let begun = spans.filter { !$0.flags.contains(.beganBefore) }
            let total = begun.filter { !$0.flags.contains(.isOpen) }.reduce(0) { $0 + $1.durationNanoseconds }
            let open = spans.count { $0.flags.contains(.isOpen) }
            return "\(function(name)): \(begun.count) total \(total) open \(open) ends \(spans.count - begun.count)"
        }
    }

    private func interval(_ span: LifelineSpan) -> String {
        let start = span.flags.contains(.beganBefore) ? nil : span.startNanoseconds
        let end = span.flags.contains(.isOpen) ? nil : span.endNanoseconds
        return "\(start, or: "-")…\(end, or: "-")"
    }

    private func times(_ spans: [LifelineSpan], by name: (LifelineSpan) -> StringID) -> String {
        Dictionary(spans.map { (name($0), $0.durationNanoseconds) }, uniquingKeysWith: +)
            .map { "\(function($0)) \($1)" }.sorted().joined(separator: ", ")
    }

    private func sum(_ lives: [GoroutineLife], _ time: (GoroutineLife) -> Int64) -> Int64 {
        lives.reduce(0) { $0 + time($1) }
    }

    private func innermost(_ stack: StackID) -> StringID { tables.stacks.node(stack).frame.function }

    private func frames(_ stack: StackID) -> String {
        "["
            + tables.stacks.frames(stack).map { "\(function($0.function)) \(function($0.file)):\($0.line)" }
            .joined(separator: ", ") + "]"
    }

    private func function(_ id: StringID) -> String { tables.strings.string(id) }

    private func exact(_ id: StringID) -> String {
        tables.strings.isValidUTF8(id)
            ? "'\(tables.strings.string(id))'"
            : tables.strings.bytes(id).map { String(format: "%02x", $0) }.joined()
    }
}

/// The same lines from the digest.
private struct TruthDigest {
    private let truth: [String: Any]

    init(_ trace: CorpusTrace) throws { truth = try trace.readTruth() }

    func isCut(_ list: String) -> Bool { (truth["lists_cut"] as? [String] ?? []).contains(list) }

    var goroutineRows: [String] {
        objects("goroutines").map { goroutine in
            let times = Object(goroutine.object("ns"))
            let waiting = times.object("waiting").mapValues { ($0 as? NSNumber)?.int64Value ?? 0 }
            return [
                "g\(goroutine.int("id")!) lives \(goroutine.int("lives")!)",
                "first \(goroutine.int("first_seen")!) \(goroutine.text("first_state"))",
                "created \(goroutine.int("created"), or: "-") by \(goroutine.int("creator"), or: "-")",
                goroutine.text("created_by_func"),
                "start \(goroutine.text("start_func"))",
                "ended \(goroutine.int("ended"), or: "-")",
                "final \(goroutine.text("final_state")) \(goroutine.text("final_reason"))",
                "[" + (goroutine.fields["final_stack"] as? [String] ?? []).joined(separator: ", ") + "]",
                "running \(times.int("running")!) runnable \(times.int("runnable")!)",
                "syscall \(times.int("syscall")!) undetermined \(times.int("undetermined")!)",
                "waiting \(waiting.map { "\($0) \($1)" }.sorted().joined(separator: ", "))",
                "sum \(waiting.values.reduce(0, +))",
                "transitions \(goroutine.int("transitions")! - goroutine.int("status_events")!)",
                "samples \(goroutine.int("stack_samples")!)",
            ].joined(separator: " ")
        }
    }

    var procRows: [String] {
        objects("procs").map {
            "p\($0.int("id")!) first \($0.int("first_seen")!) running \($0.int("running")!) idle \($0.int("idle")!) "
                + "undetermined \($0.int("undetermined")!) final \($0.text("final_state"))"
        }
    }

    var taskRows: [String] {
        objects("tasks").map {
            "task \($0.int("id")!) parent \($0.int("parent"), or: "-") \($0.exact("type")) \(interval($0)) "
                + "by \($0.int("start_goroutine"), or: "-") to \($0.int("end_goroutine"), or: "-")"
        }
    }

    var regionRows: [String] {
        objects("regions").map {
            "g\($0.int("goroutine")!) task \($0.int("task")!) \($0.exact("type")) \(interval($0)) "
                + "depth \($0.int("depth")!) \($0.text("start_stack_top"))"
        }
    }

    var rangeRows: [String] {
        objects("ranges").map {
            let attributes = Object($0.object("attrs"))
            return "\($0.exact("name")) \($0.text("scope")) \($0.int("scope_id")!) \(interval($0)) "
                + "active \($0.fields["already_active"] as? Bool ?? false) "
                + "\(attributes.int("bytes swept") ?? 0) \(attributes.int("bytes reclaimed") ?? 0)"
        }
    }

    func summaryRows(_ name: String) -> [String] {
        (truth[name] as? [String: [String: Any]] ?? [:]).map { name, fields in
            let summary = Object(fields)
            return "\(name): \(summary.int("count")!) total \(summary.int("total_ns")!) "
                + "open \(summary.int("open_at_end")!) ends \(summary.int("end_without_begin")!)"
        }
    }

    private func objects(_ name: String) -> [Object] { (truth[name] as? [[String: Any]] ?? []).map(Object.init) }

    private func interval(_ object: Object) -> String {
        "\(object.int("start"), or: "-")…\(object.int("end"), or: "-")"
    }

    private struct Object {
        let fields: [String: Any]
        init(_ fields: [String: Any]) { self.fields = fields }
        func int(_ name: String) -> Int64? { (fields[name] as? NSNumber)?.int64Value }
        func text(_ name: String) -> String { fields[name] as? String ?? "" }
        func exact(_ name: String) -> String { fields[name + "_hex"] as? String ?? "'\(text(name))'" }
        func object(_ name: String) -> [String: Any] { fields[name] as? [String: Any] ?? [:] }
    }
}

extension DefaultStringInterpolation {
    fileprivate mutating func appendInterpolation<Value>(_ value: Value?, or none: String) {
        if let value { appendInterpolation(value) } else { appendLiteral(none) }
    }
}
