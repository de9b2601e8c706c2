import ArgumentParser
import Glibc
import Vestige

struct ArchiveExtractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract", abstract: "Writes entries as files.",
        discussion: """
            A file appears under its name only when all of it is proved. What cannot be is said, and the exit code \
            is 3; everything else is extracted all the same.
            """)

    @OptionGroup var choice: EntryChoice

    @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write into.", valueName: "folder"))
    var output = "."

    @Flag(name: .shortAndLong, help: "Replace files that exist.")
    var force = false

    @Flag(help: "Of damaged entries write what is sound, as NAME.damaged: of a trace, whole generations.")
    var keepDamaged = false

    @Flag(name: .shortAndLong, help: "Name every entry that damage has cost.")
    var verbose = false

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        let progress = ArchiveProgress(reporting)
        defer { progress.clear() }
        let archive = try choice.open()
        var extraction = ArchiveExtraction()
        extraction.overwrites = force
        extraction.keepsDamaged = keepDamaged
        extraction.onProgress = progress.show
        let results = try extraction.extract(archive, choice.choose(from: archive), into: output)
        progress.clear()
        let isSound = EntryReport.say(results, archive: archive.path, isVerbose: verbose)
        if !reporting.quiet {
            let sound = results.filter(\.errors.isEmpty)
            let bytes = sound.reduce(0) { $0 + $1.entry.size }
            Console.say(
                "\(archive.path): \(Units.grouped(UInt64(sound.count))) of \(Units.grouped(UInt64(results.count))) "
                    + "extracted, \(Units.bytes(bytes))" + progress.rate(bytes))
        }
        if !isSound { throw EarlyExit(status: .unreadable) }
    }
}

struct ArchiveVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Proves entries by reading all of them.",
        discussion: "Names what is damaged; the exit code is 1 then.")

    @OptionGroup var choice: EntryChoice
    @Flag(name: .shortAndLong, help: "Name every entry that damage has cost.")
    var verbose = false

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        let progress = ArchiveProgress(reporting)
        defer { progress.clear() }
        let archive = try choice.open()
        var extraction = ArchiveExtraction()
        extraction.onProgress = progress.show
        let results = try extraction.verify(archive, choice.choose(from: archive))
        progress.clear()
        let isSound = EntryReport.say(results, archive: archive.path, isVerbose: verbose)
        if !reporting.quiet {
            let count = results.filter(\.errors.isEmpty).count
            let bytes = results.reduce(0) { $0 + $1.entry.size }
            Console.say(
                "\(archive.path): \(Units.grouped(UInt64(count))) of \(Units.grouped(UInt64(results.count))) "
                    + "are sound" + progress.rate(bytes))
        }
        if !isSound || archive.isRecovered { throw EarlyExit(status: .findings) }
    }
}

struct ArchiveCatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Writes entries to standard output.",
        discussion: """
            With --goroutine or --region only those generations of a trace that mention one of them, by what the \
            index says; together they are a trace again. How much was read for that is said.
            """)

    @OptionGroup var choice: EntryChoice

    @Option(help: ArgumentHelp("Only generations that mention this goroutine; may be repeated.", valueName: "id"))
    var goroutine: [UInt64] = []

    @Option(
        help: ArgumentHelp(
            "Only generations in which a region or task of this name begins (a pattern); may be repeated.",
            valueName: "name"))
    var region: [String] = []

    @Flag(name: .shortAndLong, help: "Name every entry that damage has cost.")
    var verbose = false

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        let archive = try choice.open()
        let entries = try choice.choose(from: archive)
        guard isatty(1) == 0 || entries.allSatisfy({ $0.format != GoTraceV2Format.format.name }) else {
            throw TraceError(.usage, expected: "standard output to go to a file or a pipe", found: "a terminal")
        }
        let sink = DescriptorSink(descriptor: 1, path: "standard output")
        if goroutine.isEmpty, region.isEmpty {
            let results = try ArchiveExtraction().write(archive, entries, to: sink)
            if !EntryReport.say(results, archive: archive.path, isVerbose: verbose) {
                throw EarlyExit(status: .unreadable)
            }
        } else {
            for entry in entries { try writeParts(EntryContent(archive, entry), archive, to: sink) }
        }
    }

    private func writeParts(_ content: EntryContent, _ archive: ArchiveFile, to sink: DescriptorSink) throws(TraceError)
    {
        var question = EntryContent.Question()
        if !goroutine.isEmpty { question.goroutines = Set(goroutine) }
        let patterns = region
        if !region.isEmpty {
            question.isRegionWanted = { name in patterns.contains { EntryName.matches(name, $0) } }
        }
        let (bytesBefore, blocksBefore) = (archive.blockBytesRead, archive.blocksRead)
        let count = try content.write(content.stretches(for: question), to: sink)
        guard !reporting.quiet else { return }
        Console.say(
            "\(archive.path)/\(content.entry.name): \(Units.bytes(count)) of \(Units.bytes(content.size)), for which "
                + "\(Units.bytes(archive.blockBytesRead - bytesBefore)) of \(Units.bytes(archive.fileSize)) were read "
                + "(\(archive.blocksRead - blocksBefore) of \(content.entry.chunks.count) blocks)")
    }
}
