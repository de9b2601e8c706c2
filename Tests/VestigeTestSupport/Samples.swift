import Foundation

/// The recordings that the repository brings along.
public enum Samples {
    public static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("samples")

    /// Paths of the files below a folder of samples that end in `suffix`, sorted.
    public static func files(in format: String, suffix: String) -> [String] {
        let base = folder.appendingPathComponent(format)
        let all = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)
        return (all?.compactMap { ($0 as? URL)?.path } ?? []).filter { $0.hasSuffix(suffix) }.sorted()
    }

    public static func size(_ path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }
}
