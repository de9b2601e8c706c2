import ArgumentParser
import Vestige
import VestigeCapture

struct CapturePprofCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pprof",
        abstract: "Fetches a trace, and goroutine profiles of the same time, from net/http/pprof.",
        discussion: """
            Records an execution trace, and asks for the goroutines while it is being recorded: as text with their \
            numbers, as a profile, and, where the program's Go has it, for those that are proved to leak. The files \
            in the folder fit together: `vestige convert` finds where in the trace each was taken.

              app.trace             execution trace
              goroutines.txt        all goroutines (debug=2)
              goroutines.pb.gz      the same as a profile, with counts and labels
              goroutineleak.pb.gz   goroutines that leak (Go 1.27, Go 1.26 by an experiment)

            The address is that of the server, with whatever stands before /debug/pprof in its paths. Only http is \
            spoken; where the program is elsewhere or behind TLS, forward its port (ssh -L, kubectl port-forward).

            EXAMPLES
              vestige capture pprof localhost:6060 -o now
              vestige capture pprof http://localhost:8080/internal --seconds 20 -o now
              vestige convert now/app.trace now/goroutines.txt now/goroutineleak.pb.gz -o now/all.pftrace

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("Where the program serves /debug/pprof.", valueName: "address"))
    var address: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write.", valueName: "folder"))
    var output: String

    @Flag(name: .shortAndLong, help: "Replace files of an earlier capture.")
    var force = false

    @Option(help: ArgumentHelp("How long to record the trace.", valueName: "seconds"))
    var seconds: Double = 5

    @Option(
        help: ArgumentHelp("How long to wait for the connection, and for an answer to go on.", valueName: "seconds"))
    var timeout: Double = 30

    @Flag(name: .shortAndLong, help: "Say nothing but errors.")
    var quiet = false

    func run() throws {
        let place = try PprofAddress(address)
        for (name, value) in [("--seconds", seconds), ("--timeout", timeout)] where !(value >= 0.1 && value <= 86_400) {
            throw TraceError(.usage, expected: "0.1 to 86400 seconds as \(name)", found: "\(value)")
        }
        let folder = try OutputFolder(output, overwrites: force, tableNames: PprofCapture.fileNames)
        let summary = try PprofCapture(place, seconds: seconds, timeoutSeconds: timeout).run(into: folder)
        try folder.commit()
        if quiet { return }
        let files = summary.files.map { "\($0.name) (\(Units.bytes($0.byteCount)))" }
        Console.say("\(place) → \(output): \(files.joined(separator: ", "))")
        for note in summary.notes { Console.say(note) }
        let inputs = summary.files.map { ShellWord.quoted("\(output)/\($0.name)") }
        let all = ShellWord.quoted("\(output)/all.pftrace")
        Console.say("together: vestige convert \(inputs.joined(separator: " ")) -o \(all)")
    }
}
