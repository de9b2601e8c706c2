import ArgumentParser
import Vestige

struct FormatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "formats", abstract: "Lists the formats that can be read and written.")

    func run() throws {
        var lines = ["Reads (found by content, also within .gz and .zst):"]
        for format in Formats.inputs {
            lines.append(Self.row(format.name, format.suffixes.joined(separator: " "), format.summary))
        }
        lines.append("")
        lines.append("and entries of archives (ARCHIVE/NAME, see `vestige help archive`) in any of these.")
        lines.append("")
        lines.append("Writes (--to NAME, or -o with the suffix, also followed by .gz or .zst):")
        for format in Formats.outputs {
            lines.append(Self.row(format.name, format.suffix, format.summary))
            if !format.tableNames.isEmpty {
                lines.append(Self.row("", "", "tables: \(format.tableNames.joined(separator: ", "))"))
            }
        }
        try Console.write(lines.joined(separator: "\n") + "\n")
    }

    private static func row(_ name: String, _ suffix: String, _ summary: String) -> String {
        "  \(padded(name, 15)) \(padded(suffix, 16)) \(summary)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
