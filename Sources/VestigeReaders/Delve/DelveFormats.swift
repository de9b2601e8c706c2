import VestigeCore

/// What the Delve debugger says about a Go program's goroutines.
public enum DelveFormats {
    /// Answers of a headless server, and logs of them.
    public static let json = InputFormat(
        name: "delve-json", summary: "Delve's JSON-RPC: answers (ListGoroutines, Stacktrace, State, …), logs of them",
        suffixes: [".json", ".jsonl"], sniff: { DelveSniff.json($0) }
    ) { source, context throws(TraceError) in
        let isLog = try source.prefix(DelveSniff.length).withUnsafeBytes { DelveSniff.isServerLog($0) }
        return DelveJSONReader(isLog ? DelveServerLog(source) : DelveValueSource(source), context: context)
    }

    /// Whether a text names a version of Go, as `ReaderContext.goVersion` wants it: `1.24`, `go1.24.11`.
    public static func isGoVersion(_ text: String) -> Bool { GoVersion(text) != nil }

    /// What the command line client prints.
    public static let text = InputFormat(
        name: "delve-text",
        summary: "Delve's text: goroutines, stack, threads, breakpoints and tracepoints, recorded sessions",
        suffixes: [".txt", ".log"], sniff: { DelveSniff.text($0) }
    ) { source, context throws(TraceError) in
        try DelveTextReader(source, context: context)
    }
}
