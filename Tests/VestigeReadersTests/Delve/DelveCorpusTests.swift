import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Every recording of the corpus against what is known of it.
@Suite(.enabled(if: DelveCorpus.folder != nil)) struct DelveCorpusTests {
    // MARK: - Every input is taken, or refused with a clear error

    @Test func thereAreInputs() { #expect(DelveCorpus.inputs.count > 1400) }

    /// Files that say nothing of goroutines or threads, and are refused.
    static let foreign = ["args.txt", "locals-frame2.txt", "regs.txt", "goroutines-with-none.txt"]
    /// Where all that the debugger gives is an error.
    static func isError(_ input: DelveCorpus.Input) -> Bool {
        input.file.contains("/errors/") || input.name.contains("-refused.")
            || ["goroutine-dead-stack.txt", "goroutine-unknown-stack.txt"].contains(input.name)
            // Delve 1.20.2 does not know these.
            || input.set.contains("dlv1.20.2")
                && ["goroutines-chan-jobs.txt", "list-targets.response.json", "waiting-on-channel.txt"].contains(
                    input.name)
    }

    @Test(arguments: DelveCorpus.setNames) func everyInputIsTaken(_ set: String) throws {
        for input in DelveCorpus.inputs where input.set == set {
            let reading = try Reading(path: input.path)
            // The list of who waits on a channel came after Delve 1.20.2.
            if Self.foreign.contains(input.name) || input.name == "print-chan.txt" && set.contains("dlv1.20.2") {
                #expect(reading.error?.code == .unreadable, "\(input)")
                continue
            }
            if Self.isError(input) {
                let found = reading.error?.found ?? ""
                let words = ["error", "unknown", "wrong argument"]
                #expect(words.contains { found.contains($0) }, "\(input): \(String(describing: reading.error))")
                #expect(reading.events.isEmpty, "\(input)")
                #expect(reading.diagnostics[.answersFailed] == 1, "\(input)")
                continue
            }
            #expect(reading.error == nil, "\(input): \(String(describing: reading.error))")
            #expect(reading.diagnostics[.linesUnknown] == 0, "\(input)")
            if input.name.hasPrefix("goroutines"), input.name.hasSuffix(".txt") { try checkListing(input, reading) }
            if input.name.hasPrefix("list-goroutines"), input.name.hasSuffix(".response.json") {
                try checkAnswer(input, reading)
            }
            if input.name.hasPrefix("threads") { try checkThreads(input, reading) }
        }
    }

    /// As many goroutines as the text has lines of them; complete if its last line says so.
    private func checkListing(_ input: DelveCorpus.Input, _ reading: Reading) throws {
        let text = String(decoding: try Corpus.bytes(of: input.path), as: UTF8.self)
        let lines = text.split(separator: "\n")
        let entries = lines.filter { $0.contains("* Goroutine ") || $0.contains("  Goroutine ") }
        let seen = reading.seen
        #expect(seen.filter(\.isEntry).count >= entries.count - 1, "\(input)")
        let totals = lines.compactMap { line in line.hasPrefix("\tTotal: ") ? UInt64(line.dropFirst(8)) : nil }
        if !totals.isEmpty {
            #expect(seen.reduce(0) { $0 + $1.count } == totals.reduce(0, +), "\(input)")
        } else {
            #expect(seen.count == entries.count, "\(input)")
        }
        let isWhole =
            lines.last == "[\(entries.count) goroutines]" || !totals.isEmpty && lines.last != "Too many groups"
        #expect(reading.diagnostics[.listingsIncomplete] == (isWhole ? 0 : 1), "\(input)")
        let withStack = seen.filter { $0.detail.flags.contains(.stackUnavailable) && !$0.stack.isEmpty }
        #expect(withStack.isEmpty, "\(input): another's stack")
    }

    private func checkAnswer(_ input: DelveCorpus.Input, _ reading: Reading) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: input.path))
        let answer = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        let result = answer?["result"] as? [String: Any]
        let goroutines = result?["Goroutines"] as? [[String: Any]] ?? []
        let expected = goroutines.map { $0["id"] as! Int64 }.map { $0 == 0 ? -1 : $0 }
        #expect(reading.seen.map(\.goroutine) == expected, "\(input)")
        for (seen, record) in zip(reading.seen, goroutines) {
            let waitSince = record["waitSince"] as! Int64
            #expect(seen.attribute("waitSince") == (waitSince == 0 ? nil : "\(waitSince)"))
            #expect(seen.attribute("status") == "\(record["status"] as! Int64)")
            #expect(seen.labels == record["labels"] as? [String: String] ?? [:])
        }
    }

    private func checkThreads(_ input: DelveCorpus.Input, _ reading: Reading) throws {
        let lines = try Corpus.bytes(of: input.path).split(separator: 0x0a).count
        #expect(reading.seen.count == lines && reading.seen.allSatisfy { $0.count == 0 && $0.thread > 0 }, "\(input)")
    }

    // MARK: - What the program itself knows

    @Test(arguments: DelveCorpus.setNames) func goroutinesAreWhereTheProgramMeantThemToBe(_ set: String) throws {
        let truth = DelveCorpus.manifest!.sets[set]!.truth
        let minor = DelveCorpus.minor(set)
        var compared = 0
        for phase in DelveCorpus.phases(set) {
            let reading = Reading(bytes: try DelveCorpus.log(set, phase: phase.rpc))
            #expect(reading.error == nil && reading.diagnostics.nonZero.isEmpty)
            let seen = reading.seenByID
            for id in truth.finishedBeforeAnySnapshot { #expect(seen[id] == nil, "\(set) goroutine \(id)") }
            for (key, goroutine) in truth.goroutines where goroutine.want != "gone" {
                let found = try #require(seen[Int64(key)!], "\(set) \(phase.rpc) goroutine \(key)")
                check(found, goroutine, minor: minor, "\(set) \(phase.rpc) goroutine \(key), \(goroutine.role)")
                compared += 1
            }
            let leaked = Set(seen.values.filter { $0.detail.flags.contains(.leaked) }.map(\.goroutine))
            // The leak profile, which marks them, was taken before phase C only.
            #expect(leaked == (phase.rpc.hasSuffix("C") ? Set(truth.leaked.map(\.goid)) : []))
        }
        #expect(compared > 50)
    }

    private func check(_ seen: Seen, _ truth: DelveCorpus.Goroutine, minor: Int, _ comment: Comment) {
        // A ticker may just have been woken.
        let isAwake = truth.role == "ticker" && [.runnable, .running].contains(seen.state)
        if let reason = truth.reason(minor: minor), !isAwake {
            #expect(seen.state == .waiting && seen.reason == reason, comment)
            #expect(seen.doubts.isEmpty, comment)
        }
        switch truth.want {
        case "syscall": #expect(seen.state == .syscall && seen.reason.isEmpty && seen.thread > 0, comment)
        case "running or runnable": #expect(seen.state == .running || seen.state == .runnable, comment)
        case "select or sleep":
            #expect(["select", "sleep", ""].contains(seen.reason), comment)
        default: break
        }
        #expect(!seen.stack.isEmpty && seen.creation != nil && seen.attribute("start_location") != nil, comment)
        #expect(seen.stack.last?.hasPrefix("runtime.goexit ") ?? false || seen.detail.elidedFrameCount != 0, comment)
    }

    // MARK: - JSON and text of the same stop agree

    @Test(arguments: DelveCorpus.setNames) func textAndJSONAgree(_ set: String) throws {
        var compared = 0
        for phase in DelveCorpus.phases(set) {
            let answers = Reading(bytes: try DelveCorpus.log(set, phase: phase.rpc)).seenByID
            let folder = DelveCorpus.path(set, phase.text)
            for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                let isWhole = [
                    "goroutines.txt", "goroutines-t.txt", "goroutines-t-200.txt", "goroutines-t-20-l.txt",
                    "goroutines-r.txt", "goroutines-s.txt", "goroutines-g.txt", "goroutines-l.txt",
                ].contains(file)
                guard isWhole else { continue }
                let text = try Reading(path: "\(folder)/\(file)", goVersion: DelveCorpus.goVersion(set)).seenByID
                #expect(Set(text.keys) == Set(answers.keys), "\(folder)/\(file)")
                for (id, seen) in text {
                    guard let answer = answers[id] else { continue }
                    compare(seen, answer, file, "\(set) \(phase.text)/\(file) goroutine \(id)")
                    compared += 1
                }
            }
        }
        #expect(compared > 190)
    }

    private func compare(_ text: Seen, _ json: Seen, _ file: String, _ comment: Comment) {
        #expect(text.thread == json.thread, comment)
        // Text does not tell what is runnable from what is leaked, and marks what it concludes.
        if text.state != json.state {
            #expect(text.state == .undetermined && !text.doubts.isEmpty, comment)
        } else if text.reason != json.reason {
            #expect(!text.doubts.isEmpty, "\(comment): \(text.reason), really \(json.reason)")
        }
        if let since = text.attribute("waitSince") { #expect(since == json.attribute("waitSince"), comment) }
        if let user = text.attribute("user_location") {
            #expect(Self.isSame(user, json.attribute("user_location")!), "\(comment): \(user)")
        }
        if let start = text.attribute("start_location") {
            #expect(Self.isSame(start, json.attribute("start_location")!), "\(comment): \(start)")
        }
        if let creation = text.creation {
            #expect(Self.isSame(creation, json.creation ?? ""), "\(comment): \(creation)")
        }
        guard file.hasPrefix("goroutines-t") else { return }
        let areSame = zip(text.stack, json.stack).allSatisfy { Self.isSame($0, $1) }
        #expect(areSame, "\(comment): \(text.stack) \(json.stack)")
        let areWhole = text.detail.elidedFrameCount == 0 && json.detail.elidedFrameCount == 0
        if areWhole { #expect(text.stack.count == json.stack.count, comment) }
        if file.contains("-l") { #expect(text.labels.allSatisfy { json.labels[$0.key] == $0.value }, comment) }
    }

    /// The client shortens its working directory to a dot.
    private static func isSame(_ text: String, _ json: String) -> Bool {
        text == json || text.replacingOccurrences(of: " ./", with: " /tmp/vestige-demo/") == json
    }

    // MARK: - Wait reasons from text, with and without the version

    @Test(arguments: DelveCorpus.setNames) func textNamesTheRightReasonOrADoubt(_ set: String) throws {
        let truth = DelveCorpus.manifest!.sets[set]!.truth
        let minor = DelveCorpus.minor(set)
        for version in [nil, DelveCorpus.goVersion(set)] {
            for file in ["goroutines.txt", "goroutines-t.txt"] {
                let path = DelveCorpus.path(set, "cli/phase-B/\(file)")
                let seen = try Reading(path: path, goVersion: version).seenByID
                var sure = 0
                var all = 0
                for (key, goroutine) in truth.goroutines {
                    guard let reason = goroutine.reason(minor: minor), let found = seen[Int64(key)!] else { continue }
                    let comment: Comment =
                        "\(set) \(file) \(version ?? "?") goroutine \(key): \(found.reason) for \(reason)"
                    all += 1
                    if found.doubts.isEmpty {
                        #expect(found.state == .waiting && found.reason == reason, comment)
                        sure += 1
                    }
                }
                #expect(sure * 10 >= all * 8, "\(set) \(file) \(version ?? "?"): \(sure) of \(all) are sure")
            }
        }
    }

    @Test func tablesAreThoseOfTheRuntimes() throws {
        struct Tables: Decodable {
            var runtime: [String: [String]]
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(DelveCorpus.folder!)/wait-reasons.json"))
        let tables = try JSONDecoder().decode(Tables.self, from: data).runtime
        #expect(tables.count >= 8)
        for (version, words) in tables {
            let minor = try #require(Int(version.split(separator: ".")[1]))
            for (code, word) in words.enumerated() where code > 0 {
                let record = """
                    {"id":1,"result":{"Goroutines":[{"id":7,"status":4,"waitReason":\(code)}]},"error":null}
                    """
                let seen = Reading(bytes: Array(record.utf8), goVersion: "1.\(minor)").seen
                #expect(seen.first?.reason == word, "Go 1.\(minor), code \(code)")
            }
        }
    }
}
