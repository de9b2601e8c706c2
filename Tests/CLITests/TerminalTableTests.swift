import Foundation
import Testing
import VestigeTestSupport

/// What a terminal gets: a table that fits, in colour, and nothing that a recording can do to it.
@Suite struct TerminalTableTests {
    private let orders = PackagePaths.sample("orders")

    /// Runs in a terminal of its own, by script(1), and returns what that shows.
    private func show(_ command: String, _ environment: String) throws -> String? {
        let result = try CommandLineTool.shell(
            "command -v script > /dev/null || exit 77; "
                + "unset NO_COLOR; export \(environment); script -qec \"'\(CommandLineTool.path)' \(command)\" /dev/null < /dev/null"
        )
        guard result.status != 77 else { return nil }
        #expect(result.status == 0)
        return result.text.replacingOccurrences(of: "\r\n", with: "\n")
    }

    /// Without the codes for colours.
    private func plain(_ text: String) -> String {
        text.replacingOccurrences(of: "\u{1b}\\[[0-9;]*m", with: "", options: .regularExpression)
    }

    @Test(arguments: [70, 100, 160]) func tablesFit(_ columns: Int) throws {
        for command in ["waits", "goroutines", "stacks", "lifeline 1", "regions"] {
            guard let text = try show("\(command) -q '\(orders)'", "COLUMNS=\(columns) TERM=xterm") else { return }
            let widest = plain(text).split(separator: "\n").map(\.count).max() ?? 0
            #expect(widest > 30 && widest <= columns, "\(command)")
        }
    }

    @Test func longTextsLoseTheirMiddle() throws {
        guard let text = try show("stacks -q '\(orders)'", "COLUMNS=80 TERM=xterm") else { return }
        #expect(text.contains("…"))
        #expect(text.contains("time.Sleep"))
    }

    @Test func colourUnlessUnwanted() throws {
        guard let text = try show("waits -q '\(orders)'", "COLUMNS=120 TERM=xterm") else { return }
        #expect(text.contains("\u{1b}[1m"))
        for environment in ["NO_COLOR=1 TERM=xterm", "TERM=dumb"] {
            #expect(try show("waits -q '\(orders)'", "COLUMNS=120 \(environment)")?.contains("\u{1b}[1m") == false)
        }
        #expect(try show("waits -q --json '\(orders)'", "COLUMNS=120 TERM=xterm")?.contains("\u{1b}[1m") == false)
    }

    @Test func namesCannotDoAnythingToATerminal() throws {
        let folder = try TemporaryFolder()
        let line = #"{"t":10,"kind":"RegionBegin","g":1,"type":"evil\u001b[2J\u202e\r\n\u0007x"}"#
        try folder.write(
            (line + "\n" + line.replacingOccurrences(of: "Begin", with: "End") + "\n").utf8, to: "in.jsonl")
        let piped = try CommandLineTool.run(["regions", folder.file("in.jsonl")])
        #expect(piped.text.contains("evil\\x1b[2J\\u{202e}\\x0d\\x0a\\x07x"))
        guard let shown = try show("regions -q '\(folder.file("in.jsonl"))'", "COLUMNS=200 TERM=xterm") else { return }
        #expect(plain(shown).contains("evil\\x1b[2J\\u{202e}"))
    }
}
