import VestigeCore

/// Helps whoever mistyped a name.
public enum Suggestion {
    /// A usage error for a name that does not exist, which names those that do and the nearest.
    public static func unknown(_ name: String, kind: String, among names: [String], meant: String? = nil) -> TraceError
    {
        let hint = (meant ?? nearest(to: name, among: names)).map { "; did you mean \($0)?" } ?? ""
        return TraceError(
            .usage, expected: "a \(kind) (\(names.joined(separator: ", ")))", found: "\"\(name)\"\(hint)")
    }

    /// The name that differs least, if it is near enough to be meant.
    static func nearest(to name: String, among names: [String]) -> String? {
        let ranked = names.map { (name: $0, distance: distance(name.lowercased(), $0.lowercased())) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        if best.distance <= max(2, name.count / 3), best.distance < name.count { return best.name }
        return name.count >= 2 ? names.first { $0.hasPrefix(name.lowercased()) } : nil
    }

    /// Levenshtein's distance, with two rows.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substituted = diagonal + (character == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
