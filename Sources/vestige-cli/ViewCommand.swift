import ArgumentParser
import Glibc
import Vestige
import VestigeView

struct ViewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view",
        abstract: "Shows recordings in a browser.",
        discussion: """
            Converts each recording to Perfetto's native format in a temporary folder, serves it on \
            127.0.0.1, and opens it in Perfetto's UI, until Ctrl-C. Files that are in a viewer's format \
            already (.pftrace, Chrome trace JSON, also .gz) are shown as they are. The UI runs in the \
            browser: nothing of a recording leaves this machine.

            The port is 9001, the only one from which ui.perfetto.dev itself fetches a trace. On another \
            port (--port, or where 9001 is taken) a local page hands the trace to the UI.

            --catapult shows recordings in the viewer of chrome://tracing instead: the file \
            trace_viewer_full.html with webcomponents.min.js beside it, which Go brings along in \
            $(go env GOROOT)/src/internal/trace/traceviewer/static.

            With --no-open, or where there is no browser ($BROWSER, xdg-open), the address is printed. Every \
            address holds a random token; only the files given are served, to this machine alone.

            The options that choose a part of a recording are those of convert; docs/query.md explains them.

            EXAMPLES
              vestige view orders.trace
              vestige view before.trace after.trace
              vestige view orders.trace --from 1s --to 2s --region pack
              vestige view orders.trace --no-open --port 0
              curl -s 'http://localhost:6060/debug/pprof/trace?seconds=5' | vestige view -

            \(ExitStatus.help)
            """)

    @Argument(
        help: ArgumentHelp("Recordings, or traces in a viewer's format; - for standard input.", valueName: "file"))
    var files: [String]

    @Option(help: ArgumentHelp("The port to serve on; 0 for any.", valueName: "port"))
    var port: UInt16?

    @Flag(name: .customLong("no-open"), help: "Print the address instead of opening a browser.")
    var noOpen = false

    @Option(help: ArgumentHelp("Show in catapult, whose viewer file this is.", valueName: "viewer"))
    var catapult: String?

    @Option(
        name: .customLong("perfetto-ui"),
        help: ArgumentHelp("Another copy of Perfetto's UI.", valueName: "address"))
    var perfettoUI = "https://ui.perfetto.dev"

    @OptionGroup var shown: ViewerOptions

    @OptionGroup(title: "Which part") var query: QueryOptions

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        let viewer = try chooseViewer()
        let folder = try PrivateFolder()
        let site = ViewSite(try prepare(for: viewer, in: folder), viewer: viewer)
        try serve(site)
        withExtendedLifetime(folder) {}
    }

    private func chooseViewer() throws(TraceError) -> Viewer {
        if let catapult {
            guard access(catapult, R_OK) == 0 else {
                throw TraceError(
                    .usage, file: catapult, expected: "catapult's trace_viewer_full.html",
                    found: String(cString: strerror(errno)))
            }
            return .catapult(path: catapult)
        }
        guard let address = WebAddress(perfettoUI) else {
            throw TraceError(
                .usage, expected: "--perfetto-ui as https://HOST[:PORT][/PATH]", found: "\"\(perfettoUI)\"")
        }
        return .perfetto(address)
    }

    private func prepare(for viewer: Viewer, in folder: PrivateFolder) throws(TraceError) -> [ViewedTrace] {
        var preparation = TracePreparation(target: viewer.target, folder: folder)
        preparation.query = try query.makeQuery()
        shown.apply(to: &preparation.options)
        let bar = reporting.makeProgressBar()
        preparation.onProgress = bar?.show
        preparation.onConversion = { title, result in
            bar?.clear()
            LossReport.warn(
                path: title, diagnostics: result.diagnostics, failure: result.failure, isEmpty: result.isInputEmpty)
            if result.isSelectionEmpty { Console.say(QueryOptions.emptyResult) }
        }
        defer { bar?.clear() }
        var traces: [ViewedTrace] = []
        for file in try InputPath.expand(files) { traces.append(try preparation.prepare(file)) }
        return traces
    }

    /// Serves until a signal ends the process.
    private func serve(_ site: ViewSite) throws(TraceError) {
        let server: ViewServer
        do throws(TraceError) {
            server = try ViewServer(site, port: port ?? ViewServer.deepLinkPort)
        } catch {
            guard port == nil else { throw error }
            server = try ViewServer(site, port: 0)
            if !reporting.quiet {
                Console.say("port \(ViewServer.deepLinkPort) is taken, so a page on port \(server.port) opens the UI")
            }
        }
        announce(site, server.port)
        server.wait()
    }

    private func announce(_ site: ViewSite, _ port: UInt16) {
        let addresses = site.traces.map { site.deepLink(to: $0, port: port) ?? site.pageAddress(of: $0, port: port) }
        let address = addresses.count == 1 ? addresses[0] : site.indexAddress(port: port)
        if noOpen || !Browser.open(address) {
            // Whoever reads it may go, and the server stays.
            try? Console.write(addresses.map { $0 + "\n" }.joined())
        } else if !reporting.quiet {
            Console.say("opened \(address) in a browser")
        }
        if reporting.quiet { return }
        Console.say("serving until Ctrl-C; where the browser shows nothing, try \(site.indexAddress(port: port))")
    }
}
