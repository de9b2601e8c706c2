import ArgumentParser
import Vestige

/// What is put into an archive, and how.
struct ArchiveInputOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The archive, usually NAME.vestige.", valueName: "archive"))
    var archive: String

    @Argument(help: ArgumentHelp("Files, folders and patterns.", valueName: "input"))
    var inputs: [String] = []

    @OptionGroup var list: FileListOptions

    @Option(
        help: ArgumentHelp("How hard to compress: fast, default or small (much slower).", valueName: "level"))
    var level = ArchiveLevel.default

    func collect() throws(TraceError) -> [ArchiveInput] {
        try ArchiveInputs.collect(inputs + list.files(), archive: archive)
    }

    /// Writes the inputs to an archive, with a progress bar.
    func write<Outcome>(
        _ progress: ArchiveProgress, _ body: (ArchiveWriter, [ArchiveInput]) throws(TraceError) -> Outcome
    ) throws(TraceError) -> Outcome {
        defer { progress.clear() }
        var writer = ArchiveWriter.knowingFormats(level: level)
        writer.onProgress = progress.show
        return try body(writer, collect())
    }
}

struct ArchiveCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Makes an archive.")

    @OptionGroup var options: ArchiveInputOptions

    @Flag(name: .shortAndLong, help: "Replace an archive that exists.")
    var force = false

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        let progress = ArchiveProgress(reporting)
        let outcome = try options.write(progress) { writer, inputs throws(TraceError) in
            try writer.create(options.archive, inputs, overwrites: force)
        }
        if !reporting.quiet { Console.say("\(options.archive): \(Self.summary(outcome, progress))") }
    }

    static func summary(_ outcome: ArchiveWriter.Outcome, _ progress: ArchiveProgress) -> String {
        let ratio = outcome.sizeAfter > 0 ? Double(outcome.byteCount) / Double(outcome.sizeAfter) : 0
        return "\(entries(outcome.entryCount)), \(Units.bytes(outcome.byteCount)) in "
            + "\(Units.bytes(outcome.sizeAfter)), 1/\(Units.decimal(ratio, digits: 1))"
            + progress.rate(outcome.byteCount)
    }
}

struct ArchiveAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds files to an archive.",
        discussion: "Whatever happens on the way, the archive holds what it held before.")

    @OptionGroup var options: ArchiveInputOptions

    @Flag(name: .shortAndLong, help: "Replace entries that exist.")
    var force = false

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        let progress = ArchiveProgress(reporting)
        let outcome = try options.write(progress) { writer, inputs throws(TraceError) in
            try writer.add(options.archive, inputs, overwrites: force)
        }
        guard !reporting.quiet else { return }
        Console.say(
            "\(options.archive): \(entries(outcome.entryCount)) added, \(Units.bytes(outcome.byteCount)) in "
                + "\(Units.bytes(outcome.sizeAfter - min(outcome.sizeBefore, outcome.sizeAfter)))"
                + progress.rate(outcome.byteCount))
    }
}

struct ArchiveRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes entries from an archive.",
        discussion: "Their room is given back by --compact, which may also be used alone.")

    @OptionGroup var choice: EntryChoice

    @Flag(help: "Write the archive anew without what no entry needs.")
    var compact = false

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        let archive = try choice.open().path
        let isRemoving = try !choice.patterns().isEmpty
        guard compact || isRemoving else {
            throw TraceError(.usage, expected: "entries to remove, or --compact", found: "neither")
        }
        let writer = ArchiveWriter()
        var count = 0
        if isRemoving {
            let names = Set(try choice.choose(from: ArchiveFile(archive)).map(\.name))
            count = try writer.remove(archive) { names.contains($0.name) }.entryCount
        }
        var text = "\(archive): \(entries(count)) removed"
        if compact {
            let outcome = try writer.compact(archive)
            text += ", \(Units.bytes(outcome.sizeBefore)) are now \(Units.bytes(outcome.sizeAfter))"
        }
        if !reporting.quiet { Console.say(text) }
    }
}

private func entries(_ count: Int) -> String { EntryReport.entries(count) }
