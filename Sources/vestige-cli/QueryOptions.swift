import ArgumentParser
import Vestige

/// Which part of a recording a command looks at. The same for every command; `docs/query.md` says more.
struct QueryOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only from this time on: 120ms from the first event, -1s from the end, or 2026-11-24T10:00:00.5Z.",
            valueName: "time"))
    var from: String?

    /// No format's name begins as a time does, so `convert` can use the same word for both.
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only before this time. Of `convert` also the output's format, e.g. csv; `vestige formats` lists them.",
            valueName: "time or format"))
    var to: [String] = []

    @Option(
        help: ArgumentHelp(
            "Only while a region of this name is open; like all names a pattern with * and ?.", valueName: "region"))
    var around: [String] = []

    @Option(help: ArgumentHelp("With --around: so long before and after, too.", valueName: "duration"))
    var margin: String?

    @Option(help: ArgumentHelp("Only these goroutines, e.g. 18,20-25.", valueName: "ids"))
    var goroutine: [String] = []

    @Option(help: ArgumentHelp("Only goroutines that began with this function, e.g. 'main.*'.", valueName: "name"))
    var function: [String] = []

    @Option(help: ArgumentHelp("Only what goroutines did in a region of this name.", valueName: "name"))
    var region: [String] = []

    @Option(help: ArgumentHelp("Only tasks of this name and what goroutines did in their regions.", valueName: "name"))
    var task: [String] = []

    @Option(help: ArgumentHelp("Only what goroutines did under this label.", valueName: "label"))
    var label: [String] = []

    @Option(
        help: ArgumentHelp(
            "Only spans of this state, and the events that begin and end them: runnable, running, waiting, syscall.",
            valueName: "state"))
    var state: [String] = []

    @Option(help: ArgumentHelp("Only spans with this reason, e.g. 'chan receive'.", valueName: "reason"))
    var reason: [String] = []

    @Option(help: ArgumentHelp("Only events of this kind, e.g. Log,StateTransition.", valueName: "kind"))
    var kind: [String] = []

    @Option(
        name: .customLong("min-duration"),
        help: ArgumentHelp(
            "Of the regions, tasks and spans that other options name, only those as long as this.",
            valueName: "duration"))
    var minDuration: String?

    @Flag(help: "Also the goroutines that the selected ones created, and those that these created.")
    var descendants = false

    @Option(
        help: ArgumentHelp(
            "Also the goroutines that woke the selected ones or were woken by them, over so many steps (1 if not said).",
            valueName: "steps"))
    var related: String?

    @Option(
        help: ArgumentHelp(
            "Only what this expression is true of, e.g. \"state == waiting for 10ms and function == 'main.*'\".",
            valueName: "expression"))
    var `where`: [String] = []

    @Option(name: .customLong("query"), help: ArgumentHelp("A query saved in a file.", valueName: "file"))
    var queryFile: [String] = []

    static let emptyResult = "note: nothing in the recording is what was asked for; the result is empty"

    /// The options that have values, by their names.
    private var settings: [(name: String, values: [String])] {
        func single(_ value: String?) -> [String] { value.map { [$0] } ?? [] }
        return [
            ("from", single(from)), ("to", to), ("around", around), ("margin", single(margin)),
            ("goroutine", goroutine), ("function", function), ("region", region), ("task", task), ("label", label),
            ("state", state), ("reason", reason), ("kind", kind), ("min-duration", single(minDuration)),
            ("related", single(related)), ("where", `where`),
        ]
    }

    /// What the options ask for.
    /// - Throws: `usage` for a request that makes no sense.
    func makeQuery() throws(TraceError) -> Query {
        guard to.count <= 1 else {
            throw TraceError(.usage, expected: "one time for --to", found: to.joined(separator: " and "))
        }
        var query = Query()
        for (name, values) in settings {
            for value in values { try query.set(name, to: value) }
        }
        query.includesDescendants = descendants
        for path in queryFile { try query.add(file: path) }
        try query.check()
        return query
    }

    /// The options as words, for another process.
    var words: [String] {
        settings.flatMap { name, values in values.map { "--\(name)=\($0)" } } + (descendants ? ["--descendants"] : [])
            + queryFile.map { "--query=\($0)" }
    }

    /// The format among the values of `--to`, which is removed from them; for commands that write one.
    mutating func takeFormatName() throws(TraceError) -> String? {
        let names = takeFormatNames()
        guard names.count <= 1 else {
            throw TraceError(.usage, expected: "one format for --to", found: names.joined(separator: " and "))
        }
        return names.first
    }

    /// The same for commands that write several formats: `csv,perfetto`.
    mutating func takeFormatNames() -> [String] {
        let names = to.filter { !Self.isTime($0) }
        to.removeAll { !Self.isTime($0) }
        return names
    }

    private static func isTime(_ text: String) -> Bool {
        guard let first = text.first else { return false }
        return first.isNumber || first == "-" || first == "."
    }

    /// `--related` alone means one step, and the library knows no options whose value may be missing.
    static func completing(_ arguments: [String]) -> [String] {
        arguments.map { $0 == "--related" ? "--related=1" : $0 }
    }
}
