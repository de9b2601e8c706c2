import VestigeArchive
import VestigeCore
import VestigeStages

/// What is wrong in the inputs, in words.
public struct GhostReport {
    public let inputs: [String]
    /// What is known of the reading.
    public let reading: AnalysisResult
    public let result: GhostResult
    /// Worst first.
    public private(set) var items: [GhostItem]
    /// How many findings a baseline knew, and so are left out.
    public private(set) var knownCount = 0

    init(_ result: GhostResult, _ search: GhostSearch, _ input: InputSet) {
        self.result = result
        inputs = input.paths
        reading = AnalysisResult(input, from: result.firstNanoseconds, to: result.lastNanoseconds)
        let sentences = GhostSentences(result, input.tables)
        var counts: [String: Int] = [:]
        items = result.findings.map { finding in
            var item = GhostItem(finding, sentences, input, hasWindow: search.query.hasWindow)
            // Findings of one kind in the same functions differ by lines only, which change from build to build.
            counts[item.id, default: 0] += 1
            if let number = counts[item.id], number > 1 { item.id += "-\(number)" }
            return item
        }
    }

    /// Leaves out what a baseline knows.
    public mutating func removeKnown(_ baseline: GhostBaseline) {
        let count = items.count
        items.removeAll { baseline.ids.contains($0.id) }
        knownCount = count - items.count
    }
}

/// A finding with its words.
public struct GhostItem {
    /// Stays the same from recording to recording of a program, as long as its functions keep their names.
    public internal(set) var id: String
    public let finding: GhostFinding
    /// What is wrong and how that is known, as one sentence.
    public let sentence: String
    /// A command that shows it in a viewer.
    public let command: String
    /// Where goroutines of it wait, or were; and where they are created.
    public let place: Frame?
    public let creationPlace: Frame?

    init(_ finding: GhostFinding, _ sentences: GhostSentences, _ input: InputSet, hasWindow: Bool) {
        self.finding = finding
        let tables = input.tables
        place = sentences.place(finding.stack)
        creationPlace = finding.creationStack == .absent ? nil : tables.stacks.node(finding.creationStack).frame
        sentence = sentences.sentence(finding)
        id = Self.id(finding, tables)
        command = Self.command(finding, sentences, input, hasWindow: hasWindow)
    }

    private static func id(_ finding: GhostFinding, _ tables: TraceTables) -> String {
        let names = { (stack: StackID) in
            tables.stacks.frames(stack).map { tables.strings.string($0.function) }.joined(separator: "<")
        }
        let text = [
            finding.ghost.name, tables.strings.string(finding.startFunction), names(finding.stack),
            names(finding.creationStack),
        ].joined(separator: "|")
        var bytes = text
        let hash = bytes.withUTF8 { XXHash.sum(UnsafeRawBufferPointer($0)) }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func command(
        _ finding: GhostFinding, _ sentences: GhostSentences, _ input: InputSet, hasWindow: Bool
    ) -> String {
        let files = input.paths.map(ShellWord.quoted).joined(separator: " ")
        guard let member = finding.members.first, member.goroutine != .absent else { return "vestige view \(files)" }
        let command = "vestige view \(files) --goroutine \(member.goroutine.rawValue) --related"
        guard !hasWindow, !sentences.hasOnlyObservations else { return command }
        // A little of what came before shows how it got there.
        let start = sentences.sinceFirst(member.startNanoseconds)
        let margin = max(1_000_000, member.durationNanoseconds / 10)
        let from = max(0, start &- margin) / 1_000_000
        return from == 0 ? command : command + " --from \(from)ms"
    }
}
