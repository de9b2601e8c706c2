import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Tracepoints and breakpoints, in particular those that mark birth and death.
@Suite(.enabled(if: DelveCorpus.folder != nil)) struct DelveLifecycleTests {
    struct Life: Decodable {
        var goid: Int64
        var kind: String
        var role: String
        var parent: Int64
        var mono: Int64
    }

    private func truth(_ path: String) throws -> [Life] {
        try Corpus.bytes(of: path).split(separator: 0x0a).compactMap {
            try? JSONDecoder().decode(Life.self, from: Data($0))
        }
    }

    @Test(arguments: ["go1.27-dlv1.27", "go1.19-dlv1.20.2"]) func logOfAnswersTellsEveryBirthAndDeath(_ set: String)
        throws
    {
        let base = DelveCorpus.path(set, "lifecycle/rpc-lifecycle")
        let reading = try Reading(path: "\(base).jsonl")
        let lives = try truth("\(base).truth.jsonl")
        #expect(reading.error == nil && lives.count >= 10)
        #expect(reading.tables.sources[0].clock == .monotonic)
        var births: [Int64: Event] = [:]
        var deaths: [Int64: Event] = [:]
        for event in reading.events where event.kind == .goroutineTransition {
            let id = event.subjectGoroutine.rawValue
            if event.fromGoroutineState == .notExist {
                #expect(births.updateValue(event, forKey: id) == nil)
            } else {
                #expect(event.toGoroutineState == .notExist && deaths.updateValue(event, forKey: id) == nil)
            }
        }
        for life in lives where life.goid != 1 {
            let birth = try #require(births[life.goid], "goroutine \(life.goid)")
            #expect(birth.goroutine.rawValue == life.parent && birth.toGoroutineState == .runnable)
            if life.kind == "start" { #expect(birth.timeNanoseconds <= life.mono) }
            if life.kind == "finish" { #expect(try #require(deaths[life.goid]).timeNanoseconds >= life.mono) }
            if life.role == "leak" { #expect(deaths[life.goid] == nil) }
        }
        #expect(reading.events.map(\.timeNanoseconds) == reading.events.map(\.timeNanoseconds).sorted())
        // Each stop is a snapshot of its own.
        #expect(Set(reading.seen.compactMap { $0.attribute("snapshot") }).count > 25)
    }

    @Test(
        arguments: DelveCorpus.inputs.filter {
            $0.file.hasPrefix("lifecycle/trace-") || $0.file.hasPrefix("lifecycle/repl-")
        })
    func everyHitOfATextIsThere(_ input: DelveCorpus.Input) throws {
        let reading = try Reading(path: input.path)
        let text = String(decoding: try Corpus.bytes(of: input.path), as: UTF8.self)
        let lines = text.split(separator: "\n")
        let expected = lines.filter { $0.contains("> goroutine(") || $0.hasPrefix("> ") && $0.contains("(PC: 0x") }
        #expect(reading.hits.count == expected.count)
        for (hit, line) in zip(reading.hits, expected) {
            let goroutine = line.split(separator: "goroutine(").dropFirst().first.flatMap {
                Int64($0.prefix { $0.isNumber })
            }
            #expect(hit.event.goroutine.rawValue == (goroutine ?? 0 == 0 ? -1 : goroutine!), "\(line)")
            #expect(
                line.contains(hit.arguments["breakpoint.function"] ?? "?") || line.contains(">> goroutine"), "\(line)")
        }
        // Delve 1.20.2 dies at its first hit, before there is a goroutine.
        if input.name.contains("stack"), reading.hits.count > 1 {
            #expect(reading.hits.allSatisfy { $0.event.stack != .absent })
        }
        if input.name.contains("timestamp") { #expect(reading.tables.sources[0].clock == .wall) }
    }

    /// Goroutines that the program saw end are those that pass `goexit`, one transition each.
    @Test(
        arguments: DelveCorpus.inputs.filter {
            $0.file.hasPrefix("lifecycle/") && $0.file.contains("runtime") && $0.name.hasSuffix(".txt")
        })
    func deathsInTextAreThoseOfTheProgram(_ input: DelveCorpus.Input) throws {
        // Of that recording Delve 1.20.2 left nothing.
        if input.set.contains("dlv1.20.2"), input.name.hasPrefix("trace-runtime") { return }
        let truthPath = input.path.replacingOccurrences(of: ".txt", with: ".truth.jsonl")
        let finished = Set(try truth(truthPath).filter { $0.kind == "finish" && $0.goid != 1 }.map(\.goid))
        let reading = try Reading(path: input.path)
        let deaths = reading.events.filter { $0.kind == .goroutineTransition && $0.toGoroutineState == .notExist }
        let ids = deaths.map(\.subjectGoroutine.rawValue)
        #expect(Set(ids).count == ids.count && Set(ids).isSuperset(of: finished))
        #expect(!finished.isEmpty)
    }

    @Test func serverLogSaysTheSameAsTheClientsLog() throws {
        let folder = DelveCorpus.path("go1.27-dlv1.27", "lifecycle")
        let server = try Reading(path: "\(folder)/rpc-server-log.txt")
        let client = try Reading(path: "\(folder)/rpc-lifecycle.jsonl")
        #expect(server.error == nil)
        let describe = { (hit: (event: Event, name: String, arguments: [String: String])) in
            "\(hit.name) \(hit.event.goroutine.rawValue) \(hit.arguments.sorted { $0.key < $1.key })"
        }
        let hits = server.hits.map(describe)
        #expect(hits.count > 10 && client.hits.map(describe).starts(with: hits))
        #expect(
            server.tables.sources[0].goVersion == "1.27.3" && server.tables.sources[0].formatVersion == "Delve 1.27.1")
    }
}
