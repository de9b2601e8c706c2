import VestigeCore

/// Chrome trace JSON as Perfetto's importer takes it best: see `ChromeDialect.perfetto`.
public enum PerfettoJSONFormat {
    public static let format = OutputFormat(
        name: "perfetto-json",
        summary: "Chrome trace JSON for ui.perfetto.dev alone, with stacks in full",
        suffix: ".perfetto.json", viewer: .json,
        make: { target, options throws(TraceError) in
            let sink = try target.sink(named: nil)
            return ProcessWriters { process, leader in
                ChromeJSONWriter(
                    sink, dialect: .perfetto, options: options, process: process, leader: leader as? ChromeJSONWriter)
            }
        })
}
