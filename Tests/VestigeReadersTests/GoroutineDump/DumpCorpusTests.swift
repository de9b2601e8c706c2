import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Every input of the corpus of goroutine dumps against its truth: all goroutines in their order, with all
/// that is said of them.
@Suite struct DumpCorpusTests {
    struct Input: Decodable, Sendable, CustomTestStringConvertible {
        var file: String
        var truth: String
        var form: String
        var goroutines: Int
        var testDescription: String { file }
        var path: String { DumpCorpusTests.folder!.appendingPathComponent(file).path }
    }

    static let folder = Corpus.shared?.appendingPathComponent("corpus/pprof")
    static let inputs: [Input] = {
        guard let folder, let manifest = try? Data(contentsOf: folder.appendingPathComponent("manifest.json")) else {
            return []
        }
        return try! JSONDecoder().decode([Input].self, from: manifest)
    }()

    @Test(arguments: inputs) func matchesTheTruth(_ input: Input) throws {
        let truth = try JSONValue(
            String(contentsOf: Self.folder!.appendingPathComponent(input.truth), encoding: .utf8))
        let reading = try Reading(path: input.path)
        let observed = reading.events.filter { $0.kind == .observed }
        if input.goroutines == 0 {
            #expect(observed.isEmpty)
            #expect(reading.error?.code == .unreadable)
            return
        }
        #expect(reading.error == nil)
        #expect(observed.reduce(0) { $0 + $1.observedCount } == UInt64(input.goroutines))
        let facts = DumpFacts(reading)
        if let groups = truth["groups"] {
            #expect(observed.map(facts.group) == groups.array.map { facts.expectedGroup($0) })
        } else {
            let stacks = truth["stacks"]!.array
            let expected = truth["goroutines"]!.array.map { DumpFacts.expectedGoroutine($0, stacks) }
            #expect(observed.count == expected.count)
            for (event, wanted) in zip(observed, expected) where facts.goroutine(event) != wanted {
                Issue.record("found    \(facts.goroutine(event))\nexpected \(wanted)")
            }
        }
        try checkClock(reading, truth)
        #expect(reading.diagnostics.hasLoss == input.file.hasPrefix("cut-"))
    }

    private func checkClock(_ reading: Reading, _ truth: JSONValue) throws {
        if case .integer(let time)? = truth["time_nanos"] {
            #expect(reading.tables.sources[0].clock == .wall)
            #expect(reading.events.allSatisfy { $0.timeNanoseconds == time })
        } else if reading.tables.sources[0].clock == .unknown {
            #expect(reading.events.allSatisfy { $0.timeNanoseconds == 0 })
        }
    }

    /// What the runtime says before a dump is there as a log message.
    @Test(
        arguments: inputs.filter { input in
            ["panic", "segv", "fatal", "deadlock", "sigquit", "mapwrite", "error", "nested", "goexit", "overflow"]
                .contains { input.file.hasPrefix($0 + "-") }
        })
    func preambleIsKept(_ input: Input) throws {
        let truth = try JSONValue(
            String(contentsOf: Self.folder!.appendingPathComponent(input.truth), encoding: .utf8))
        let reading = try Reading(path: input.path)
        let messages = reading.events.filter { $0.kind == .log }.map { reading.tables.strings.string($0.message) }
        let first = messages.first.flatMap { $0.split(separator: "\n").first.map(String.init) }
        #expect(first == truth["preamble_first_line"]?.string)
    }
}

/// What a dump says, in a form that can be compared with the truth and read when it differs.
struct DumpFacts {
    private let tables: TraceTables

    init(_ reading: Reading) { tables = reading.tables }

    func goroutine(_ event: Event) -> [String: JSONValue] {
        let detail = tables.observations.detail(event.observationDetail)
        var facts: [String: JSONValue] = [
            "id": .integer(event.goroutine.rawValue), "state": .string(tables.strings.string(event.name)),
            "stack": stack(event.stack), "created_by": creation(detail.creation),
        ]
        for (flag, name) in ObservationDetail.Flags.names where detail.flags.contains(flag) {
            facts["\(name)"] = .bool(true)
        }
        facts["minutes"] = detail.minutes.map(JSONValue.integer)
        if let minutes = detail.minutes { facts["wait"] = .integer(minutes * 60_000_000_000) }
        facts["bubble"] = detail.bubble.map(JSONValue.integer)
        facts["labels"] = labels(detail.labels)
        if detail.elidedFrameCount != 0 {
            facts["elided"] = .integer(detail.elidedFrameCount)
            facts["elided_after"] = .integer(detail.elidedAfter)
        }
        let strays = attributes(detail, "stray")
        if !strays.isEmpty { facts["stray"] = .array(strays.map(JSONValue.string)) }
        if !detail.ancestors.isEmpty {
            facts["ancestors"] = .array(
                detail.ancestors.map { ancestor in
                    .object([
                        "id": .integer(ancestor.goroutine.rawValue), "stack": stack(ancestor.stack),
                        "created_by": creation(ancestor.creation),
                    ])
                })
        }
        return facts
    }

    static func expectedGoroutine(_ truth: JSONValue, _ stacks: [JSONValue]) -> [String: JSONValue] {
        var facts = truth.object
        facts["top"] = nil
        facts["frame_count"] = nil
        facts["stack"] = stack(facts["stack"], stacks)
        facts["created_by"] = creation(facts["created_by"])
        if case .integer(let minutes)? = facts["minutes"] { facts["wait"] = .integer(minutes * 60_000_000_000) }
        if let ancestors = facts["ancestors"] {
            facts["ancestors"] = .array(
                ancestors.array.map { ancestor in
                    var facts = ancestor.object
                    facts["frame_count"] = nil
                    facts["stack"] = stack(facts["stack"], stacks)
                    facts["created_by"] = creation(facts["created_by"])
                    return .object(facts)
                })
        }
        return facts
    }

    func group(_ event: Event) -> [String: JSONValue] {
        let detail = tables.observations.detail(event.observationDetail)
        #expect(event.goroutine == .absent)
        var facts: [String: JSONValue] = [
            "count": .integer(Int64(event.observedCount)), "frames": stack(event.stack),
        ]
        facts["labels"] = labels(detail.labels)
        if let counters = attributes(detail, "pcs").first {
            facts["pcs"] = .array(counters.split(separator: " ").map { .string(String($0)) })
        }
        return facts
    }

    func expectedGroup(_ truth: JSONValue) -> [String: JSONValue] { truth.object }

    private func attributes(_ detail: ObservationDetail, _ name: String) -> [String] {
        tables.observations.attributes(detail.attributes).filter { tables.strings.string($0.name) == name }
            .map { tables.strings.string($0.value) }
    }

    private func labels(_ list: AttributeListID) -> JSONValue? {
        let labels = tables.observations.attributes(list)
        guard !labels.isEmpty else { return nil }
        return .object(
            Dictionary(
                uniqueKeysWithValues: labels.map {
                    (tables.strings.string($0.name), .string(tables.strings.string($0.value)))
                }))
    }

    private func stack(_ id: StackID) -> JSONValue {
        .array(
            tables.stacks.frames(id).map { frame in
                let (function, file) = (tables.strings.string(frame.function), tables.strings.string(frame.file))
                return .string("\(function) \(file):\(frame.line)")
            })
    }

    private static func stack(_ index: JSONValue?, _ stacks: [JSONValue]) -> JSONValue {
        guard case .integer(let index)? = index else { return .array([]) }
        return stacks[Int(index)]
    }

    private func creation(_ creation: Creation) -> JSONValue {
        guard creation != .unknown else { return .null }
        let frame = tables.stacks.node(creation.stack).frame
        return .object([
            "func": .string(tables.strings.string(frame.function)), "file": .string(tables.strings.string(frame.file)),
            "line": .integer(Int64(frame.line)), "goroutine": .integer(creation.goroutine.rawValue),
        ])
    }

    private static func creation(_ truth: JSONValue?) -> JSONValue {
        guard let truth, truth != .null else { return .null }
        var facts = truth.object
        if facts["goroutine"] == .null || facts["goroutine"] == nil { facts["goroutine"] = .integer(-1) }
        if facts["file"] == .null { facts["file"] = .string("") }
        if facts["line"] == .null { facts["line"] = .integer(0) }
        return .object(facts)
    }
}
