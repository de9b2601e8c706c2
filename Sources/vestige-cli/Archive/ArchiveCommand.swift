import ArgumentParser
import Vestige

struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Keeps recordings in little room, and proves them when they come back.",
        discussion: """
            An archive (.vestige) holds files of any kind. Traces of Go 1.22 and newer become a tenth to a \
            twenty-fifth of their size, since what the scheduler did is predicted; everything else is compressed \
            with zstd, small files together. What is extracted is the same, byte for byte, and proved by \
            checksums.

            Every command reads an entry without extracting it: `vestige convert runs.vestige/orders.trace`. \
            An archive itself is all its entries: `vestige info runs.vestige`, `vestige goroutines runs.vestige`. Of a \
            trace only the generations (of a second each) are read in which the goroutines of --goroutine live, or those \
            of a window or of a --region, --task or --around and the one before it; how much was read is said. `vestige convert orders.trace -o orders.vestige` makes an archive as well.

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
    @Argument(help: ArgumentHelp("The archive, or ARCHIVE/ENTRY.", valueName: "archive"))
    var archive: String

    @Argument(help: ArgumentHelp("Entries, by name, folder or pattern; all if none is given.", valueName: "entry"))
    var entries: [String] = []

    /// - Throws: `unreadable` for a name or pattern that no entry has.
    func choose(from archive: ArchiveFile) throws(TraceError) -> [ArchiveEntry] {
        let entries = try patterns()
        for pattern in entries where !archive.entries.contains(where: { EntryName.matches($0.name, pattern) }) {
            throw TraceError(
                .unreadable, file: archive.path, expected: "an entry of the archive (see `vestige archive list`)",
                found: "\"\(pattern)\"")
        }
        guard !entries.isEmpty else { return archive.entries }
        return archive.entries.filter { entry in entries.contains { EntryName.matches(entry.name, $0) } }
    }

    /// The entries that are named; none for all.
    func patterns() throws(TraceError) -> [String] {
        guard let (_, entry) = try InputPath.archiveAndEntry(archive) else { return entries }
        return [entry] + entries
    }

    func open() throws(TraceError) -> ArchiveFile {
        let named = try InputPath.archiveAndEntry(archive)?.archive
        let archive = if let named { named } else { try ArchiveFile(archive) }
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
    /// - Parameter isVerbose: names every entry that a damaged block has cost, not only some.
    /// - Returns: whether all were sound.
    static func say(_ results: [ArchiveExtraction.Result], archive: String, isVerbose: Bool) -> Bool {
        let damaged = results.filter { !$0.errors.isEmpty }
        // Small files share blocks: what happened to a block is said once.
        let key = { (result: ArchiveExtraction.Result) in
            isVerbose || result.errors.count > 1 ? result.entry.name : "\(general(result.errors[0], result))"
        }
        let groups = Dictionary(grouping: damaged, by: key)
        for result in damaged {
            guard let group = groups[key(result)], group[0].entry.number == result.entry.number else { continue }
            if group.count == 1 { say(result, archive) } else { say(group, archive) }
        }
        return damaged.isEmpty
    }

    private static func say(_ result: ArchiveExtraction.Result, _ archive: String) {
        for error in result.errors { Console.say("\(error.adding(file: archive))") }
        if result.bytesLost > 0 {
            Console.say(
                "\(archive): \(result.entry.name): \(Units.counted(result.bytesLost, "byte")) of "
                    + "\(Units.grouped(result.entry.size)) are lost")
        }
    }

    /// Entries with the same error.
    private static func say(_ group: [ArchiveExtraction.Result], _ archive: String) {
        let names = group.prefix(3).map { Console.escaped($0.entry.name) }.joined(separator: ", ")
        let more = group.count > 3 ? " and \(Units.grouped(UInt64(group.count - 3))) more (--verbose names all)" : ""
        let lost = group.reduce(UInt64(0)) { $0 + $1.bytesLost }
        Console.say("\(general(group[0].errors[0], group[0]).adding(file: archive))")
        Console.say("\(archive): \(entries(group.count)), \(Units.counted(lost, "byte")) of them lost: \(names)\(more)")
    }

    /// An error without the name of the entry that it was found in.
    private static func general(_ error: TraceError, _ result: ArchiveExtraction.Result) -> TraceError {
        var error = error
        error.context.removeAll { $0 == result.entry.name }
        return error
    }

    static func entries(_ count: Int) -> String {
        "\(Units.grouped(UInt64(count))) \(count == 1 ? "entry" : "entries")"
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
