import VestigeArchive
import VestigeCore

/// The archive as an output of conversions: it takes the inputs as they are.
enum ArchiveOutputFormat {
    static let format = OutputFormat(
        name: "archive", summary: "archive of the inputs as they are, in little room (vestige help archive)",
        suffix: ".vestige", shape: .archive, isBinary: true
    ) { target, _ throws(TraceError) in
        throw TraceError(.usage, file: target.path, expected: "a format for events", found: "archive")
    }
}
