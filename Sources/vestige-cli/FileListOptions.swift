import ArgumentParser
import Vestige

/// Files that stand in a list.
struct FileListOptions: ParsableArguments {
    @Option(
        name: .customLong("files-from"),
        help: ArgumentHelp(
            "Also the files in this list, one a line or as of find -print0; - for standard input.", valueName: "list"))
    var filesFrom: String?

    func files() throws(TraceError) -> [String] {
        try filesFrom.map { path throws(TraceError) in try InputFiles.list(path) } ?? []
    }
}
