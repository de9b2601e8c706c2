import Testing
import Vestige
import VestigeTestSupport

/// What someone sees who has never used the command.
@Suite struct HelpTests {
    @Test func noArgumentsShowTheMostUsefulCommands() throws {
        let result = try CommandLineTool.run([])
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        #expect(result.text.components(matching: "  vestige ").count == 14)
    }

    @Test(arguments: [[], ["convert"], ["view"], ["info"], ["formats"]])
    func helpOfEachCommand(_ subcommand: [String]) throws {
        let asked = try CommandLineTool.run(["help"] + subcommand)
        let flagged = try CommandLineTool.run(subcommand + ["--help"])
        #expect(asked.status == 0)
        #expect(asked.text == flagged.text)
        #expect(asked.text.hasPrefix("OVERVIEW: "))
        #expect(asked.text.contains("USAGE: vestige"))
        #expect(asked.errors.isEmpty)
    }

    /// On a terminal of 80 characters, which is also what is taken where there is none.
    @Test(arguments: ["agree", "convert", "diff", "ghosts", "goroutines", "info", "stacks"])
    func exitCodesAreNotBroken(_ command: String) throws {
        let lines = try CommandLineTool.run(["help", command]).text.components(separatedBy: "\n")
        let codes = lines.drop { $0 != "EXIT CODES" }.dropFirst().prefix { !$0.isEmpty }
        #expect(codes.count == 7)
        #expect(codes.allSatisfy { $0.hasPrefix("  ") && $0.dropFirst(2).first?.isNumber == true })
    }

    @Test func version() throws {
        let result = try CommandLineTool.run(["--version"])
        #expect(result.status == 0)
        #expect(result.text == "\(vestigeVersion)\n")
    }

    @Test func formatsListsAllOfThem() throws {
        let result = try CommandLineTool.run(["formats"])
        #expect(result.status == 0)
        for name in Formats.inputs.map(\.name) + Formats.outputs.map(\.name) {
            #expect(result.text.contains("  \(name) "))
        }
    }
}

extension String {
    /// The lines that begin with `prefix`.
    func components(matching prefix: String) -> [Substring] {
        split(separator: "\n").filter { $0.hasPrefix(prefix) }
    }
}
