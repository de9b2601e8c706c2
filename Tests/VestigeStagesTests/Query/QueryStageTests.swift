import Testing
import VestigeCore
import VestigeStages
import VestigeTestSupport

/// What a selection leaves out, and what it says instead.
@Suite struct QueryStageTests {
    /// Passes a script through the surveys that a query needs and through the stage, in batches of all sizes up to 3.
    private func select(_ query: Query, _ script: EventScript) throws -> [Event] {
        var facts: QueryFacts?
        if QuerySurvey.isNeeded(for: query) || ClosureSurvey.isNeeded(for: query) {
            let survey = QuerySurvey(query)
            script.forEachBatch(of: 2) { survey.process($0, tables: script.tables) }
            facts = survey.finish()
        }
        if ClosureSurvey.isNeeded(for: query) {
            let survey = ClosureSurvey(query, facts: facts!)
            var failure: TraceError?
            script.forEachBatch(of: 2) { batch in
                do throws(TraceError) { try survey.process(batch, tables: script.tables) } catch { failure = error }
            }
            if let failure { throw failure }
            facts = survey.finish()
        }
        let results = try [1, 2, 3].map { try pass(QueryStage(query, facts: facts), script, by: $0) }
        #expect(results[0].map(Self.words) == results[1].map(Self.words))
        #expect(results[0].map(Self.words) == results[2].map(Self.words))
        return results[0]
    }

    private func pass(_ stage: QueryStage, _ script: EventScript, by size: Int) throws -> [Event] {
        var events: [Event] = []
        var output = EventBatch(capacity: 8)
        func emit(_ batch: inout EventBatch) {
            events += batch.events
            batch.removeAll()
        }
        var failure: TraceError?
        script.forEachBatch(of: size) { batch in
            do throws(TraceError) {
                try stage.process(batch, tables: script.tables, into: &output) { emit(&$0) }
            } catch { failure = error }
        }
        if let failure { throw failure }
        try stage.finish(tables: script.tables, into: &output) { emit(&$0) }
        emit(&output)
        return events
    }

    private static func words(_ event: Event) -> String {
        let sign = event.isSynthetic ? "*" : ""
        guard event.kind == .goroutineTransition else { return "\(sign)\(event.kind) @\(event.timeNanoseconds)" }
        return
            "\(sign)g\(event.argument0) \(event.fromGoroutineState)→\(event.toGoroutineState) @\(event.timeNanoseconds)"
    }

    /// The spans of goroutines that a writer would show.
    private func spans(_ events: [Event], _ tables: TraceTables) -> [String] {
        let stage = LifelineStage()
        var spans: [String] = []
        func take() {
            for span in stage.spans where span.kind == .goroutineState || span.kind == .region {
                let what = span.kind == .region ? tables.strings.string(span.name) : "\(span.state)"
                let ends = (span.flags.contains(.beganBefore) ? "<" : "") + (span.flags.contains(.isOpen) ? ">" : "")
                let broken = span.flags.contains(.isBroken) ? "!" : ""
                spans.append(
                    "g\(span.goroutine.rawValue) \(what) \(span.startNanoseconds)-\(span.endNanoseconds)\(ends)\(broken)"
                )
            }
        }
        events.withUnsafeBufferPointer { stage.process($0, tables: tables) }
        take()
        stage.finish(tables: tables)
        take()
        return spans.sorted()
    }

    /// Goroutine 1 works in two regions, wakes 2, and waits.
    private var script: EventScript {
        let script = EventScript()
        script.mark(.sync, "", at: 0, task: 1, 0)
        script.go(1, .undetermined, .running, at: 0, ownStack: ["main.main"])
        script.go(2, .undetermined, .waiting, at: 1, by: 1)
        script.mark(.regionBegin, "work", at: 10, on: 1)
        script.go(2, .waiting, .runnable, at: 12, by: 1)
        script.go(2, .runnable, .running, at: 14, ownStack: ["main.helper"])
        script.mark(.regionEnd, "work", at: 20, on: 1)
        script.go(1, .running, .waiting, at: 25, "chan receive")
        script.go(1, .waiting, .runnable, at: 40, by: 2)
        script.go(1, .runnable, .running, at: 41)
        script.mark(.regionBegin, "work", at: 50, on: 1)
        script.mark(.regionEnd, "work", at: 52, on: 1)
        script.go(2, .running, .notExist, at: 60)
        return script
    }

    @Test func aWindowIsClosedAtBothEnds() throws {
        var query = Query()
        (query.from, query.to) = (.sinceStart(13), .sinceStart(30))
        let events = try select(query, script)
        #expect(
            events.map(Self.words) == [
                "*sync @13", "*g1 undetermined→running @13", "*regionBegin @13", "*g2 undetermined→runnable @13",
                "g2 runnable→running @14", "regionEnd @20", "g1 running→waiting @25", "*sync @30",
            ])
        #expect(
            spans(events, script.tables) == [
                "g1 running 13-25<", "g1 waiting 25-30>", "g1 work 13-20<", "g2 runnable 13-14<", "g2 running 14-30>",
            ])
    }

    @Test func aWindowThatBeginsWithAnEventHasNoEmptySpan() throws {
        var query = Query()
        query.from = .sinceStart(25)
        let events = try select(query, script)
        #expect(!spans(events, script.tables).contains { $0.hasPrefix("g1 running 25") })
    }

    @Test func timesAroundRegionsAreApart() throws {
        var query = Query()
        query.around = [Glob("work")]
        let events = try select(query, script)
        #expect(
            spans(events, script.tables) == [
                "g1 running 10-21<>", "g1 running 50-53<>", "g1 work 10-20", "g1 work 50-52", "g2 runnable 12-14",
                "g2 running 14-21>", "g2 running 50-53<>", "g2 waiting 10-12<",
            ])
    }

    @Test func aRegionSelectsItsGoroutineOnly() throws {
        var query = Query()
        query.regions = [Glob("w*")]
        let events = try select(query, script)
        #expect(events.filter { !$0.isSynthetic }.map(\.timeNanoseconds) == [10, 12, 20, 50, 52])
        #expect(
            spans(events, script.tables) == [
                "g1 running 10-20<>", "g1 running 50-52<>", "g1 work 10-20", "g1 work 50-52",
            ])
    }

    @Test func regionsThatAreTooShortAreNone() throws {
        var query = Query()
        query.regions = [Glob("work")]
        query.minDurationNanoseconds = 5
        let events = try select(query, script)
        #expect(events.filter { !$0.isSynthetic }.map(\.timeNanoseconds) == [10, 12, 20])
    }

    @Test func statesSelectSpans() throws {
        var query = Query()
        query.states = [.waiting]
        let events = try select(query, script)
        #expect(events.filter { !$0.isSynthetic }.map(\.timeNanoseconds) == [1, 12, 25, 40])
        #expect(
            spans(events, script.tables).filter { !$0.contains("undetermined") } == [
                "g1 waiting 25-40", "g2 waiting 1-12",
            ])
    }

    @Test func relatedAndDescendantsAreAdded() throws {
        let script = script
        script.go(3, .notExist, .runnable, at: 70, by: 1, ownStack: ["main.child"])
        script.go(4, .notExist, .runnable, at: 71, by: 3, ownStack: ["main.grandchild"])
        script.go(5, .notExist, .runnable, at: 72, by: 2)
        func owners(_ change: (inout Query) -> Void) throws -> Set<Int64> {
            var query = Query()
            query.goroutines = [1...1]
            change(&query)
            let spans = spans(try select(query, script), script.tables)
            return Set(spans.compactMap { Int64($0.dropFirst().prefix { $0 != " " }) })
        }
        #expect(try owners { _ in } == [1])
        #expect(try owners { $0.includesDescendants = true } == [1, 3, 4])
        #expect(try owners { $0.relatedHops = 1 } == [1, 2])
    }

    @Test func negationHoldsOutside() throws {
        var query = Query()
        query.conditions = [
            .not(.condition(.region([Glob("work")], lasting: 0))), .condition(.goroutine([1...1])),
        ]
        let events = try select(query, script)
        #expect(
            spans(events, script.tables) == [
                "g1 runnable 40-41", "g1 running 0-10>", "g1 running 20-25<", "g1 running 41-50>", "g1 running 52-60<>",
                "g1 waiting 25-40",
            ])
    }

    @Test func aWindowBehindTheEndIsRefused() {
        var query = Query()
        query.from = .sinceStart(1000)
        #expect(throws: TraceError.self) { try select(query, script) }
    }

    @Test func wallClockTimesNeedAClock() {
        var query = Query()
        query.from = .wall(1)
        #expect(throws: TraceError.self) { try select(query, script) }
    }
}
