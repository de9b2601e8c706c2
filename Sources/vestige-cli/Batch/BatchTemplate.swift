import Vestige

/// Where the outputs of a batch go: a path with placeholders in braces, or a folder.
struct BatchTemplate {
    enum Placeholder: String, CaseIterable {
        /// The folder that the input is in, without what leads upwards or to the root.
        case dir
        /// The input's name without its suffix, and with it.
        case name, file
        case format
        /// The format's, with its dot; of a format that writes a folder `-` and its name.
        case suffix
    }

    private enum Part {
        case text(String)
        case placeholder(Placeholder)
    }

    /// The folder that all outputs are in.
    let root: String
    /// Whether only a folder is given, and names within it are free.
    let isFolder: Bool
    private let parts: [Part]

    /// - Throws: `usage` for a placeholder that there is not.
    init(_ text: String) throws(TraceError) {
        if !text.contains("{"), !text.hasSuffix("/"), let format = Formats.output(forPath: text) {
            throw TraceError(
                .usage, file: text, expected: "a folder, or a path with placeholders such as {name}\(format.suffix)",
                found: "one file for all outputs")
        }
        isFolder = !text.contains("{")
        let text = isFolder ? "\(text)/{dir}/{name}{suffix}" : text
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            parts.append(.text(String(rest[..<open])))
            guard let close = rest[open...].firstIndex(of: "}") else {
                throw TraceError(.usage, expected: "a } behind each { of --out", found: "\"\(text)\"")
            }
            let word = String(rest[rest.index(after: open)..<close])
            guard let placeholder = Placeholder(rawValue: word) else {
                throw Suggestion.unknown(word, kind: "placeholder", among: Placeholder.allCases.map(\.rawValue))
            }
            parts.append(.placeholder(placeholder))
            rest = rest[rest.index(after: close)...]
        }
        parts.append(.text(String(rest)))
        self.parts = parts
        let fixed = FolderPath.parent(of: String(text.prefix { $0 != "{" }))
        root = fixed.isEmpty ? "." : fixed
    }

    /// The output of an input in a format.
    /// - Parameter withSuffix: names the input with its suffix, where that without it is the name of another one, too.
    func path(for input: String, _ format: OutputFormat, withSuffix: Bool = false) -> String {
        let path = EntryName.forPath(input)
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let text = parts.map { part in
            switch part {
            case .text(let text): text
            case .placeholder(.dir): FolderPath.parent(of: path)
            case .placeholder(.name): withSuffix ? file : OutputPlan.stem(of: file)
            case .placeholder(.file): file
            case .placeholder(.format): format.name
            case .placeholder(.suffix): format.shape == .folder ? "-\(format.name)" : format.suffix
            }
        }.joined()
        let names = text.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return text.hasPrefix("/") ? "/\(names)" : names
    }
}
