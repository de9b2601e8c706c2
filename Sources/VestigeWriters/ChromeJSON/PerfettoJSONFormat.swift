import VestigeCore

/// Chrome trace JSON as Perfetto's importer takes it best: see `ChromeDialect.perfetto`.
public enum PerfettoJSONFormat {
    public static let format = OutputFormat(
        name: "perfetto-json",
        summary: "Chrome trace JSON for ui.perfetto.dev alone, with stacks in full",
        suffix: ".perfetto.json", hasFlows: true,
        make: { target, options throws(TraceError) in
            ChromeJSONWriter(try target.sink(named: nil), dialect: .perfetto, options: options)
        })
}
