import Vestige

/// What a batch is to do.
struct BatchPlan {
    let template: BatchTemplate
    let formats: [OutputFormat]
    let usesChecksums: Bool
    private(set) var tasks: [BatchTask] = []

    init(template: BatchTemplate, formats: [OutputFormat], usesChecksums: Bool) {
        self.template = template
        self.formats = formats
        self.usesChecksums = usesChecksums
    }

    /// Adds the outputs of inputs.
    /// - Throws: `usage` if two outputs have the same name or one is an input.
    mutating func add(_ inputs: [String]) throws(TraceError) {
        var taken: [String: String] = [:]
        let ambiguous = ambiguous(inputs)
        for input in inputs {
            let (size, state) = state(of: input)
            for format in formats {
                let isAmbiguous = ambiguous.contains(template.path(for: input, format))
                let output =
                    format.shape == .nothing ? "" : template.path(for: input, format, withSuffix: isAmbiguous)
                let plan = try OutputPlan(
                    inputs: [input], output: output.isEmpty ? nil : output, formatName: format.name)
                if let other = taken.updateValue(input, forKey: output), !output.isEmpty {
                    let advice =
                        "; with {dir}, {file}, {format} or {suffix} in --out names differ, "
                        + "e.g. --out '\(template.root)/{dir}/{file}{suffix}'"
                    throw TraceError(
                        .usage, file: input, expected: "outputs whose names differ",
                        found: "\(output), which is also that of \(other)\(advice)")
                }
                tasks.append(
                    BatchTask(
                        input: input, inputSize: size, inputState: state, format: format, output: output, plan: plan))
            }
        }
    }

    /// Names that outputs of several inputs would have, where names are free: `app.trace` and `app.txt`.
    private func ambiguous(_ inputs: [String]) -> Set<String> {
        guard template.isFolder else { return [] }
        var counts: [String: Int] = [:]
        for input in inputs { for format in formats { counts[template.path(for: input, format), default: 0] += 1 } }
        return Set(counts.filter { $0.value > 1 }.keys)
    }

    /// What an input is now. One that cannot be read has no state: its conversion says why.
    private func state(of input: String) -> (size: UInt64, state: String) {
        if let (archive, name) = try? InputPath.archiveAndEntry(input) {
            let entry = archive.entries.first { $0.name == name }
            let sum = entry?.sha256.map { "sha256 \(ArchiveListCommand.hex($0))" }
            return (entry?.size ?? 0, sum ?? FileState.sizeAndTime(archive.path) ?? "")
        }
        let size = FileState.size(input)
        let state = usesChecksums ? try? FileState.checksum(input) : FileState.sizeAndTime(input)
        return (size, state ?? "")
    }
}
