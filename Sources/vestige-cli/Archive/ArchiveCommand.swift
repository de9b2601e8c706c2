import ArgumentParser
import Vestige

struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Keeps recordings in little room, and proves them when they come back.",
        discussion: """
            An archive (.vestige) holds files of any kind. Traces of Go 1.22 and newer become a fifteenth to a \
            twenty-fifth of their size, since what the scheduler did is predicted; everything else is compressed \
            with zstd, small files together. What is extracted is the same, byte for byte, and proved by \
            checksums.

            Every command reads an entry without extracting it: `vestige convert runs.vestige/orders.trace`. \
            An archive itself is all its entries: `vestige info runs.vestige`, `vestige goroutines runs.vestige`. Of a \
            trace only the generations are read in which the goroutines of --goroutine live, and none after a window; \
            how much was read is said. `vestige convert orders.trace -o orders.vestige` makes an archive as well.

            A change that dies leaves the archive as it was. Damage costs the blocks it is in, and is named.

            EXAMPLES
              vestige archive create runs.vestige traces/ dump.txt
              vestige archive create runs.vestige 'runs/*.trace' --level small
              find . -name '*.trace' -print0 | vestige archive create runs.vestige --files-from -
              vestige archive list runs.vestige
              vestige archive add runs.vestige new.trace
              vestige archive extract runs.vestige traces/orders.trace -o out
              vestige archive cat runs.vestige traces/orders.trace --goroutine 18 | vestige convert -
              vestige archive verify runs.vestige
              vestige archive remove runs.vestige 'traces/*' --compact

            \(ExitStatus.help)
            """,
        subcommands: [
            ArchiveCreateCommand.self, ArchiveAddCommand.self, ArchiveListCommand.self, ArchiveInfoCommand.self,
            ArchiveExtractCommand.self, ArchiveCatCommand.self, ArchiveVerifyCommand.self, ArchiveRemoveCommand.self,
        ])
}

extension ArchiveLevel: ExpressibleByArgument {}

/// Which entries a command is about.
struct EntryChoice: ParsableArguments {
    @Argument(help: ArgumentHelp("The archive.", valueName: "archive"))
    var archive: String

    @Argument(help: ArgumentHelp("Entries, by name, folder or pattern; all if none is given.", valueName: "entry"))
    var entries: [String] = []

    /// - Throws: `unreadable` for a name or pattern that no entry has.
    func choose(from archive: ArchiveFile) throws(TraceError) -> [ArchiveEntry] {
        for pattern in entries where !archive.entries.contains(where: { EntryName.matches($0.name, pattern) }) {
            throw TraceError(
                .unreadable, file: archive.path, expected: "an entry of the archive (see `vestige archive list`)",
                found: "\"\(pattern)\"")
        }
        guard !entries.isEmpty else { return archive.entries }
        return archive.entries.filter { entry in entries.contains { EntryName.matches(entry.name, $0) } }
    }

    func open() throws(TraceError) -> ArchiveFile {
        let archive = try ArchiveFile(archive)
        if archive.isRecovered {
            Console.say(
                "warning: \(archive.path): the index is lost; entries are found again by their blocks, also removed ones"
            )
        }
        return archive
    }
}

/// Reports what a command has done with entries.
enum EntryReport {
    /// - Returns: whether all were sound.
    static func say(_ results: [ArchiveExtraction.Result], archive: String) -> Bool {
        for result in results {
            for error in result.errors { Console.say("\(error.adding(file: archive))") }
            if result.bytesLost > 0 {
                Console.say(
                    "\(archive): \(result.entry.name): \(Units.counted(result.bytesLost, "byte")) of "
                        + "\(Units.grouped(result.entry.size)) are lost")
            }
        }
        return results.allSatisfy(\.errors.isEmpty)
    }
}

/// Says how much of an archive was read for an answer.
enum ArchiveReading {
    static func say() {
        guard let reading = InputPath.archiveReading else { return }
        Console.say(
            "\(reading.path): \(Units.bytes(reading.bytes)) of \(Units.bytes(reading.size)) read "
                + "(\(Units.grouped(UInt64(reading.blocks))) of \(Units.counted(UInt64(reading.blockCount), "block")))")
    }
}

/// Shows how far work on an archive has come.
struct ArchiveProgress {
    private let bar: ProgressBar?
    private let start = ContinuousClock.now

    init(_ reporting: ReportingOptions) { bar = reporting.makeProgressBar() }

    func show(_ done: UInt64, _ total: UInt64) {
        bar?.show(Progress(bytesConsumed: done, byteCount: total, elapsed: .now - start))
    }

    /// How long it took, and how fast, for the summary.
    func rate(_ byteCount: UInt64) -> String {
        let seconds = Units.seconds(.now - start)
        guard seconds >= 0.1 else { return "" }
        return " in \(Units.decimal(seconds, digits: 2)) s (\(Units.bytes(UInt64(Double(byteCount) / seconds)))/s)"
    }

    func clear() { bar?.clear() }
}
