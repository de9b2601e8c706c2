import VestigeCore

/// Go execution traces up to Go 1.21: headers `go 1.5 trace` to `go 1.21 trace`.
public enum GoTraceV1Format {
    /// Versions that the runtime ever wrote; Go 1.6 wrote 1.5, Go 1.12–1.18 wrote 1.11, Go 1.20 wrote 1.19.
    static let knownVersions = [5, 7, 8, 9, 10, 11, 19, 21]

    public static let format = InputFormat(
        name: "gotrace-v1",
        summary: "Go execution trace of Go 1.5 to 1.21 (runtime/trace, /debug/pprof/trace, go test -trace)",
        suffixes: [".trace", ".out"],
        sniff: { bytes in
            if let version = GoTraceHeader.version(bytes) { return knownVersions.contains(version) ? .yes : .no }
            return GoTraceHeader.isPrefix(bytes) ? .needMore : .no
        },
        open: { source, context throws(TraceError) in try GoTraceV1Reader(source, context) })
}
