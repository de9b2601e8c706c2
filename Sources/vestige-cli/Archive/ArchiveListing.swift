import ArgumentParser
import Vestige

struct ArchiveListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the entries of an archive.",
        discussion: "Size, time of the last change, format and name of each; with --json one object a line.")

    @OptionGroup var choice: EntryChoice

    @Flag(help: "One JSON object a line, for scripts.")
    var json = false

    func run() throws {
        let archive = try choice.open()
        for entry in try choice.choose(from: archive) {
            try Console.write(json ? Self.object(entry).text + "\n" : Self.line(entry))
        }
    }

    private static func line(_ entry: ArchiveEntry) -> String {
        let size = Units.grouped(entry.size)
        let format = entry.format.isEmpty ? "-" : entry.format
        let date = InfoReport.date(entry.modifiedNanoseconds).prefix(19)
        return String(repeating: " ", count: max(0, 15 - size.count)) + size + "  \(date)  " + format
            + String(repeating: " ", count: max(1, 13 - format.count)) + Console.escaped(entry.name) + "\n"
    }

    static func object(_ entry: ArchiveEntry) -> JSONObject {
        let object = JSONObject()
        object.add("name", entry.name)
        object.add("bytes", entry.size)
        object.add("sha256", entry.sha256.map(hex))
        object.add("modified_unix_ns", entry.modifiedNanoseconds)
        object.add("format", entry.format.isEmpty ? nil : entry.format)
        object.add("format_version", entry.formatVersion.isEmpty ? nil : entry.formatVersion)
        object.add("first_ns", entry.timeRange?.lowerBound)
        object.add("last_ns", entry.timeRange?.upperBound)
        object.add("chunks", UInt64(entry.chunks.count))
        return object
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

struct ArchiveInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Shows what an archive's index knows, without reading its blocks.")

    @OptionGroup var choice: EntryChoice

    @Flag(help: "One JSON object a line, for scripts.")
    var json = false

    func run() throws {
        let archive = try choice.open()
        let entries = try choice.choose(from: archive)
        if json {
            for entry in entries {
                let object = ArchiveListCommand.object(entry)
                object.add("parts", entry.chunks.map(Self.object))
                try Console.write(object.text + "\n")
            }
            return
        }
        try Console.write(Self.overview(archive))
        for entry in entries { try Console.write(Self.text(entry)) }
    }

    private static func overview(_ archive: ArchiveFile) -> String {
        let summary = archive.summary
        let unneeded = summary.unneededBytes == 0 ? "" : ", \(Units.bytes(summary.unneededBytes)) that --compact gives back"
        return """
            \(Console.escaped(archive.path))
              entries   \(Units.grouped(UInt64(archive.entries.count))) of \(Units.bytes(summary.rawBytes))
              size      \(Units.bytes(archive.fileSize)) in \(Units.counted(UInt64(summary.blockCount), "block"))\(unneeded)

            """
    }

    private static func text(_ entry: ArchiveEntry) -> String {
        var lines = ["", Console.escaped(entry.name)]
        lines.append("  size      \(Units.bytes(entry.size))")
        if let sum = entry.sha256 { lines.append("  sha-256   \(ArchiveListCommand.hex(sum))") }
        if !entry.format.isEmpty { lines.append("  format    \(entry.format) \(entry.formatVersion)") }
        guard let range = entry.timeRange else { return lines.joined(separator: "\n") + "\n" }
        if let wall = entry.chunks.lazy.compactMap(\.content?.wallOffsetNanoseconds).first {
            lines.append("  recorded  \(InfoReport.date(wall &+ range.lowerBound))")
        }
        lines.append("  duration  \(Units.duration(range.upperBound &- range.lowerBound))")
        for (number, chunk) in entry.chunks.enumerated() {
            guard let content = chunk.content else {
                lines.append("  part \(number + 1)    \(Units.bytes(UInt64(chunk.length)))")
                continue
            }
            let names = content.regions.prefix(8).map { Console.escaped($0) }.joined(separator: ", ")
            let more = content.regions.count > 8 ? " and \(content.regions.count - 8) more" : ""
            lines.append(
                "  part \(number + 1)    from \(Units.duration(content.firstNanoseconds &- range.lowerBound)) to "
                    + "\(Units.duration(content.lastNanoseconds &- range.lowerBound)), "
                    + "\(Units.counted(content.goroutineCount, "goroutine"))"
                    + (names.isEmpty ? "" : ", regions: \(names)\(more)"))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func object(_ chunk: ArchiveChunk) -> JSONObject {
        let object = JSONObject()
        object.add("bytes", UInt64(chunk.length))
        guard let content = chunk.content else { return object }
        object.add("first_ns", content.firstNanoseconds)
        object.add("last_ns", content.lastNanoseconds)
        object.add("wall_offset_ns", content.wallOffsetNanoseconds)
        object.add("goroutines", content.goroutineCount)
        object.add("regions", content.regions)
        return object
    }
}
