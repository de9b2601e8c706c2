import ArgumentParser
import Glibc
import Vestige
import VestigeCapture

/// `vestige capture SOURCE`: recordings taken from running programs.
struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Takes recordings from running programs.",
        subcommands: [CapturePprofCommand.self, CaptureDelveCommand.self])
}

struct CaptureDelveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delve",
        abstract: "Takes a snapshot of all goroutines from a headless Delve.",
        discussion: """
            Stops the program, lists its goroutines with their stacks and labels, and lets it go on. The program \
            is left as it was found, running or stopped, also after Ctrl-C, a time-out, or a connection that drops; \
            what cannot be put right is said. The output is a log of requests and answers, which `vestige convert` \
            reads.

            Start Delve so that it serves several clients:
              dlv exec --headless --accept-multiclient --continue --listen=127.0.0.1:4040 ./program

            EXAMPLES
              vestige capture delve 127.0.0.1:4040 -o snapshot.json
              vestige capture delve 127.0.0.1:4040 -o snapshot.json --break main.checkpoint
              vestige capture delve 127.0.0.1:4040 -o births.json --lifecycle --for 5

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("Where Delve listens.", valueName: "host:port"))
    var address: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write; - for standard output.", valueName: "out"))
    var output: String

    @Flag(name: .shortAndLong, help: "Replace an output that exists.")
    var force = false

    @Option(
        name: .customLong("break"),
        help: ArgumentHelp("Take the snapshot when this function is called.", valueName: "function"))
    var breakpoint: String?

    @Flag(help: "First record births and deaths of goroutines; each costs the program some milliseconds.")
    var lifecycle = false

    @Option(name: .customLong("for"), help: ArgumentHelp("For how long, with --lifecycle.", valueName: "seconds"))
    var seconds: Double = 5

    @Option(help: ArgumentHelp("How long to wait for the breakpoint, and for each answer.", valueName: "seconds"))
    var timeout: Double = 30

    @Flag(name: .customLong("allow-single-client"), help: "Also where Delve serves one client and ends with it.")
    var allowSingleClient = false

    @Flag(name: .shortAndLong, help: "Say nothing but errors.")
    var quiet = false

    func run() throws {
        let file = try OutputFile(output, overwrites: force)
        Interruption.watch()
        let capture = try DelveCapture(try options(), sink: file.sink) { Interruption.signal != 0 }
        do throws(TraceError) {
            let summary = try capture.run()
            try file.commit()
            if !quiet {
                let hits = summary.hitCount > 0 ? ", \(Units.counted(UInt64(summary.hitCount), "hit"))" : ""
                let count = Units.counted(UInt64(summary.goroutineCount), "goroutine")
                Console.say("\(address) → \(output): \(count)\(hits); \(summary.leftBehind)")
            }
        } catch {
            guard Interruption.signal != 0 else { throw error }
            _ = Console.fail(error)
            throw EarlyExit(status: .interrupted)
        }
    }

    private func options() throws(TraceError) -> DelveCapture.Options {
        var options = DelveCapture.Options()
        guard let colon = address.lastIndex(of: ":"), UInt16(address[address.index(after: colon)...]) != nil else {
            throw TraceError(.usage, expected: "HOST:PORT where Delve listens", found: "\"\(address)\"")
        }
        options.host = address[..<colon].isEmpty ? "127.0.0.1" : address[..<colon].filter { $0 != "[" && $0 != "]" }
        options.port = String(address[address.index(after: colon)...])
        for (name, value) in [("--for", seconds), ("--timeout", timeout)] where !(value > 0 && value <= 86_400) {
            throw TraceError(.usage, expected: "seconds up to 86400 as \(name)", found: "\(value)")
        }
        options.breakpointFunction = breakpoint
        options.lifecycleSeconds = lifecycle ? seconds : nil
        options.timeoutSeconds = timeout
        options.allowsSingleClient = allowSingleClient
        return options
    }
}

/// Notes signals instead of ending at once, so that a program under a debugger is not left stopped.
enum Interruption {
    nonisolated(unsafe) static var signal: Int32 = 0

    static func watch() {
        signal = 0
        for number in [SIGINT, SIGTERM, SIGHUP] {
            var action = sigaction()
            sigaction(number, nil, &action)
            if unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == Int(bitPattern: 1) { continue }
            Glibc.signal(number) { Interruption.signal = $0 }
        }
    }
}
