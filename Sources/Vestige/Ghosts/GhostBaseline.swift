import FoundationEssentials
import VestigeCore

/// The findings of an earlier report, by their ids.
public struct GhostBaseline {
    public let ids: Set<String>
    private static let longestFile = 256 << 20

    private struct Report: Decodable {
        struct Finding: Decodable { var id: String }
        var findings: [Finding]
    }

    /// Reads what `vestige ghosts --json` has written.
    /// - Throws: `unreadable` for a file that cannot be read or is no report.
    public init(file path: String) throws(TraceError) {
        let bytes = try ByteSource.open(path).prefix(Self.longestFile + 1)
        guard bytes.count <= Self.longestFile, let report = try? JSONDecoder().decode(Report.self, from: Data(bytes))
        else {
            throw TraceError(
                .unreadable, file: path, expected: "a report of `vestige ghosts --json` for --baseline",
                found: bytes.isEmpty ? "nothing" : "something else")
        }
        ids = Set(report.findings.map(\.id))
    }
}
