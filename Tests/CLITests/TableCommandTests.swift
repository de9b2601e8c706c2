import Foundation
import Testing
import VestigeTestSupport

/// Tables in the terminal, and the same as JSON and CSV.
@Suite struct TableCommandTests {
    private static let orders = PackagePaths.sample("orders")
    private static let commands = ["goroutines", "regions", "tasks", "waits", "stacks"]

    private func json(_ arguments: [String]) throws -> [String: Any] {
        let result = try CommandLineTool.run(arguments + ["--json", "-q"])
        #expect(result.status == 0)
        #expect(result.text.hasSuffix("}\n") && result.text.filter { $0 == "\n" }.count == 1)
        return try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
    }

    private func rows(_ arguments: [String]) throws -> [[String: Any]] {
        try #require(try json(arguments)["rows"] as? [[String: Any]])
    }

    /// The cells of a CSV without quotes in it.
    private func csv(_ arguments: [String]) throws -> [[String: String]] {
        let lines = try CommandLineTool.run(arguments + ["--csv", "-q"]).text.components(separatedBy: "\r\n").dropLast()
        let names = try #require(lines.first).components(separatedBy: ",")
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(names, $0.components(separatedBy: ","))) }
    }

    // MARK: - What they show

    @Test func goroutinesAreThoseOfTheCSVTable() throws {
        let shown = try rows(["goroutines", Self.orders, "--system"])
        let folder = try TemporaryFolder()
        _ = try CommandLineTool.run(["convert", "-q", Self.orders, "-o", folder.file("g.csv"), "--table", "goroutines"])
        let table = try folder.text("g.csv").components(separatedBy: "\r\n")
        let names = table[0].components(separatedBy: ",")
        #expect(shown.count == table.count - 2)
        for line in table.dropFirst().dropLast() {
            let cells = Dictionary(uniqueKeysWithValues: zip(names, line.components(separatedBy: ",")))
            let row = try #require(shown.first { "\($0["goroutine"] ?? "")" == cells["goroutine"] })
            for column in ["function", "running_ns", "runnable_ns", "waiting_ns", "syscall_ns"] {
                #expect("\(row[column] ?? "")" == cells[column], "\(column)")
            }
            #expect("\(row["created_by"] ?? "")" == (cells["created_by"] == "" ? "<null>" : cells["created_by"]))
            #expect(row["state"] as? String == (cells["ended"] == "true" ? "Ended" : cells["final_state"]))
        }
    }

    @Test func goroutinesOfTheRuntimeAreLeftOutAndThatIsSaid() throws {
        let result = try CommandLineTool.run(["goroutines", Self.orders])
        #expect(!result.text.contains("runtime.bgsweep"))
        #expect(result.errors.contains("goroutines of Go's runtime are left out; --system shows them"))
        #expect(try CommandLineTool.run(["goroutines", Self.orders, "--system"]).text.contains("runtime.bgsweep"))
    }

    @Test func regionsAndTasksAreThoseOfTheProgram() throws {
        let regions = try rows(["regions", Self.orders])
        #expect(Set(regions.compactMap { $0["name"] as? String }) == ["charge", "pack", "ship"])
        #expect(regions.allSatisfy { $0["count"] as? Int == 24 && $0["open"] as? Int == 0 })
        let tasks = try rows(["tasks", Self.orders])
        #expect(tasks.count == 1 && tasks[0]["name"] as? String == "order" && tasks[0]["count"] as? Int == 24)
    }

    /// Percentiles of so few are exact: those of the table of regions.
    @Test func percentilesAreThoseOfTheRows() throws {
        let result = try CommandLineTool.run([
            "convert", "-q", Self.orders, "-o", "-", "--to", "csv", "--table", "regions", "--columns",
            "name,duration_ns",
            "--no-header",
        ])
        let durations = result.text.components(separatedBy: "\r\n").filter { $0.hasPrefix("charge,") }
            .compactMap { Int($0.dropFirst("charge,".count)) }.sorted()
        let row = try #require(try rows(["regions", Self.orders]).first { $0["name"] as? String == "charge" })
        #expect(durations.count == 24)
        #expect(row["total_ns"] as? Int == durations.reduce(0, +))
        #expect(row["p50_ns"] as? Int == durations[11])
        #expect(row["p90_ns"] as? Int == durations[21])
        #expect(row["p99_ns"] as? Int == durations[23])
        #expect(row["max_ns"] as? Int == durations[23])
    }

    @Test func waitsNameTheirPlace() throws {
        let waits = try rows(["waits", Self.orders])
        #expect(waits.contains { $0["reason"] as? String == "sleep" && "\($0["place"] ?? "")".hasPrefix("main.step ") })
        #expect(!waits.contains { $0["system"] as? Bool == true })
        #expect(try rows(["waits", Self.orders, "--system"]).contains { $0["system"] as? Bool == true })
    }

    // MARK: - JSON, CSV, text

    @Test(arguments: commands) func jsonAndCSVSayTheSame(_ command: String) throws {
        let (objects, lines) = (try rows([command, Self.orders]), try csv([command, Self.orders]))
        #expect(!objects.isEmpty && objects.count == lines.count)
        for (object, line) in zip(objects, lines) {
            #expect(Set(object.keys) == Set(line.keys))
            for (name, value) in object {
                let cell = line[name]?.replacingOccurrences(of: "\"", with: "")
                let text = value is NSNull ? "" : "\(value)"
                // JSONSerialization gives booleans as numbers.
                #expect(cell == text || cell == (text == "0" ? "false" : "true"), "\(name)")
            }
        }
    }

    @Test(arguments: commands) func textHasOneLineARow(_ command: String) throws {
        let count = try rows([command, Self.orders]).count
        let text = try CommandLineTool.run([command, Self.orders]).text
        let table = text.components(separatedBy: "\n\n")[0].split(separator: "\n")
        #expect(table.count == count + 2)
        #expect(table[1].allSatisfy { $0 == "-" || $0 == " " })
        #expect(!text.contains("\u{1b}") && !text.contains("…"))
    }

    @Test func anEmptyTableIsAnAnswer() throws {
        let result = try CommandLineTool.run(["tasks", PackagePaths.sample("hog")])
        #expect(result.status == 0 && result.text.isEmpty)
        #expect(result.errors.contains("no tasks in "))
        #expect(try rows(["tasks", PackagePaths.sample("hog")]).isEmpty)
        let csv = try CommandLineTool.run(["tasks", PackagePaths.sample("hog"), "--csv"])
        #expect(csv.text == "name,count,total_ns,p50_ns,p90_ns,p99_ns,max_ns,began_before,open\r\n")
    }

    // MARK: - Order and number of rows

    @Test(arguments: [
        ("running_ns", false, false), ("-running_ns", false, true), ("running", true, true), ("-running", true, false),
    ]) func rowsAreSorted(_ column: String, _ isReversed: Bool, _ isDescending: Bool) throws {
        let options = ["--sort", column] + (isReversed ? ["--reverse"] : [])
        let values = try rows(["goroutines", Self.orders] + options).compactMap { $0["running_ns"] as? Int }
        #expect(values.count > 3)
        #expect(values == values.sorted(by: isDescending ? (>) : (<)))
    }

    @Test func whatHasNoValueComesLast() throws {
        for column in ["created_by", "-created_by"] {
            let creators = try rows(["goroutines", Self.orders, "--system", "--sort", column]).map {
                $0["created_by"] as? Int
            }
            let first = creators.firstIndex(of: nil) ?? 0
            #expect(first > 0 && creators[first...].allSatisfy { $0 == nil })
        }
    }

    @Test func onlyTheTopAndThatIsSaid() throws {
        let all = try rows(["goroutines", Self.orders, "--sort", "-waiting"])
        let top = try json(["goroutines", Self.orders, "--sort", "-waiting", "--top", "2"])
        let shown = try #require(top["rows"] as? [[String: Any]])
        #expect(shown.map { $0["goroutine"] as? Int } == all.prefix(2).map { $0["goroutine"] as? Int })
        #expect(top["count"] as? Int == all.count)
        let percentiles = try #require(top["percentiles"] as? [String: [String: Int]])
        #expect(percentiles["waiting_ns"]?["max"] == all.compactMap { $0["waiting_ns"] as? Int }.max())
        let text = try CommandLineTool.run(["goroutines", Self.orders, "--top", "2"])
        #expect(text.errors.contains("2 of \(all.count) goroutines; --top 0 shows all"))
    }

    @Test func columnThatThereIsNot() throws {
        let result = try CommandLineTool.run(["waits", Self.orders, "--sort", "reson"])
        #expect(result.status == 2)
        #expect(result.errors.contains("did you mean reason?"))
        #expect(result.text.isEmpty)
    }

    @Test(arguments: commands + ["lifeline"]) func jsonAndCSVExcludeEachOther(_ command: String) throws {
        let number = command == "lifeline" ? ["1"] : []
        let result = try CommandLineTool.run([command] + number + [Self.orders, "--json", "--csv"])
        #expect(result.status == 2 && result.errors.contains("--json and --csv exclude each other"))
    }

    // MARK: - Lifeline

    @Test func lifelineTellsTheWholeStory() throws {
        let workers = try rows(["goroutines", Self.orders]).filter { $0["function"] as? String == "main.worker" }
        let worker = try #require(workers.first)
        let id = "\(try #require(worker["goroutine"] as? Int))"
        let story = try rows(["lifeline", id, Self.orders])
        #expect(story.first?["what"] as? String == "Created" && story.first?["by"] as? Int == 1)
        #expect(story.last?["what"] as? String == "Ended")
        let sum = { (state: String) in
            story.filter { $0["what"] as? String == state }.reduce(0) { $0 + ($1["duration_ns"] as? Int ?? 0) }
        }
        #expect(sum("Running") == worker["running_ns"] as? Int)
        #expect(sum("Waiting") == worker["waiting_ns"] as? Int)
        #expect(sum("Runnable") == worker["runnable_ns"] as? Int)
        let begins = story.filter { $0["what"] as? String == "RegionBegin" }.count
        #expect(
            begins > 0
                && begins == story.filter { $0["what"] as? String == "RegionEnd" && $0["duration_ns"] is Int }.count)
        #expect(story.contains { $0["what"] as? String == "Log" && "\($0["name"] ?? "")".hasPrefix("order: number") })
        #expect(story.contains { $0["what"] as? String == "Waiting" && $0["by"] is Int && $0["by_at"] is String })
        let times = story.compactMap { $0["time_ns"] as? Int }
        #expect(times.count == story.count && times == times.sorted())
    }

    @Test func lifelineOfNobody() throws {
        let result = try CommandLineTool.run(["lifeline", "99999", Self.orders])
        #expect(result.status == 2 && result.text.isEmpty)
        #expect(result.errors.contains("expected a goroutine of the recording (the nearest are "))
    }

    // MARK: - Order

    @Test func rowsAreOrderedByNamesAndByHeadings() throws {
        for (name, heading) in [("created_at", "at"), ("main_wait", "MAINLY"), ("lifetime_ns", "lifetime")] {
            let byName = try CommandLineTool.run(["goroutines", Self.orders, "--sort", name]).text
            #expect(try CommandLineTool.run(["goroutines", Self.orders, "--sort", heading]).text == byName)
        }
        let error = try CommandLineTool.run(["goroutines", Self.orders, "--sort", "creatd_at"])
        #expect(error.status == 2)
        #expect(
            error.errors.contains("(goroutine, id, function, created_by, by, ")
                && error.errors.contains("did you mean created_at?"))
    }

    // MARK: - What only observers saw

    private static let dumps = ["debug2-1.27", "debug1-1.27", "leak-debug2-1.27", "quit-1.27", "panic-1.22"]

    /// What is shown is what the CSV table has.
    @Test(arguments: dumps) func goroutinesOfADump(_ name: String) throws {
        let dump = "\(PackagePaths.samples)/goroutine-dump/\(name)/\(name).txt"
        let shown = try rows(["goroutines", dump, "--system"])
        let seen = try observations(dump)
        #expect(!shown.isEmpty && shown.count == seen.count)
        func key(_ row: [String: Any], _ names: [String]) -> String {
            names.map { row[$0].map { $0 is NSNull ? "" : "\($0)" } ?? "" }.joined(separator: "|")
        }
        let names = ["goroutine", "count", "state", "reason", "minutes", "created_by", "stack"]
        #expect(shown.map { key($0, names) }.sorted() == seen.map { key($0, names) }.sorted())
        let stacks = try rows(["stacks", dump, "--system"])
        #expect(
            stacks.reduce(0) { $0 + ($1["goroutines"] as? Int ?? 0) }
                == seen.reduce(0) { $0 + (Int($1["count"] ?? "") ?? 0) })
        #expect(
            Set(stacks.map { key($0, ["state", "reason", "stack"]) })
                == Set(seen.map { key($0, ["state", "reason", "stack"]) }))
    }

    private func observations(_ input: String) throws -> [[String: String]] {
        let columns = "goroutine,count,state,reason,minutes,created_by,stack"
        let result = try CommandLineTool.run([
            "convert", "-q", input, "--to", "csv", "--table", "observations", "--columns", columns, "--delimiter",
            "tab",
            "--no-header", "-o", "-",
        ])
        return result.text.components(separatedBy: "\r\n").dropLast().map { line in
            Dictionary(
                uniqueKeysWithValues: zip(columns.components(separatedBy: ","), line.components(separatedBy: "\t")))
        }
    }

    @Test func aDebuggersSnapshotIsShownToo() throws {
        let session = PackagePaths.root + "/samples/delve/queue/queue.txt"
        let shown = try rows(["goroutines", session])
        #expect(
            shown.contains {
                $0["function"] as? String == "main.main.func1.1" && $0["reason"] as? String == "semacquire"
            })
        #expect(shown.allSatisfy { $0["count"] as? Int == 1 })
        #expect(try rows(["goroutines", session, "--system"]).count > shown.count)
        #expect(try rows(["stacks", session, "--system"]).count > (try rows(["stacks", session])).count)
        // A column that only lives have, and one that only observations have.
        #expect(try CommandLineTool.run(["goroutines", session, "--sort", "lifetime"]).status == 2)
        #expect(try CommandLineTool.run(["goroutines", session, "--sort", "-waited"]).status == 0)
    }

    @Test func stacksOfTheRuntimeAreLeftOut() throws {
        let (shown, all) = (try rows(["stacks", Self.orders]), try rows(["stacks", Self.orders, "--system"]))
        let hidden = all.count { row in
            let root = (row["stack"] as? String ?? "").components(separatedBy: " < ").last ?? ""
            return root.hasPrefix("runtime.") && !root.hasPrefix("runtime.main ")
        }
        #expect(hidden > 0 && shown.count == all.count - hidden)
    }

    // MARK: - Diff

    @Test func nothingChangesBetweenARecordingAndItself() throws {
        let result = try CommandLineTool.run(["diff", Self.orders, Self.orders])
        #expect(result.status == 0 && result.text.isEmpty)
        #expect(result.errors.contains("no difference between ") && result.errors.contains("; --all shows the "))
        #expect(try rows(["diff", Self.orders, Self.orders]).isEmpty)
        let changes = try rows(["diff", Self.orders, Self.orders, "--all"])
        #expect(changes.count > 10)
        #expect(changes.allSatisfy { $0["count_difference"] as? Int == 0 && $0["amount_difference"] as? Int == 0 })
        #expect(changes.allSatisfy { $0["amount_a"] as? Int == 0 || $0["amount_ratio"] as? Double == 1 })
    }

    @Test func whatChangedTheMostComesFirst() throws {
        let other = PackagePaths.sample("pipeline")
        let changes = try rows(["diff", Self.orders, other, "--all"])
        let changed = try rows(["diff", Self.orders, other])
        #expect(
            changed.count
                == changes.count { $0["amount_difference"] as? Int != 0 || $0["count_difference"] as? Int != 0 })
        for section in ["goroutines", "waits", "regions", "ranges"] {
            let differences = changes.filter { $0["section"] as? String == section }
                .compactMap { $0["amount_difference"] as? Int }.map(abs)
            #expect(!differences.isEmpty && differences == differences.sorted(by: >), "\(section)")
        }
        for side in [("a", Self.orders), ("b", other)] {
            let waits = try rows(["waits", side.1]).reduce(0) { $0 + ($1["total_ns"] as? Int ?? 0) }
            let compared = changes.filter { $0["section"] as? String == "waits" }
            #expect(compared.reduce(0) { $0 + ($1["amount_\(side.0)"] as? Int ?? 0) } == waits)
        }
        let limited = try rows(["diff", Self.orders, other, "--top", "1"])
        #expect(Set(limited.compactMap { $0["section"] as? String }).count == limited.count)
        let reversed = try rows(["diff", other, Self.orders, "--all"])
        #expect(reversed.count == changes.count)
        #expect(reversed[0]["amount_difference"] as? Int == -(changes[0]["amount_difference"] as? Int ?? 0))
    }

    @Test func diffOfWhatCannotBeRead() throws {
        #expect(try CommandLineTool.run(["diff", Self.orders, "nosuch"]).status == 3)
        #expect(try CommandLineTool.run(["diff", "-", "-"]).status == 2)
        #expect(try CommandLineTool.run(["diff", Self.orders]).status == 2)
    }

    // MARK: - A part of the recording

    @Test func queriesSelectWhatIsShown() throws {
        let workers = try rows(["goroutines", Self.orders, "--function", "main.worker"])
        #expect(workers.count == 3 && workers.allSatisfy { $0["function"] as? String == "main.worker" })
        let part = try rows(["goroutines", Self.orders, "--from", "10ms", "--to", "20ms", "--system"])
        #expect(!part.isEmpty && part.allSatisfy { ($0["lifetime_ns"] as? Int ?? .max) <= 10_000_000 })
        let nothing = try CommandLineTool.run(["waits", Self.orders, "--kind", "Experimental", "--json"])
        #expect(nothing.status == 0 && nothing.errors.contains("nothing in the recording is what was asked for"))
    }

    // MARK: - Damage

    @Test func aCutRecordingIsShownAsFarAsItGoes() throws {
        let folder = try TemporaryFolder()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.orders))
        try folder.write(bytes.prefix(bytes.count * 3 / 4), to: "cut.trace")
        for command in Self.commands {
            let result = try CommandLineTool.run([command, folder.file("cut.trace"), "--strict", "--json"])
            #expect(result.status == 4, "\(command)")
            #expect(result.errors.contains("warning"))
            #expect(try JSONSerialization.jsonObject(with: result.output) is [String: Any])
        }
    }
}
