import ArgumentParser
import Glibc
import Vestige

/// The root command: `vestige SUBCOMMAND`.
struct VestigeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vestige",
        abstract: "Makes recordings of Go's concurrency readable to other tools.",
        discussion: """
            Reads what Go's runtime says about goroutines (execution traces, goroutine profiles, dumps and \
            panics, also within logs) and writes it for trace viewers, spreadsheets and scripts. Damaged and cut recordings are read as far as they go, \
            and what is lost is counted.

            \(ExitStatus.help)
            """,
        version: vestigeVersion,
        subcommands: [
            ConvertCommand.self, ViewCommand.self, InfoCommand.self, GoroutinesCommand.self, LifelineCommand.self,
            RegionsCommand.self, TasksCommand.self, WaitsCommand.self, StacksCommand.self, DiffCommand.self,
            AgreeCommand.self, CheckCommand.self, BatchCommand.self, ArchiveCommand.self, CaptureCommand.self,
            FormatsCommand.self,
        ])

    func run() throws {
        try Console.write(Self.welcome)
    }

    static let welcome = """
        vestige \(vestigeVersion): makes recordings of Go's concurrency readable to other tools.

          vestige view orders.trace                a picture, in the browser
          vestige convert orders.trace             the same to keep: writes orders.json
          vestige convert orders.trace --to csv    tables for a spreadsheet, in the folder orders-csv
          vestige convert orders.trace --to jsonl  every event as one line of JSON
          vestige info orders.trace                what is in a recording
          vestige goroutines orders.trace          tables: also waits, regions, tasks, stacks
          vestige lifeline 18 orders.trace         one goroutine's whole story
          vestige diff old.trace new.trace         what has changed between two recordings
          vestige check rules.yaml orders.trace    does it keep to rules? also for CI
          vestige info app.log                     the goroutines of a panic or dump, also within a log
          vestige batch traces/ --to csv --out out the same for many; goes on where it was stopped
          vestige archive create runs.vestige orders.trace   a tenth of the size or less, provably the same
          vestige formats                          what can be read and written

        Record a trace with runtime/trace, `go test -trace orders.trace`, or net/http/pprof.
        `vestige help`, or `vestige help convert`, says more.

        """

    /// Parses, runs, reports what went wrong, and says how to exit.
    static func runToExitCode(_ arguments: [String]) -> ExitStatus {
        do {
            try checkEncoding()
            try checkSubcommand(arguments)
            var command = try parseAsRoot(QueryOptions.completing(arguments))
            try command.run()
            return .done
        } catch let error as TraceError {
            return Console.fail(error)
        } catch let early as EarlyExit {
            return early.status
        } catch {
            return report(error, arguments)
        }
    }

    /// A mistyped subcommand deserves a better answer than "unexpected argument".
    private static func checkSubcommand(_ arguments: [String]) throws(TraceError) {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
        guard let first = words.first, !first.hasPrefix("-"), !names.contains(first) else { return }
        throw Suggestion.unknown(first, kind: "subcommand", among: names)
    }

    /// Other bytes have been replaced in the arguments, so that such a file would not be found.
    private static func checkEncoding() throws(TraceError) {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let bytes = CommandLine.unsafeArgv[index], String(validatingCString: bytes) == nil else { continue }
            throw TraceError(
                .usage, expected: "file names in UTF-8 (another can be read with `vestige convert - < FILE`)",
                found: "\"\(String(cString: bytes))\"")
        }
    }

    /// Requests for help and version, and mistakes in the arguments.
    private static func report(_ error: any Error, _ arguments: [String]) -> ExitStatus {
        let text = fullMessage(for: error)
        guard exitCode(for: error) == .success else {
            // In the style of all other messages, however the library says it.
            let parts = text.split(separator: "\n", maxSplits: 1).map(String.init)
            let message = parts[0].hasPrefix("Error: ") ? String(parts[0].dropFirst(7)) : parts[0]
            Console.say(message.prefix(1).lowercased() + message.dropFirst())
            if let file = arguments.first(where: { $0.hasPrefix("-") && $0.count > 1 && access($0, F_OK) == 0 }) {
                Console.say("the file \(file) is given as ./\(file)")
            }
            if parts.count > 1 { Console.sayLines(parts[1]) }
            return .usage
        }
        do throws(TraceError) { try Console.write(text + "\n") } catch { return Console.fail(error) }
        return .done
    }
}

/// Ends a command that has said everything there is to say.
struct EarlyExit: Error {
    var status: ExitStatus
}
