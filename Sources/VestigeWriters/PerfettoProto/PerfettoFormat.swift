import VestigeCore

/// The native format of ui.perfetto.dev and its trace processor: protocol buffers, as specified in
/// `Schemas/perfetto/trace.proto`.
public enum PerfettoFormat {
    public static let format = OutputFormat(
        name: "perfetto",
        summary: "Perfetto's own format, with goroutines also as threads of a scheduler, for ui.perfetto.dev and SQL",
        suffix: ".pftrace",
        isBinary: true, viewer: .native,
        make: { target, options throws(TraceError) in
            let sink = try target.sink(named: nil)
            return ProcessWriters { process, _ in PerfettoWriter(sink, options: options, process: process) }
        })
}
