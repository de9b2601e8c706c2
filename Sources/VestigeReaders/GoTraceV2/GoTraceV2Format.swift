import VestigeCore

/// Go execution traces since Go 1.22: headers `go 1.22 trace`, 1.23, 1.25 and 1.26.
public enum GoTraceV2Format {
    /// The versions whose events this reader knows.
    static let knownVersions = [22, 23, 25, 26]

    public static let format = InputFormat(
        name: "gotrace-v2",
        summary: "Go execution trace of Go 1.22 to 1.27 (runtime/trace, /debug/pprof/trace, flight recorder)",
        suffixes: [".trace", ".out"],
        sniff: { bytes in
            if let version = GoTraceHeader.version(bytes) { return version >= 22 ? .yes : .no }
            return GoTraceHeader.isPrefix(bytes) ? .needMore : .no
        },
        open: { source, context throws(TraceError) in try GoTraceV2Reader(source, context) })
}
